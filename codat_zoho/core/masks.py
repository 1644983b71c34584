"""Reads the masks that Codat shows in place of stored keys.

A stored value can be proven *different* from the declared one or be *consistent* with it, never proven the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from codat_zoho.declare.rules import looks_like_client_id


class Known(Enum):
    """What a shown value tells about a declared one."""

    SAME = "same"
    CONSISTENT = "consistent"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MaskReading:
    """A verdict on one stored value, and why where it is not self-evident."""

    known: Known
    why: str = ""

    @property
    def agrees(self) -> bool:
        """Nothing shown speaks against the declared value, and something speaks for it."""
        return self.known in (Known.SAME, Known.CONSISTENT)


# Ids and secrets are letters and digits, so four of anything else in a row is a mask, and so may be four X.
_MASK_RUN = re.compile(r"([^0-9A-WYZa-wyz])\1{3}")
_VISIBLE = re.compile(r"[0-9A-WYZa-wyz]")


def _mask_characters(shown: str) -> frozenset[str]:
    """The characters that may stand for hidden ones in ``shown``."""
    return frozenset(_MASK_RUN.findall(shown))


def _visible_ends(shown: str, hidden: frozenset[str]) -> tuple[str, str]:
    """What is visible before and behind all that is hidden, without separators between the two."""
    places = [place for place, char in enumerate(shown) if char in hidden]
    start = re.sub(r"[\W_]+$", "", shown[: places[0]])
    end = re.sub(r"^[\W_]+", "", shown[places[-1] + 1 :])
    return start, end


def read_mask(shown: str | None, declared: str) -> MaskReading:
    """Compare what Codat shows with a declared value.

    The one published example of a mask has ``X`` for all but the last four characters and keeps the length. Other
    masking characters, a visible beginning, opaque masks and unmasked values are read too, since nobody has seen what
    Codat shows for Zoho.

    >>> read_mask("XXXXXXXXc0de", "0123f00dbeef").known
    <Known.DIFFERENT: 'different'>
    >>> read_mask("XXXXXXXXbeef", "0123f00dbeef").known
    <Known.CONSISTENT: 'consistent'>
    >>> read_mask("************", "0123f00dbeef").known
    <Known.UNKNOWN: 'unknown'>
    """
    if shown is None:
        return MaskReading(Known.UNKNOWN, "Codat shows no stored value of this name")
    if not _VISIBLE.search(shown):
        return MaskReading(Known.UNKNOWN, "Codat hides the stored value completely")
    hidden = _mask_characters(shown)
    if shown == declared:
        return MaskReading(Known.CONSISTENT if hidden else Known.SAME)
    if hidden:
        start, end = _visible_ends(shown, hidden)
        if not (declared.startswith(start) and declared.endswith(end)):
            return MaskReading(Known.DIFFERENT)
    if len(shown) != len(declared):
        if hidden:
            return MaskReading(
                Known.UNKNOWN,
                f"the visible characters agree, but the mask is {len(shown)} characters long and the declared value "
                f"{len(declared)}: a stray character may have been stored with it",
            )
        return MaskReading(Known.DIFFERENT) if looks_like_client_id(shown) else _FORM_UNKNOWN
    differing = {one for one, other in zip(shown, declared, strict=True) if one != other} - hidden
    if any(char.isalnum() and char not in "Xx" for char in differing):
        return MaskReading(Known.DIFFERENT)
    # What is left may be separators, or a mask too short to be sure of.
    return _FORM_UNKNOWN if differing else MaskReading(Known.CONSISTENT)


_FORM_UNKNOWN = MaskReading(Known.UNKNOWN, "Codat shows the stored value in a form this package does not know")


def visible_end(mask: str) -> str:
    """The last characters that a mask shows, at most four; none where it is not known to be a mask."""
    hidden = _mask_characters(mask)
    end = "".join(filter(str.isprintable, _visible_ends(mask, hidden)[1])) if hidden else ""
    return end[-4:]


def shown_secret(mask: str | None) -> str:
    """Put a stored secret into words without telling more of it than its last four characters."""
    if mask is None:
        return "none stored"
    end = visible_end(mask)
    return f"ends in {end}" if end else "hidden"

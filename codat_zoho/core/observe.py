"""What is there, as far as it can be told: what Codat shows and Zoho answers, beside what is declared or recorded.

Codat shows stored keys only as masks, so a stored value can be proven *different* from the declared one or be
*consistent* with it, never proven the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import fingerprint, is_fingerprint, looks_like_client_id

if TYPE_CHECKING:
    from codat_zoho.declare.settings import IntegrationSettings

# --- masks ------------------------------------------------------------------------------------------------------------


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
    start, end = shown[: places[0]], shown[places[-1] + 1 :]
    while start and not start[-1].isalnum():
        start = start[:-1]
    while end and not end[0].isalnum():
        end = end[1:]
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


def shown_secret(mask: str | None) -> str:
    """Put a stored secret into words without telling more of it than its last four characters."""
    if mask is None:
        return "none stored"
    hidden = _mask_characters(mask)
    end = "".join(filter(str.isprintable, _visible_ends(mask, hidden)[1])) if hidden else ""
    return f"ends in {end[-4:]}" if end else "hidden"


# --- actual -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodatClient:
    """Which Codat client an API key opens.

    Args:
        id: Codat's id of it; None where Codat does not tell.
        name: its name in the Portal, where that was asked for and told.
        why: why the id cannot be told.
    """

    id: str | None = None
    name: str | None = None
    why: str = ""

    def __str__(self) -> str:
        return f"{self.name!r} ({self.id})" if self.name else str(self.id)

    def is_another(self, recorded: str | None) -> bool:
        """It is known to be another one than recorded; false where either is not known."""
        return self.id is not None and recorded is not None and self.id.lower() != recorded.lower()


@dataclass(frozen=True, slots=True)
class ActualIntegration:
    """What Codat says of the integration.

    Args:
        enabled: as read.
        keys: the stored keys as shown, that is, masked; None where none are stored.
        linked: how many companies are linked through it, or None where Codat does not say.
        integration_id: Codat's id of it, where given.
        name: Codat's name for it.
        keys_untold: why the stored keys cannot be read at all, whether there are any included; ``keys`` is empty then.
        codat_client: whose integration it is.
    """

    enabled: bool
    keys: Mapping[str, str] | None = field(default=None, repr=False)
    linked: int | None = None
    integration_id: str | None = None
    name: str = ZOHO_BOOKS.name
    keys_untold: str = ""
    codat_client: CodatClient = CodatClient()

    @property
    def client_id(self) -> str | None:
        """The stored client id as shown."""
        return (self.keys or {}).get(ZOHO_BOOKS.id_key)

    @property
    def client_secret(self) -> str | None:
        """The stored client secret as shown."""
        return (self.keys or {}).get(ZOHO_BOOKS.secret_key)

    @property
    def secret_in_words(self) -> str:
        """The stored client secret, without telling more of it than its last four characters."""
        return "hidden" if self.keys_untold else shown_secret(self.client_secret)

    @property
    def secret_clause(self) -> str:
        """The same as the rest of a clause: "… the stored one, which ends in c0de", "… which is not shown"."""
        shown = self.secret_in_words
        return {"hidden": "is not shown", "none stored": "is missing"}.get(shown, shown)

    def reading(self, shown: str | None, declared: str) -> MaskReading:
        """Compare one of the stored keys with a declared value."""
        return MaskReading(Known.UNKNOWN, self.keys_untold) if self.keys_untold else read_mask(shown, declared)


class Probe(Enum):
    """What a data centre's token endpoint said of an id and secret."""

    ACCEPTED = "accepted"
    WRONG_SECRET = "wrong secret"
    UNKNOWN_CLIENT = "unknown client"
    INCONCLUSIVE = "inconclusive"
    NOT_ASKED = "not asked"

    @property
    def rejected(self) -> bool:
        """Zoho said no. Inconclusive is not a no."""
        return self in (Probe.WRONG_SECRET, Probe.UNKNOWN_CLIENT)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A verdict of one data centre, and why where it is inconclusive."""

    probe: Probe
    why: str = ""
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the last successful run recorded. ``client_id`` may be a mask, after a refresh that found drift."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    client_secret_fingerprint: str | None = None
    enabled: bool | None = None
    keys_cleared_while_disabled: bool = False

    @classmethod
    def of(cls, desired: IntegrationSettings) -> Recorded:
        """What a run that brought Codat to ``desired`` records."""
        secret = desired.client_secret
        known = fingerprint(desired.client_id, secret) if desired.client_id and secret else None
        return cls(desired.client_id, secret, known, desired.enabled)


# --- observed ---------------------------------------------------------------------------------------------------------


class Untold(str):
    """What cannot be told: a line for people, and beside it what the line says.

    Args:
        fields: the settings that it is about.
        reason: why it cannot be told.
        consistent: a mask agrees in all that it shows, which is as much as can ever be told.
    """

    fields: tuple[str, ...]
    reason: str
    consistent: bool

    def __new__(cls, fields: tuple[str, ...], reason: str, *, consistent: bool = False) -> Untold:  # noqa: D102
        made = super().__new__(cls, f"{', '.join(fields)}: {reason}")
        made.fields, made.reason, made.consistent = fields, reason, consistent
        return made


NO_SECRET = Untold(
    ("client_secret",), "no secret is declared, so the one stored in Codat is left alone and cannot be compared."
)
KEYS_CLEARED = Untold(
    ("client_id", "client_secret"),
    "Codat keeps no keys while the integration is disabled, so none can be compared.",
)


def untold_id(reading: MaskReading) -> list[Untold]:
    """What a mask leaves open about the client id."""
    if reading.known is not Known.UNKNOWN:
        return []
    return [Untold(("client_id",), f"whether Codat holds the declared one: {reading.why}.")]


def untold_secret(reading: MaskReading, shown: str) -> list[Untold]:
    """What a mask leaves open about the secret, which is something unless it proves a difference."""
    if reading.known not in (Known.UNKNOWN, Known.CONSISTENT):
        return []
    why = reading.why or f"what it shows ({shown}) is consistent with it and proves no more"
    reason = f"whether Codat holds exactly the declared one: {why}."
    return [Untold(("client_secret",), reason, consistent=reading.known is Known.CONSISTENT)]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a refresh found: the managed values as they are now, and what could not be told."""

    values: Recorded
    cannot_tell: tuple[Untold, ...] = ()


def observe(recorded: Recorded, actual: ActualIntegration) -> Observed:
    """Say what the managed values of ``recorded`` are now. What is None there is not managed, and stays None.

    A mask that proves a difference stands in for a client id. A secret cannot be read back, so it stays as recorded,
    and its fingerprint tells: ``differs (ends in c0de)`` or ``none stored``.
    """
    now = replace(recorded, enabled=None if recorded.enabled is None else actual.enabled)
    if recorded.client_id is None:
        return Observed(now)
    if actual.keys is None:
        if recorded.keys_cleared_while_disabled and not actual.enabled:
            return Observed(now, (KEYS_CLEARED,))
        gone = None if recorded.client_secret is None else "none stored"
        return Observed(replace(now, client_id=None, client_secret_fingerprint=gone))
    id_read = actual.reading(actual.client_id, recorded.client_id)
    cannot_tell = untold_id(id_read)
    if id_read.known is Known.DIFFERENT:
        now = replace(now, client_id=actual.client_id)
    if recorded.client_secret is None:
        return Observed(now, (*cannot_tell, NO_SECRET))
    secret_read, shown = actual.reading(actual.client_secret, recorded.client_secret), actual.secret_in_words
    if secret_read.known is Known.DIFFERENT:
        now = replace(now, client_secret_fingerprint=f"differs ({shown})")
    elif secret_read.agrees and not is_fingerprint(recorded.client_secret_fingerprint):
        now = replace(now, client_secret_fingerprint=fingerprint(recorded.client_id, recorded.client_secret))
    return Observed(now, (*cannot_tell, *untold_secret(secret_read, shown)))

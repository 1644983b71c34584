"""Compares the fields of one resource on two sides, of which some may be encrypted or decided elsewhere."""

from __future__ import annotations

from collections.abc import Collection

from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.review.report import FieldChange, Origin
from codat_zoho.workspace.values import Field, Fields, differing

SECRETS = frozenset({"client_secret", FINGERPRINT})


def uncertain(before: Fields | None, after: Fields | None) -> frozenset[str]:
    """The fields that are not written alike, yet may be the same: encrypted, or decided elsewhere."""
    old, new = before or {}, after or {}
    differ = differing(old, new)
    found = {name for name in differ if name not in SECRETS and _may_be_same(old.get(name), new.get(name))}
    both = [side["client_secret"] for side in (old, new) if "client_secret" in side]
    if "client_secret" in differ and len(both) == 2 and not all(secret.known for secret in both):
        found.add("client_secret")
        if FINGERPRINT in differ and "client_id" not in differ:
            found.add(FINGERPRINT)
    return frozenset(found)


def _may_be_same(old: Field | None, new: Field | None) -> bool:
    if old is not None and new is not None:
        return not (old.known and new.known)
    return any(one.elsewhere for one in (old, new) if one is not None)


def taken_as_same(before: Fields | None, after: Fields | None, names: Collection[str]) -> Fields | None:
    """The side after, with some fields as they were: nothing follows from what cannot be known."""
    if before is None or after is None:
        return after
    return {**after, **{name: one for name, one in before.items() if name in names}}


def field_changes(
    resource: str, before: Fields | None, after: Fields | None, origin: Origin = "change"
) -> list[FieldChange]:
    """The fields that differ, as the engine's preview lists them; what both sides leave to others is left out."""
    doubtful = uncertain(before, after)
    found = []
    for name in differing(before, after):
        old, new = (before or {}).get(name), (after or {}).get(name)
        if old is not None and new is not None and old.elsewhere and new.elsewhere:
            continue
        place = new if new is not None and new.file else old or new
        assert place is not None
        was = old.shown if old is not None else None
        will_be = new.shown if new is not None else None
        if was == will_be and name not in doubtful:
            will_be = f"another one, {was}"
        elif was == will_be == "encrypted":
            will_be = "encrypted anew"
        found.append(FieldChange(resource, name, was, will_be, name not in doubtful, origin, place.file, place.line))
    return found

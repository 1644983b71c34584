"""One resource before and after a change, where some fields may be encrypted or decided elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.review.report import FieldChange, Origin
from codat_zoho.workspace.values import Field, Fields, differing

SECRETS = frozenset({"client_secret", FINGERPRINT})
_UNSET = Field("", "")


@dataclass(frozen=True)
class Sides:
    """The fields of one resource; a side is empty where the resource is not declared or not there."""

    before: Fields
    after: Fields

    @cached_property
    def differ(self) -> list[str]:
        """The fields that are not written alike, in the order of the resource."""
        return differing(self.before, self.after)

    @cached_property
    def uncertain(self) -> frozenset[str]:
        """Those of them that may be equal nevertheless: encrypted, or decided elsewhere."""
        found = set()
        for name in self.differ:
            old, new = self.old(name), self.new(name)
            if name == FINGERPRINT:
                may_be_equal = "client_secret" in found and "client_id" not in self.differ
            elif self.in_both(name):
                may_be_equal = not (old.known and new.known)
            else:
                may_be_equal = name not in SECRETS and (old.elsewhere or new.elsewhere)
            if may_be_equal:
                found.add(name)
        return frozenset(found)

    def old(self, name: str) -> Field:
        """The field before the change; without a value where it is not set."""
        return self.before.get(name, _UNSET)

    def new(self, name: str) -> Field:
        """The field after the change, likewise."""
        return self.after.get(name, _UNSET)

    def in_both(self, name: str) -> bool:
        """Both sides set the field."""
        return name in self.before and name in self.after

    def dropped(self, name: str) -> bool:
        """Only the side before sets the field."""
        return name in self.before and name not in self.after

    def assuming_equal(self, names: Collection[str]) -> Sides:
        """The same change without some fields: nothing follows from what cannot be known."""
        if not self.before or not self.after:
            return self
        kept = {name: one for name, one in self.before.items() if name in names}
        return Sides(self.before, {**self.after, **kept})

    def changes(self, resource: str, origin: Origin = "change") -> list[FieldChange]:
        """The fields that differ, as the engine's preview lists them; what both leave to others is left out."""
        found = []
        for name in self.differ:
            old, new = self.before.get(name), self.after.get(name)
            if old and new and old.elsewhere and new.elsewhere:
                continue
            was, becomes = old.shown if old else None, new.shown if new else None
            certain = name not in self.uncertain
            if was == becomes and certain:
                becomes = f"another one, {was}"
            elif was == becomes and name != FINGERPRINT and not self.old(name).elsewhere:
                becomes = "encrypted anew"
            at = new if new and new.file else old or new or _UNSET
            found.append(FieldChange(resource, name, was, becomes, certain, origin, at.file, at.line))
        return found

"""Declared values of one resource, in a form that can be compared and shown while some of them are not known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.declare.describe import described
from codat_zoho.declare.platform import NAMESPACE, PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.declare.settings import IntegrationSettings, Spelling, ZohoClientSettings, managed
from codat_zoho.texts.redact import one_line

ELSEWHERE = "elsewhere "
PROVIDER_TYPE = f"pulumi:providers:{NAMESPACE}"
"""The type of the plugin itself, as programs configure it."""
CLIENT, BOOKS = managed(ZohoClientSettings), managed(IntegrationSettings)


@dataclass(frozen=True, slots=True)
class Field:
    """One declared value, and where it stands."""

    identity: str  # equal for equal values; of a secret it is a digest
    shown: str  # in words, without any secret
    value: object = field(default=None, repr=False)  # None where it is not known, and for secrets
    known: bool = True  # False where it is encrypted or comes from elsewhere
    file: str = ""
    line: int | None = None
    otherwise: str = ""  # what it is where elsewhere does not set it

    @property
    def words(self) -> str:
        """As shown, with what it is otherwise."""
        return f"{self.shown} ({self.otherwise})" if self.otherwise else self.shown

    @property
    def elsewhere(self) -> bool:
        """It is not set in the files that are reviewed."""
        return self.identity.startswith(ELSEWHERE)


Fields = Mapping[str, Field]
"""By the engine's field name; a field that is not declared is missing."""


def digest(text: str) -> str:
    """Name a text without telling it. 42 hex digits, like the secrets that it may stand in for."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:42]


def show(value: object) -> str:
    """Put a plain value into words.

    >>> show(True), show(["uk", "us"]), show("")
    ('true', 'uk, us', 'empty')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value)) or "none"
    return one_line(str(value), 100) or "empty"


def differing(before: Fields | None, after: Fields | None) -> list[str]:
    """The names of the fields that differ, in the order of the resource."""
    old, new = before or {}, after or {}
    identities = [{name: one.identity for name, one in side.items()} for side in (old, new)]
    names = dict.fromkeys([*CLIENT, *BOOKS, *old, *new])
    return [name for name in names if identities[0].get(name) != identities[1].get(name)]


def as_client(fields: Fields) -> ZohoClientSettings:
    """What the core plans with. The values have been validated; stand-ins for unknown ones could not be."""
    return ZohoClientSettings(**_plain(ZohoClientSettings, fields))


def as_books(fields: Fields) -> IntegrationSettings:
    """What the core plans with, as for :func:`as_client`."""
    return IntegrationSettings(**_plain(IntegrationSettings, fields))


def _plain(model: type, fields: Fields) -> dict[str, Any]:
    """The known values. Plans compare keys, and which one it is does not matter to them, so a digest stands in."""
    values: dict[str, Any] = {}
    for name, setting in described(model).items():
        one = fields.get(name)
        if one is None:
            continue
        value = list(one.value) if isinstance(one.value, tuple) else one.value
        if name == "client_secret" or (name == "client_id" and not isinstance(value, str)):
            values[name] = digest(one.identity)
        elif setting.has_type(value):
            values[name] = tuple(value) if isinstance(value, list) else value
    return values


def explicit_provider(urn: str) -> str:
    """The name of a provider that a program makes itself; "" for a default one, whose name changes with its version."""
    name = name_of(urn)
    return "" if name == "default" or name.startswith("default_") else name


def name_of(urn: str) -> str:
    """A resource's own name."""
    return one_line(urn.rpartition("::")[2])


def kind_of(resource_type: object) -> str:
    """The class of a resource of this package, by its type; "" for those of others."""
    text = str(resource_type)
    return next((text.removeprefix(one) for one in (TOKEN_PREFIX, PLUGIN_PREFIX) if text.startswith(one)), "")


def spelling_of(resource_type: object) -> Spelling:
    """How programs spell the properties of a resource of this package, by its type."""
    return Spelling.PROPERTY if str(resource_type).startswith(PLUGIN_PREFIX) else Spelling.ARGUMENT


def project_and_stack(urn: str) -> tuple[str, str] | None:
    """Where a resource belongs; None where the text is no URN."""
    parts = urn.split("::")
    if len(parts) < 4 or not parts[0].startswith("urn:pulumi:"):
        return None
    return one_line(parts[1]), one_line(parts[0].removeprefix("urn:pulumi:"))

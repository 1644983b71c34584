"""Declared values of one resource, in a form that can be compared and shown while some of them are not known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings
from codat_zoho.texts.redact import one_line

ELSEWHERE = "elsewhere "
FINGERPRINT = "client_secret_fingerprint"
CLIENT = ("client_id", "client_secret", FINGERPRINT, "regions", "same_credentials_everywhere", "verify")
BOOKS = (
    "client_id",
    "client_secret",
    FINGERPRINT,
    "enabled",
    "connection",
    "on_delete",
    "allow_disruption",
)


@dataclass(frozen=True, slots=True)
class Field:
    """One declared value.

    Args:
        identity: equal for equal values. Of a secret it is a digest, never the secret.
        shown: the value in words, without any secret.
        value: the value itself; None where it is not known, and for secrets.
        known: False where it is encrypted or comes from elsewhere.
        file: where it stands.
        line: its line.
    """

    identity: str
    shown: str
    value: object = field(default=None, repr=False)
    known: bool = True
    file: str = ""
    line: int | None = None

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
    names = [*dict.fromkeys([*CLIENT, *BOOKS, *old, *new])]
    return [name for name in names if _identity(old.get(name)) != _identity(new.get(name))]


def _identity(one: Field | None) -> str | None:
    return None if one is None else one.identity


def _secret(fields: Fields) -> SecretStr | None:
    """A stand-in for the secret: plans compare secrets, and which one it is does not matter to them."""
    one = fields.get("client_secret")
    return None if one is None else SecretStr(digest(one.identity))


def _text(fields: Fields, name: str, default: str) -> Any:
    one = fields.get(name)
    return one.value if one is not None and isinstance(one.value, str) else default


def _client_id(fields: Fields) -> str | None:
    one = fields.get("client_id")
    return None if one is None else one.value if isinstance(one.value, str) else digest(one.identity)


def _flag(fields: Fields, name: str) -> bool | None:
    one = fields.get(name)
    return one.value if one is not None and isinstance(one.value, bool) else None


def as_client(fields: Fields) -> ZohoClientSettings:
    """What the core plans with. The values have been validated; stand-ins for unknown ones could not be."""
    regions = fields.get("regions")
    return ZohoClientSettings.model_construct(
        client_id=_client_id(fields) or "",
        client_secret=_secret(fields),
        regions=tuple(regions.value) if regions is not None and isinstance(regions.value, list | tuple) else (),
        same_credentials_everywhere=_flag(fields, "same_credentials_everywhere") is not False,
        verify=_text(fields, "verify", "on-change"),
    )


def as_books(fields: Fields) -> IntegrationSettings:
    """What the core plans with, as for :func:`as_client`."""
    return IntegrationSettings.model_construct(
        client_id=_client_id(fields),
        client_secret=_secret(fields),
        enabled=_flag(fields, "enabled"),
        connection=_text(fields, "connection", "default"),
        on_delete=_text(fields, "on_delete", "remove"),
        allow_disruption=_flag(fields, "allow_disruption") is True,
    )

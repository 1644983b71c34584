"""What is there, as far as it can be told: what Codat shows and Zoho answers, beside what is declared or recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from codat_zoho.core.masks import Known, MaskReading, read_mask, shown_secret, visible_end
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import fingerprint, is_fingerprint

if TYPE_CHECKING:
    from codat_zoho.declare.settings import IntegrationSettings


MOST_COMPANIES = 10**9
"""Linked companies; a larger number counts nothing, and could not be kept or shown."""


@dataclass(frozen=True, slots=True)
class CodatClient:
    """Which Codat client an API key opens."""

    id: str | None = None
    name: str | None = None
    why: str = ""  # why Codat does not tell its id

    def __str__(self) -> str:
        return f"{self.name!r} ({self.id})" if self.name else str(self.id)

    def is_another(self, recorded: str | None) -> bool:
        """It is known to be another one than recorded; false where either is not known."""
        return self.id is not None and recorded is not None and self.id.lower() != recorded.lower()


@dataclass(frozen=True, slots=True)
class ActualIntegration:
    """What Codat says of the integration, and whose it is."""

    enabled: bool
    keys: Mapping[str, str] | None = field(default=None, repr=False)  # as shown, that is, masked; None: none are stored
    linked: int | None = None  # how many companies are linked through it; None where Codat does not say
    integration_id: str | None = None
    name: str = ZOHO_BOOKS.name
    keys_untold: str = ""  # why nothing can be told of the stored keys; `keys` is empty then
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
        if self.client_secret is None and not self.keys_untold:
            return "is missing"
        end = visible_end(self.client_secret or "")
        return f"ends in {end}" if end else "is not shown"

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
        client_id, secret = desired.client_id, desired.client_secret
        known = fingerprint(client_id, secret) if client_id and secret else None
        return cls(client_id, secret, known, desired.enabled)


class Untold(str):
    """What cannot be told: a line for people, and beside it which settings it is about, and why.

    ``consistent`` where a mask agrees in all that it shows, which is as much as can ever be told.
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

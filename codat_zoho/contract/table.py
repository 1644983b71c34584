"""What this package assumes, one row each, and what was seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Value = str | bool
Seen = Literal["observed", "differs", "not observed"]


@dataclass(frozen=True, slots=True)
class _Assumption:
    question: str
    assumed: Value


ASSUMPTIONS: dict[str, _Assumption] = {
    # The simulator's switches, by their names.
    "absent_keys": _Assumption("how Codat says that no keys are stored", "empty"),
    "mask": _Assumption("what Codat shows of a stored secret", "last4"),
    "mask_client_id": _Assumption("whether Codat masks the client id too", True),
    "linked_count": _Assumption("whether Codat tells how many companies are linked", True),
    "client_told": _Assumption("whether Codat tells which client an API key opens", True),
    "keys_shown": _Assumption("whether Codat offers reading the stored keys", True),
    "writes_offered": _Assumption("whether Codat lets this API key enable and save keys", True),
    "saving": _Assumption("whether saving keys replaces what is stored or merges", "replace"),
    "saving_keeps_enabled": _Assumption("whether saving keys leaves 'enabled' alone", True),
    "disabling_keeps_keys": _Assumption("whether disabling leaves the keys stored", True),
    "zoho_client_before_token": _Assumption("whether Zoho looks at the client before it looks at the token", True),
    "zoho_wrong_secret": _Assumption("what Zoho answers to a wrong secret", "invalid_client_secret"),
    "zoho_disabled": _Assumption("what a data centre answers where the client is not enabled", "invalid_client"),
    # More about Codat.
    "required_fields": _Assumption("whether the integration has key, logoUrl, name and enabled", True),
    "unknown_fields": _Assumption("fields of the integration that this package has never seen", "none"),
    "key_names": _Assumption("whether the stored keys are named clientId and clientSecret", True),
    "integration_id": _Assumption("whether the integration has an id", True),
    "rate_limit_headers": _Assumption("whether answers tell the rate budget", True),
    "mask_keeps_length": _Assumption("whether a mask is as long as what it hides", True),
    "deleting_absent_keys": _Assumption("what deleting keys that are not there answers", "200"),
    # More about Zoho.
    "zoho_accepted": _Assumption("what Zoho answers to the right id and secret with a made-up token", "invalid_code"),
    "zoho_unknown_id": _Assumption("what it answers to a client id that nobody has", "invalid_client"),
    "zoho_errors_with_200": _Assumption("whether errors come with HTTP status 200", True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result. ``why`` says why nothing was seen."""

    name: str
    seen: Value | None
    why: str = ""

    @property
    def assumed(self) -> Value:
        """What this package takes for granted."""
        return ASSUMPTIONS[self.name].assumed

    @property
    def question(self) -> str:
        """In words."""
        return ASSUMPTIONS[self.name].question

    @property
    def result(self) -> Seen:
        """The verdict."""
        if self.seen is None:
            return "not observed"
        return "observed" if self.seen == self.assumed else "differs"


@dataclass
class Table:
    """Collects what is seen. Values come from a fixed vocabulary, and names of fields: no id, no secret, no text."""

    _seen: dict[str, Value] = field(default_factory=dict)
    _why: dict[str, str] = field(default_factory=dict)

    def see(self, name: str, value: Value) -> None:
        """Keep what was seen."""
        assert name in ASSUMPTIONS
        self._seen[name] = value

    def miss(self, name: str, why: str) -> None:
        """Keep why nothing was seen; something seen later or before counts more."""
        assert name in ASSUMPTIONS
        self._why[name] = why

    def get(self, name: str) -> Value | None:
        """What was seen."""
        return self._seen.get(name)

    def rows(self) -> Iterator[Row]:
        """Every row, in the order of the table."""
        for name in ASSUMPTIONS:
            why = "" if name in self._seen else self._why.get(name, "not asked")
            yield Row(name, self._seen.get(name), why)

"""What this package assumes, and what was seen of it: as a table, and as a file, which ``schema.json`` describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from codat_zoho._version import __version__

SCHEMA = Path(__file__).with_name("schema.json")
Value = str | bool


class Assumption(NamedTuple):
    """What is asked, and what this package takes for likeliest."""

    question: str
    assumed: Value


ASSUMPTIONS: dict[str, Assumption] = {
    # The simulator's switches, by their names.
    "absent_keys": Assumption("how Codat says that no keys are stored", "empty"),
    "mask": Assumption("what Codat shows of a stored secret", "last4"),
    "mask_client_id": Assumption("whether Codat masks the client id too", True),
    "linked_count": Assumption("whether Codat tells how many companies are linked", True),
    "client_told": Assumption("whether Codat tells which client an API key opens", True),
    "keys_shown": Assumption("whether Codat offers reading the stored keys", True),
    "writes_offered": Assumption("whether Codat lets this API key enable and save keys", True),
    "saving": Assumption("whether saving keys replaces what is stored or merges", "replace"),
    "saving_keeps_enabled": Assumption("whether saving keys leaves 'enabled' alone", True),
    "disabling_keeps_keys": Assumption("whether disabling leaves the keys stored", True),
    "zoho_client_before_token": Assumption("whether Zoho looks at the client before it looks at the token", True),
    "zoho_wrong_secret": Assumption("what Zoho answers to a wrong secret", "invalid_client_secret"),
    "zoho_disabled": Assumption("what a data centre answers where the client is not enabled", "invalid_client"),
    # More about Codat.
    "required_fields": Assumption("whether the integration has key, logoUrl, name and enabled", True),
    "unknown_fields": Assumption("fields of the integration that this package has never seen", "none"),
    "key_names": Assumption("whether the stored keys are named clientId and clientSecret", True),
    "integration_id": Assumption("whether the integration has an id", True),
    "rate_limit_headers": Assumption("whether answers tell the rate budget", True),
    "mask_keeps_length": Assumption("whether a mask is as long as what it hides", True),
    "deleting_absent_keys": Assumption("what deleting keys that are not there answers", "200"),
    # More about Zoho.
    "zoho_accepted": Assumption("what Zoho answers to the right id and secret with a made-up token", "invalid_code"),
    "zoho_unknown_id": Assumption("what it answers to a client id that nobody has", "invalid_client"),
    "zoho_errors_with_200": Assumption("whether errors come with HTTP status 200", True),
}
READ = ("absent_keys", "mask", "mask_client_id", "key_names")
"""What only reading the stored keys tells."""
WRITTEN = (
    *("writes_offered", "saving", "saving_keeps_enabled", "disabling_keeps_keys", "mask_keeps_length"),
    "deleting_absent_keys",
)
"""What only writing tells."""
ZOHO = tuple(name for name in ASSUMPTIONS if name.startswith("zoho_"))


class Row(NamedTuple):
    """One line of the result, as the file has it. ``why`` says why nothing was seen."""

    name: str
    question: str
    assumed: Value
    seen: Value | None
    result: Literal["observed", "differs", "not observed"]
    why: str


class Table:
    """Collects what is seen. Values come from a fixed vocabulary, and names of fields: no id, no secret, no text."""

    def __init__(self) -> None:
        self.seen: dict[str, Value] = {}
        self._why: dict[str, str] = {}

    def see(self, name: str, value: Value) -> None:
        """Keep what was seen."""
        assert name in ASSUMPTIONS
        self.seen[name] = value

    def miss(self, why: str, *names: str) -> None:
        """Keep why nothing was seen; something seen later or before counts more."""
        self._why |= dict.fromkeys(names, why)

    def rows(self) -> Iterator[Row]:
        """Every row, in the order of the assumptions."""
        for name, (question, assumed) in ASSUMPTIONS.items():
            seen = self.seen.get(name)
            if seen is None:
                yield Row(name, question, assumed, None, "not observed", self._why.get(name, "not asked"))
            else:
                yield Row(name, question, assumed, seen, "observed" if seen == assumed else "differs", "")

    def content(self) -> dict[str, Any]:
        """The result as JSON takes it."""
        rows = [row._asdict() for row in self.rows()]
        return {"codat-zoho-contract": 1, "version": __version__, "assumptions": rows}

    def text(self) -> str:
        """The result in columns."""
        lines = [("result", "assumption", "assumed", "seen")]
        lines += [(row.result, row.name, _word(row.assumed), row.why or _word(row.seen)) for row in self.rows()]
        widths = [max(map(len, column)) + 2 for column in zip(*lines, strict=True)]
        drawn = ("".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)
        return "".join(f"{line.rstrip()}\n" for line in drawn)


def _word(value: Value | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)

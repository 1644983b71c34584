"""Looks: at one Codat client, through the typed calls but with whole answers, and at Zoho's token endpoint."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from codat_zoho._version import __version__
from codat_zoho.core.observe import ActualIntegration, Probe
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import looks_like_client_id
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Answer, Http
from codat_zoho.remote.zoho import probe

Say = Callable[[str], None]
_SECONDS = 120.0
_REQUIRED = {"key", "logoUrl", "name", "enabled"}
_KNOWN = _REQUIRED | {
    *("sourceId", "integrationId", "sourceType", "isOfflineConnector", "isBeta", "dataProvidedBy", "datatypeFeatures"),
    *("supportedEnvironments", "linkedConnectionsCount", "totalConnectionsCount"),
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_HIDDEN = re.compile(r"[Xx*•.\s]*")
_LAST4 = re.compile(r"([Xx*•])\1{3,}[^\s]{4}")


@dataclass(frozen=True, slots=True)
class Keys:
    """A real or made-up client id and secret."""

    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def made_up(cls) -> Keys:
        """Of the usual shape, and nobody's."""
        alphabet = string.ascii_uppercase + string.digits
        return cls("1000." + "".join(secrets.choice(alphabet) for _ in range(30)), secrets.token_hex(21))

    def named(self) -> dict[str, str]:
        """As Codat takes them."""
        return ZOHO_BOOKS.keys(self.client_id, self.client_secret)


class Client:
    """One Codat client; ``http`` records the answers. Each write returns the status of its answer."""

    def __init__(self, http: Http, environment: Environment, connection: str) -> None:
        self.http, self._environment, self._connection = http, environment, connection
        self.key, self._url, self._paths = environment.api_key(connection), environment.codat_url(), environment.paths()

    def look(self) -> tuple[ActualIntegration, Answer, Answer]:
        """Read, and return what it means and both answers: on the integration and on its keys."""
        codat = self._environment.codat(self.http, self._connection)
        codat.client()  # Asked once and remembered, so the last two answers are those of this look.
        actual = codat.actual()
        return actual, self.http.answers[-2], self.http.answers[-1]

    def count_linked(self) -> int:
        """Count linked companies from Codat's list."""
        codat = self._environment.codat(self.http, self._connection)
        codat.actual()  # It compares with the integration's id.
        return codat.count_linked()

    def enable(self, enabled: bool) -> int:
        """Switch it."""
        return self._write("PUT", self._paths.enabled, {"enabled": enabled})

    def save(self, **keys: str) -> int:
        """Save keys."""
        return self._write("PUT", self._paths.credentials, keys)

    def delete(self) -> int:
        """Delete the keys."""
        return self._write("DELETE", self._paths.credentials, None)

    def _write(self, method: str, path: str, body: Any) -> int:
        url, deadline = self._url + path.format(key=ZOHO_BOOKS.key), self.http.deadline(_SECONDS)
        key = self.key
        return self.http.send(
            method, url, deadline=deadline, headers=key.headers, certificate=key.certificate, json_body=body
        ).status


def read(client: Client, table: Table) -> ActualIntegration:
    """Look once and keep what that tells."""
    actual, integration, keys = client.look()
    body, headers = integration.json(), integration.headers
    table.see("required_fields", body.keys() >= _REQUIRED)
    table.see("unknown_fields", _names(body.keys() - _KNOWN))
    table.see("linked_count", "linkedConnectionsCount" in body)
    table.see("integration_id", bool(body.get("integrationId")))
    table.see("rate_limit_headers", {"x-rate-limit-limit", "x-rate-limit-remaining"} <= set(headers))
    table.see("client_told", actual.codat_client.id is not None)
    table.see("keys_shown", not actual.keys_untold)
    if actual.keys_untold:
        table.miss(actual.keys_untold, *READ)
    elif actual.keys is None:
        table.miss("no keys are stored", *READ)
        see_absent(keys, table)
    else:
        table.miss("keys are stored", "absent_keys")
        see_masks(actual, table)
    return actual


def see_absent(answer: Answer, table: Table) -> None:
    """How an answer on keys says that there are none."""
    table.see("absent_keys", "empty" if answer.status == 200 else str(answer.status))


def see_masks(actual: ActualIntegration, table: Table) -> None:
    """What stored keys look like."""
    table.see("key_names", {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key} <= set(actual.keys or {}))
    if actual.client_id is not None:
        table.see("mask_client_id", not looks_like_client_id(actual.client_id))
    if shown := actual.client_secret:
        style = "opaque" if _HIDDEN.fullmatch(shown) else "last4" if _LAST4.fullmatch(shown) else "another"
        table.see("mask", style)


def _names(fields: Collection[str]) -> str:
    """Name fields; what does not look like a name stays out, whatever it is."""
    named = sorted(name for name in fields if _NAME.fullmatch(name))
    odd = ["(not a name)"] if len(named) < len(fields) else []
    return ", ".join([*named, *odd]) or "none"


def ask_zoho(
    http: Http, keys: Keys | None, region: str, disabled: Sequence[str], url: str | None, table: Table, say: Say
) -> None:
    """Ask with an unknown id, a wrong secret, the right pair, and where it is disabled; at most four requests.

    The unknown id comes first: it tells in one request whether Zoho looks at the client before the token. If it does
    not, no answer tells anything of a client, and asking further would only use up Zoho's limit.
    """
    nobody = Keys.made_up()
    todo = [("zoho_unknown_id", region, nobody, "a client id that nobody has")]
    if keys is not None:
        todo += [
            ("zoho_wrong_secret", region, Keys(keys.client_id, nobody.client_secret), "a wrong secret"),
            ("zoho_accepted", region, keys, "the right id and secret"),
            *[("zoho_disabled", code, keys, "the right id and secret, where it is disabled") for code in disabled[:1]],
        ]
    statuses = set()
    for name, code, pair, text in todo:
        say(f"Zoho {code}: {text}.")
        before = len(http.answers)
        told = probe(http, code, pair.client_id, pair.client_secret, url=url)
        answered = http.answers[before:]
        if not answered or told.throttled:
            say(f"Stopped: {told.why}.")
            table.miss("Zoho throttled before it was asked" if answered else "Zoho did not answer", *ZOHO)
            break
        if told.probe is Probe.INCONCLUSIVE:
            table.see(name, "another")
            continue
        # Zoho's word for it reads like a refusal.
        table.see(name, "accepted" if told.probe is Probe.ACCEPTED else str(answered[-1].json()["error"]))
        statuses.add(answered[-1].status)
        if name == "zoho_unknown_id":
            table.see("zoho_client_before_token", told.probe is not Probe.ACCEPTED)
            if told.probe is Probe.ACCEPTED:
                why = "Zoho looks at the token first, so that its answers tell nothing of the client"
                table.miss(why, *ZOHO)
                say(f"Stopped: {why}.")
                break
    else:
        why = "no data centre was named in which the client is disabled (--disabled-in)"
        if keys is None:
            why = "client id and secret were not given (ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET)"
            say(f"Stopped: {why}.")
        table.miss(why, *ZOHO)
    if statuses:
        table.see("zoho_errors_with_200", statuses == {200})


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
    "zoho_accepted": Assumption("what Zoho answers to the right id and secret with a made-up token", "accepted"),
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

"""Looks: at one Codat client, through the typed calls but with whole answers, and at Zoho's token endpoint."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.contract.table import READ, ZOHO, Table
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
        headers = {"Authorization": self.key.header}
        return self.http.send(method, url, deadline=deadline, headers=headers, json_body=body).status


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
        table.miss("Codat does not offer reading the stored keys", *READ)
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
        table.see(name, str(answered[-1].json()["error"]))
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

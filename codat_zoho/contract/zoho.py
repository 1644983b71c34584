"""What Zoho's token endpoint answers, asked as seldom as possible: it stops at the first throttle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codat_zoho.contract.table import Table
from codat_zoho.contract.writing import Keys
from codat_zoho.core.observe import Probe
from codat_zoho.remote.http import Http
from codat_zoho.remote.zoho import probe

NAMES = (
    *("zoho_client_before_token", "zoho_unknown_id", "zoho_wrong_secret", "zoho_accepted", "zoho_disabled"),
    "zoho_errors_with_200",
)


def ask_zoho(
    http: Http,
    keys: Keys | None,
    region: str,
    disabled: Sequence[str],
    url: str | None,
    table: Table,
    say: Callable[[str], None],
) -> None:
    """Ask with an unknown id, a wrong secret, the right pair, and where it is disabled; at most four requests.

    The unknown id comes first: it tells in one request whether Zoho looks at the client before the token. If it does
    not, no answer tells anything of a client, and asking further would only use up Zoho's limit.

    Args:
        http: sends.
        keys: a client that ``region`` accepts; None asks only about the unknown id.
        region: the data centre to ask.
        disabled: data centres in which the client is switched off; the first is asked.
        url: stands in for Zoho.
        table: receives what is seen.
        say: receives a line per step.
    """
    nobody = Keys.made_up()
    todo = [("zoho_unknown_id", region, nobody, "a client id that nobody has")]
    if keys is not None:
        todo += [
            ("zoho_wrong_secret", region, Keys(keys.client_id, nobody.client_secret), "a wrong secret"),
            ("zoho_accepted", region, keys, "the right id and secret"),
            *[("zoho_disabled", code, keys, "the right id and secret, where it is disabled") for code in disabled[:1]],
        ]
    why = "Zoho throttled before it was asked"
    statuses = set()
    for name, code, pair, text in todo:
        say(f"Zoho {code}: {text}.")
        before = len(http.answers)
        said = probe(http, code, pair.client_id, pair.client_secret, url=url)
        answered = http.answers[before:]
        if said.probe is Probe.INCONCLUSIVE and (not answered or "throttling" in said.why):
            say(f"Stopped: {said.why}.")
            why = why if answered else "Zoho did not answer"
            break
        if said.probe is Probe.INCONCLUSIVE:
            table.see(name, "another")
            continue
        table.see(name, str(answered[-1].json()["error"]))
        statuses.add(answered[-1].status)
        if name == "zoho_unknown_id":
            table.see("zoho_client_before_token", said.probe is not Probe.ACCEPTED)
            if said.probe is Probe.ACCEPTED:
                why = "Zoho looks at the token first, so that its answers tell nothing of the client"
                say(f"Stopped: {why}.")
                break
    else:
        why = "no data centre was named in which the client is disabled (--disabled-in)"
        if keys is None:
            why = "client id and secret were not given (ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET)"
            say(f"Stopped: {why}.")
    for name in NAMES:
        table.miss(name, why)
    if statuses:
        table.see("zoho_errors_with_200", statuses == {200})

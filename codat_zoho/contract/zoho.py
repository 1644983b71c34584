"""What Zoho's token endpoint answers, asked as seldom as possible: it stops at the first throttle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codat_zoho.checks.finding import Observed
from codat_zoho.contract.table import Table
from codat_zoho.contract.writing import Keys
from codat_zoho.plan import Probe
from codat_zoho.zoho import probe

__all__ = ["NAMES", "ask_zoho"]

NAMES = ("zoho_accepted", "zoho_wrong_secret", "zoho_unknown_id", "zoho_disabled", "zoho_errors_with_200")


def ask_zoho(
    http: Observed,
    keys: Keys,
    region: str,
    disabled: Sequence[str],
    url: str | None,
    table: Table,
    say: Callable[[str], None],
) -> None:
    """Ask with the right pair, a wrong secret, an unknown id, and where it is disabled; at most four requests.

    Args:
        http: sends.
        keys: a client that ``region`` accepts.
        region: the data centre to ask.
        disabled: data centres in which the client is switched off; the first is asked.
        url: stands in for Zoho.
        table: receives what is seen.
        say: receives a line per step.
    """
    nobody = Keys.made_up()
    todo = [
        ("zoho_accepted", region, keys, "the right id and secret"),
        ("zoho_wrong_secret", region, Keys(keys.client_id, nobody.client_secret), "a wrong secret"),
        ("zoho_unknown_id", region, nobody, "an unknown id"),
        *[("zoho_disabled", code, keys, "the right id and secret, where it is disabled") for code in disabled[:1]],
    ]
    for name in NAMES:
        table.miss(name, "Zoho throttled before it was asked")
    if not disabled:
        table.miss("zoho_disabled", "no data centre was named in which the client is disabled (--disabled-in)")
    statuses = set()
    for name, code, pair, text in todo:
        say(f"Zoho {code}: {text}.")
        before = len(http.answers)
        said = probe(http, code, pair.client_id, pair.client_secret, url=url)
        answered = http.answers[before:]
        if said.probe is Probe.INCONCLUSIVE and (not answered or "throttling" in said.why):
            say(f"Stopped: {said.why}.")
            break
        if said.probe is Probe.INCONCLUSIVE:
            table.see(name, "another")
            continue
        table.see(name, str(answered[-1].json()["error"]))
        statuses.add(answered[-1].status)
    if statuses:
        table.see("zoho_errors_with_200", statuses == {200})

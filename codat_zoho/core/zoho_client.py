"""What Zoho's verdicts on a client mean: which data centres to ask, what their answers say, which switch to turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from codat_zoho.core.observe import Probe, ProbeResult
from codat_zoho.core.plan import Change, How, Plan
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.errors import RegionRejected

if TYPE_CHECKING:
    from codat_zoho.declare.settings import ZohoClientSettings

UNPROVED = "this does not prove that customers can link: redirect URI and consent are not looked at"
"""What 'accepted' leaves open."""
PROVE = (
    "Before you send Link URLs: prove that a customer can link, with `codat-zoho test-link --stack NAME "
    "--record` (docs/guides/before-you-send-links.md)."
)
"""What nobody but a person who links can see to."""
_SWITCH = "'Use the same OAuth credentials for all data centers'"


def regions_to_ask(
    desired: ZohoClientSettings, verify: str, changed: Collection[str], accepted: Collection[str] = ()
) -> tuple[str, ...]:
    """Which data centres applying asks: all for another client or secret, else those that have not accepted it yet.

    ``verify`` may override the declared one; ``changed`` are the fields that differ from what is recorded.
    """
    if verify == "off" or desired.client_secret is None:
        return ()
    if verify == "always" or {"client_id", FINGERPRINT} & set(changed):
        return desired.regions
    return tuple(code for code in desired.regions if code not in accepted) if "regions" in changed else ()


def by_hand(regions: Collection[str]) -> tuple[str, ...]:
    """What only a person can see to: in Zoho's console, declared and not verifiable from outside; and by linking."""
    redirect = f"Zoho's API console, Client Details tab: {REDIRECT_URI} is among the authorized redirect URIs."
    if len(regions) < 2:
        return redirect, PROVE
    switch = f"Zoho's API console, Settings tab: {_SWITCH} is on, and these are enabled: {', '.join(regions)}."
    return redirect, switch, PROVE


def plan_client(regions: Collection[str], verdicts: Mapping[str, ProbeResult]) -> Plan:
    """Compare the data centres that must accept the client with those that do."""
    changes, cannot_tell, blockers, steps = [], [], [], []
    by_probe: dict[Probe, list[str]] = {}
    for code in regions:
        verdict = verdicts.get(code, ProbeResult(Probe.NOT_ASKED, "it was not asked"))
        by_probe.setdefault(verdict.probe, []).append(code)
        if verdict.probe.rejected:
            changes.append(Change(f"regions.{code}", verdict.probe.value, Probe.ACCEPTED.value, How.PROBE))
        elif verdict.probe is not Probe.ACCEPTED:
            cannot_tell.append(f"regions: whether Zoho's data centre {code} accepts the client: {verdict.why}.")
    for probe, codes in by_probe.items():
        if probe.rejected:
            what, todo = _rejection(probe, codes, by_probe.get(Probe.ACCEPTED, []))
            blockers.append(f"regions: refused by {what}")
            steps.append(todo)
    return Plan(tuple(changes), tuple(cannot_tell), tuple(blockers), manual_steps=tuple(steps))


def accepted_client(regions: Collection[str], verdicts: Mapping[str, ProbeResult]) -> Plan:
    """The plan where no data centre says no.

    Raises:
        RegionRejected: one does; the error names the switch to turn.
    """
    todo = plan_client(regions, verdicts)
    if todo.blockers:
        raise RegionRejected(" ".join(todo.blockers), " ".join(dict.fromkeys(todo.manual_steps)))
    return todo


def _rejection(probe: Probe, codes: list[str], accepted: list[str]) -> tuple[str, str]:
    """Say what a rejection can mean, and which switch to turn where."""
    who = ", ".join(f"{code} ({DATA_CENTRES[code].accounts.removeprefix('https://')})" for code in codes)
    console = "Zoho's API console"
    if not accepted and len(codes) == 1:
        console += f" ({DATA_CENTRES[codes[0]].console})"
    others = f"{', '.join(accepted)} accept{'s' if len(accepted) == 1 else ''} both"
    if probe is Probe.WRONG_SECRET and accepted:
        return (
            f"{who}: the client id is known there, but has another secret, while {others}.",
            f"In {console}, open the client's Settings tab and turn on {_SWITCH}.",
        )
    if probe is Probe.WRONG_SECRET:
        return (
            f"{who}: the client id is known there, but the secret is wrong.",
            f"Copy the client secret again from the client's page in {console}, declare it, and run 'pulumi up'.",
        )
    if accepted:
        return (
            f"{who}, while {others}: not enabled there for this client, or another secret there.",
            f"In {console}, open the client's Settings tab, enable {', '.join(codes)} and turn on {_SWITCH}.",
        )
    return (
        f"{who}: the client id is unknown there, not enabled there, or the secret is wrong.",
        f"In {console} of the account's home data centre, compare client id and secret with what is declared, "
        f"and enable {', '.join(codes)} in the client's Settings tab.",
    )

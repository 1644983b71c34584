"""The Zoho client's side of the engine's protocol where Zoho is asked: applying means verifying, nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pulumi.dynamic import CreateResult, UpdateResult

from codat_zoho.core.observe import Probe, ProbeResult
from codat_zoho.core.zoho_client import by_hand, plan_client, regions_to_ask
from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.declare.rules import fingerprint
from codat_zoho.declare.settings import FINGERPRINT, ZohoClientSettings
from codat_zoho.errors import RegionRejected
from codat_zoho.provider import inputs
from codat_zoho.provider.boundary import say
from codat_zoho.provider.client import MANAGED
from codat_zoho.provider.process import CONTEXT

Props = Mapping[str, Any]
_DECIDES_VERDICTS = ("client_id", FINGERPRINT)
_NO_SECRET = "no secret is declared to ask with"
_NOT_ASKED = "it was not asked (verification is off)"


def create(props: Props) -> CreateResult:
    """Verify the client in each declared data centre, unless verification is off."""
    desired = inputs.desired(ZohoClientSettings, props)
    ask = regions_to_ask(desired, CONTEXT.verify(desired.verify), MANAGED)
    return CreateResult(desired.client_id, _verified(desired, ask, {}))


def update(olds: Props, news: Props) -> UpdateResult:
    """Verify what the change makes doubtful: all data centres for another secret, else those not yet accepted."""
    desired = inputs.desired(ZohoClientSettings, news)
    known = _recorded_verdicts(olds) if not inputs.changed(olds, news, _DECIDES_VERDICTS) else {}
    accepted = [code for code, verdict in known.items() if verdict is Probe.ACCEPTED]
    ask = regions_to_ask(desired, CONTEXT.verify(desired.verify), inputs.changed(olds, news, MANAGED), accepted)
    return UpdateResult(_verified(desired, ask, known, olds.get("verified_at")))


def _verified(
    desired: ZohoClientSettings, ask: Collection[str], known: Mapping[str, Probe], verified_at: str | None = None
) -> dict[str, Any]:
    """Ask the data centres in ``ask`` and return the full outputs.

    Raises:
        RegionRejected: a data centre says no; the error names the switch to turn.
    """
    secret = desired.client_secret
    verdicts = {}
    for code in desired.regions:
        if code in ask and secret:
            verdicts[code] = CONTEXT.ask_zoho(code, desired.client_id, secret)
        elif code in known:
            verdicts[code] = ProbeResult(known[code], "that was not clear when it was last asked")
        else:
            verdicts[code] = ProbeResult(Probe.NOT_ASKED, _NOT_ASKED if secret else _NO_SECRET)
    todo = plan_client(desired.regions, verdicts)
    if todo.blockers:
        raise RegionRejected(" ".join(todo.blockers), " ".join(dict.fromkeys(todo.manual_steps)))
    if secret and ask:
        for line in todo.cannot_tell:
            say(line)
        verified_at = inputs.utc_now()
    return _outs(desired, verdicts, todo.cannot_tell, verified_at)


def ask_again(given: Props, secret: str) -> tuple[list[str], dict[str, Any]]:
    """Ask about each declared data centre, and return those that did not say no, with what a refresh shows of all."""
    verdicts = {code: CONTEXT.ask_zoho(code, given["client_id"], secret) for code in given.get("regions", ())}
    todo = plan_client([*verdicts], verdicts)
    for line in (*todo.blockers, *todo.cannot_tell):
        say(line)
    left = [code for code, verdict in verdicts.items() if not verdict.probe.rejected]
    return left, _metadata(verdicts, todo.cannot_tell, todo.manual_steps) | {"verified_at": inputs.utc_now()}


def adopted(desired: ZohoClientSettings, asked: Mapping[str, ProbeResult]) -> dict[str, Any]:
    """Outputs of a resource that takes over a client: those of a ``create`` that got the answers in ``asked``.

    Raises:
        RegionRejected: a data centre says no.
    """
    why = _NOT_ASKED if desired.client_secret else _NO_SECRET
    verdicts = {code: asked.get(code, ProbeResult(Probe.NOT_ASKED, why)) for code in desired.regions}
    todo = plan_client(desired.regions, verdicts)
    if todo.blockers:
        raise RegionRejected(" ".join(todo.blockers), " ".join(dict.fromkeys(todo.manual_steps)))
    return _outs(desired, verdicts, todo.cannot_tell, inputs.utc_now() if asked else None)


def _outs(
    desired: ZohoClientSettings,
    verdicts: Mapping[str, ProbeResult],
    cannot_tell: Collection[str],
    verified_at: str | None,
) -> dict[str, Any]:
    outs = desired.as_inputs() | _metadata(verdicts, cannot_tell, by_hand(desired.regions))
    if desired.client_secret:
        outs[FINGERPRINT] = fingerprint(desired.client_id, desired.client_secret)
    outs |= inputs.as_deployed(outs)
    return outs | ({"verified_at": verified_at} if verified_at else {})


def _metadata(
    verdicts: Mapping[str, ProbeResult], cannot_tell: Collection[str], manual_steps: Collection[str]
) -> dict[str, Any]:
    return {
        "verdicts": {code: verdict.probe.value for code, verdict in verdicts.items()},
        "cannot_tell": list(cannot_tell),
        "manual_steps": list(manual_steps),
        "redirect_uri": REDIRECT_URI,
    }


def _recorded_verdicts(olds: Props) -> dict[str, Probe]:
    recorded = olds.get("verdicts")
    known = {probe_.value: probe_ for probe_ in Probe}
    return {code: known[text] for code, text in (recorded or {}).items() if text in known}

"""The Zoho client's side of the engine's protocol. Applying means asking Zoho, since nothing can be written there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from codat_zoho.core.observe import Probe, ProbeResult
from codat_zoho.core.zoho_client import accepted_client, by_hand, plan_client, regions_to_ask
from codat_zoho.declare.platform import REDIRECT_URI, UNKNOWN
from codat_zoho.declare.recorded import utc_now
from codat_zoho.declare.rules import fingerprint
from codat_zoho.declare.settings import FINGERPRINT, ZohoClientSettings, managed
from codat_zoho.provider import inputs
from codat_zoho.provider.process import CONTEXT, say
from codat_zoho.provider.results import Checked, Differs, Found, Made

Props = Mapping[str, Any]
_METADATA = ("verdicts", "verified_at", "cannot_tell", "manual_steps", "redirect_uri", inputs.DECLARED)


def check(moved: Props, news: Props) -> Checked:
    """Validate and normalise; remember what the program declares, which tells a rename from an end."""
    result = inputs.check(ZohoClientSettings, moved, news)
    if isinstance(client_id := result.inputs.get("client_id"), str):
        CONTEXT.clients_declared.add(client_id)
        if isinstance(secret := result.inputs.get("client_secret"), str) and client_id != UNKNOWN:
            CONTEXT.whose_secret.setdefault(secret, set()).add(client_id)
    return result


def diff(olds: Props, news: Props) -> Differs:
    """Decide on the managed values alone; another client id is another client.

    Create before delete: deleting does nothing, and the other order would make the engine replace what depends on it,
    the integration among it.
    """
    changes = inputs.changed(inputs.recorded(olds), news, managed(ZohoClientSettings))
    if not changes:
        # Of a refresh, which comes without a check, it would be a difference that is none.
        return Differs(news.get("client_id") in CONTEXT.clients_declared and inputs.stale(olds, news))
    return Differs(None, inputs.replacing(ZohoClientSettings, changes), changes)


def read(id_: str, props: Props) -> Found:
    """Return what is recorded, or with ``verify="always"`` ask again: a region that Zoho rejects is missing then."""
    given = inputs.declared(ZohoClientSettings, inputs.recorded(props))
    if not given:
        return Found(id_, {"client_id": id_, "redirect_uri": REDIRECT_URI})
    live = given | ({FINGERPRINT: props[FINGERPRINT]} if props.get(FINGERPRINT) else {})
    live |= inputs.marked(props)
    metadata = {name: value for name, value in props.items() if name in _METADATA and value is not None}
    client_id, secret = given.get("client_id"), given.get("client_secret")
    if CONTEXT.environment.verify(given.get("verify", "on-change")) == "always" and client_id and secret:
        # An earlier refresh may have left out data centres that said no.
        declared = (props.get(inputs.DECLARED) or {}).get("regions", given.get("regions", ()))
        live["regions"], found = _ask_again(client_id, secret, declared)
        metadata |= found
    return Found(id_, live | metadata, live)


def create(props: Props) -> Made:
    """Verify the client in each declared data centre, unless verification is off."""
    desired = inputs.desired(ZohoClientSettings, props)
    marked = inputs.marked(props)
    # Pulumi keeps and shows ids in clear.
    id_ = f"zoho-client-{fingerprint(desired.client_id, '')}" if marked else desired.client_id
    return Made(id_, _verified(desired, {}, managed(ZohoClientSettings)) | marked)


def update(olds: Props, news: Props) -> dict[str, Any]:
    """Verify what the change makes doubtful: all data centres for another secret, else those not yet accepted."""
    desired = inputs.desired(ZohoClientSettings, news)
    changed = inputs.changed(inputs.recorded(olds), news, managed(ZohoClientSettings))
    return _verified(desired, olds, changed) | inputs.marked(news)


def _verified(desired: ZohoClientSettings, olds: Props, changed: Collection[str]) -> dict[str, Any]:
    """Ask the data centres that the change makes doubtful, and return the full outputs."""
    known: dict[str, Probe] = {}
    if not {"client_id", FINGERPRINT} & {*changed}:
        probes = {probe.value: probe for probe in Probe}
        known = {code: probes[text] for code, text in (olds.get("verdicts") or {}).items() if text in probes}
    accepted = [code for code, probe in known.items() if probe is Probe.ACCEPTED]
    ask = regions_to_ask(desired, CONTEXT.environment.verify(desired.verify), changed, accepted)
    answers = {code: ProbeResult(probe, "that was not clear when it was last asked") for code, probe in known.items()}
    if desired.client_secret:
        answers |= {code: CONTEXT.ask_zoho(code, desired.client_id, desired.client_secret) for code in ask}
    outs = _outs(desired, answers, utc_now() if ask else olds.get("verified_at"))
    if ask:
        for line in outs["cannot_tell"]:
            say(line)
    return outs


def adopted(desired: ZohoClientSettings, asked: Mapping[str, ProbeResult]) -> dict[str, Any]:
    """Outputs of a resource that takes over a client: those of a ``create`` that got the answers in ``asked``."""
    return _outs(desired, asked, utc_now() if asked else None)


def _outs(desired: ZohoClientSettings, answers: Mapping[str, ProbeResult], verified_at: str | None) -> dict[str, Any]:
    """What a deployment records.

    Raises:
        RegionRejected: a data centre says no; the error names the switch to turn.
    """
    why = "it was not asked (verification is off)" if desired.client_secret else "no secret is declared to ask with"
    verdicts = {code: answers.get(code, ProbeResult(Probe.NOT_ASKED, why)) for code in desired.regions}
    todo = accepted_client(desired.regions, verdicts)
    outs = desired.as_inputs() | _metadata(verdicts, todo.cannot_tell, by_hand(desired.regions))
    outs |= inputs.as_deployed(outs)
    return outs | ({"verified_at": verified_at} if verified_at else {})


def _ask_again(client_id: str, secret: str, regions: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    """Ask each data centre, and return those that did not say no, with what a refresh shows of all."""
    verdicts = {code: CONTEXT.ask_zoho(code, client_id, secret) for code in regions}
    todo = plan_client(verdicts, verdicts)
    for line in (*todo.blockers, *todo.cannot_tell):
        say(line)
    left = [code for code, verdict in verdicts.items() if not verdict.probe.rejected]
    return left, _metadata(verdicts, todo.cannot_tell, todo.manual_steps) | {"verified_at": utc_now()}


def delete(id_: str, props: Props) -> None:
    """Do nothing: there is no API for clients of Zoho's console."""
    client_id = str(props.get("client_id") or id_)
    if client_id in CONTEXT.clients_declared:
        return
    rest = (
        "Codat still stores its keys, so leave it in Zoho's API console."
        if client_id in CONTEXT.kept
        else "It stays in Zoho's API console: delete it there only when no Codat client stores its keys any more."
    )
    say(f"Zoho client {id_} is no longer managed. {rest}")


def _metadata(
    verdicts: Mapping[str, ProbeResult], cannot_tell: Collection[str], manual_steps: Collection[str]
) -> dict[str, Any]:
    return {
        "verdicts": {code: verdict.probe.value for code, verdict in verdicts.items()},
        "cannot_tell": list(cannot_tell),
        "manual_steps": list(manual_steps),
        "redirect_uri": REDIRECT_URI,
    }

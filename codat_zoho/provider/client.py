"""The Zoho client's side of the engine's protocol where Zoho is not asked: ``client_verdicts`` is the other half."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CheckResult, DiffResult, ReadResult

from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.declare.settings import FINGERPRINT, ZohoClientSettings, managed
from codat_zoho.provider import inputs
from codat_zoho.provider.process import CONTEXT

Props = Mapping[str, Any]
_METADATA = ("verdicts", "verified_at", "cannot_tell", "manual_steps", "redirect_uri", inputs.DECLARED)


def check(_olds: Props, news: Props) -> CheckResult:
    """Validate and normalise; remember what the program declares, which tells a rename from an end."""
    result = inputs.check(ZohoClientSettings, news)
    if isinstance(client_id := result.inputs.get("client_id"), str):
        CONTEXT.clients_declared.add(client_id)
    return result


def diff(olds: Props, news: Props) -> DiffResult:
    """Decide on the managed values alone; another client id is another client.

    Create before delete: deleting does nothing, and the other order would make the engine replace what depends on it,
    the integration among it.
    """
    changes = inputs.changed(olds, news, managed(ZohoClientSettings))
    if not changes:
        # Of a refresh, which comes without a check, it would be a difference that is none.
        return DiffResult(changes=news.get("client_id") in CONTEXT.clients_declared and inputs.stale(olds, news))
    return DiffResult(changes=None, replaces=["client_id"] if "client_id" in changes else [])


def read(id_: str, props: Props) -> ReadResult:
    """Return what is recorded, or with ``verify="always"`` ask again: a region that Zoho rejects is missing then."""
    given = inputs.declared(ZohoClientSettings, props)
    if not given:
        return ReadResult(id_, {"client_id": id_, "redirect_uri": REDIRECT_URI})
    live = given | ({FINGERPRINT: props[FINGERPRINT]} if props.get(FINGERPRINT) else {})
    metadata = {name: value for name, value in props.items() if name in _METADATA and value is not None}
    secret = given.get("client_secret")
    if CONTEXT.environment.verify(given.get("verify", "on-change")) == "always" and secret:
        from codat_zoho.provider.client_verdicts import ask_again

        # An earlier refresh may have left out data centres that said no.
        declared = (props.get(inputs.DECLARED) or {}).get("regions", given.get("regions", ()))
        live["regions"], found = ask_again(given["client_id"], secret, declared)
        metadata |= found
    return ReadResult(id_, live | metadata, live)

"""The integration's side of the engine's protocol where it only looks: ``integration_changes`` is the other half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pulumi.dynamic import CheckResult, DiffResult, ReadResult

from codat_zoho.core.observe import ActualIntegration, CodatClient, Recorded, observe
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings, managed
from codat_zoho.errors import NotFound
from codat_zoho.provider import inputs
from codat_zoho.provider.boundary import say
from codat_zoho.provider.command import destroy_is_previewed
from codat_zoho.provider.process import CONTEXT

Props = Mapping[str, Any]
MANAGED = managed(IntegrationSettings)
CLEARED = "keys_cleared_while_disabled"
CODAT_CLIENT = ("codat_client", "codat_client_name")


def check(_olds: Props, news: Props) -> CheckResult:
    """Validate; remember what the program declares, which tells an update from a refresh and a rename from an end."""
    result = inputs.check(IntegrationSettings, news)
    if isinstance(connection := result.inputs.get("connection"), str):
        CONTEXT.declared.add(connection)
    return result


def diff(olds: Props, news: Props) -> DiffResult:
    """Decide on the managed values alone, and refuse in preview what the recorded count of linked companies forbids.

    A refresh also asks for a diff, to draw what drifted, and must not be refused. It does so without a check.
    """
    changes = inputs.changed(olds, news, MANAGED)
    if not changes:
        # Of a refresh, which comes without a check, it would be a difference that is none.
        return DiffResult(changes=news.get("connection") in CONTEXT.declared and inputs.stale(olds, news))
    # One that is not known yet may be the same: the engine asks again when it is.
    moved = "connection" in changes and isinstance(news.get("connection"), str)
    if news.get("connection") in CONTEXT.declared:
        from codat_zoho.provider import books_changes as integration_changes

        if moved:
            integration_changes.look_at_move(olds, news)
        else:
            integration_changes.refuse_early(olds, news)
    # Created before deleted: when the old one goes, it is known what else the program declares.
    return DiffResult(changes=None, replaces=["connection"] if moved else [])


def read(id_: str, props: Props) -> ReadResult:
    """Return the managed values as they are now. For ``ZohoBooksIntegration.get`` nothing is managed, all is read."""
    connection = str(props.get("connection") or id_)
    try:
        actual = CONTEXT.actual(connection)
    except NotFound as gone:
        confirm_client(connection, props)
        say(f"{gone} It counts as gone.")
        return ReadResult(None, {})
    given = inputs.declared(IntegrationSettings, props)
    if not given:
        shown = {"enabled": actual.enabled, "client_id": actual.client_id, "connection": connection}
        shown |= client_outs(actual.codat_client)
        return ReadResult(id_, {**metadata(actual), **{k: v for k, v in shown.items() if v is not None}})
    confirm_client(connection, props)
    if destroy_is_previewed():
        from codat_zoho.provider import books_changes as integration_changes

        integration_changes.announce_removal(props, actual)
    recorded = recorded_of(props)
    # An earlier refresh may have put a mask in place of the client id, or taken it away.
    as_deployed = (props.get(inputs.DECLARED) or {}).get("client_id", recorded.client_id)
    found = observe(replace(recorded, client_id=as_deployed), actual)
    live = given | {
        "client_id": found.values.client_id,
        "enabled": found.values.enabled,
        FINGERPRINT: found.values.client_secret_fingerprint,
    }
    live = {name: value for name, value in live.items() if value is not None}
    outs = live | metadata(actual, found.cannot_tell) | {name: props[name] for name in _KEPT if name in props}
    return ReadResult(id_, outs, live)


_KEPT = (CLEARED, inputs.DECLARED, *CODAT_CLIENT)
"""Outputs that a refresh leaves as they are."""


def deployed_to(props: Props) -> CodatClient:
    """The Codat client on record."""
    id_, name = (props.get(name) for name in CODAT_CLIENT)
    return CodatClient(id_, name)


def confirm_client(connection: str, props: Props) -> None:
    """Refuse to go on where the API key opens another Codat client than the one on record."""
    codat = CONTEXT.codat(connection)
    codat.confirm(codat.client(), deployed_to(props))


def client_outs(client: CodatClient) -> dict[str, Any]:
    return {name: value for name, value in zip(CODAT_CLIENT, (client.id, client.name), strict=True) if value}


def recorded_of(props: Props) -> Recorded:
    return Recorded(
        client_id=props.get("client_id"),
        client_secret=props.get("client_secret"),
        client_secret_fingerprint=props.get(FINGERPRINT),
        enabled=props.get("enabled"),
        keys_cleared_while_disabled=bool(props.get(CLEARED)),
    )


def metadata(actual: ActualIntegration, cannot_tell: tuple[str, ...] = ()) -> dict[str, Any]:
    untold = [*cannot_tell]
    if actual.codat_client.why:
        untold.append(f"codat_client: {actual.codat_client.why}.")
    if actual.linked is None:
        untold.append("linked_companies: Codat does not say how many companies are linked.")
    found = {
        "integration_id": actual.integration_id,
        "integration_name": actual.name,
        "linked_companies": "unknown" if actual.linked is None else actual.linked,
        "cannot_tell": untold,
    }
    return {name: value for name, value in found.items() if value is not None}

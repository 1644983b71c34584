"""The integration's side of the engine's protocol where it only looks: ``books_changes`` is the other half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pulumi.dynamic import CheckResult, DiffResult, ReadResult

from codat_zoho.core.observe import observe
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings, managed
from codat_zoho.errors import NotFound
from codat_zoho.provider import inputs
from codat_zoho.provider.outputs import CLEARED, CODAT_CLIENT, client_outs, confirm_client, metadata, recorded_of
from codat_zoho.provider.process import CONTEXT, destroy_is_previewed, say

Props = Mapping[str, Any]
_KEPT = (CLEARED, inputs.DECLARED, *CODAT_CLIENT)
"""Outputs that a refresh leaves as they are."""


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
    is_declared = news.get("connection") in CONTEXT.declared
    changes = inputs.changed(olds, news, managed(IntegrationSettings))
    if not changes:
        # Of a refresh, which comes without a check, it would be a difference that is none.
        return DiffResult(changes=is_declared and inputs.stale(olds, news))
    # One that is not known yet may be the same: the engine asks again when it is.
    moved = "connection" in changes and isinstance(news.get("connection"), str)
    if is_declared:
        from codat_zoho.provider import books_changes

        if moved:
            books_changes.look_at_move(olds, news)
        else:
            books_changes.refuse_early(olds, news)
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
        outs = metadata(actual) | shown | client_outs(actual.codat_client)
        return ReadResult(id_, {name: value for name, value in outs.items() if value is not None})
    confirm_client(connection, props)
    if destroy_is_previewed():
        from codat_zoho.provider import books_changes

        books_changes.announce_removal(props, actual)
    recorded = recorded_of(props)
    # An earlier refresh may have put a mask in place of the client id, or taken it away.
    as_deployed = (props.get(inputs.DECLARED) or {}).get("client_id", recorded.client_id)
    found = observe(replace(recorded, client_id=as_deployed), actual)
    now = found.values
    live = given | {"client_id": now.client_id, "enabled": now.enabled, FINGERPRINT: now.client_secret_fingerprint}
    live = {name: value for name, value in live.items() if value is not None}
    outs = live | metadata(actual, found.cannot_tell) | {name: props[name] for name in _KEPT if name in props}
    return ReadResult(id_, outs, live)

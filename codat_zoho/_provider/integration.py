"""The integration's side of the engine's protocol where it only looks: ``integration_changes`` is the other half."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckResult, DiffResult, ReadResult

from codat_zoho._provider import inputs
from codat_zoho._provider.context import CONTEXT
from codat_zoho._provider.guard import say
from codat_zoho.actual import ActualIntegration, Recorded, observe
from codat_zoho.errors import NotFound
from codat_zoho.rules import INTEGRATION

if TYPE_CHECKING:
    from codat_zoho.settings import IntegrationSettings

Props = Mapping[str, Any]
MANAGED = (*INTEGRATION, inputs.FINGERPRINT)
CLEARED = "keys_cleared_while_disabled"


def check(olds: Props, news: Props) -> CheckResult:
    """Validate; remember that what follows is an update and not a refresh (see ``diff``)."""
    result = inputs.check(INTEGRATION, olds, news, desired_of)
    CONTEXT.checked.add(str(result.inputs.get("connection")))
    return result


def diff(olds: Props, news: Props) -> DiffResult:
    """Decide on the managed values alone, and refuse in preview what the recorded count of linked companies forbids.

    A refresh also asks for a diff, to draw what drifted, and must not be refused. It does so without a check.
    """
    changes = inputs.changed(olds, news, MANAGED)
    if not changes:
        return DiffResult(changes=False)
    moved = "connection" in changes
    if not moved and news.get("connection") in CONTEXT.checked:
        from codat_zoho._provider.integration_changes import refuse_early

        refuse_early(olds, news)
    # The default order, create then delete, would undo the setting of a singleton.
    return DiffResult(changes=None, replaces=["connection"] if moved else [], delete_before_replace=True)


def read(id_: str, props: Props) -> ReadResult:
    """Return the managed values as they are now. For ``ZohoBooksIntegration.get`` nothing is managed, all is read."""
    connection = str(props.get("connection") or id_)
    try:
        actual = CONTEXT.actual(connection)
    except NotFound as gone:
        say(f"{gone} It counts as gone.")
        return ReadResult(None, {})
    given = inputs.declared(INTEGRATION, props)
    if not given:
        shown = {"enabled": actual.enabled, "client_id": actual.client_id, "connection": connection}
        return ReadResult(id_, {**metadata(actual), **{k: v for k, v in shown.items() if v is not None}})
    found = observe(recorded_of(props), actual)
    live = given | {
        "client_id": found.values.client_id,
        "enabled": found.values.enabled,
        inputs.FINGERPRINT: found.values.client_secret_fingerprint,
    }
    live = {name: value for name, value in live.items() if value is not None}
    outs = live | metadata(actual, found.cannot_tell) | ({CLEARED: True} if props.get(CLEARED) else {})
    return ReadResult(id_, outs, live)


def desired_of(props: Props, unknown: Collection[str] = ()) -> IntegrationSettings:
    from codat_zoho.settings import IntegrationSettings, load

    return load(IntegrationSettings, inputs.declared(INTEGRATION, props), unknown=unknown)


def recorded_of(props: Props) -> Recorded:
    return Recorded(
        client_id=props.get("client_id"),
        client_secret=props.get("client_secret"),
        client_secret_fingerprint=props.get(inputs.FINGERPRINT),
        enabled=props.get("enabled"),
        keys_cleared_while_disabled=bool(props.get(CLEARED)),
    )


def metadata(actual: ActualIntegration, cannot_tell: tuple[str, ...] = ()) -> dict[str, Any]:
    untold = [*cannot_tell]
    if actual.linked is None:
        untold.append("linked_companies: Codat does not say how many companies are linked.")
    found = {
        "integration_id": actual.integration_id,
        "integration_name": actual.name,
        "linked_companies": "unknown" if actual.linked is None else actual.linked,
        "cannot_tell": untold,
    }
    return {name: value for name, value in found.items() if value is not None}

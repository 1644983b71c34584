"""The integration's side of the engine's protocol: translates between property bags and ``apply`` and ``plan``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from codat_zoho._provider import inputs
from codat_zoho._provider.context import CONTEXT, unknown_fields
from codat_zoho._provider.guard import say
from codat_zoho.apply import Outcome, apply
from codat_zoho.errors import NotFound, PlanBlocked
from codat_zoho.plan import ActualIntegration, Recorded, Removal, observe, plan
from codat_zoho.rules import INTEGRATION

if TYPE_CHECKING:
    from codat_zoho.settings import IntegrationSettings

Props = Mapping[str, Any]
MANAGED = (*INTEGRATION, inputs.FINGERPRINT)
CLEARED = "keys_cleared_while_disabled"


def check(olds: Props, news: Props) -> CheckResult:
    """Validate; remember that what follows is an update and not a refresh (see ``diff``)."""
    result = inputs.check(INTEGRATION, olds, news, _desired)
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
        _refuse_early(olds, news)
    # The default order, create then delete, would undo the setting of a singleton.
    return DiffResult(changes=None, replaces=["connection"] if moved else [], delete_before_replace=True)


def _refuse_early(olds: Props, news: Props) -> None:
    linked = _count(olds)
    if not linked:
        return
    desired = _desired(news, unknown_fields(inputs.declared(INTEGRATION, news)))
    client_id = olds.get("client_id")
    if client_id is None:  # What Codat holds was not recorded, so nothing can be said before it is read.
        desired = desired.model_copy(update={"client_id": None, "client_secret": None})
    before = ActualIntegration(
        enabled=olds.get("enabled") is True,
        keys={"clientId": client_id, "clientSecret": "****"} if client_id else None,
        linked=linked,
    )
    todo = plan(desired, before, _recorded(olds))
    if todo.disruptive and todo.blockers:
        raise PlanBlocked(
            " ".join(todo.blockers), "(That is the count of the last run; with --refresh they are counted again.)"
        )


def create(props: Props) -> CreateResult:
    """Adopt what is there and bring it to what is declared: a failed run leaves nothing that stops the next."""
    desired = _desired(props)
    return CreateResult(desired.connection, _outs(desired, apply(CONTEXT.codat(desired.connection), desired, say=say)))


def adopted(desired: IntegrationSettings, actual: ActualIntegration) -> dict[str, Any]:
    """Outputs of a resource that takes over what is there: those of a ``create`` that finds nothing to send.

    Raises:
        PlanBlocked: what is there is not what is declared, so taking it over would hide a difference.
    """
    todo = plan(desired, actual)
    if not todo.empty:
        raise PlanBlocked("What is in Codat is not what is declared, so it cannot be recorded as if it were.")
    return _outs(desired, Outcome(actual, todo.cannot_tell))


def update(olds: Props, news: Props) -> UpdateResult:
    """Read first, then send what differs."""
    desired = _desired(news)
    outcome = apply(CONTEXT.codat(desired.connection), desired, _recorded(olds), say=say)
    return UpdateResult(_outs(desired, outcome))


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
        return ReadResult(id_, {**_metadata(actual), **{k: v for k, v in shown.items() if v is not None}})
    found = observe(_recorded(props), actual)
    live = given | {
        "client_id": found.values.client_id,
        "enabled": found.values.enabled,
        inputs.FINGERPRINT: found.values.client_secret_fingerprint,
    }
    live = {name: value for name, value in live.items() if value is not None}
    outs = live | _metadata(actual, found.cannot_tell) | ({CLEARED: True} if props.get(CLEARED) else {})
    return ReadResult(id_, outs, live)


def delete(props: Props) -> None:
    """Leave the integration as ``on_delete`` says."""
    connection, mode = str(props["connection"]), props["on_delete"]
    if mode == "keep":
        say(
            f"Zoho Books of connection {connection!r} is no longer managed; Codat keeps it as it is (on_delete='keep')."
        )
        return
    try:
        apply(CONTEXT.codat(connection), Removal(mode, bool(props.get("allow_disruption"))), say=say)
    except NotFound as gone:
        say(f"{gone} There is nothing left to remove.")


def _desired(props: Props, unknown: Collection[str] = ()) -> IntegrationSettings:
    from codat_zoho.settings import IntegrationSettings, load

    return load(IntegrationSettings, inputs.declared(INTEGRATION, props), unknown=unknown)


def _recorded(props: Props) -> Recorded:
    return Recorded(
        client_id=props.get("client_id"),
        client_secret=props.get("client_secret"),
        client_secret_fingerprint=props.get(inputs.FINGERPRINT),
        enabled=props.get("enabled"),
        keys_cleared_while_disabled=bool(props.get(CLEARED)),
    )


def _outs(desired: IntegrationSettings, outcome: Outcome) -> dict[str, Any]:
    outs = inputs.plain(desired) | _metadata(outcome.actual, outcome.cannot_tell)
    known = Recorded.of(desired).client_secret_fingerprint
    return (
        outs
        | ({inputs.FINGERPRINT: known} if known else {})
        | ({CLEARED: True} if outcome.keys_cleared_while_disabled else {})
    )


def _metadata(actual: ActualIntegration, cannot_tell: tuple[str, ...] = ()) -> dict[str, Any]:
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


def _count(props: Props) -> int | None:
    """The recorded number of linked companies; the engine hands integers over as floats."""
    count = props.get("linked_companies")
    return int(count) if isinstance(count, int | float) else None

"""The integration's side of the engine's protocol where it changes something: property bags in, ``apply``, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CreateResult, UpdateResult

from codat_zoho._provider import inputs
from codat_zoho._provider.context import CONTEXT, unknown_fields
from codat_zoho._provider.guard import say
from codat_zoho._provider.integration import CLEARED, desired_of, metadata, recorded_of
from codat_zoho.actual import ActualIntegration, Recorded
from codat_zoho.apply import Outcome, apply
from codat_zoho.errors import NotFound, PlanBlocked
from codat_zoho.plan import Removal, plan
from codat_zoho.rules import INTEGRATION
from codat_zoho.settings import IntegrationSettings

Props = Mapping[str, Any]


def create(props: Props) -> CreateResult:
    """Adopt what is there and bring it to what is declared: a failed run leaves nothing that stops the next."""
    desired = desired_of(props)
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
    desired = desired_of(news)
    outcome = apply(CONTEXT.codat(desired.connection), desired, recorded_of(olds), say=say)
    return UpdateResult(_outs(desired, outcome))


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


def refuse_early(olds: Props, news: Props) -> None:
    """Refuse in preview what the recorded count of linked companies forbids."""
    linked = _count(olds)
    if not linked:
        return
    desired = desired_of(news, unknown_fields(inputs.declared(INTEGRATION, news)))
    client_id = olds.get("client_id")
    if client_id is None:  # What Codat holds was not recorded, so nothing can be said before it is read.
        desired = desired.model_copy(update={"client_id": None, "client_secret": None})
    before = ActualIntegration(
        enabled=olds.get("enabled") is True,
        keys={"clientId": client_id, "clientSecret": "****"} if client_id else None,
        linked=linked,
    )
    todo = plan(desired, before, recorded_of(olds))
    if todo.disruptive and todo.blockers:
        raise PlanBlocked(
            " ".join(todo.blockers), "(That is the count of the last run; with --refresh they are counted again.)"
        )


def _outs(desired: IntegrationSettings, outcome: Outcome) -> dict[str, Any]:
    outs = inputs.plain(desired) | metadata(outcome.actual, outcome.cannot_tell)
    known = Recorded.of(desired).client_secret_fingerprint
    return (
        outs
        | ({inputs.FINGERPRINT: known} if known else {})
        | ({CLEARED: True} if outcome.keys_cleared_while_disabled else {})
    )


def _count(props: Props) -> int | None:
    """The recorded number of linked companies; the engine hands integers over as floats."""
    count = props.get("linked_companies")
    return int(count) if isinstance(count, int | float) else None

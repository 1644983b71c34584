"""The integration's side of the engine's protocol where it changes something: property bags in, ``apply``, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pulumi.dynamic import CreateResult, UpdateResult

from codat_zoho._provider import inputs
from codat_zoho._provider.context import CONTEXT, unknown_fields
from codat_zoho._provider.guard import say
from codat_zoho._provider.integration import (
    CLEARED,
    client_outs,
    confirm_client,
    deployed_to,
    desired_of,
    metadata,
    recorded_of,
)
from codat_zoho.actual import ActualIntegration, Recorded
from codat_zoho.apply import Outcome, apply
from codat_zoho.errors import ConfigurationError, NotFound, PlanBlocked, WrongCodatClient
from codat_zoho.plan import Removal, plan
from codat_zoho.rules import INTEGRATION
from codat_zoho.settings import IntegrationSettings

Props = Mapping[str, Any]


def create(props: Props) -> CreateResult:
    """Adopt what is there and bring it to what is declared: a failed run leaves nothing that stops the next."""
    desired = desired_of(props)
    codat = CONTEXT.codat(desired.connection)
    outcome = apply(codat, desired, say=say, spelling=CONTEXT.spelling)
    client = codat.named_client() if outcome.actual.codat_client.id else outcome.actual.codat_client
    return CreateResult(desired.connection, _outs(desired, outcome) | client_outs(client))


def adopted(desired: IntegrationSettings, actual: ActualIntegration) -> dict[str, Any]:
    """Outputs of a resource that takes over what is there: those of a ``create`` that finds nothing to send.

    Raises:
        PlanBlocked: what is there is not what is declared, so taking it over would hide a difference.
    """
    todo = plan(desired, actual)
    if not todo.empty:
        raise PlanBlocked("What is in Codat is not what is declared, so it cannot be recorded as if it were.")
    return _outs(desired, Outcome(actual, todo.cannot_tell)) | client_outs(actual.codat_client)


def update(olds: Props, news: Props) -> UpdateResult:
    """Read first, then send what differs."""
    desired = desired_of(news)
    codat, before = CONTEXT.codat(desired.connection), deployed_to(olds)
    outcome = apply(codat, desired, recorded_of(olds), say=say, spelling=CONTEXT.spelling, deployed_to=before)
    return UpdateResult(_outs(desired, outcome) | client_outs(before if before.id else outcome.actual.codat_client))


def delete(props: Props) -> None:
    """Leave the integration as ``on_delete`` says, unless the program still declares it under another name."""
    connection, wish = str(props["connection"]), _removal(props)
    mode = wish.on_delete
    declared_as = CONTEXT.declared_as(connection, look=mode != "keep")
    if declared_as is not None:
        _compare(connection, props)
        by = "another name" if declared_as == connection else f"connection {declared_as!r}, of the same Codat client"
        say(f"Zoho Books of connection {connection!r} is still declared, by {by}: nothing was sent to Codat.")
        return
    if mode != "remove":
        CONTEXT.kept.add(str(props.get("client_id")))
    if mode == "keep":
        say(
            f"Zoho Books of connection {connection!r} is no longer managed; Codat keeps it as it is (on_delete='keep')."
        )
        return
    codat = CONTEXT.codat(connection)
    try:
        apply(codat, wish, say=say, spelling=CONTEXT.spelling, deployed_to=deployed_to(props))
    except NotFound as gone:
        confirm_client(connection, props)
        say(f"{gone} There is nothing left to remove.")


def _compare(connection: str, props: Props) -> None:
    """Say loudly where the new name of an integration was deployed to another Codat client than the old one."""
    with suppress(ConfigurationError):  # Without an API key nothing was deployed in this run.
        new, old = CONTEXT.codat(connection).known_client(), deployed_to(props)
        if new.is_another(old.id):
            raise WrongCodatClient(
                f"Zoho Books of connection {connection!r} was deployed to the Codat client {old}, which stays as it "
                f"is, and under its new name to {new}: the API key opens another Codat client than before.",
                "If that is not meant, set the API key of the first one, run 'pulumi state delete' on the new "
                "resource, put in order what was sent to the other one, and run pulumi up.",
            )


def announce_removal(props: Props, actual: ActualIntegration) -> None:
    """Say whether destroying will be refused."""
    what = f"Destroying {props.get('connection')!r}"
    todo = plan(_removal(props), actual, spelling=CONTEXT.spelling)
    if todo.blockers and actual.linked is None:
        say(f"{what}: Codat does not say how many companies are linked, so whether it is refused cannot be told yet.")
    elif todo.blockers:
        say(f"{what} will be refused: {' '.join(todo.blockers)}")
    elif todo.risk:
        say(f"{what}: {todo.risk}")


def _removal(props: Props) -> Removal:
    return Removal(props.get("on_delete") or "remove", bool(props.get("allow_disruption")))


def refuse_early(olds: Props, news: Props) -> None:
    """Refuse in preview what the recorded count of linked companies forbids, and say whom what it allows can cut off.

    Raises:
        PlanBlocked: it would be refused.
    """
    before = _as_recorded(olds)
    if not before.linked:
        return
    desired = desired_of(news, unknown_fields(inputs.declared(INTEGRATION, news)))
    if before.keys is None:  # What Codat holds was not recorded, so nothing can be said before it is read.
        desired = desired.model_copy(update={"client_id": None, "client_secret": None})
    todo = plan(desired, before, recorded_of(olds), spelling=CONTEXT.spelling)
    if todo.risk:
        say(f"{todo.risk} {_LAST_COUNT}")
    if todo.disruptive and todo.blockers:
        raise PlanBlocked(" ".join(todo.blockers), _LAST_COUNT)


def announce_move(olds: Props, news: Props) -> None:
    """Remember where a resource moves, and say what that does to the companies that were linked where it was."""
    old, new = str(olds.get("connection")), str(news["connection"])
    CONTEXT.moving[old] = new
    before = _as_recorded(olds)
    if before.linked:
        todo = plan(_removal(olds), before, spelling=CONTEXT.spelling)
        for text in filter(None, (*todo.blockers, todo.risk)):
            say(f"Leaving connection {old!r}, where {new!r} is of another Codat client: {text} {_LAST_COUNT}")


_LAST_COUNT = "(That is the count of the last run; with --refresh they are counted again.)"


def _as_recorded(olds: Props) -> ActualIntegration:
    """What Codat had at the last look, as far as it is on record."""
    client_id = olds.get("client_id")
    return ActualIntegration(
        enabled=olds.get("enabled") is True,
        keys={"clientId": client_id, "clientSecret": "****"} if client_id else None,
        linked=_count(olds),
    )


def _outs(desired: IntegrationSettings, outcome: Outcome) -> dict[str, Any]:
    outs = inputs.plain(desired) | metadata(outcome.actual, outcome.cannot_tell)
    if known := Recorded.of(desired).client_secret_fingerprint:
        outs[inputs.FINGERPRINT] = known
    if outcome.keys_cleared_while_disabled:
        outs[CLEARED] = True
    return outs | inputs.as_deployed(outs, ("enabled", "client_id"))


def _count(props: Props) -> int | None:
    """The recorded number of linked companies; the engine hands integers over as floats."""
    count = props.get("linked_companies")
    return int(count) if isinstance(count, int | float) else None

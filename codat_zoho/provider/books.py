"""The integration's side of the engine's protocol: property bags in, the core and ``apply``, outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codat_zoho.core.observe import MOST_COMPANIES, ActualIntegration, CodatClient, Recorded, observe
from codat_zoho.core.plan import Removal, Step, StepKind, plan
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings, load, managed
from codat_zoho.errors import CodatZohoError, ConfigurationError, NotFound, PlanBlocked, WrongCodatClient
from codat_zoho.provider import inputs
from codat_zoho.provider.process import CONTEXT, destroy_is_previewed, say
from codat_zoho.provider.results import Checked, Differs, Found, HalfWay, Made

if TYPE_CHECKING:  # Nobody is called while nothing changed.
    from codat_zoho.remote.codat import Codat
    from codat_zoho.remote.converge import Outcome

Props = Mapping[str, Any]
CLEARED = "keys_cleared_while_disabled"
CODAT_CLIENT = ("codat_client", "codat_client_name")
_KEPT = (CLEARED, inputs.DECLARED, *CODAT_CLIENT)
"""Outputs that a refresh leaves as they are."""
_LAST_COUNT = "(Counted at the last look.)"


def check(moved: Props, news: Props) -> Checked:
    """Validate; remember what the program declares, which tells an update from a refresh and a rename from an end."""
    result = inputs.check(IntegrationSettings, moved, news)
    if isinstance(connection := result.inputs.get("connection"), str):
        CONTEXT.declared.add(connection)
    return replace(result, problems=[*result.problems, *inputs.mixed(CONTEXT.whose_secret, result.inputs)])


def diff(olds: Props, news: Props) -> Differs:
    """Decide on the managed values alone, and refuse in preview what the recorded count of linked companies forbids.

    A refresh also asks for a diff, to draw what drifted, and must not be refused. It does so without a check.
    """
    # What a state does not tell of the connection is no move.
    olds = {"connection": news.get("connection"), **inputs.recorded(olds)}
    is_declared = news.get("connection") in CONTEXT.declared
    changes = inputs.changed(olds, news, managed(IntegrationSettings))
    if not changes:
        # Of a refresh, which comes without a check, it would be a difference that is none.
        return Differs(is_declared and inputs.stale(olds, news))
    # One that is not known yet may be the same: the engine asks again when it is.
    known = isinstance(news.get("connection"), str)
    replaces = inputs.replacing(IntegrationSettings, changes) if known else []
    if is_declared and replaces:
        _look_at_move(olds, news)
    elif is_declared:
        _refuse_early(olds, news)
    # Created before deleted: when the old one goes, it is known what else the program declares.
    return Differs(None, replaces, changes)


def read(id_: str, props: Props) -> Found:
    """Return the managed values as they are now. For ``ZohoBooksIntegration.get`` nothing is managed, all is read."""
    connection = str(inputs.recorded(props).get("connection") or id_)
    try:
        actual = CONTEXT.actual(connection)
    except NotFound as gone:
        _confirm_client(connection, props)
        say(f"{gone} It counts as gone.")
        return Found(None, {})
    given = inputs.declared(IntegrationSettings, props)
    if not given:
        shown = {"enabled": actual.enabled, "client_id": actual.client_id, "connection": connection}
        outs = _metadata(actual) | shown | _client_outs(actual.codat_client)
        return Found(id_, {name: value for name, value in outs.items() if value is not None})
    _confirm_client(connection, props)
    if destroy_is_previewed():
        _announce_removal(props, actual)
    recorded = _recorded_of(props)
    # An earlier refresh may have put a mask in place of the client id, or taken it away.
    as_deployed = (props.get(inputs.DECLARED) or {}).get("client_id", recorded.client_id)
    found = observe(replace(recorded, client_id=as_deployed), actual)
    now = found.values
    live = given | {"client_id": now.client_id, "enabled": now.enabled, FINGERPRINT: now.client_secret_fingerprint}
    live = {name: value for name, value in live.items() if value is not None} | inputs.marked(props)
    outs = live | _metadata(actual, found.cannot_tell) | {name: props[name] for name in _KEPT if name in props}
    return Found(id_, outs, live)


def create(props: Props) -> Made:
    """Adopt what is there and bring it to what is declared: a failed run leaves nothing that stops the next."""
    desired = inputs.desired(IntegrationSettings, props)
    codat = _start_exclusively(desired.connection)
    sent: list[Step] = []
    try:
        outcome = CONTEXT.apply(codat, desired, sent=sent)
    except CodatZohoError as error:
        if not sent:
            raise
        outs = _reached(desired, sent) | _client_outs(codat.known_client()) | inputs.marked(props)
        raise HalfWay(error, Made(desired.connection, outs)) from None
    return Made(
        desired.connection, _outs(desired, outcome, _named_client(codat, outcome.actual)) | inputs.marked(props)
    )


def _named_client(codat: Codat, actual: ActualIntegration) -> CodatClient:
    return codat.named_client() if actual.codat_client.id else actual.codat_client


def _reached(desired: IntegrationSettings, sent: Sequence[Step]) -> dict[str, Any]:
    """What is known to be as declared after a deployment that failed half-way: what Codat accepted."""
    kinds = {step.kind for step in sent}
    if StepKind.SAVE_KEYS not in kinds:
        desired = replace(desired, client_id=None, client_secret=None)
    return replace(desired, enabled=desired.enabled if StepKind.SET_ENABLED in kinds else None).as_inputs()


def imported(connection: str) -> Found:
    """Return what is there as if it had been declared: all but the keys, which nobody can read back."""
    load(IntegrationSettings, {"connection": connection})
    codat = CONTEXT.codat(connection)
    try:
        actual = codat.actual()
    except NotFound as gone:
        say(str(gone))
        return Found(None, {})
    live = IntegrationSettings(connection=connection, enabled=actual.enabled).as_inputs()
    return Found(connection, live | _metadata(actual) | _client_outs(_named_client(codat, actual)), live)


def adopted(desired: IntegrationSettings, actual: ActualIntegration) -> dict[str, Any]:
    """Outputs of a resource that takes over what is there: those of a ``create`` that finds nothing to send.

    Raises:
        PlanBlocked: what is there is not what is declared, so taking it over would hide a difference.
    """
    todo = plan(desired, actual)
    if not todo.empty:
        raise PlanBlocked("What is in Codat is not what is declared, so it cannot be recorded as if it were.")
    from codat_zoho.remote.converge import Outcome

    return _outs(desired, Outcome(actual, todo.cannot_tell), actual.codat_client)


def update(olds: Props, news: Props) -> dict[str, Any]:
    """Read first, then send what differs."""
    desired = inputs.desired(IntegrationSettings, news)
    before = _deployed_to(inputs.recorded(olds))
    codat = _start_exclusively(desired.connection)
    outcome = CONTEXT.apply(codat, desired, _recorded_of(olds), before)
    client = before if before.id else outcome.actual.codat_client
    return _outs(desired, outcome, client) | inputs.marked(news)


def _start_exclusively(connection: str) -> Codat:
    """Start an operation on a Codat client that no other resource of the program is known to manage.

    Raises:
        ConfigurationError: another one does, under another connection.
    """
    codat = CONTEXT.codat(connection)
    if len(CONTEXT.declared) > 1:
        codat.client()
    if other := CONTEXT.declared_as(connection, ask=False):
        raise ConfigurationError(
            f"The connections {connection!r} and {other!r} of this program open one Codat client, which has one Zoho "
            "Books integration.",
            "Declare it once, or give one of them the API key of another Codat client.",
        )
    return codat


# --- the end of a resource --------------------------------------------------------------------------------------------


def delete(id_: str, props: Props) -> None:
    """Leave the integration as ``on_delete`` says, unless the program still declares it under another name."""
    connection, wish = str(inputs.recorded(props).get("connection") or id_), _removal(props)
    books = f"Zoho Books of connection {connection!r}"
    if wish.on_delete != "keep":
        with suppress(ConfigurationError):  # Without an API key nothing is sent, and the end of a name needs none.
            _confirm_again(connection, props)
    if connection in CONTEXT.declared:
        say(f"{books} is still declared: nothing was sent to Codat for this name.")
        return
    CONTEXT.check_successor(connection)
    if wish.on_delete != "keep" and (other := CONTEXT.declared_as(connection)):
        say(
            f"{books} is still declared by connection {other!r}, of the same Codat client: nothing was sent to Codat "
            "for this name."
        )
        return
    if wish.on_delete != "remove":
        CONTEXT.kept.add(str(props.get("client_id")))
    if wish.on_delete == "keep":
        say(f"{books} is no longer managed; Codat keeps it as it is (on_delete='keep').")
        return
    try:
        CONTEXT.apply(CONTEXT.codat(connection), wish, None, _deployed_to(props))
    except NotFound as gone:
        say(f"{gone} There is nothing left to remove.")


def _removal(props: Props) -> Removal:
    return Removal(props.get("on_delete") or "remove", bool(props.get("allow_disruption")))


def _confirm_again(connection: str, props: Props) -> None:
    """Refuse to end a name that was deployed to another Codat client; its new name may have been, just before.

    Raises:
        WrongCodatClient: the API key opens another one.
    """
    new, old = CONTEXT.codat(connection).client(), _deployed_to(props)
    if connection not in CONTEXT.declared or not new.is_another(old.id):
        _confirm_client(connection, props)
        return
    raise WrongCodatClient(
        f"Zoho Books of connection {connection!r} was deployed to the Codat client {old}, which stays as it is; the "
        f"API key opens {new} now, and a new name of the resource may have been deployed there in this run.",
        "If that is not meant: set the API key of the first one, put in order what was sent to the other one, run "
        "'pulumi state delete' on the new resource, then pulumi up.",
    )


# --- said or refused in a preview -------------------------------------------------------------------------------------


def _announce_removal(props: Props, actual: ActualIntegration) -> None:
    """Say whether destroying will be refused."""
    what = f"Destroying {props.get('connection')!r}"
    todo = plan(_removal(props), actual, spelling=CONTEXT.spelling)
    if todo.blockers and actual.linked is None:
        say(f"{what}: Codat does not say how many companies are linked, so whether it is refused cannot be told yet.")
    elif todo.blockers:
        say(f"{what} will be refused: {' '.join(todo.blockers)}")
    elif todo.risk:
        say(f"{what}: {todo.risk}")


def _refuse_early(olds: Props, news: Props) -> None:
    """Refuse in preview what the recorded count of linked companies forbids, and say whom what it allows can cut off.

    Raises:
        PlanBlocked: it would be refused.
    """
    before = _as_recorded(olds)
    if before.linked == 0:
        return
    desired = inputs.desired(IntegrationSettings, news, inputs.unknown_fields(news))
    if before.keys is None:  # What Codat holds was not recorded, so nothing can be said before it is read.
        desired = replace(desired, client_id=None, client_secret=None)
    todo = plan(desired, before, _recorded_of(olds), spelling=CONTEXT.spelling)
    if todo.risk:
        say(f"{todo.risk} {_LAST_COUNT}")
    if before.linked and todo.disruptive and todo.blockers:
        raise PlanBlocked(" ".join(todo.blockers), _LAST_COUNT)


def _look_at_move(olds: Props, news: Props) -> None:
    """Remember where a resource moves, and refuse in preview what leaving the old Codat client would cut off.

    Only where companies were linked at the last look, and the API keys are at hand, Codat is asked which clients they
    open.

    Raises:
        PlanBlocked: it would be refused.
    """
    old, new = str(olds.get("connection")), str(news["connection"])
    CONTEXT.moving[old] = new
    before = _as_recorded(olds)
    todo = plan(_removal(olds), before, spelling=CONTEXT.spelling)
    if not before.linked or not (todo.blockers or todo.risk):
        return
    try:
        same = CONTEXT.same_client(old, new)
    except CodatZohoError:
        same = None  # Looking decides nothing; who sends something looks again.
    leaving = f"Leaving connection {old!r}"
    if same is None:
        what = "will be refused" if todo.blockers else todo.risk
        say(f"{leaving}: whether {new!r} opens the same Codat client cannot be told yet. If not: {what} {_LAST_COUNT}")
    elif not same and todo.blockers:
        raise PlanBlocked(f"{leaving} for another Codat client: {' '.join(todo.blockers)}", _LAST_COUNT)
    elif not same:
        say(f"{leaving} for another Codat client: {todo.risk} {_LAST_COUNT}")


def _as_recorded(olds: Props) -> ActualIntegration:
    """What Codat had at the last look, as far as it is on record; the engine hands integers over as floats."""
    client_id, count = olds.get("client_id"), olds.get("linked_companies")
    return ActualIntegration(
        enabled=olds.get("enabled") is True,
        keys=ZOHO_BOOKS.keys(client_id, "****") if client_id else None,
        linked=int(count) if isinstance(count, int | float) and 0 <= count <= MOST_COMPANIES else None,
    )


# --- bags -------------------------------------------------------------------------------------------------------------


def _outs(desired: IntegrationSettings, outcome: Outcome, client: CodatClient) -> dict[str, Any]:
    """What a deployment records; ``client`` is whose integration it is."""
    outs = desired.as_inputs() | _metadata(outcome.actual, outcome.cannot_tell) | _client_outs(client)
    if outcome.keys_cleared_while_disabled:
        outs[CLEARED] = True
    return outs | inputs.as_deployed(outs)


def _deployed_to(props: Props) -> CodatClient:
    """The Codat client on record."""
    return CodatClient(props.get("codat_client"), props.get("codat_client_name"))


def _confirm_client(connection: str, props: Props) -> None:
    """Refuse to go on where the API key opens another Codat client than the one on record."""
    codat = CONTEXT.codat(connection)
    codat.confirm(codat.client(), _deployed_to(props))


def _client_outs(client: CodatClient) -> dict[str, Any]:
    return {name: value for name, value in zip(CODAT_CLIENT, (client.id, client.name), strict=True) if value}


def _recorded_of(props: Props) -> Recorded:
    return Recorded(
        client_id=props.get("client_id"),
        client_secret=props.get("client_secret"),
        client_secret_fingerprint=props.get(FINGERPRINT),
        enabled=props.get("enabled"),
        keys_cleared_while_disabled=bool(props.get(CLEARED)),
    )


def _metadata(actual: ActualIntegration, cannot_tell: tuple[str, ...] = ()) -> dict[str, Any]:
    """What Codat says beside the managed values, and what could not be told."""
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

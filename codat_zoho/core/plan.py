"""The pure core: what differs between declared and actual, what to send, and what must not be sent.

:func:`plan` does no I/O and knows neither Pulumi nor HTTP. Everything else calls it or draws its result: the
provider, the drift report, the review of a pull request. What it decides is decided here and nowhere else.

Two facts shape it. Codat shows stored keys only as masks, see :mod:`codat_zoho.core.observe`. And a Zoho refresh token
is bound to the client id it was issued for, so disabling the integration, changing the client id or deleting the keys
can cut off the companies that are linked: such a plan is blocked unless ``allow_disruption`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, cast, overload

from codat_zoho.core.observe import (
    KEYS_CLEARED,
    NO_SECRET,
    ActualIntegration,
    Known,
    MaskReading,
    Probe,
    ProbeResult,
    Recorded,
    untold_id,
    untold_secret,
)
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import fingerprint, is_fingerprint
from codat_zoho.declare.stack_config import Spelling
from codat_zoho.errors import PlanBlocked

if TYPE_CHECKING:  # What only reads Codat has no need of pydantic.
    from codat_zoho.declare.settings import IntegrationSettings, OnDelete, ZohoClientSettings

Value = str | bool | None


@dataclass(frozen=True, slots=True)
class Removal:
    """The wish to stop managing an integration."""

    on_delete: OnDelete = "remove"
    allow_disruption: bool = False


# --- the plan ---------------------------------------------------------------------------------------------------------


class How(Enum):
    """How a difference is known."""

    READ = "read"
    MASK = "mask"
    PROBE = "probe"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is to change. Secrets appear as fingerprints or as "ends in c0de", never as themselves."""

    field: str
    before: Value
    after: Value
    how: How
    disruptive: bool = False


class StepKind(Enum):
    """What can be sent to Codat."""

    SAVE_KEYS = "save keys"
    SET_ENABLED = "set enabled"
    DELETE_KEYS = "delete keys"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to send to Codat.

    Args:
        kind: which call.
        enabled: the value to send with ``SET_ENABLED``.
        certain: False where only a mask that hides everything makes it necessary: nothing is known to differ.
    """

    kind: StepKind
    enabled: bool | None = None
    certain: bool = True

    def __str__(self) -> str:
        if self.kind is StepKind.SET_ENABLED:
            return "enable the integration" if self.enabled else "disable the integration"
        return str(self.kind.value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs and what follows from it. A plan with ``blockers`` is never applied.

    Args:
        changes: what differs.
        cannot_tell: what may differ, and why that cannot be told.
        blockers: why it must not be done.
        warnings: what somebody should know who lets it be done.
        manual_steps: what only a person can do.
        steps: what to send, in this order.
        risk: whom it can cut off, although that was let through.
    """

    changes: tuple[Change, ...] = ()
    cannot_tell: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    manual_steps: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    risk: str = ""

    @property
    def empty(self) -> bool:
        """Nothing differs and nothing will be sent."""
        return not (self.changes or self.steps or self.blockers)

    @property
    def disruptive(self) -> bool:
        """It can cut off linked companies, if there are any."""
        return any(change.disruptive for change in self.changes)

    def raise_if_blocked(self) -> None:
        """Raise :class:`PlanBlocked` with all blockers."""
        if self.blockers:
            raise PlanBlocked(" ".join(self.blockers))


@overload
def plan(
    desired: IntegrationSettings | Removal,
    actual: ActualIntegration,
    recorded: Recorded | None = None,
    *,
    spelling: Spelling = Spelling.ARGUMENT,
) -> Plan: ...  # pragma: no cover
@overload
def plan(
    desired: ZohoClientSettings, actual: Mapping[str, ProbeResult], recorded: None = None
) -> Plan: ...  # pragma: no cover
def plan(
    desired: IntegrationSettings | Removal | ZohoClientSettings,
    actual: ActualIntegration | Mapping[str, ProbeResult],
    recorded: Recorded | None = None,
    *,
    spelling: Spelling = Spelling.ARGUMENT,
) -> Plan:
    """Compare declared with actual.

    Args:
        desired: the declaration, or the wish to remove.
        actual: what Codat or, per data centre, Zoho said.
        recorded: what the last run left, where there was one. It tells a declared change from a drift, and lets an
            unchanged secret behind an opaque mask rest.
        spelling: how messages name a setting.
    """
    if not isinstance(actual, ActualIntegration):
        return _plan_client(cast("ZohoClientSettings", desired), actual)
    if isinstance(desired, Removal):
        return _plan_removal(desired, actual, spelling)
    return _plan_integration(cast("IntegrationSettings", desired), actual, recorded, spelling)


# --- the integration --------------------------------------------------------------------------------------------------


def _plan_integration(
    desired: IntegrationSettings, actual: ActualIntegration, recorded: Recorded | None, spelling: Spelling
) -> Plan:
    found = _plan_keys(desired, actual, recorded)
    changes, steps, warnings = list(found.changes), list(found.steps), list(found.warnings)
    if desired.enabled is not None and desired.enabled != actual.enabled:
        changes.append(
            Change(
                "enabled", actual.enabled, desired.enabled, How.READ, disruptive=actual.enabled and not desired.enabled
            )
        )
        step = Step(StepKind.SET_ENABLED, enabled=desired.enabled)
        # Keys first, so that nobody can link through an integration with the wrong keys; disabling before anything.
        if desired.enabled:
            steps.append(step)
        else:
            steps.insert(0, step)
        if recorded and recorded.enabled == desired.enabled:
            word = "enabled" if actual.enabled else "disabled"
            warnings.append(f"enabled: somebody else {word} the integration since the last run.")
    if desired.enabled and actual.keys is None and not any(step.kind is StepKind.SAVE_KEYS for step in steps):
        warnings.append("enabled: no keys are stored in Codat, so customers cannot link until somebody saves them.")
    result = replace(found, changes=tuple(changes), steps=tuple(steps), warnings=tuple(warnings))
    way_out = f"is meant, set {spelling.of('allow_disruption', True)} and run pulumi up again."
    if recorded is None:  # It may be the first deployment under this name, and not the first one.
        way_out = (
            f"Is the API key that of the Codat client that is meant? {_renamed(spelling)}"
            f"Only if cutting them off {way_out}"
        )
    else:
        way_out = f"If that {way_out}"
    return _guarded(result, actual, desired.allow_disruption, way_out, spelling)


def _renamed(spelling: Spelling) -> str:
    """What to do where it is the new name of another resource; the ready-made project names its own."""
    if spelling is Spelling.CONFIGURATION:
        return ""
    return (
        "If the resource was renamed or moved, declare it with an alias of its old name "
        "(ResourceOptions(aliases=[...])). "
    )


class _Key(Enum):
    """Where one stored key stands."""

    IN_PLACE = "in place"
    DIFFERS = "differs"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class _KeyState:
    state: _Key
    reading: MaskReading
    how: How = How.MASK
    touched: bool = False


def _key_state(actual: ActualIntegration, shown: str | None, declared: str, old: str | None) -> _KeyState:
    """Judge one stored key.

    Args:
        actual: knows how much what Codat shows can tell.
        shown: what Codat shows of the key.
        declared: what it should be.
        old: what the last run recorded (after a refresh that found drift: the mask itself), None on a first run.
    """
    reading = actual.reading(shown, declared)
    old_is_gone = old is not None and old != shown and actual.reading(shown, old).known is Known.DIFFERENT
    if reading.known is Known.DIFFERENT:
        return _KeyState(_Key.DIFFERS, reading, touched=old_is_gone)
    if old is not None and old not in (declared, shown) and not (reading.agrees and old_is_gone):
        return _KeyState(_Key.DIFFERS, reading, How.DECLARED)
    # A recorded mask is one that a refresh found to be of something else, so it vouches for nothing.
    if reading.known is Known.UNKNOWN and old in (None, shown):
        return _KeyState(_Key.UNSURE, reading, How.DECLARED)
    return _KeyState(_Key.IN_PLACE, reading)


def _plan_keys(desired: IntegrationSettings, actual: ActualIntegration, recorded: Recorded | None) -> Plan:
    if desired.client_id is None:
        return Plan()
    secret = desired.client_secret
    wanted = fingerprint(desired.client_id, secret) if secret else None
    if actual.keys is None:
        return _plan_absent_keys(desired, wanted, actual, recorded)
    old = recorded or Recorded()
    changes: list[Change] = []
    cannot_tell: list[str] = []
    warnings: list[str] = []

    the_id = _key_state(actual, actual.client_id, desired.client_id, old.client_id)
    if the_id.state is _Key.DIFFERS or (the_id.state is _Key.UNSURE and secret):
        before = actual.client_id if the_id.how is How.MASK else old.client_id or "hidden"
        changes.append(Change("client_id", before, desired.client_id, the_id.how, disruptive=True))
    if the_id.touched:
        warnings.append(f"client_id: somebody else changed it since the last run; Codat now shows {actual.client_id}.")
    cannot_tell += untold_id(the_id.reading)

    if secret is None:
        cannot_tell.append(NO_SECRET)
        blockers = (_SECRET_NEEDED,) if changes else ()
        return Plan(tuple(changes), tuple(cannot_tell), blockers, tuple(warnings))

    # A recorded "differs" or "none stored" says that the recorded secret was not in place.
    old_secret = old.client_secret if is_fingerprint(old.client_secret_fingerprint) else None
    the_secret = _key_state(actual, actual.client_secret, secret, old_secret)
    shown = actual.secret_in_words
    if the_secret.state is not _Key.IN_PLACE:
        before = (
            shown if the_secret.how is How.MASK or not old_secret else f"fingerprint {old.client_secret_fingerprint}"
        )
        # Nobody knows whose the stored one is, where no run has recorded it: those who are linked may depend on it.
        foreign = recorded is None and the_secret.state is _Key.DIFFERS
        changes.append(Change("client_secret", before, f"fingerprint {wanted}", the_secret.how, disruptive=foreign))
    if the_secret.touched:
        warnings.append(
            f"client_secret: somebody else changed it since the last run; the stored one {actual.secret_clause}."
        )
    cannot_tell += untold_secret(the_secret.reading, shown)

    others = sorted(set(actual.keys) - {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key})
    if changes and others:
        warnings.append(
            f"Codat also stores {', '.join(others)} with these keys; whether saving keys keeps that is not documented."
        )
    certain = _Key.DIFFERS in (the_id.state, the_secret.state)
    steps = (Step(StepKind.SAVE_KEYS, certain=certain),) if changes else ()
    return Plan(tuple(changes), tuple(cannot_tell), warnings=tuple(warnings), steps=steps)


_SECRET_NEEDED = (
    "client_id: the client id in Codat differs from the declared one, and Codat takes id and secret together only: "
    "declare client_secret too, or declare the client id that Codat holds."
)


def _plan_absent_keys(
    desired: IntegrationSettings, wanted: str | None, actual: ActualIntegration, recorded: Recorded | None
) -> Plan:
    if recorded and recorded.keys_cleared_while_disabled and not actual.enabled and not desired.enabled:
        unchanged = recorded.client_id == desired.client_id and recorded.client_secret_fingerprint == wanted
        if unchanged:
            return Plan(cannot_tell=(KEYS_CLEARED,))
    if wanted is None:
        return Plan(
            blockers=(
                "client_secret: Codat holds no keys for Zoho Books, and no secret is declared to store: declare "
                "client_secret, or leave client_id out to leave the keys alone.",
            )
        )
    # Where companies are linked there were keys, and nobody knows of which client, unless the last run recorded it.
    # After a refresh that found no keys, the recorded secret still tells the client.
    old = recorded or Recorded()
    known = old.client_id == desired.client_id or (old.client_id is None and _same_secret(desired, old))
    return Plan(
        changes=(
            Change("client_id", None, desired.client_id, How.READ, disruptive=not known and actual.linked != 0),
            Change("client_secret", "none stored", f"fingerprint {wanted}", How.READ),
        ),
        steps=(Step(StepKind.SAVE_KEYS),),
    )


def _same_secret(desired: IntegrationSettings, old: Recorded) -> bool:
    return desired.client_secret is not None and desired.client_secret == old.client_secret


def _guarded(result: Plan, actual: ActualIntegration, allowed: bool, way_out: str, spelling: Spelling) -> Plan:
    """Block what could cut off linked companies. An unknown count blocks too: nothing happens without a word."""
    if not result.disruptive or actual.linked == 0:
        return result
    found = [
        _SAVING if change.before is None else _DISRUPTIONS[change.field]
        for change in result.changes
        if change.disruptive
    ]
    what = " and ".join(found)
    what = what[0].upper() + what[1:]
    if actual.linked is None:
        who = "companies that may be linked (Codat does not say how many are)"
    else:
        who = f"{actual.linked} linked {'company' if actual.linked == 1 else 'companies'}"
    if allowed:
        return replace(
            result, risk=f"{what} can cut off {who}; {spelling.name_of('allow_disruption')} lets it through."
        )
    blocker = f"{what} would cut off {who}, and nothing was changed. {way_out}"
    return replace(result, blockers=(*result.blockers, blocker))


_SAVING = "saving keys where Codat shows none (tokens are bound to the client id that they were issued for)"
_DISRUPTIONS = {
    "enabled": "disabling the integration",
    "client_id": "changing the client id (their tokens are bound to it)",
    "client_secret": "replacing a client secret that no deployment of this resource has stored",
    "keys": "deleting the keys",
}


def _plan_removal(desired: Removal, actual: ActualIntegration, spelling: Spelling) -> Plan:
    if desired.on_delete == "keep":
        return Plan(manual_steps=("The integration and its keys stay in Codat as they are (on_delete='keep').",))
    changes, steps = [], []
    if actual.enabled:
        changes.append(Change("enabled", True, False, How.READ, disruptive=True))
        steps.append(Step(StepKind.SET_ENABLED, enabled=False))
    if desired.on_delete == "remove" and actual.keys is not None:
        stored = "hidden" if actual.keys_untold else "stored"
        changes.append(Change("keys", stored, None, How.READ, disruptive=True))
        steps.append(Step(StepKind.DELETE_KEYS, certain=not actual.keys_untold))
    way_out = (
        f"{_renamed(spelling)}To manage it no longer and leave Codat as it is, run 'pulumi state delete' on it; or set "
        f"{spelling.of('on_delete', 'keep')}, run pulumi up, then remove it. Only if cutting them off is meant, set "
        f"{spelling.of('allow_disruption', True)}, run pulumi up, then remove it."
    )
    result = Plan(changes=tuple(changes), steps=tuple(steps))
    return _guarded(result, actual, desired.allow_disruption, way_out, spelling)


# --- the client in Zoho's console -------------------------------------------------------------------------------------

_SWITCH = "'Use the same OAuth credentials for all data centers'"


def regions_to_ask(
    desired: ZohoClientSettings, verify: str, changed: Collection[str], accepted: Collection[str] = ()
) -> tuple[str, ...]:
    """Which data centres applying asks: all for another client or secret, else those that have not accepted it yet.

    Args:
        desired: the declaration.
        verify: when to ask, after what overrides the declared ``verify``.
        changed: the fields that differ from what is recorded; all of them on a first run.
        accepted: the data centres that have accepted this id and secret before.
    """
    if verify == "off" or desired.client_secret is None:
        return ()
    if verify == "always" or {"client_id", "client_secret_fingerprint"} & set(changed):
        return desired.regions
    return tuple(code for code in desired.regions if code not in accepted) if "regions" in changed else ()


def by_hand(desired: ZohoClientSettings) -> tuple[str, ...]:
    """What only a person can see to in Zoho's console; declared, and not verifiable from outside."""
    redirect = (
        f"Zoho's API console, Client Details tab: the authorized redirect URI is exactly {ZOHO_BOOKS.redirect_uri}."
    )
    if len(desired.regions) < 2:
        return (redirect,)
    enabled = f"{_SWITCH} is on, and these are enabled: {', '.join(desired.regions)}."
    return redirect, f"Zoho's API console, Settings tab: {enabled}"


def _plan_client(desired: ZohoClientSettings, verdicts: Mapping[str, ProbeResult]) -> Plan:
    changes, cannot_tell, blockers, steps = [], [], [], []
    by_probe: dict[Probe, list[str]] = {}
    for code in desired.regions:
        verdict = verdicts.get(code, ProbeResult(Probe.NOT_ASKED, "it was not asked"))
        by_probe.setdefault(verdict.probe, []).append(code)
        if verdict.probe.rejected:
            changes.append(Change(f"regions.{code}", verdict.probe.value, Probe.ACCEPTED.value, How.PROBE))
        elif verdict.probe is not Probe.ACCEPTED:
            cannot_tell.append(f"regions: whether Zoho's data centre {code} accepts the client: {verdict.why}.")
    for probe, codes in by_probe.items():
        if probe.rejected:
            what, todo = _rejection(probe, codes, by_probe.get(Probe.ACCEPTED, []))
            blockers.append(f"regions: {what}")
            steps.append(todo)
    return Plan(tuple(changes), tuple(cannot_tell), tuple(blockers), manual_steps=tuple(steps))


def _rejection(probe: Probe, codes: list[str], accepted: list[str]) -> tuple[str, str]:
    """Say what a rejection can mean, and which switch to turn where."""
    who = f"{', '.join(codes)} (Zoho data centre{'s' if len(codes) > 1 else ''})"
    console = (
        "Zoho's API console" if accepted or len(codes) > 1 else f"Zoho's API console ({DATA_CENTRES[codes[0]].console})"
    )
    others = f"{', '.join(accepted)} accept{'s' if len(accepted) == 1 else ''} both"
    if probe is Probe.WRONG_SECRET and accepted:
        return (
            f"refused by {who}: the client id is known there, but has another secret, while {others}.",
            f"In {console}, open the client's Settings tab and turn on {_SWITCH}.",
        )
    if probe is Probe.WRONG_SECRET:
        return (
            f"refused by {who}: the client id is known there, but the secret is wrong.",
            f"Copy the client secret again from the client's page in {console}.",
        )
    if accepted:
        return (
            f"refused by {who}, while {others}: not enabled there for this client, or another secret there.",
            f"In {console}, open the client's Settings tab, enable {', '.join(codes)} and turn on {_SWITCH}.",
        )
    return (
        f"refused by {who}: the client id is unknown there, not enabled there, or the secret is wrong.",
        f"In {console} of the account's home data centre, compare client id and secret, and enable {', '.join(codes)} "
        "in the client's Settings tab.",
    )

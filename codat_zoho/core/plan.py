"""What differs between declared and actual, what to send, and what must not be sent: decided here and nowhere else.

Two facts shape it. Codat shows stored keys only as masks. And a Zoho refresh token is bound to the client id it was
issued for, so disabling the integration, changing the client id or deleting the keys can cut off linked companies:
such a plan is blocked unless ``allow_disruption`` says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from codat_zoho.core.masks import Known, MaskReading
from codat_zoho.core.observe import KEYS_CLEARED, NO_SECRET, ActualIntegration, Recorded, untold_id, untold_secret
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import Spelling
from codat_zoho.errors import PlanBlocked

if TYPE_CHECKING:
    from codat_zoho.declare.settings import IntegrationSettings, OnDelete

Value = str | bool | None


@dataclass(frozen=True, slots=True)
class Removal:
    """The wish to stop managing an integration."""

    on_delete: OnDelete = "remove"
    allow_disruption: bool = False


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
    """One thing to send to Codat, ``enabled`` with ``SET_ENABLED``.

    It is not ``certain`` where only a mask that hides everything makes it necessary: nothing is known to differ.
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
    """What differs and what follows from it. A plan with ``blockers`` is never applied."""

    changes: tuple[Change, ...] = ()
    cannot_tell: tuple[str, ...] = ()  # what may differ, and why that cannot be told
    blockers: tuple[str, ...] = ()  # why it must not be done
    warnings: tuple[str, ...] = ()  # what somebody should know who lets it be done
    manual_steps: tuple[str, ...] = ()  # what only a person can do
    steps: tuple[Step, ...] = ()  # what to send, in this order
    risk: str = ""  # whom it can cut off, although that was let through

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


def plan(
    desired: IntegrationSettings | Removal,
    actual: ActualIntegration,
    recorded: Recorded | None = None,
    *,
    spelling: Spelling = Spelling.ARGUMENT,
) -> Plan:
    """Compare declared with actual.

    What the last run recorded tells a declared change from a drift, and lets an unchanged secret behind an opaque mask
    rest.
    """
    if isinstance(desired, Removal):
        return _plan_removal(desired, actual, spelling)
    found = _plan_keys(desired, actual, recorded)
    changes, steps, warnings = list(found.changes), list(found.steps), list(found.warnings)
    if desired.enabled is not None and desired.enabled != actual.enabled:
        cuts_off = actual.enabled and not desired.enabled
        changes.append(Change("enabled", actual.enabled, desired.enabled, How.READ, disruptive=cuts_off))
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
    """What to do where it is the new name of another resource; the ready-to-use project names its own."""
    if spelling is Spelling.CONFIGURATION:
        return ""
    option = "ResourceOptions(aliases=[...])" if spelling is Spelling.ARGUMENT else "option aliases"
    return f"If the resource was renamed or moved, declare it with an alias of its old name ({option}). "


# --- the keys ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _KeyState:
    """Where one stored key stands; ``differs`` is None where that cannot be told and nobody vouches for it."""

    reading: MaskReading
    differs: bool | None
    how: How = How.MASK
    touched: bool = False


def _key_state(actual: ActualIntegration, shown: str | None, declared: str, old: str | None) -> _KeyState:
    """Judge one stored key; ``old`` is what the last run recorded, or the mask that a refresh put in its place."""
    reading = actual.reading(shown, declared)
    old_is_gone = old is not None and old != shown and actual.reading(shown, old).known is Known.DIFFERENT
    if reading.known is Known.DIFFERENT:
        return _KeyState(reading, differs=True, touched=old_is_gone)
    if old is not None and old not in (declared, shown) and not (reading.agrees and old_is_gone):
        return _KeyState(reading, differs=True, how=How.DECLARED)
    # A recorded mask is one that a refresh found to be of something else, so it vouches for nothing.
    if reading.known is Known.UNKNOWN and old in (None, shown):
        return _KeyState(reading, differs=None, how=How.DECLARED)
    return _KeyState(reading, differs=False)


def _plan_keys(desired: IntegrationSettings, actual: ActualIntegration, recorded: Recorded | None) -> Plan:
    if desired.client_id is None:
        return Plan()
    if actual.keys is None:
        return _plan_absent_keys(desired, actual, recorded)
    old, secret = recorded or Recorded(), desired.client_secret
    changes: list[Change] = []
    warnings: list[str] = []

    the_id = _key_state(actual, actual.client_id, desired.client_id, old.client_id)
    if the_id.differs or (the_id.differs is None and secret):
        before = actual.client_id if the_id.how is How.MASK else old.client_id or "hidden"
        changes.append(Change("client_id", before, desired.client_id, the_id.how, disruptive=True))
    if the_id.touched:
        warnings.append(f"client_id: somebody else changed it since the last run; Codat now shows {actual.client_id}.")
    cannot_tell: list[str] = [*untold_id(the_id.reading)]

    if secret is None:
        blockers = (_SECRET_NEEDED,) if changes else ()
        return Plan(tuple(changes), (*cannot_tell, NO_SECRET), blockers, tuple(warnings))

    # A recorded "differs" or "none stored" says that the recorded secret was not in place.
    old_secret = old.client_secret if is_fingerprint(old.client_secret_fingerprint) else None
    the_secret = _key_state(actual, actual.client_secret, secret, old_secret)
    shown = actual.secret_in_words
    if the_secret.differs is not False:
        known_by_mask = the_secret.how is How.MASK or not old_secret
        before = shown if known_by_mask else f"fingerprint {old.client_secret_fingerprint}"
        # Nobody knows whose the stored one is, where no run has recorded one: those who are linked may depend on it.
        known = old.client_secret or old.client_secret_fingerprint
        foreign = known is None and bool(the_secret.differs)
        changes.append(Change("client_secret", before, _fingerprint_of(desired), the_secret.how, disruptive=foreign))
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
    certain = bool(the_id.differs or the_secret.differs)
    steps = (Step(StepKind.SAVE_KEYS, certain=certain),) if changes else ()
    return Plan(tuple(changes), tuple(cannot_tell), warnings=tuple(warnings), steps=steps)


_SECRET_NEEDED = (
    "client_id: the client id in Codat differs from the declared one, and Codat takes id and secret together only: "
    "declare client_secret too, or declare the client id that Codat holds."
)


def _fingerprint_of(desired: IntegrationSettings) -> str:
    return f"fingerprint {Recorded.of(desired).client_secret_fingerprint}"


def _plan_absent_keys(desired: IntegrationSettings, actual: ActualIntegration, recorded: Recorded | None) -> Plan:
    old, new = recorded or Recorded(), Recorded.of(desired)
    if old.keys_cleared_while_disabled and not actual.enabled and not desired.enabled:
        unchanged = old.client_secret_fingerprint == new.client_secret_fingerprint
        if unchanged and old.client_id == desired.client_id:
            return Plan(cannot_tell=(KEYS_CLEARED,))
    if desired.client_secret is None:
        return Plan(
            blockers=(
                "client_secret: Codat holds no keys for Zoho Books, and no secret is declared to store: declare "
                "client_secret, or leave client_id out to leave the keys alone.",
            )
        )
    # Where companies are linked there were keys, and nobody knows of which client, unless the last run recorded it.
    # After a refresh that found no keys, the recorded secret still tells the client.
    same_secret = old.client_id is None and old.client_secret == desired.client_secret
    known = old.client_id == desired.client_id or same_secret
    return Plan(
        changes=(
            Change("client_id", None, desired.client_id, How.READ, disruptive=not known and actual.linked != 0),
            Change("client_secret", "none stored", _fingerprint_of(desired), How.READ),
        ),
        steps=(Step(StepKind.SAVE_KEYS),),
    )


# --- linked companies -------------------------------------------------------------------------------------------------


def _guarded(result: Plan, actual: ActualIntegration, allowed: bool, way_out: str, spelling: Spelling) -> Plan:
    """Block what could cut off linked companies. An unknown count blocks too: nothing happens without a word."""
    if not result.disruptive or actual.linked == 0:
        return result
    disruptive = [change for change in result.changes if change.disruptive]
    what = " and ".join(_SAVING if one.before is None else _DISRUPTIONS[one.field] for one in disruptive)
    what = what[0].upper() + what[1:]
    if actual.linked is None:
        who = "companies that may be linked (Codat does not say how many are)"
    else:
        who = f"{actual.linked} linked {'company' if actual.linked == 1 else 'companies'}"
    if allowed:
        risk = f"{what} can cut off {who}; {spelling.name_of('allow_disruption')} lets it through."
        return replace(result, risk=risk)
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

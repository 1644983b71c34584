"""Laws of the plan, over every declaration, every state of Codat, every way it may mask, and every past."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from codat_zoho.core.observe import ActualIntegration, Recorded, observe
from codat_zoho.core.plan import Plan, Removal, Step, StepKind, plan
from codat_zoho.declare.settings import IntegrationSettings, load
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET
from tests.test_masks import mask, ways_to_mask

# Some with the same last four characters, which no mask tells apart.
IDS = [ID, OTHER_ID, f"1004.{OTHER_ID[5:-4]}{ID[-4:]}"]
SECRETS = [SECRET, OTHER_SECRET, OTHER_SECRET[:-4] + SECRET[-4:]]
Way = tuple[str, str, int, int, int | None]
LAST4: Way = ("X", "", 0, 4, None)
OPAQUE: Way = ("*", "", 0, 0, 8)


@dataclass(frozen=True)
class Model:
    """What the integration at Codat really is, and which of its possible manners Codat has."""

    enabled: bool
    keys: tuple[str, str] | None
    linked: int
    way: Way = LAST4
    masks_the_id: bool = True
    tells_linked: bool = True
    saving_enables: bool = False
    disabling_clears: bool = False

    @property
    def shown(self) -> ActualIntegration:
        keys = None
        if self.keys:
            client_id = mask(self.keys[0], self.way) if self.masks_the_id else self.keys[0]
            keys = {"clientId": client_id, "clientSecret": mask(self.keys[1], self.way)}
        return ActualIntegration(self.enabled, keys, self.linked if self.tells_linked else None)

    def after(self, step: Step, desired: IntegrationSettings | Removal) -> Model:
        """What a step does."""
        if step.kind is StepKind.DELETE_KEYS:
            return replace(self, keys=None)
        if step.kind is StepKind.SAVE_KEYS:
            assert isinstance(desired, IntegrationSettings) and desired.client_id and desired.client_secret
            keys = desired.client_id, desired.client_secret
            return replace(self, keys=keys, enabled=self.enabled or self.saving_enables)
        assert step.enabled is not None
        cleared = not step.enabled and self.disabling_clears
        return replace(self, enabled=step.enabled, keys=None if cleared else self.keys)


@st.composite
def declarations(draw: st.DrawFn) -> IntegrationSettings:
    client_id = draw(st.none() | st.sampled_from(IDS))
    return load(
        IntegrationSettings,
        {
            "client_id": client_id,
            "client_secret": draw(st.none() | st.sampled_from(SECRETS)) if client_id else None,
            "enabled": draw(st.none() | st.booleans()),
            "allow_disruption": draw(st.booleans()),
        },
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    return Model(
        enabled=draw(st.booleans()),
        keys=draw(st.none() | st.tuples(st.sampled_from(IDS), st.sampled_from(SECRETS))),
        linked=draw(st.integers(0, 2)),
        way=draw(st.just(LAST4) | st.just(OPAQUE) | ways_to_mask()),
        **{
            name: draw(st.booleans()) for name in ("masks_the_id", "tells_linked", "saving_enables", "disabling_clears")
        },
    )


@st.composite
def records(draw: st.DrawFn) -> Recorded:
    """What a run recorded, or what refreshes made of that."""
    recorded = replace(Recorded.of(draw(declarations())), keys_cleared_while_disabled=draw(st.booleans()))
    for model in draw(st.lists(models(), max_size=2)):
        recorded = observe(recorded, model.shown).values
    return recorded


pasts = st.none() | records()


def satisfied(desired: IntegrationSettings, model: Model) -> Model:
    """A model that already is as declared."""
    enabled = model.enabled if desired.enabled is None else desired.enabled
    keys = model.keys
    if desired.client_id:
        secret = desired.client_secret if desired.client_secret else (keys or IDS)[1]
        keys = desired.client_id, secret
    return replace(model, enabled=enabled, keys=keys)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a result, and its repr."""
    yield repr(value)
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from texts_of(one)
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from texts_of(getattr(value, one.name))


@given(declarations(), models())
def test_what_is_as_declared_needs_nothing(desired: IntegrationSettings, model: Model) -> None:
    """plan(a, a) is empty after a run. On a first run only what a mask hides may be sent, and is marked as such."""
    actual = satisfied(desired, model).shown
    assert plan(desired, actual, Recorded.of(desired)).empty
    first = plan(desired, actual)
    assert not any(step.certain for step in first.steps)
    assert {change.field for change in first.changes} <= {"client_id", "client_secret"}


@given(declarations(), models(), pasts)
def test_doing_what_the_plan_says_leaves_nothing_to_do(
    desired: IntegrationSettings, model: Model, recorded: Recorded | None
) -> None:
    """Applying every step brings Codat to what is declared, and the next plan is empty."""
    model = replace(model, saving_enables=False, disabling_clears=False)
    todo = plan(desired, model.shown, recorded)
    assume(not todo.blockers)
    for step in todo.steps:
        model = model.after(step, desired)
    cleared = recorded is not None and recorded.keys_cleared_while_disabled
    assert plan(desired, model.shown, replace(Recorded.of(desired), keys_cleared_while_disabled=cleared)).empty
    if desired.enabled is not None:
        assert model.enabled == desired.enabled
    if any(step.kind is StepKind.SAVE_KEYS for step in todo.steps):
        assert model.keys == satisfied(desired, model).keys


@given(declarations(), models(), pasts)
def test_planning_after_each_step_ends_whatever_side_effects_there_are(
    desired: IntegrationSettings, model: Model, recorded: Recorded | None
) -> None:
    """Saving keys may enable, disabling may clear the keys: a few steps suffice, unless each undoes the other."""
    assume(not (model.saving_enables and model.disabling_clears and desired.enabled is False and desired.client_id))
    desired = replace(desired, allow_disruption=True)
    for _ in range(5):
        todo = plan(desired, model.shown, recorded)
        if not todo.steps:
            break
        model = model.after(todo.steps[0], desired)
        if todo.steps[0].kind is StepKind.SAVE_KEYS:
            recorded = replace(Recorded.of(desired), enabled=recorded.enabled if recorded else None)
    assert not todo.steps
    if not todo.blockers:
        assert desired.enabled in (None, model.enabled)


@given(declarations(), models(), pasts)
def test_what_can_cut_off_companies_is_blocked(
    desired: IntegrationSettings, model: Model, recorded: Recorded | None
) -> None:
    """With companies linked, or perhaps linked, nothing disruptive goes through without ``allow_disruption``."""
    todo = plan(desired, model.shown, recorded)
    switched_off = model.enabled and desired.enabled is False
    another_id = any(change.field == "client_id" and change.before is not None for change in todo.changes)
    another_id |= any(change.field == "client_id" and change.disruptive for change in todo.changes)
    foreign_secret = any(change.field == "client_secret" and change.disruptive for change in todo.changes)
    known = recorded and (recorded.client_secret or recorded.client_secret_fingerprint)
    assert not foreign_secret or not known
    assert todo.disruptive == (switched_off or another_id or foreign_secret)
    cut_off = [text for text in todo.blockers if "would cut off" in text]
    linked = model.linked != 0 or not model.tells_linked
    assert bool(cut_off) == (todo.disruptive and linked and not desired.allow_disruption)
    # The truth, which the plan never sees in full: a visible change of the id never gets through.
    if model.keys and desired.client_id and model.keys[0] != desired.client_id and not model.masks_the_id:
        assert todo.disruptive


@given(st.sampled_from(IDS), st.sampled_from(SECRETS), st.sampled_from(SECRETS), models())
def test_rotating_the_secret_is_not_disruptive(client_id: str, before: str, after: str, model: Model) -> None:
    """Refresh tokens are bound to the client id, not to its secret. Another secret is sent, masked alike or not."""
    old, new = (load(IntegrationSettings, {"client_id": client_id, "client_secret": one}) for one in (before, after))
    todo = plan(new, satisfied(old, model).shown, Recorded.of(old))
    assert not todo.disruptive
    assert not todo.blockers
    assert bool(todo.steps) == (before != after)


@given(declarations(), models(), pasts)
@example(
    load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET}), Model(True, (OTHER_ID, SECRET), 2), None
)
def test_no_text_of_a_plan_holds_a_secret(
    desired: IntegrationSettings, model: Model, recorded: Recorded | None
) -> None:
    """Whatever a plan is drawn as, nothing secret is in it: not the declared, the stored or the recorded one."""
    todo = plan(desired, model.shown, recorded)
    for text in (*texts_of(todo), *map(str, todo.steps)):
        assert not any(secret in text or secret[:-4] in text for secret in SECRETS)
    found = observe(recorded or Recorded.of(desired), model.shown)
    assert not any(secret in text for text in (repr(found), *found.cannot_tell) for secret in SECRETS)


@given(declarations(), models(), pasts)
def test_a_mask_never_turns_into_a_value(desired: IntegrationSettings, model: Model, recorded: Recorded | None) -> None:
    """A mask is shown as what was there before, and never becomes what is to be there."""
    shown = model.shown
    todo = plan(desired, shown, recorded)
    masks = set((shown.keys or {}).values()) - {*IDS, *SECRETS}
    assert not masks & {change.after for change in todo.changes}
    found = observe(recorded or Recorded.of(desired), shown).values
    assert found.client_secret == (recorded or Recorded.of(desired)).client_secret


@given(declarations(), models())
def test_a_refresh_and_a_plan_agree(desired: IntegrationSettings, model: Model) -> None:
    """Drift is what a refresh changes in what is recorded: it shows some exactly when the next plan is not empty."""
    good = Recorded.of(desired)
    found = observe(good, model.shown)
    todo = plan(desired, model.shown, found.values)
    assert (found.values == good) == todo.empty
    assert set(found.cannot_tell) == set(todo.cannot_tell) or todo.blockers or model.keys is None
    assert observe(found.values, model.shown).values == found.values


@given(declarations(), records(), models())
def test_a_refresh_never_hides_what_a_plan_would_change(
    desired: IntegrationSettings, recorded: Recorded, model: Model
) -> None:
    """However many refreshes came before: where the plan would send something, what is recorded is not as declared."""
    found = observe(recorded, model.shown).values
    if plan(desired, model.shown, found).steps:
        assert found != Recorded.of(desired)


@given(st.sampled_from(["remove", "disable", "keep"]), models(), st.booleans())
def test_removing(on_delete: Any, model: Model, allow: bool) -> None:
    """What is removed is gone or refused, what is kept is not touched, and removing again does nothing."""
    wish = Removal(on_delete, allow_disruption=allow)
    todo = plan(wish, model.shown)
    if on_delete == "keep":
        assert todo == Plan(manual_steps=todo.manual_steps)
        return
    linked = model.linked != 0 or not model.tells_linked
    assert bool(todo.blockers) == (bool(todo.steps) and linked and not allow)
    for step in todo.steps:
        model = model.after(step, wish)
    assert not model.enabled
    assert model.keys is None or on_delete == "disable"
    assert plan(wish, model.shown).empty

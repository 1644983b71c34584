"""Writing: what happens when Codat is slow to show a write, never shows it, or somebody else writes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codat_zoho import errors
from codat_zoho.core.observe import ActualIntegration, Recorded
from codat_zoho.core.plan import Removal, Step, StepKind
from codat_zoho.declare.settings import IntegrationSettings, load
from codat_zoho.remote.codat import Codat
from codat_zoho.remote.converge import Outcome, apply
from codat_zoho.simulator import Fault, Simulator, Switches
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, codat_of, keys


def desired(client_id: str | None = ID, client_secret: str | None = SECRET, **more: Any) -> IntegrationSettings:
    return load(IntegrationSettings, {"client_id": client_id, "client_secret": client_secret, **more})


class Lagging(Codat):
    """Codat whose reads show ``stale`` for a number of looks after a write, as an eventually consistent store does."""

    looks: int
    stale: Callable[[ActualIntegration], ActualIntegration]

    @classmethod
    def of(cls, simulator: Simulator, looks: int, stale: Callable[[ActualIntegration], ActualIntegration]) -> Lagging:
        lagging = codat_of(simulator)
        lagging.__class__ = cls
        assert isinstance(lagging, cls)
        lagging.looks, lagging.stale, lagging._written = looks, stale, False
        return lagging

    _written: bool

    def apply(self, step: Step, client_id: str | None = None, client_secret: str | None = None) -> None:
        super().apply(step, client_id, client_secret)
        self._written = True

    def actual(self) -> ActualIntegration:
        now = super().actual()
        if self._written and self.looks:
            self.looks -= 1
            return self.stale(now)
        return now


def without_keys(now: ActualIntegration) -> ActualIntegration:
    return ActualIntegration(now.enabled, None, now.linked)


def shown_as(client_id: str, client_secret: str) -> Callable[[ActualIntegration], ActualIntegration]:
    return lambda now: ActualIntegration(now.enabled, keys(client_id, client_secret), now.linked)


def switched(now: ActualIntegration) -> ActualIntegration:
    return ActualIntegration(not now.enabled, now.keys, now.linked)


def waits_of(codat: Codat) -> list[float]:
    clock: Any = codat._http.clock
    return list(clock.waits)


@pytest.mark.parametrize("looks", [0, 1, 4])
@pytest.mark.parametrize(
    ("want", "stale"),
    [
        (desired(), without_keys),
        (desired(), shown_as(f"X{OTHER_ID[1:]}", OTHER_SECRET)),
        (desired(None, None, enabled=True), switched),
    ],
)
def test_a_write_that_shows_late_is_waited_for(
    simulator: Simulator, want: IntegrationSettings, stale: Callable[[ActualIntegration], ActualIntegration], looks: int
) -> None:
    """The old value for a while, then the new one: written once, and no error."""
    codat = Lagging.of(simulator, looks, stale)
    outcome = apply(codat, want)
    assert len(outcome.sent) == len(simulator.writes) == 1
    assert waits_of(codat) == [0.5, 1.0, 2.0, 4.0][:looks]


@pytest.mark.parametrize(
    ("want", "before", "stale", "said"),
    [
        (desired(), {}, without_keys, "save keys; but reading back keeps showing something else: no keys are stored"),
        (desired(), {}, shown_as(OTHER_ID, SECRET), f"something else: the client id is shown as {OTHER_ID}"),
        (desired(), {}, shown_as(ID, "X" * 38 + "beef"), "something else: the client secret ends in beef"),
        (desired(None, None, enabled=True), {}, switched, "enable the integration; but"),
        (Removal(), keys(), shown_as(ID, SECRET), "delete keys; but reading back keeps showing something else: keys"),
    ],
)
def test_a_write_that_never_shows_is_an_error(
    simulator: Simulator,
    want: IntegrationSettings | Removal,
    before: dict[str, str],
    stale: Callable[[ActualIntegration], ActualIntegration],
    said: str,
) -> None:
    """The old value for ever, or a third one: bounded looks, then an error that says what is shown, without secrets."""
    simulator.codat[API_KEY].integration.keys = dict(before)
    codat = Lagging.of(simulator, 1000, stale)
    with pytest.raises(errors.NotApplied) as caught:
        apply(codat, want)
    assert said in str(caught.value) and "run it again" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(simulator.writes) == 1 and sum(waits_of(codat)) == 7.5


def test_what_is_as_declared_is_not_written(simulator: Simulator) -> None:
    """The second run sends nothing."""
    want = desired(enabled=True)
    first = apply(codat_of(simulator), want)
    assert [step.kind for step in first.sent] == [StepKind.SAVE_KEYS, StepKind.SET_ENABLED]
    simulator.forget_calls()
    second = apply(codat_of(simulator), want, Recorded.of(want))
    assert second.sent == () and not simulator.writes
    assert len(simulator.calls) == 3


def test_a_run_that_was_killed_half_way_is_finished_by_the_next(simulator: Simulator) -> None:
    """The keys were saved, the answer was lost, then Codat failed: the next run does the rest only."""
    simulator.fail(Fault(method="PUT", path="/enabled", status=500, times=5))
    with pytest.raises(errors.ServerFailed):
        apply(codat_of(simulator), desired(enabled=True))
    simulator.forget_calls()
    outcome = apply(codat_of(simulator), desired(enabled=True))
    assert [step.kind for step in outcome.sent] == [StepKind.SET_ENABLED]


def test_a_lost_answer_is_no_failure(simulator: Simulator) -> None:
    """The write arrived, its answer did not: it is repeated, which is harmless, and read back."""
    simulator.fail(Fault(method="PUT", path="/credentials", drop=True, after=True))
    assert len(apply(codat_of(simulator), desired()).sent) == 1
    assert simulator.codat[API_KEY].integration.keys == keys()


def test_writes_that_are_not_offered(simulator: Simulator) -> None:
    """Known to differ: an error with what to click. As declared already: nothing is sent, so it passes."""
    simulator.switches.writes_offered = False
    for want, click in (
        (desired(), "enter the declared client id and secret"),
        (desired(None, None, enabled=True), "switch it on"),
    ):
        with pytest.raises(errors.NotOffered) as caught:
            apply(codat_of(simulator), want)
        assert "does not offer" in str(caught.value) and click in str(caught.value)
    integration = simulator.codat[API_KEY].integration
    integration.keys, integration.enabled = keys(), True
    assert apply(codat_of(simulator), desired(enabled=True)).sent == ()


def test_writes_that_are_not_offered_behind_an_opaque_mask(simulator: Simulator) -> None:
    """Nothing is known to differ and nothing can be sent: taken over, and said to be an assumption."""
    simulator.switches = Switches(mask="opaque", writes_offered=False)
    simulator.codat[API_KEY].integration.keys = keys(OTHER_ID, OTHER_SECRET)
    said: list[str] = []
    outcome = apply(codat_of(simulator), desired(), say=said.append)
    assert outcome.sent == ()
    assert any("make sure in the Codat Portal" in text for text in outcome.cannot_tell)
    assert any("does not offer" in text for text in said)
    with pytest.raises(errors.NotOffered):
        apply(codat_of(simulator), desired(None, None, enabled=True))


def test_somebody_else_changed_it_meanwhile(simulator: Simulator) -> None:
    """Live is neither recorded nor declared: it is said once, and then restored."""
    want = desired(enabled=True)
    integration = simulator.codat[API_KEY].integration
    integration.keys, integration.enabled = keys(OTHER_ID, OTHER_SECRET), False
    said: list[str] = []
    apply(codat_of(simulator), want, Recorded.of(want), say=said.append)
    assert [text.partition(":")[0] for text in said] == ["client_id", "client_secret", "enabled"]
    assert all("somebody else" in text for text in said)
    assert integration.keys == keys() and integration.enabled


def test_the_deadline_ends_the_waiting(simulator: Simulator) -> None:
    """Waits are cut to what is left, and then the operation fails instead of going on for ever."""
    codat = codat_of(simulator, seconds=2.0)
    codat.wait(1.5)
    codat.wait(1.5)
    assert waits_of(codat) == [1.5, 0.5]
    with pytest.raises(errors.Unreachable, match="2 s for the whole operation are used up"):
        apply(codat, desired())


def test_an_unknown_count_is_counted_before_a_disruption(simulator: Simulator) -> None:
    """Codat leaves the count out: companies are counted, only now, and then decide."""
    simulator.switches.linked_count = False
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.linked = True, 2
    with pytest.raises(errors.PlanBlocked, match="2 linked companies"):
        apply(codat_of(simulator), desired(None, None, enabled=False))
    assert not simulator.writes and client.integration.enabled
    client.linked = 0
    simulator.forget_calls()
    assert apply(codat_of(simulator), desired(None, None, enabled=False)).actual.linked is None
    assert not client.integration.enabled
    simulator.forget_calls()
    apply(codat_of(simulator), desired(), Recorded.of(desired()))
    assert not any("companies" in call.path for call in simulator.calls)


def test_keys_of_another_client_are_not_saved_behind_linked_companies(simulator: Simulator) -> None:
    """Codat shows no keys and counts linked companies: there were keys, and saving others would cut them off."""
    client = simulator.codat[API_KEY]
    client.linked = 3
    for recorded in (None, Recorded.of(desired(OTHER_ID, OTHER_SECRET))):
        with pytest.raises(errors.PlanBlocked, match=r"Saving keys where Codat shows none .* would cut off 3 linked"):
            apply(codat_of(simulator), desired(), recorded)
    assert not simulator.writes
    # The same client again, also after a refresh that found none: they come back.
    for known in (Recorded.of(desired()), Recorded(client_secret=SECRET, client_secret_fingerprint="none stored")):
        client.integration.keys.clear()
        assert len(apply(codat_of(simulator), desired(), known).sent) == 1


def test_a_login_page_is_no_yes(simulator: Simulator) -> None:
    """Behind an opaque mask nothing would tell that the write never reached Codat."""
    simulator.switches.mask = "opaque"
    page = Fault(method="PUT", status=200, body=b"<html>Please log in</html>", content_type="text/html")
    simulator.fail(page)
    with pytest.raises(errors.UnexpectedAnswer, match="when saving keys is not a JSON object"):
        apply(codat_of(simulator), desired())


def test_side_effects_that_undo_each_other(simulator: Simulator) -> None:
    """Saving enables and disabling clears: disabled without keys is as near as it gets, and is recorded as that."""
    simulator.switches = Switches(saving_keeps_enabled=False, disabling_keeps_keys=False)
    want = desired(enabled=False)
    outcome = apply(codat_of(simulator), want)
    assert outcome.keys_cleared_while_disabled
    assert not outcome.actual.enabled and outcome.actual.keys is None
    assert "keeps no keys while the integration is disabled" in outcome.cannot_tell[0]


def test_somebody_who_keeps_undoing_it_is_an_error(simulator: Simulator) -> None:
    """Two programs that fight over one integration do not fight for ever."""
    codat = codat_of(simulator)
    integration = simulator.codat[API_KEY].integration
    looks = iter(range(100))
    read = codat.actual

    def actual() -> ActualIntegration:
        found = read()
        if next(looks):
            integration.keys.clear()
        return found

    codat.actual = actual  # type: ignore[method-assign]
    with pytest.raises(errors.NotApplied, match="does not keep what it is sent"):
        apply(codat, desired(enabled=True))
    assert len(simulator.writes) <= 3


def test_removal(simulator: Simulator) -> None:
    """Disabled, then without keys; a second removal finds nothing to do."""
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys = True, keys()
    first: Outcome = apply(codat_of(simulator), Removal())
    assert [str(step) for step in first.sent] == ["disable the integration", "delete keys"]
    assert apply(codat_of(simulator), Removal()).sent == ()


def test_companies_that_cannot_be_counted_are_not_an_integration_that_is_gone(simulator: Simulator) -> None:
    """A 404 while counting is an error: destroying must not take it for "nothing left to remove"."""
    simulator.switches.linked_count = False
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.linked = True, 2
    simulator.fail(Fault(path="/companies", status=404))
    with pytest.raises(errors.UnexpectedAnswer, match="when counting linked companies"):
        apply(codat_of(simulator), Removal())
    assert not simulator.writes

"""Applying a plan to a Codat that is slow, odd, or in other hands at the same time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from codat_zoho import errors
from codat_zoho.apply import apply
from codat_zoho.plan import Recorded, Removal
from codat_zoho.settings import IntegrationSettings, load
from codat_zoho.simulator import Fault, Simulator
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, codat_of, keys


def declared(**fields: object) -> IntegrationSettings:
    """A declaration with keys."""
    return load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET, "enabled": True} | fields)


def on_read(simulator: Simulator, count: int, act: Callable[[], None]) -> None:
    """Do something just before the ``count``-th read of the integration from now on."""

    class Trigger(Fault):
        def strikes(self, method: str, path: str) -> bool:
            if method == "GET" and path.endswith("/integrations/rwuv"):
                self.times -= 1
                if self.times == 0:
                    act()
            return False

    simulator.fail(Trigger(times=count))


def test_a_write_that_shows_late_is_waited_for(simulator: Simulator) -> None:
    """Eventual consistency: reading back goes on for a bounded time."""
    stale = b'{"key": "rwuv", "name": "Zoho Books", "enabled": false, "linkedConnectionsCount": 0}'
    simulator.codat[API_KEY].integration.keys = keys()
    simulator.fail(Fault(method="GET", path="/integrations/rwuv", body=stale, times=3))
    outcome = apply(codat_of(simulator), declared())
    assert outcome.actual.enabled
    assert [call.detail for call in simulator.writes] == ["enable"]


def test_a_write_that_never_shows_is_said(simulator: Simulator) -> None:
    """Accepted is not applied."""
    stale = b'{"key": "rwuv", "name": "Zoho Books", "enabled": false, "linkedConnectionsCount": 0}'
    simulator.codat[API_KEY].integration.keys = keys()
    simulator.fail(Fault(method="GET", path="/integrations/rwuv", body=stale, times=-1))
    with pytest.raises(
        errors.NotApplied, match=r"accepted this: enable the integration; .* enabled is false\. Somebody"
    ):
        apply(codat_of(simulator), declared())
    simulator.faults.clear()
    assert apply(codat_of(simulator), declared()).sent == ()


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (keys(OTHER_ID), "the client id is shown as XXXX"),
        (keys(client_secret=OTHER_SECRET), "the client secret ends in d73b"),
        ({}, "no keys are stored"),
    ],
)
def test_a_third_value_on_reading_back_is_said(simulator: Simulator, shown: dict[str, str], why: str) -> None:
    """Somebody saves something else at the same moment: no success is claimed, and no value is guessed."""
    integration = simulator.codat[API_KEY].integration

    def meddle() -> None:
        integration.keys = dict(shown)

    on_read(simulator, 2, meddle)
    with pytest.raises(errors.NotApplied, match="keeps showing something else: ") as caught:
        apply(codat_of(simulator), declared())
    assert why in str(caught.value)
    assert OTHER_SECRET not in str(caught.value)
    assert apply(codat_of(simulator), declared()).actual.keys is not None
    assert integration.keys == keys()


def test_somebody_who_keeps_undoing_it_ends_in_an_error(simulator: Simulator) -> None:
    """Two that undo each other's writes must not go on for ever."""
    integration = simulator.codat[API_KEY].integration

    class Undo(Fault):
        def strikes(self, method: str, path: str) -> bool:
            if method == "GET" and "credentials" in path and integration.enabled and simulator.writes:
                integration.keys = {}
            return False

    simulator.fail(Undo())
    with pytest.raises(errors.NotApplied, match="it accepted to save keys, and that is needed again"):
        apply(codat_of(simulator), declared())


def test_what_changed_meanwhile_is_said(simulator: Simulator) -> None:
    """What is neither recorded nor declared was somebody else: that is said before it is put right."""
    integration = simulator.codat[API_KEY].integration
    integration.enabled, integration.keys = False, keys(OTHER_ID, OTHER_SECRET)
    said: list[str] = []
    apply(codat_of(simulator), declared(), Recorded.of(declared()), say=said.append)
    assert [line.partition(":")[0] for line in said] == ["client_id", "client_secret", "enabled"]
    assert all("somebody else" in line for line in said)
    assert not any(OTHER_SECRET in line for line in said)


def test_a_refused_path_fails_where_something_differs(simulator: Simulator) -> None:
    """The error says what to click; once that is done by hand, the next run passes."""
    simulator.switches.writes_offered = False
    with pytest.raises(errors.NotOffered, match="enter the declared client id and secret, then run this again"):
        apply(codat_of(simulator), declared())
    integration = simulator.codat[API_KEY].integration
    integration.keys = keys()
    with pytest.raises(errors.NotOffered, match="switch it on, then run this again"):
        apply(codat_of(simulator), declared())
    integration.enabled = True
    assert apply(codat_of(simulator), declared()).sent == ()


def test_a_refused_path_is_said_where_nothing_is_known_to_differ(simulator: Simulator) -> None:
    """With opaque masks nobody can tell whether the keys differ: no failure for ever, and no silent pass."""
    simulator.switches.writes_offered, simulator.switches.mask = False, "opaque"
    simulator.codat[API_KEY].integration.keys = keys()
    said: list[str] = []
    outcome = apply(codat_of(simulator), declared(enabled=None), say=said.append)
    assert any("nothing was sent; make sure in the Codat Portal" in line for line in outcome.cannot_tell)
    assert said


def test_counting_happens_only_before_a_disruptive_change(simulator: Simulator) -> None:
    """Where Codat leaves the count out, companies are counted, and only when it matters."""
    simulator.switches.linked_count = False
    client = simulator.codat[API_KEY]
    client.linked = 2
    apply(codat_of(simulator), declared())
    assert not [call for call in simulator.calls if call.path == "/companies"]
    with pytest.raises(errors.PlanBlocked, match="2 linked companies"):
        apply(codat_of(simulator), declared(enabled=False))
    assert [call for call in simulator.calls if call.path == "/companies"]
    simulator.forget_calls()
    apply(codat_of(simulator), declared(enabled=False, allow_disruption=True))
    assert not [call for call in simulator.calls if call.path == "/companies"]


def test_a_count_that_cannot_be_had_stops_it(simulator: Simulator) -> None:
    """Not knowing is no permission."""
    simulator.switches.linked_count = False
    apply(codat_of(simulator), declared())
    simulator.fail(Fault(path="/companies", status=403, times=-1))
    simulator.forget_calls()
    with pytest.raises(errors.AccessDenied, match="counting linked companies"):
        apply(codat_of(simulator), Removal())
    assert not simulator.writes


def test_removing_reads_back(simulator: Simulator) -> None:
    """Destroying disables, then deletes, and claims neither without seeing it."""
    apply(codat_of(simulator), declared())
    simulator.forget_calls()
    outcome = apply(codat_of(simulator), Removal())
    assert [str(step) for step in outcome.sent] == ["disable the integration", "delete keys"]
    assert (outcome.actual.enabled, outcome.actual.keys) == (False, None)
    assert [call.kind for call in simulator.calls] == ["read", "read", "write", "read", "read", "write", "read", "read"]
    assert apply(codat_of(simulator), Removal()).sent == ()


def test_keys_that_stay_after_deleting_are_said(simulator: Simulator) -> None:
    """A delete that does nothing is no success."""
    simulator.codat[API_KEY].integration.keys = keys()
    simulator.fail(Fault(method="DELETE", status=200, body=b"{}", times=-1))
    with pytest.raises(errors.NotApplied, match="keys are still stored"):
        apply(codat_of(simulator), Removal())

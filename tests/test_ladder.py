"""The conformance ladder against the provider classes (every combination of what nobody knows) and over gRPC."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from codat_zoho.simulator import Simulator, Switches, serve
from tests.ladder import LADDER, Step, World
from tests.mini_engine import Failed, Grpc, MiniEngine, Plain
from tests.support import API_KEY, UNKNOWN_SWITCHES

COMBINATIONS: list[dict[str, object]] = [
    dict(zip(UNKNOWN_SWITCHES, values, strict=True)) for values in itertools.product(*UNKNOWN_SWITCHES.values())
]
# Independent of the others: what Codat withdraws or does not tell.
COMBINATIONS += [
    {"client_told": False},
    {"keys_shown": False},
    {"keys_shown": False, "linked_count": False, "client_told": False},
    {"keys_shown": False, "saving": "merge", "saving_keeps_enabled": False},
]


_UNTOLD = "hides the stored value|does not offer reading the stored keys"


def climb(world: World, engine: MiniEngine, step: Step) -> None:
    """Take one step, then take it again; raise AssertionError where a promise does not hold."""
    simulator = world.simulator
    before = dict(engine.state)
    engine.wire.renew()
    simulator.forget_calls()
    step.act(world)
    writes, unseen = step.writes(world), step.unseen(world)
    if step.drift is not None:
        expected = set() if unseen else step.drift(world)
        assert engine.drift().get("books", set()) == expected, f"{step.name}: drift"
        assert not simulator.writes, f"{step.name}: looking for drift must not write"
        if unseen:
            assert any(re.search(_UNTOLD, line) for line in _cannot_tell(engine)), f"{step.name}: not said"
    simulator.forget_calls()
    try:
        _deploy(world, engine, step)
    except Failed as failure:
        assert step.error, f"{step.name}: {failure}"
        assert re.search(step.error, str(failure)), f"{step.name}: {failure}"
        assert not simulator.writes, f"{step.name}: a refused step must send nothing"
        if "client" in before and not step.refresh:
            assert engine.state["books"] == before["books"], f"{step.name}: state must stay"
    else:
        assert not step.error, f"{step.name}: should have failed"
        assert [call.detail for call in simulator.writes] == ([] if unseen else writes), step.name
        _holds(world, step, unseen)
        again(world, engine, step)
    assert sorted(call.path[1:3] for call in simulator.probes) == sorted(step.probes), f"{step.name}: probes"


def _deploy(world: World, engine: MiniEngine, step: Step) -> None:
    if step.destroy:
        engine.destroy()
    else:
        engine.up(world.program(), refresh=step.refresh)


def _cannot_tell(engine: MiniEngine) -> list[str]:
    id_, outs, _ = engine.wire.read("books", engine.state["books"].id, engine.state["books"].outputs)
    assert id_
    return list(outs["cannot_tell"])


def _holds(world: World, step: Step, unseen: str) -> None:
    """Codat really is as declared."""
    if step.destroy or unseen:
        return
    integration, declared = world.codat.integration, world.books
    if declared.get("enabled") is not None:
        assert integration.enabled == declared["enabled"], step.name
    if declared.get("client_secret"):
        cleared = not declared["enabled"] and not integration.keys
        impossible = not (world.switches.saving_keeps_enabled or world.switches.disabling_keeps_keys)
        if not (cleared and impossible):
            assert integration.keys["clientId"] == declared["client_id"], step.name
            assert integration.keys["clientSecret"] == declared["client_secret"], step.name


def again(world: World, engine: MiniEngine, step: Step) -> None:
    """The second run sends no write and no probe and changes nothing, also after a refresh."""
    for refresh in (False, True):
        seen = len(world.simulator.writes), len(world.simulator.probes)
        if step.destroy:
            engine.destroy()
        else:
            engine.up(world.program(), refresh=refresh)
        assert engine.changed == [], f"{step.name}: the second run changed something (refresh={refresh})"
        assert (len(world.simulator.writes), len(world.simulator.probes)) == seen, f"{step.name}: the second run sent"


def _combinations() -> Iterator[Any]:
    """All of them; those in which more than one switch is in another position than the likeliest are slow."""
    for switches in COMBINATIONS:
        turned = [name for name, value in switches.items() if value != getattr(Switches(), name)]
        marks = [pytest.mark.slow] if len(turned) > 1 else []
        yield pytest.param(switches, id="-".join(map(str, switches.values())), marks=marks)


@pytest.mark.parametrize("switches", [*_combinations()])
def test_in_process(context: Simulator, switches: dict[str, object]) -> None:
    """Whatever Codat does where nobody knows: each step converges, and the second run does nothing."""
    context.switches.__init__(**switches)  # type: ignore[misc]
    world, engine = World(context), MiniEngine(Plain())
    for step in LADDER:
        climb(world, engine, step)


@pytest.fixture
def over_grpc(simulator: Simulator) -> Iterator[MiniEngine]:
    """A provider process as the engine starts it, in front of a simulator behind a socket."""
    with serve(simulator) as base:
        environment = os.environ | {"CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho", "CODAT_API_KEY": API_KEY}
        with Grpc(environment) as wire:
            yield MiniEngine(wire)


@pytest.mark.slow
@pytest.mark.parametrize(
    "switches",
    [Switches(), Switches("404", "merge", disabling_keeps_keys=False, mask="opaque", linked_count=False)],
    ids=["likeliest", "least likely"],
)
def test_over_grpc(simulator: Simulator, over_grpc: MiniEngine, switches: Switches) -> None:
    """The same through the protocol that the engine speaks."""
    simulator.switches = switches
    world = World(simulator)
    for step in LADDER:
        climb(world, over_grpc, step)

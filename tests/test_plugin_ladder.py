"""The conformance ladder through the plugin, beside the same through the dynamic face: step by step the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

from codat_zoho.declare.settings import Spelling
from codat_zoho.provider.process import CONTEXT
from codat_zoho.simulator import Simulator, Switches
from tests.ladder import LADDER, World
from tests.mini_engine import MiniEngine, Plain
from tests.plugin_wire import Plugin
from tests.plugin_wire import urn as plugin_urn
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET, in_process
from tests.test_ladder import _combinations, climb

_CHANCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
"""The time of day, and what Codat numbers."""


def _spelled(value: Any) -> Any:
    """What the dynamic face records, with texts as the plugin spells them, without what chance decides."""
    if isinstance(value, dict):
        return {name: _spelled(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(one) for one in value]
    return Spelling.PROPERTY.text(_CHANCE.sub("", value)) if isinstance(value, str) else value


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Each value with its path, sorted: so that what differs can be read."""
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return sorted(one for name, inner in pairs for one in _flat(inner, f"{path}/{name}"))
    return [(path, value)]


def _history(simulator: Simulator, engine: MiniEngine) -> list[Any]:
    """What each step sent, asked, was refused with and left in state."""
    found, world = [], World(simulator)
    for step in LADDER:
        simulator.forget_calls()
        climb(world, engine, step)
        calls = [(call.method, call.path, call.detail) for call in (*simulator.writes, *simulator.probes)]
        state = {kind: (one.id, one.inputs, one.outputs) for kind, one in engine.state.items()}
        found.append((step.name, sorted(calls), _spelled(state)))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each switch alone and a fixed sample of their combinations, or all with ``--matrix``."""
    if "switches" in metafunc.fixturenames:
        first, *others = _combinations()
        together = [one for one in others if one.marks]
        left_out = [] if metafunc.config.getoption("matrix") else [one for one in together if one not in together[::7]]
        slow = [pytest.param(*one.values, id=one.id, marks=pytest.mark.slow) for one in others if one not in left_out]
        metafunc.parametrize("switches", [first, *slow])


def test_both_faces_do_and_record_the_same(
    context: Simulator, switches: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever Codat does where nobody knows: the same writes, probes, refusals and records; only names differ."""
    context.switches.__init__(**switches)  # type: ignore[misc]
    dynamic = _history(context, MiniEngine(Plain()))
    said = capsys.readouterr().err.splitlines()
    again = Simulator(switches=Switches(**switches))  # type: ignore[arg-type]
    again.add_codat_client(API_KEY)
    again.add_zoho_client(ID, SECRET)
    CONTEXT.__init__(in_process(again))  # type: ignore[misc]
    with Plugin(secrets=(SECRET, OTHER_SECRET)) as wire:
        for plugin, same in zip(_history(again, MiniEngine(wire)), dynamic, strict=True):
            for ours, theirs in zip(_flat(plugin), _flat(same), strict=True):
                assert ours == theirs, plugin[0]
        told = [line for _, severity, line in wire.engine.lines if severity == "INFO"]
        expected = [Spelling.PROPERTY.text(line.removeprefix("codat-zoho: ")) for line in said]
        assert _spelled(told) == _spelled(expected)
        assert all(urn in (plugin_urn("client"), plugin_urn("books")) for urn, _, _ in wire.engine.lines)

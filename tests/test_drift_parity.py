"""``codat-zoho drift`` finds what a refresh finds, over the whole ladder and whatever Codat does where nobody knows."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.drift.compare import Comparison, Remote, environments_of
from codat_zoho.drift.report import Resource
from codat_zoho.simulator import Simulator
from codat_zoho.workspace import state as exported
from codat_zoho.workspace.esc import Given
from tests.drift_parity import Shown, refreshed
from tests.ladder import LADDER, World
from tests.mini_engine import Failed, MiniEngine, Plain
from tests.pulumi_stand_in import plugin_state, resource, secret, state
from tests.support import in_process
from tests.test_ladder import COMBINATIONS

KINDS = {"client": CLIENT, "books": INTEGRATION}


def by_refresh(engine: MiniEngine, monkeypatch: pytest.MonkeyPatch) -> dict[str, Shown]:
    """What the provider's reads show, Zoho asked."""
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "always")
    engine.wire.renew()
    found = {}
    for kind, one in engine.state.items():
        id_, outs, _ = engine.wire.read(kind, one.id, one.outputs)
        found[kind] = refreshed(KINDS[kind], one.inputs, None if id_ is None else outs)
    engine.wire.renew()
    monkeypatch.delenv("CODAT_ZOHO_VERIFY")
    return found


def by_export(engine: MiniEngine, simulator: Simulator) -> dict[str, Shown]:
    """What the exported state shows, beside what Codat and Zoho say; of the plugin's resources it is the same."""
    made = [
        resource(KINDS[kind], _exported(one.inputs), _exported(one.outputs), name=kind, id=one.id)
        for kind, one in engine.state.items()
    ]
    looked = _looked(state(*made), simulator)
    assert _looked(plugin_state(state(*made)), simulator) == {name: _in_yaml(one) for name, one in looked.items()}
    assert not [one.failure for one in looked.values() if one.failure]
    return {
        name: {one.field: (one.state.value, one.declared, one.actual) for one in result.findings}
        for name, result in looked.items()
    }


def _looked(text: str, simulator: Simulator) -> dict[str, Resource]:
    found, http = exported.read(text), in_process(simulator)
    environments = environments_of(found, Given)
    comparison = Comparison(Remote(http), environments, http.deadline(60.0), "pulumi up", verified=True)
    return {one.name: replace(comparison.resource(one), verified_at=None) for one in found.resources}


def _in_yaml(found: Resource) -> Resource:
    """As it is of a program that uses the plugin: of another type, and what it has to declare is spelled as there."""
    spelled = {"allow_disruption": "allowDisruption", "declare client_secret": "declare clientSecret"}
    spelled |= {"enabled=True": "enabled: true", "enabled=False": "enabled: false"}
    findings = []
    for one in found.findings:
        todo = one.todo
        for python, yaml in spelled.items():
            todo = todo.replace(python, yaml)
        findings.append(replace(one, todo=todo))
    return replace(found, urn=found.urn.replace(TOKEN_PREFIX, PLUGIN_PREFIX), findings=tuple(findings))


def _exported(bag: dict[str, Any]) -> dict[str, Any]:
    return {name: secret(value) if name in ("client_secret", "declared") else value for name, value in bag.items()}


# Both sides ask the same core, so a sample of the combinations does; all of them climb in test_ladder.
SAMPLE = [*COMBINATIONS[:-4:11], *COMBINATIONS[-4:]]


@pytest.mark.parametrize(
    "switches",
    [SAMPLE[0], *(pytest.param(switches, marks=pytest.mark.slow) for switches in SAMPLE[1:])],
    ids=lambda s: "-".join(map(str, s.values())),
)
def test_over_the_ladder(context: Simulator, switches: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting's state, what was declared and what is there, at each step: before it is deployed, and after."""
    context.switches.__init__(**switches)  # type: ignore[misc]
    context.minute_limit = context.daily_limit = 1_000_000  # All of it is over in a few seconds.
    world, engine = World(context), MiniEngine(Plain())
    for step in LADDER:
        engine.wire.renew()
        step.act(world)
        assert by_export(engine, context) == by_refresh(engine, monkeypatch), f"{step.name}: before"
        with contextlib.suppress(Failed):
            engine.destroy() if step.destroy else engine.up(world.program(), refresh=step.refresh)
        assert by_export(engine, context) == by_refresh(engine, monkeypatch), f"{step.name}: after"

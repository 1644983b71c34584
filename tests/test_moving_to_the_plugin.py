"""A stack moves from the dynamic resources to the plugin in place, and back: nothing is sent, whatever Codat shows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.provider import Books, ZohoClient
from codat_zoho.simulator import Simulator
from tests.command_line import must
from tests.docs_runner import Terminal
from tests.faults.gate import gated
from tests.mini_engine import MiniEngine, Plain, wired
from tests.pulumi_stand_in import plugin_state, resource, state
from tests.real_engine import ROOT, Project
from tests.support import API_KEY, ID, REGIONS, SECRET
from tests.test_docs_guides import Reader, session
from tools.engine import Engine

PAGE = "moving-to-the-plugin.md"
VENV = Path(sys.executable).parent.parent
KEYS = {"client_id": ID, "client_secret": SECRET}
PROGRAM: dict[str, dict[str, Any]] = {"client": KEYS | {"regions": REGIONS}, "books": KEYS | {"enabled": True}}


def _types(project: Project) -> dict[str, str]:
    """The types of our resources in the state, by name; and what they hold is spelled as their types want it."""
    found = {name: one for name, one in project.resources().items() if name in ("zoho-client", "zoho-books")}
    for one in found.values():
        theirs = one["type"].startswith(PLUGIN_PREFIX)
        names = {*one["inputs"], *one["outputs"]} - {"__provider"}
        assert ("clientId" in names, "client_id" in names) == (theirs, not theirs)
        assert not [name for name in names if ("_" in name) is theirs and name.lower() != name.replace("_", "")]
        assert ("__provider" in one["outputs"]) is not theirs
    return {name: one["type"] for name, one in found.items()}


BEFORE, AFTER = ({one.language: one.text for one in session(PAGE, part)} for part in ("before", "after"))


def _deployed(engine: Engine, simulator: Simulator, folder: Path, base: str) -> Project:
    """The Python program of the page, deployed; then companies are linked."""
    project = Project.copy_of(engine, ROOT, folder / "project", base)
    (project.folder / ".venv").symlink_to(VENV)
    (project.folder / "__main__.py").write_text(BEFORE["python"])
    (project.folder / "Pulumi.yaml").write_text(BEFORE["yaml"])
    project.stack = "prod"
    project.must("stack", "init", "prod")
    project.must("config", "set", "zohoClientId", ID)
    project.must("config", "set", "--secret", "zohoClientSecret", stdin=SECRET)
    assert project.up().returncode == 0, project.said[-1]
    simulator.codat[API_KEY].linked = 2
    simulator.forget_calls()
    return project


@pytest.mark.engine
def test_a_move_that_got_half_way(yaml_engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """One resource has moved, the other not: the stack is of both faces, drift knows it, and the next up finishes."""
    with gated(simulator) as (base, _):
        project = _deployed(yaml_engine, simulator, tmp_path, base)
        (project.folder / "Pulumi.yaml").write_text(AFTER["yaml"])
        assert project.up(CODAT_API_KEY="no-such-key").returncode != 0
        half = {"zoho-client": f"{PLUGIN_PREFIX}{CLIENT}", "zoho-books": f"{TOKEN_PREFIX}{INTEGRATION}"}
        assert _types(project) == half
        assert "prod: as declared" in must(project, ["drift", "--stack", "prod"])
        done = project.up()
        assert done.returncode == 0 and "~ 1 updated" in done.stdout, project.said[-1]
        assert _types(project)["zoho-books"] == f"{PLUGIN_PREFIX}{INTEGRATION}"
        assert not simulator.writes


@pytest.mark.engine
@pytest.mark.parametrize("masks", ["last4", "opaque"])
def test_there_and_back(yaml_engine: Engine, simulator: Simulator, tmp_path: Path, masks: str) -> None:
    """The page, as it stands, with linked companies: both resources are updated in place each time, Codat is read."""
    simulator.switches.mask = masks  # type: ignore[assignment]
    with gated(simulator) as (base, gate):
        project = _deployed(yaml_engine, simulator, tmp_path, base)
        one = Reader(project, simulator, gate, Terminal(project.folder, project.environment))
        try:
            one.follow(PAGE, "ready")
            for part, yaml, prefix in (("there", AFTER["yaml"], PLUGIN_PREFIX), ("back", BEFORE["yaml"], TOKEN_PREFIX)):
                simulator.forget_calls()
                (project.folder / "Pulumi.yaml").write_text(yaml)
                said = one.follow(PAGE, part)
                assert re.search(r"~ 2 to update\n", said) and re.search(r"~ 2 updated\n", said), said
                assert not re.search("to create|to replace|to delete|created|replaced|deleted", said), said
                assert _types(project) == {"zoho-client": f"{prefix}{CLIENT}", "zoho-books": f"{prefix}{INTEGRATION}"}
                assert not simulator.writes and not simulator.probes[3 * (part == "there") :]
                if part == "there":
                    assert re.search(rf'clientId *: "{ID}"', said), "the output has a value"
                    assert re.search(r"ok +plugin +\S+, .*plugins\.providers", said)
                    assert ("prod: as declared" in said) is (masks == "last4")
            assert SECRET not in one.said
        finally:
            one.terminal.close()


def _moved(engine: MiniEngine) -> dict[str, dict[str, Any]]:
    """What the plugin's resources would have left of the same deployment: their outputs, secrets in clear."""
    kinds = {"client": CLIENT, "books": INTEGRATION}
    made = [resource(kinds[kind], one.inputs, one.outputs, name=kind) for kind, one in engine.state.items()]
    held = json.loads(plugin_state(state(*made)))["deployment"]["resources"]
    return {one["urn"].rpartition("::")[2]: one["outputs"] for one in held if one["type"].startswith(PLUGIN_PREFIX)}


def test_what_the_plugin_left_is_taken_over(context: Simulator) -> None:
    """By the dynamic provider: a change that replaces nothing, and an update that sends nothing and asks nobody."""
    context.codat[API_KEY].linked = 0
    engine = MiniEngine(Plain())
    engine.up(PROGRAM)
    context.codat[API_KEY].linked = 2
    context.switches.mask = "opaque"
    left = _moved(engine)
    for kind, face in (("client", ZohoClient()), ("books", Books())):
        context.forget_calls()
        news = engine.state[kind].inputs
        engine.wire.renew()
        checked = face.check({}, wired(PROGRAM[kind]))
        found = face.diff("id", wired(left[kind]), checked.inputs)
        assert (found.changes, found.replaces) == (True, []), kind
        outs = wired(face.update("id", wired(left[kind]), wired(news)).outs)
        assert outs.keys() == engine.state[kind].outputs.keys()
        assert not context.writes and not context.probes
        assert face.diff("id", outs, checked.inputs).changes is False

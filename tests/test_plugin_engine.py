"""The provider plugin on the real engine, from YAML programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from codat_zoho.simulator import Fault, Simulator
from tests.faults.gate import PATIENCE, Gate, Process, family, gated, send
from tests.ladder import LADDER, THIRD_SECRET, World
from tests.real_engine import YamlProject, summary
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET, keys
from tests.test_engine import climb
from tools.engine import Engine

pytestmark = [pytest.mark.engine, pytest.mark.slow]
SECRETS = (SECRET, OTHER_SECRET, THIRD_SECRET, API_KEY)
KEYS, SWITCH = "/codat/integrations/credentials/rwuv", "/codat/integrations/rwuv/enabled"
BOOKS = "codat-zoho:index:ZohoBooksIntegration"


@pytest.fixture
def gate(simulator: Simulator) -> Iterator[tuple[str, Gate]]:
    """The simulator, behind a gate that can hold a call."""
    with gated(simulator) as found:
        yield found


@pytest.fixture
def project(yaml_engine: Engine, gate: tuple[str, Gate], tmp_path: Path) -> YamlProject:
    """A YAML project that declares nothing, in front of a simulator."""
    return YamlProject.new(yaml_engine, tmp_path / "shop", gate[0])


@pytest.fixture
def world(project: YamlProject, simulator: Simulator) -> World:
    """A world in which both resources are declared, and not yet deployed."""
    world = World(simulator)
    world.declare()
    project.configure(world.program())
    return world


def _deployed(project: YamlProject, simulator: Simulator) -> None:
    assert project.up().returncode == 0, project.said[-1]
    simulator.forget_calls()


def test_the_ladder(project: YamlProject, simulator: Simulator) -> None:
    """The same steps as through the dynamic resources send the same, and leave no secret in clear."""
    world = World(simulator)
    for step in (step for step in LADDER if step.engine):
        climb(world, project, step)
    project.assert_no_secret(*SECRETS)


def test_nothing_changed_sends_nothing(project: YamlProject, world: World, simulator: Simulator) -> None:
    """A second `up` makes no call at all; a refresh shows drift by setting and writes nothing."""
    _deployed(project, simulator)
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.calls
    world.codat.integration.enabled = False
    world.codat.integration.keys["clientSecret"] = OTHER_SECRET
    shown = project.run("refresh", "--preview-only", "--expect-no-changes", "--diff")
    assert shown.returncode == 7, project.said[-1]
    assert "enabled                : true => false" in shown.stdout, project.said[-1]
    assert f'=> "differs (ends in {OTHER_SECRET[-4:]})"' in shown.stdout, project.said[-1]
    found = json.loads(project.run("refresh", "--preview-only", "--json").stdout)
    (books,) = (one for one in found["steps"] if one["urn"].endswith("::zoho-books") and one.get("detailedDiff"))
    assert {"enabled", "clientSecretFingerprint"} <= books["detailedDiff"].keys(), books
    assert not simulator.writes
    project.assert_no_secret(*SECRETS)


def test_what_is_there_is_imported(project: YamlProject, simulator: Simulator) -> None:
    """`pulumi import` records what there is; declaring the keys that are stored then sends nothing."""
    world = World(simulator)
    world.codat.linked = 2
    world.codat.integration.enabled, world.codat.integration.keys = True, keys()
    said = project.must("import", BOOKS, "zoho-books", "default", "--yes")
    assert "connection: default" in said and "enabled: true" in said
    assert not simulator.writes and not simulator.probes
    world.declare()
    world.client = {}
    project.configure(world.program())
    project.must("state", "unprotect", "--all", "--yes")
    simulator.forget_calls()
    assert project.up().returncode == 0, project.said[-1]
    assert {call.kind for call in simulator.calls} == {"read"}
    simulator.forget_calls()
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.calls
    project.assert_no_secret(*SECRETS)


def test_a_zoho_client_is_declared_not_imported(project: YamlProject, simulator: Simulator) -> None:
    """Zoho tells nobody what its console holds: one line says so, and what to do."""
    done = project.run("import", "codat-zoho:index:ZohoClientCredentials", "zoho-client", ID, "--yes")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "Declare it" in said and "Traceback" not in said, said
    assert not simulator.calls


@pytest.mark.parametrize("destroys", [False, True], ids=["up", "destroy"])
def test_linked_companies_are_not_cut_off(
    project: YamlProject, world: World, simulator: Simulator, destroys: bool
) -> None:
    """Disabling and destroying are refused, as the program spells the way round it, and nothing is sent."""
    _deployed(project, simulator)
    world.codat.linked = 3
    project.must("refresh", "--yes")
    simulator.forget_calls()
    runs: list[tuple[str, ...]] = [("destroy", "--yes", "--skip-preview")]
    if not destroys:
        world.declare(enabled=False)
        project.configure(world.program())
        runs = [("preview",), ("up", "--yes", "--skip-preview")]
    for words in runs:
        done = project.run(*words)
        said = done.stdout + done.stderr
        if words == ("preview",):
            assert "3 linked companies" in said, said
            continue
        assert done.returncode != 0 and "would cut off 3 linked companies" in said, said
        assert "allowDisruption" in said and "allow_disruption" not in said, said
    assert not simulator.writes
    assert "zoho-books" in project.resources()


def _started(project: YamlProject, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["pulumi", *words, "--yes", "--skip-preview", "--non-interactive", "--color", "never"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _plugin(running: subprocess.Popen[str]) -> list[Process]:
    found = [one for one in family(running.pid) if "pulumi-resource-codat-zoho" in one.command]
    assert found, "there is no plugin process"
    return found


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "the plugin is killed"])
@pytest.mark.parametrize("held", [("PUT " + KEYS, 1), ("PUT " + SWITCH, 1)], ids=["saving keys", "enabling"])
def test_a_run_that_is_stopped_is_finished_by_the_next(
    project: YamlProject,
    world: World,
    simulator: Simulator,
    gate: tuple[str, Gate],
    stop: signal.Signals,
    held: tuple[str, int],
) -> None:
    """The run ends while Codat still has not answered, in one line for an error; the next one does what is left."""
    gate[1].holds = held
    with _started(project, "up") as running:
        assert gate[1].reached.wait(PATIENCE)
        if stop is signal.SIGINT:
            os.kill(running.pid, stop)
        else:
            send(_plugin(running), stop)
        said, _ = running.communicate(timeout=PATIENCE)  # The gate is still shut.
    project.said.append(said)
    assert running.returncode != 0 and "Traceback" not in said, said
    gate[1].released.set()
    project.run("cancel", "--yes")
    done = project.up()
    assert done.returncode == 0, project.said[-1]
    integration = world.codat.integration
    assert (integration.enabled, integration.keys) == (True, keys())
    simulator.forget_calls()
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.calls
    project.assert_no_secret(*SECRETS)


def test_a_create_that_got_half_way_is_recorded_and_repaired(
    project: YamlProject, world: World, simulator: Simulator
) -> None:
    """Keys were saved, enabling failed: state holds the resource and why; the next run only enables."""
    simulator.fail(Fault(method="PUT", path=SWITCH, status=400))
    done = project.up()
    assert done.returncode != 0, project.said[-1]
    assert summary(simulator) == ["save keys", ""]
    (why,) = project.resources()["zoho-books"]["initErrors"]
    assert "\n" not in why and "400" in why
    simulator.forget_calls()
    assert project.up().returncode == 0, project.said[-1]
    assert summary(simulator) == ["enable"]
    assert "initErrors" not in project.resources()["zoho-books"]
    simulator.forget_calls()
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.calls
    project.assert_no_secret(*SECRETS)

"""The kill matrix: a real run is killed at each call that it makes, and the next one finishes.

The provider, the engine, or all processes of the run are sent SIGKILL, SIGINT or SIGTERM while a call waits at the
simulator's door: before it is taken, or when it is done and not answered. Then somebody does what Pulumi itself asks
for, and nothing else; the run after that finishes, and the one after it sends nothing.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from codat_zoho.simulator import Simulator
from tests.faults.gate import PATIENCE, Gate, Process, When, family, gated, send
from tests.ladder import World
from tests.real_engine import ROOT, Project, without_interrupted_program
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, REGIONS, SECRET
from tools.engine import Engine

pytestmark = pytest.mark.engine
SECRETS = (SECRET, OTHER_SECRET, API_KEY)
SAMPLE_OF = 20
"""One case in so many is collected always; all are with ``--matrix``, as in ``make test-faults``."""

INTEGRATION, KEYS = "/codat/integrations/rwuv", "/codat/integrations/credentials/rwuv"
READS = [f"GET {INTEGRATION}", f"GET {KEYS}"]
WHOSE, NAME = "GET /codat/profile/syncSettings", "GET /codat/profile"
PROBES = [f"POST /zoho/{code}/oauth/v2/token" for code in REGIONS]
SAVE, SWITCH, DELETE = f"PUT {KEYS}", f"PUT {INTEGRATION}/enabled", f"DELETE {KEYS}"


@dataclass(frozen=True)
class Run:
    """A pulumi command, and the calls that it makes when nobody kills it; a test holds it to them."""

    name: str
    command: tuple[str, ...]
    calls: tuple[str, ...]
    deployed: bool = True
    rotates: bool = False

    @property
    def destroys(self) -> bool:
        return self.command[0] == "destroy"


RUNS = (
    Run(
        "create", ("up", "--skip-preview"), (*PROBES, WHOSE, *READS, SAVE, *READS, SWITCH, *READS, NAME), deployed=False
    ),
    Run("rotate", ("up", "--skip-preview"), (*PROBES, WHOSE, *READS, SAVE, *READS), rotates=True),
    Run("destroy", ("destroy", "--skip-preview"), (WHOSE, *READS, SWITCH, *READS, DELETE, *READS)),
    Run("refresh", ("refresh", "--skip-preview"), (WHOSE, *READS)),
)
TARGETS = ("provider", "engine", "all")
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)


def cases(whole: bool) -> Iterator[Any]:
    """All cases of the kill matrix, or the fixed sample."""
    for run in RUNS:
        for number, place in enumerate(run.calls):
            nth = run.calls[: number + 1].count(place)
            writes = place in (SAVE, SWITCH, DELETE)
            whens: tuple[When, ...] = ("before", "after") if writes else ("before",)
            for when in whens:
                for target in TARGETS:
                    for sent in SIGNALS if writes or run.name == "refresh" else (signal.SIGKILL,):
                        if not writes and target == "engine" and run.name != "refresh":
                            continue  # The provider goes on alone, as it does at the writes.
                        name = f"{run.name} | {place} #{nth} | {when} | {target} | {sent.name}"
                        if whole or zlib.crc32(name.encode()) % SAMPLE_OF == 0:
                            yield pytest.param(run, place, nth, when, target, sent, id=name)


def two_at_once(whole: bool) -> Iterator[Any]:
    """The calls at which one of two runs waits: all but those to Zoho, or the one that decides who wins."""
    for number, place in enumerate(RUNS[0].calls):
        if place not in PROBES and (whole or place == SAVE):
            nth = RUNS[0].calls[: number + 1].count(place)
            yield pytest.param(place, nth, id=f"{place} #{nth}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the cases only when they are collected."""
    whole = metafunc.config.getoption("matrix")
    if metafunc.function is test_kill:
        metafunc.parametrize(("run", "place", "nth", "when", "target", "sent"), [*cases(whole)])
    elif metafunc.function is test_two_at_once:
        metafunc.parametrize(("place", "nth"), [*two_at_once(whole)])


@dataclass
class Place:
    """Where a run is killed."""

    project: Project
    world: World
    gate: Gate

    def configure(self) -> None:
        self.project.configure(self.world.program())

    def remote(self) -> tuple[bool, dict[str, str]]:
        integration = self.world.codat.integration
        return integration.enabled, dict(integration.keys)


@pytest.fixture(scope="module")
def templates(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Project]:
    """A configured project, and a deployed one: each case begins with a copy."""
    made = {}
    for deployed in (False, True):
        simulator = _simulator()
        with gated(simulator) as (base, _):
            project = Project.copy_of(engine, ROOT, tmp_path_factory.mktemp("template") / "project", base)
            world = World(simulator)
            world.declare()
            project.configure(world.program())
            if deployed:
                assert project.up().returncode == 0, project.said[-1]
        made[deployed] = project
    return made


def _simulator() -> Simulator:
    simulator = Simulator()
    simulator.add_codat_client(API_KEY)
    simulator.codat[API_KEY].integration.integration_id = "00000000-0000-0000-0000-000000000007"
    simulator.add_zoho_client(ID, SECRET)
    return simulator


@pytest.fixture
def open_place(templates: dict[bool, Project], tmp_path: Path) -> Iterator[Any]:
    """Gives a place where a run can begin."""
    simulator = _simulator()
    with gated(simulator) as (base, gate):

        def at(run: Run) -> Place:
            world = World(simulator)
            world.declare()
            project = copied(templates[run.deployed], tmp_path / "project", base)
            if run.deployed:
                world.codat.integration.keys = {"clientId": ID, "clientSecret": SECRET}
                world.codat.integration.enabled = True
            if run.rotates:
                world.zoho.secret = OTHER_SECRET
                world.declare(client_secret=OTHER_SECRET)
                project.configure(world.program())
            return Place(project, world, gate)

        yield at


def copied(template: Project, folder: Path, base: str) -> Project:
    """A copy of a project with all its state, in front of another simulator."""
    shutil.copytree(template.folder, folder)
    moved = {name: value.replace(str(template.folder), str(folder)) for name, value in template.environment.items()}
    environment = moved | {"PULUMI_STACK": "test", "CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho"}
    return Project(template.engine, folder, base, environment=environment, _secret=SECRET)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_calls_of_a_run(open_place: Any, run: Run) -> None:
    """The matrix covers every call that a run makes."""
    place = open_place(run)
    place.project.must(*run.command, "--yes")
    # Sorted: calls may go out together.
    assert sorted(f"{call.method} /{call.service}{call.path}" for call in place.world.simulator.calls) == sorted(
        run.calls
    )


def test_kill(open_place: Any, run: Run, place: str, nth: int, when: When, target: str, sent: signal.Signals) -> None:
    """Nothing is lost and nothing is secret in what is left; the next run finishes, and the second sends nothing."""
    here: Place = open_place(run)
    could_be = [here.remote(), *states(run)]
    kill(here, run, place, nth, when, target, sent)
    assert here.remote() in could_be, "Codat was left as no run would leave it"
    finish(here, run)
    here.project.assert_no_secret(*SECRETS)


def states(run: Run) -> list[tuple[bool, dict[str, str]]]:
    """What Codat holds on the way."""
    keys = {"clientId": ID, "clientSecret": OTHER_SECRET if run.rotates else SECRET}
    if run.destroys:
        return [(False, keys), (False, {})]
    return [(False, keys), (True, keys)] if not run.deployed else [(True, keys)]


@contextmanager
def held(project: Project, gate: Gate, command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a run, and go on when the call that the gate holds is there. Nothing of the run is left afterwards."""
    output = project.folder / "output"
    with output.open("w") as out:
        running = subprocess.Popen(
            ["pulumi", *command, "--yes", "--non-interactive", "--color", "never"],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    processes: list[Process] = []
    try:
        Thread(target=_tell_the_end, args=(running, gate), daemon=True).start()
        assert gate.reached.wait(PATIENCE) and running.poll() is None, output.read_text()
        processes = family(running.pid)
        yield running, output
    finally:
        gate.released.set()
        send(processes, signal.SIGKILL)
        running.wait(PATIENCE)
        project.said.append(output.read_text())


def kill(here: Place, run: Run, place: str, nth: int, when: When, target: str, sent: signal.Signals) -> None:
    gate = here.gate
    gate.holds, gate.when = (place, nth), when
    gate.drops = sent is signal.SIGKILL and target != "engine"
    with held(here.project, gate, run.command) as (running, _):
        processes = family(running.pid)
        victims = {
            "provider": [one for one in processes if one.provider],
            "engine": processes[:1],
            "all": processes,
        }[target]
        assert victims, processes
        send(victims, sent)
        if sent is signal.SIGKILL and target != "provider":
            running.wait(PATIENCE)
        gate.released.set()
        running.wait(PATIENCE)
        if sent is signal.SIGKILL and target == "engine":
            # The provider is an orphan now, and goes on with what it was asked for.
            assert gate.rests_after(len(run.calls)), "the orphaned provider does not come to an end"


def _tell_the_end(running: subprocess.Popen[bytes], gate: Gate) -> None:
    running.wait()
    gate.reached.set()


def finish(here: Place, run: Run) -> None:
    """Do what Pulumi asks for, then run again, and again."""
    project, simulator = here.project, here.world.simulator
    command = ("destroy", "--yes", "--skip-preview") if run.destroys else ("up", "--yes", "--skip-preview")
    done = project.run(*command)
    if "the stack is currently locked by 1 lock" in done.stdout + done.stderr:
        assert "`pulumi cancel`" in done.stdout + done.stderr
        project.must("cancel", "--yes")
        done = project.run(*command)
    assert done.returncode == 0, "\n".join(project.said)
    assert here.remote() == states(run)[-1], "the next run did not finish"
    simulator.forget_calls()
    second = project.run(*command, *([] if run.destroys else ["--expect-no-changes"]))
    assert second.returncode == 0, project.said[-1]
    assert not simulator.calls, "the second run sent something"
    if project.exported()["deployment"].get("pending_operations"):
        # Said by each run until somebody does it; it only looks.
        assert "you can repair your stack using `pulumi refresh`" in project.said[-1]
        project.must("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
        assert not simulator.writes and not simulator.probes
        assert not project.exported()["deployment"].get("pending_operations")
        assert project.run(*command).returncode == 0
        assert not simulator.writes and not simulator.probes


# --- two at once ------------------------------------------------------------------------------------------------------


def test_two_at_once(templates: dict[bool, Project], tmp_path: Path, place: str, nth: int) -> None:
    """Another run deploys another client while one waits at a call: whoever lost is told, at once or as drift."""
    simulator = _simulator()
    simulator.add_zoho_client(OTHER_ID, OTHER_SECRET)
    with gated(simulator) as (base, gate):
        mine, yours = (copied(templates[False], tmp_path / name, base) for name in ("mine", "yours"))
        world = World(simulator)
        world.declare(OTHER_ID, OTHER_SECRET)
        yours.configure(world.program())
        gate.holds, gate.when = (place, nth), "before"
        with held(mine, gate, ("up", "--skip-preview")) as (running, output):
            gate.holds = None
            assert yours.up().returncode == 0, yours.said[-1]
            gate.released.set()
            failed = running.wait(PATIENCE)
            said = output.read_text()
        assert "Traceback" not in without_interrupted_program(said) and "InternalError" not in said
        assert not failed or "NotApplied: Codat " in said, said
        integration = world.codat.integration
        assert integration.enabled
        for project, pair in ((mine, (ID, SECRET)), (yours, (OTHER_ID, OTHER_SECRET))):
            lost = pair != (integration.keys["clientId"], integration.keys["clientSecret"])
            if project is mine and failed:
                assert "zoho-books" not in project.resources()  # Nothing is claimed, so nothing needs to be told.
                continue
            looked = project.run("refresh", "--preview-only", "--expect-no-changes", "--diff")
            assert looked.returncode == (7 if lost else 0), project.said[-1]
        for project in (mine, yours):
            project.assert_no_secret(*SECRETS)

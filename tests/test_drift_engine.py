"""``codat-zoho drift`` on the real engine: twelve stacks in three projects, six of them not as declared."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.simulator import Fault, Simulator
from codat_zoho.simulator.server import make_server
from tests.drift_fleet import Place, Scratch, codat_client, own_client, scratch
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET
from tools.engine import Engine

pytestmark = pytest.mark.engine

PROJECTS = ["billing", "crm", "portal"]
STACKS = ["dev", "prod", "stage", "test"]
FORMATS = {"json": "r.json", "junit": "r.xml", "markdown": "r.md", "html": "r.html", "text": "r.txt"}
EXPECTED = {
    "billing/dev": ("drift", {"enabled": "drift"}),
    "billing/prod": ("drift", {"client_id": "drift"}),
    "billing/stage": ("drift", {"client_secret": "drift"}),
    "crm/dev": ("drift", {"regions.uk": "drift"}),
    "crm/prod": ("cannot tell", {"regions.uk": "cannot tell"}),
    "portal/prod": ("error", {}),
}
"""What is wrong where; all the rest is as declared."""


class Server:
    """A simulator behind a port that stays its own while it is down."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = make_server(self.simulator, self.port)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class World:
    scratch: Scratch
    simulator: Simulator
    gone: Server
    reports: Path
    secrets: list[str] = field(default_factory=list)

    def calls(self) -> list[str]:
        """What was asked of the simulator that is up."""
        return [str(call) for call in self.simulator.calls]


@pytest.fixture(scope="module")
def world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Twelve stacks, deployed, and then changed by hand."""
    servers = [Server(Simulator()), Server(Simulator())]
    here, gone = servers
    root = tmp_path_factory.mktemp("drift")
    place = scratch(root / "work", engine, f"{here.url}/zoho")
    here.simulator.add_zoho_client(ID, SECRET)
    places = {}
    for project in PROJECTS:
        for stack in STACKS:
            title = f"{project}/{stack}"
            places[title] = Place(project, stack, here.url)
    places["portal/prod"].codat_url = gone.url
    for number, title in enumerate(["crm/dev", "crm/prod"], start=1):
        places[title].client_id, places[title].secret = own_client(number)
    place.deploy(places.values(), {server.url: server.simulator for server in servers})
    with here.simulator.lock:
        codat_client(here.simulator, places["billing/dev"]).integration.enabled = False
        codat_client(here.simulator, places["billing/prod"]).integration.keys["clientId"] = OTHER_ID
        codat_client(here.simulator, places["billing/stage"]).integration.keys["clientSecret"] = OTHER_SECRET
        here.simulator.zoho[places["crm/dev"].client_id].enabled.discard("uk")
        here.simulator.zoho[places["crm/prod"].client_id].throttled.add("uk")
        here.simulator.forget_calls()
    place.engine("stack", "select", "stage", project="crm")
    reports = root / "reports"
    reports.mkdir()
    keys = [one.key for one in places.values()]
    world = World(place, here.simulator, gone, reports, [SECRET, OTHER_SECRET, *keys])
    world.secrets += [one.secret for one in places.values()]
    yield world
    for server in servers:
        server.stop()


@contextmanager
def down(server: Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def findings(report: dict[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """State and remarkable settings of each stack that is not as declared."""
    return {
        f"{stack['project']}/{stack['stack']}": (
            stack["state"],
            {
                found["field"]: found["state"]
                for resource in stack["resources"]
                for found in resource["findings"]
                if found["state"] != "as declared"
            },
        )
        for stack in report["stacks"]
        if stack["state"] != "as declared"
    }


def timeless(text: str) -> str:
    """A report without its times."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z| UTC)?", "TIME", text)
    return re.sub(r'(?<=[ ("])\d+\.\d+(?= s|")|(?<="seconds": )[\d.]+', "SECONDS", text)


@pytest.fixture(scope="module")
def two_runs(world: World) -> list[tuple[subprocess.CompletedProcess[str], dict[str, str], dict[str, bytes]]]:
    """All formats, twice, while one Codat is unreachable."""
    runs = []
    with down(world.gone):
        for number in (1, 2):
            folder = world.reports / str(number)
            folder.mkdir()
            words = [f"--report={name}={folder / path}" for name, path in FORMATS.items()]
            before = world.scratch.files()
            done = world.scratch.drift(*PROJECTS, "--all-stacks", *words)
            drawn = {name: (folder / path).read_text() for name, path in FORMATS.items()}
            changed = {
                path: content
                for path, content in {**before, **world.scratch.files()}.items()
                if before.get(path) != content or not (world.scratch.root / path).exists()
            }
            runs.append((done, drawn, changed))
    return runs


Runs = list[tuple[subprocess.CompletedProcess[str], dict[str, str], dict[str, bytes]]]


def test_each_format_says_exactly_what_differs(two_runs: Runs) -> None:
    """Twelve stacks, six of them remarkable: every format tells them and no other."""
    done, drawn, _ = two_runs[0]
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(drawn["json"])
    assert findings(report) == EXPECTED
    assert report["exit_code"] == 1 and len(report["stacks"]) == 12
    assert report["summary"] == {"error": 1, "drift": 4, "cannot tell": 1, "as declared": 6, "nothing to check": 0}

    suites = {suite.get("name"): suite for suite in ET.fromstring(drawn["junit"])}
    tags = {"drift": "failure", "error": "error", "cannot tell": "skipped"}
    for title, suite in suites.items():
        assert title
        state, fields = EXPECTED.get(title, ("as declared", {}))
        wrong = {
            str(case.get("name")): child.tag
            for case in suite.iter("testcase")
            for child in case
            if child.tag in tags.values()
        }
        assert wrong == ({"read": "error"} if state == "error" else {name: tags[is_] for name, is_ in fields.items()})
    assert len(suites) == 12

    for name in ("text", "markdown"):
        blocks = re.split(r"\n(?=(?:### )?`?\w+/\w+`?: )", drawn[name])
        for title, (state, fields) in EXPECTED.items():
            (block,) = [one for one in blocks if re.match(rf"(### )?`?{title}`?: {state}", one)]
            assert all(field in block for field in fields)
        assert not [one for one in blocks if "crm/test" in one.splitlines()[0] and "as declared" not in one]
    for title, (state, _fields) in EXPECTED.items():
        assert re.search(rf">{title} <span[^>]*><span[^>]*>. </span>{state}<", drawn["html"]), title
    assert (
        "12 stacks: 1 could not be checked, 4 with drift, 1 where something cannot be told, 6 as declared"
        in (drawn["text"])
    )


def test_values_are_named_without_telling_secrets(two_runs: Runs, world: World) -> None:
    """Declared and actual value stand beside each other; secrets only as fingerprint or as their end."""
    report = json.loads(two_runs[0][1]["json"])
    found = {
        f"{stack['project']}/{stack['stack']}": one
        for stack in report["stacks"]
        for resource in stack["resources"]
        for one in resource["findings"]
        if one["state"] == "drift"
    }
    assert (found["billing/dev"]["declared"], found["billing/dev"]["actual"]) == (True, False)
    assert found["billing/prod"]["actual"].endswith(OTHER_ID[-4:]) and found["billing/prod"]["actual"] != OTHER_ID
    assert found["billing/stage"]["actual"] == f"ends in {OTHER_SECRET[-4:]}"
    assert found["billing/stage"]["declared"].startswith("fingerprint ")
    assert (found["crm/dev"]["actual"], found["crm/dev"]["how"]) == ("unknown client", "probe")
    assert found["billing/dev"]["command"] == "pulumi up --refresh --stack dev --cwd billing"
    (unreachable,) = [
        resource["failure"] for stack in report["stacks"] for resource in stack["resources"] if resource["failure"]
    ]
    assert unreachable["kind"] == "unreachable" and "\n" not in unreachable["text"]
    for done, drawn, _ in two_runs:
        for text in (done.stdout, done.stderr, *drawn.values()):
            assert not [secret for secret in world.secrets if secret in text], "a secret was printed"


def test_a_second_run_says_the_same(two_runs: Runs) -> None:
    """Looking changes nothing, so looking again finds the same."""
    first, second = two_runs
    assert first[0].returncode == second[0].returncode
    for name in FORMATS:
        assert timeless(first[1][name]) == timeless(second[1][name]), name


def test_nothing_is_written_anywhere(two_runs: Runs, world: World) -> None:
    """State, projects and their settings stay byte-identical, no lock is left, and Codat gets no write."""
    assert [changed for _, _, changed in two_runs] == [{}, {}]
    assert not [path for path in world.scratch.files() if "/locks/" in path]
    assert not world.simulator.writes
    selected = world.scratch.engine("stack", "--show-name", project="crm")
    assert selected.stdout.strip() == "stage"


def test_zoho_is_asked_once_per_client_and_data_centre(two_runs: Runs, world: World) -> None:
    """Ten stacks share a client: three clients in three data centres make nine questions a run, not thirty-six."""
    assert len(world.simulator.probes) == 9 * len(two_runs)


def test_without_the_unreachable_one_it_is_drift(world: World) -> None:
    """Exit 7 is left when nothing fails, and strict alone does not make cannot-tell an error."""
    done = world.scratch.drift(*PROJECTS, "--all-stacks", "--format", "json", "--quiet")
    assert done.returncode == 7, done.stderr
    assert done.stderr == ""
    assert findings(json.loads(done.stdout)) == {k: v for k, v in EXPECTED.items() if k != "portal/prod"}


def test_exit_codes_of_single_stacks(world: World) -> None:
    """Clean is 0 and silent with --quiet; what cannot be told is 0, and 7 with --strict; --no-verify asks nobody."""
    clean = world.scratch.drift("crm", "--stack", "test", "--quiet")
    assert (clean.returncode, clean.stdout, clean.stderr) == (0, "", "")
    asked = len(world.simulator.probes)
    unasked = world.scratch.drift("crm", "--stack", "test", "--strict", "--no-verify")
    assert unasked.returncode == 0 and "Zoho was not asked in this run (--no-verify)" in unasked.stdout
    assert len(world.simulator.probes) == asked
    selected = world.scratch.drift(cwd=world.scratch.root / "crm")
    assert selected.returncode == 0 and "crm/stage: as declared" in selected.stdout
    unclear = world.scratch.drift("crm", "--stack", "prod")
    assert unclear.returncode == 0 and "cannot tell  regions.uk: " in unclear.stdout
    assert world.scratch.drift("crm", "--stack", "prod", "--strict").returncode == 7


def test_what_fails_is_one_line_each(world: World) -> None:
    """Unknown stack, missing passphrase, refused and missing key, broken project, no project, no pulumi."""
    run = world.scratch.drift
    unknown = run("crm", "--stack", "prd")
    assert unknown.returncode == 1
    assert "There is no stack 'prd' in crm. Did you mean 'prod'?" in unknown.stdout
    locked = run("crm", "--stack", "test", PULUMI_CONFIG_PASSPHRASE="")
    assert locked.returncode == 1 and "PULUMI_CONFIG_PASSPHRASE" in locked.stdout
    refused = run("crm", "--stack", "test", CODAT_API_KEY_CRM_TEST="wrong-key-of-nobody")
    assert refused.returncode == 3 and "wrong-key-of-nobody" not in refused.stdout + refused.stderr
    missing = run("crm", "--stack", "test", CODAT_API_KEY_CRM_TEST="")
    assert missing.returncode == 3 and "CODAT_API_KEY_CRM_TEST" in missing.stdout
    broken = world.scratch.root.with_name("broken")
    broken.mkdir()
    (broken / "Pulumi.yaml").write_text("name: [\n")
    unreadable = run(str(broken), "--all-stacks")
    assert unreadable.returncode == 1 and "The project cannot be read" in unreadable.stdout
    nowhere = run(str(world.reports), "--all-stacks")
    assert nowhere.returncode == 1 and "There is no Pulumi project in" in nowhere.stdout
    for done in (unknown, locked, refused, missing, unreadable, nowhere):
        assert done.stderr == "" and "Traceback" not in done.stdout
        assert len(done.stdout.splitlines()) <= 5, done.stdout
    pulumi = world.scratch.environment["PATH"].split(":")
    path = ":".join(folder for folder in pulumi if not (Path(folder) / "pulumi").exists())
    none = run("crm", "--stack", "test", PATH=path)
    assert none.returncode == 1 and none.stdout == ""
    assert none.stderr == (
        "codat-zoho: There is no pulumi on PATH. Install Pulumi (https://www.pulumi.com/docs/install/) and put it on "
        "PATH.\n"
    )


def test_pending_names_code_changes_apart(world: World) -> None:
    """A setting that was changed in the code and not deployed is no drift, and is told where somebody asks."""
    settings = world.scratch.root / "portal" / "Pulumi.dev.yaml"
    before = settings.read_text()
    settings.write_text(before + "  portal:enabled: false\n")
    try:
        done = world.scratch.drift("portal", "--stack", "dev", "--pending", "--format", "json")
    finally:
        settings.write_text(before)
    (stack,) = json.loads(done.stdout)["stacks"]
    assert done.returncode == 0, done.stdout
    assert [one["fields"] for one in stack["pending"]] == [[{"field": "enabled", "before": True, "after": False}]]
    assert stack["state"] == "as declared"


def test_shards_part_the_stacks(world: World) -> None:
    """The parts together are all stacks, and none is in two."""
    seen: list[str] = []
    for index in (1, 2):
        words = ("--all-stacks", "--no-verify", "--shard", f"{index}/2", "--format", "json")
        done = world.scratch.drift("crm", *words)
        seen += [stack["stack"] for stack in json.loads(done.stdout)["stacks"]]
    assert sorted(seen) == STACKS


class Held(Fault):
    """Holds the answer, and tells a test that it is asked for."""

    def __init__(self) -> None:
        super().__init__(path="/integrations", delay=60, times=-1)
        self.asked = threading.Event()

    def strikes(self, method: str, path: str) -> bool:
        hit = super().strikes(method, path)
        if hit:
            self.asked.set()
        return hit


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="children are found by /proc")
def test_a_signal_ends_everything(world: World, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and a CI system's SIGTERM: exit 130, one line, no process, no lock and no file left."""
    mark = uuid.uuid4().hex
    held = Held()
    world.simulator.fail(held)
    before = world.scratch.files()
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "codat_zoho", "drift", "crm", "--all-stacks"],
            cwd=world.scratch.root,
            env=world.scratch.environment | {"CODAT_ZOHO_TEST": mark, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert held.asked.wait(60)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    finally:
        world.simulator.faults.clear()
    assert (child.returncode, out, err) == (130, "", "codat-zoho: interrupted\n")
    assert not _marked(mark)
    assert world.scratch.files() == before
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("codat-zoho")]


def _marked(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # It has ended meanwhile.
            if mark.encode() in entry.read_bytes():
                found.append((entry.parent / "cmdline").read_bytes().decode())
    return found


def test_remediate_restores_and_says_what_is_left(world: World) -> None:
    """``--remediate --yes`` brings a drifted stack back, a rejected data centre is left to a person, then all is 0."""
    scratch_copy = world.scratch
    done = scratch_copy.drift("billing", "--stack", "dev", "--remediate", "--yes", "--format", "json")
    (stack,) = json.loads(done.stdout)["stacks"]
    assert (done.returncode, stack["remediation"]["outcome"]) == (0, "done"), done.stdout + done.stderr
    assert scratch_copy.drift("billing", "--stack", "dev").returncode == 0
    by_hand = scratch_copy.drift("crm", "--stack", "dev", "--remediate", "--yes", "--format", "json")
    (stack,) = json.loads(by_hand.stdout)["stacks"]
    assert (by_hand.returncode, stack["remediation"]["outcome"]) == (7, "by hand")
    assert shutil.which("pulumi", path=scratch_copy.environment["PATH"])

"""``codat-zoho drift`` on the real engine: twelve stacks in three projects, changed behind the code's back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.simulator import Fault, Simulator, serve
from tests.drift_fleet import Place, Scratch, codat_client, own_client, scratch
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET
from tools.engine import Engine

pytestmark = pytest.mark.engine

PROJECTS = ("billing", "crm", "shop")
FORMATS = ("text", "json", "markdown", "junit", "html")
FOUND = {
    "billing/prod": ("drift", "enabled", True, False),
    "billing/staging": ("drift", "client_id", ID, f"{'X' * (len(ID) - 4)}{OTHER_ID[-4:]}"),
    "billing/test": ("drift", "client_secret", None, f"ends in {OTHER_SECRET[-4:]}"),
    "crm/dev": ("drift", "regions.uk", "accepted", "unknown client"),
    "crm/prod": ("cannot tell", "regions.eu", "accepted", None),
}
UNREACHABLE = "crm/test"


@dataclass
class Fleet:
    """The deployed stacks, the simulator behind them, and the secrets that no report may hold."""

    scratch: Scratch
    simulator: Simulator
    secrets: set[str]
    places: dict[str, Place]

    def check(self, *words: str) -> tuple[int, dict[str, str]]:
        """Check with all formats at once and return the exit code and the reports."""
        out = self.scratch.root.with_name("reports")
        out.mkdir(exist_ok=True)
        reports = [word for name in FORMATS[1:] for word in ("--report", f"{name}={out / name}")]
        done = self.scratch.drift(*words, *reports)
        assert not done.stderr
        found = {name: (out / name).read_text() for name in FORMATS[1:]} | {"text": done.stdout}
        for text in found.values():
            assert not [secret for secret in self.secrets if secret in text]
        return done.returncode, found


@pytest.fixture(scope="module")
def fleet(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Deploy twelve stacks, then change things as a person would in the Portal and in Zoho's console."""
    simulator, gone = Simulator(), Simulator()
    root = tmp_path_factory.mktemp("drift") / "projects"
    with serve(simulator) as base:
        scratched = scratch(root, engine, f"{base}/zoho")
        with serve(gone) as away:
            names = [(project, name) for project in PROJECTS for name in ("dev", "prod", "staging", "test")]
            places = {f"{project}/{name}": Place(project, name, base) for project, name in names}
            for number, name in enumerate(("crm/dev", "crm/prod"), 1):
                places[name].client_id, places[name].secret = own_client(number)
            places[UNREACHABLE].codat_url = away
            scratched.deploy(places.values(), {base: simulator, away: gone})
        codat_client(simulator, places["billing/prod"]).integration.enabled = False
        codat_client(simulator, places["billing/staging"]).integration.keys["clientId"] = OTHER_ID
        codat_client(simulator, places["billing/test"]).integration.keys["clientSecret"] = OTHER_SECRET
        simulator.zoho[places["crm/dev"].client_id].enabled.discard("uk")
        simulator.zoho[places["crm/prod"].client_id].throttled.add("eu")
        simulator.forget_calls()
        secrets = {SECRET, OTHER_SECRET, scratched.environment["PULUMI_CONFIG_PASSPHRASE"]}
        secrets |= {secret for place in places.values() for secret in (place.secret, place.key)}
        yield Fleet(scratched, simulator, secrets, places)


def states(report: str) -> dict[str, Any]:
    """State, and the one finding that is not as declared, of each stack."""
    found = {}
    for stack in json.loads(report)["stacks"]:
        odd = [
            (one["state"], one["field"], one["declared"] if one["field"] != "client_secret" else None, one["actual"])
            for resource in stack["resources"]
            for one in resource["findings"]
            if one["state"] != "as declared"
        ]
        found[f"{stack['project']}/{stack['stack']}"] = odd[0] if odd else stack["state"]
        assert len(odd) <= 1
    return found


def test_each_format_says_exactly_what_was_changed(fleet: Fleet) -> None:
    """Twice the same; nothing is written, state is byte-identical, Zoho is asked once per client and data centre."""
    before = fleet.scratch.files()
    expected = dict.fromkeys(fleet.places, "as declared") | FOUND | {UNREACHABLE: "error"}
    drawn = []
    for _ in range(2):
        fleet.simulator.forget_calls()
        code, reports = fleet.check(*PROJECTS, "--all-stacks")
        assert code == 1
        assert states(reports["json"]) == expected
        _same_in_every_format(reports)
        drawn.append({name: _timeless(report) for name, report in reports.items()})
        assert not fleet.simulator.writes
        assert len(fleet.simulator.probes) == 9, "three clients, three data centres"
    assert drawn[0] == drawn[1]
    assert fleet.scratch.files() == before


def _timeless(report: str) -> str:
    report = re.sub(r"\d{4}\\?-\d\d\\?-\d\d[T ]\d\d:\d\d:\d\d(Z| UTC)?", "TIME", report)
    return re.sub(r'(?<=[ ("])\d+\.\d+(?= s|")|(?<="seconds": )[\d.]+', "SECONDS", report)


def _same_in_every_format(reports: dict[str, str]) -> None:
    for name, found in FOUND.items():
        block = re.findall(rf"^{name}: {found[0]}.*?(?=^\S|\Z)", reports["text"], re.MULTILINE | re.DOTALL)[0]
        assert re.search(rf"{found[0]}  {found[1]}: ", block)
        block = reports["markdown"].split(f"### `{name}`: {found[0]}")[1].split("###")[0]
        assert f"`{found[1]}`" in block
    root = ET.fromstring(reports["junit"])
    bad = {
        (str(suite.get("name")), str(case.get("name"))): case[0].tag for suite in root for case in suite if len(case)
    }
    tags = {"drift": "failure", "cannot tell": "skipped"}
    assert bad == {(name, found[1]): tags[found[0]] for name, found in FOUND.items()} | {(UNREACHABLE, "read"): "error"}
    row = dict(re.findall(r'<th scope="row">(?:<a [^>]*>)?([^<]*)(.*?)</tr>', reports["html"]))
    for name, cells in row.items():
        expected = FOUND[name][0] if name in FOUND else "error" if name == UNREACHABLE else "as declared"
        assert re.findall(r"</span>(error|drift|cannot tell|as declared)<", cells)[0] == expected
    assert len(row) == 12


def test_without_the_unreachable_one_it_is_drift(fleet: Fleet) -> None:
    """7, as pulumi itself says; and 0 for what is clean, silently when asked for silence."""
    code, reports = fleet.check("billing", "shop", "--all-stacks")
    assert code == 7 and "could not be checked" not in reports["text"]
    done = fleet.scratch.drift("shop", "--all-stacks", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_cannot_be_told_counts_only_when_asked(fleet: Fleet) -> None:
    """An inconclusive Zoho is no drift, with --strict it is; with --no-verify Zoho is not asked at all."""
    assert fleet.check("crm", "--stack", "prod")[0] == 0
    assert fleet.check("crm", "--stack", "prod", "--strict")[0] == 7
    fleet.simulator.forget_calls()
    code, reports = fleet.check("crm", "--stack", "dev", "--no-verify")
    assert code == 0 and not fleet.simulator.probes
    assert "not asked in this run" in reports["text"]


def test_calls_are_told_on_request(fleet: Fleet) -> None:
    """What was called is told at the end, little left is in the report."""
    fleet.simulator.forget_calls()
    fleet.simulator.daily_limit, fleet.simulator.clock = 2, lambda: time.time() + 86_400
    try:
        done = fleet.scratch.drift("billing", "--all-stacks", env={"CODAT_ZOHO_CALLS": "1"})
    finally:
        fleet.simulator.daily_limit, fleet.simulator.clock = 1000, time.time
    assert len(fleet.simulator.calls) == 15
    assert re.fullmatch(
        r"codat-zoho: 12 calls to Codat and 3 calls to Zoho; 0 of 2 calls are left today .* other Codat clients\.\n",
        done.stderr,
    )
    assert "0 of 2 calls are left today for the Codat API key from " in done.stdout


def test_shards_share_the_stacks_out(fleet: Fleet) -> None:
    """Every stack is checked by exactly one shard, whichever others there are."""
    seen: list[str] = []
    for part in ("1/3", "2/3", "3/3"):
        done = fleet.scratch.drift("billing", "shop", "--all-stacks", "--shard", part, "--format", "json")
        seen += states(done.stdout)
    assert sorted(seen) == sorted(name for name in fleet.places if not name.startswith("crm"))


def test_undeployed_code_is_named_apart_from_drift(fleet: Fleet) -> None:
    """A change in the program is no drift, and drift is no undeployed change."""
    settings = fleet.scratch.root / "billing" / "Pulumi.prod.yaml"
    before = settings.read_text()
    settings.write_text(f"{before}  billing:enabled: false\n")
    try:
        code, reports = fleet.check("billing", "--stack", "prod", "--pending")
    finally:
        settings.write_text(before)
    (stack,) = json.loads(reports["json"])["stacks"]
    assert code == 7 and states(reports["json"]) == {"billing/prod": FOUND["billing/prod"]}
    (change,) = stack["pending"]
    assert change["operation"] == "update"
    assert change["fields"] == [{"field": "enabled", "before": True, "after": False}]


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        (("shop", "--stack", "prdo"), {}, 1, "There is no stack 'prdo' in shop. Did you mean 'prod'?"),
        (("shop", "--stack", "prod"), {"PULUMI_CONFIG_PASSPHRASE": ""}, 1, "passphrase"),
        (("shop", "--stack", "prod"), {"PULUMI_CONFIG_PASSPHRASE": "wrong"}, 1, "does not open the stack's secrets"),
        (("nowhere", "--all-stacks"), {}, 1, "There is no folder nowhere."),
        (("broken", "--all-stacks"), {}, 1, "The project cannot be read:"),
        (
            ("shop",),
            {},
            1,
            "No stack is selected: give --stack NAME or --all-stacks. There are dev, prod, staging, test.",
        ),
        (("shop", "--stack", "prod"), {"CODAT_API_KEY_SHOP_PROD": ""}, 3, "No Codat API key"),
        (("shop", "--stack", "prod"), {"CODAT_API_KEY_SHOP_PROD": "wrong-key"}, 3, "Codat refused the API key"),
        (("shop", "--stack", "prod"), {"PULUMI_BACKEND_URL": "https://127.0.0.1:9"}, 3, "is not logged in"),
    ],
)
def test_what_goes_wrong_is_one_line(
    fleet: Fleet, words: tuple[str, ...], env: dict[str, str], code: int, said: str
) -> None:
    """No engine noise, no traceback, no secret: what, and what to do."""
    (fleet.scratch.root / "broken").mkdir(exist_ok=True)
    (fleet.scratch.root / "broken" / "Pulumi.yaml").write_text("name: [")
    done = fleet.scratch.drift(*words, env=env)
    assert done.returncode == code, done.stdout
    (line,) = re.findall(r"^ +(?=\S)(?!\S+ \(Zoho).+", done.stdout, re.MULTILINE)
    assert said in line
    assert not done.stderr and "wrong-key" not in done.stdout


def test_one_failing_project_stops_no_other(fleet: Fleet) -> None:
    """What can be checked is checked."""
    done = fleet.scratch.drift("nowhere", "shop", "--all-stacks", "--format", "json")
    assert done.returncode == 1
    assert list(states(done.stdout).values()) == ["error", *["as declared"] * 4]


def test_the_selected_stack_is_checked_and_stays_selected(fleet: Fleet) -> None:
    """Without a name it is the stack that pulumi would take; checking others selects nothing."""
    fleet.scratch.engine("stack", "select", "test", project="billing")
    home = Path(fleet.scratch.environment["PULUMI_HOME"]) / "workspaces"
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    done = fleet.scratch.drift("--format", "json", cwd=fleet.scratch.root / "billing")
    assert states(done.stdout) == {"billing/test": FOUND["billing/test"]}
    fleet.scratch.drift("billing", "--stack", "dev")
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


def test_no_pulumi_is_one_line(fleet: Fleet, tmp_path: Path) -> None:
    """It says what to install."""
    done = fleet.scratch.drift("shop", "--all-stacks", env={"PATH": str(tmp_path)})
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "codat-zoho: There is no pulumi on PATH. Install Pulumi (https://www.pulumi.com/docs/install/) and put it on "
        "PATH.\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(fleet: Fleet, tmp_path: Path, number: signal.Signals) -> None:
    """130, one word, no process, no lock, no folder; earlier reports stay as they were."""
    before = fleet.scratch.files()
    fleet.simulator.fail(Fault(method="GET", path="/codat/", delay=1.0, times=-1))
    report = tmp_path / "drift.json"
    report.write_text("of yesterday")
    folder = tmp_path / "tmp"
    folder.mkdir()
    fleet.simulator.forget_calls()
    try:
        running = subprocess.Popen(
            [sys.executable, "-m", "codat_zoho", "drift", "shop", "--all-stacks", "--report", f"json={report}"],
            cwd=fleet.scratch.root,
            env=fleet.scratch.environment | {"TMPDIR": str(folder), "CODAT_ZOHO_TEST": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not fleet.simulator.calls:
            assert running.poll() is None
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    finally:
        fleet.simulator.faults.clear()
    assert (running.returncode, out, err) == (130, "", "codat-zoho: interrupted\n")
    assert report.read_text() == "of yesterday"
    assert not list(folder.iterdir())
    assert not _processes_with(f"CODAT_ZOHO_TEST={tmp_path}")
    assert fleet.scratch.files() == before


def _processes_with(setting: str) -> list[int]:
    """Processes that have this in their environment, those of an engine's plugins among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if setting.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_a_stack_that_takes_too_long_is_ended(fleet: Fleet) -> None:
    """--timeout bounds a stack, and it is an error, not a clean stack."""
    fleet.simulator.fail(Fault(method="GET", path="/codat/", delay=5.0, times=-1))
    try:
        done = fleet.scratch.drift("shop", "--stack", "dev", "--timeout", "1")
    finally:
        fleet.simulator.faults.clear()
    assert done.returncode == 1 and "longer than --timeout allows" in done.stdout


def test_remediation_restores_what_a_command_can(fleet: Fleet) -> None:
    """The last test, since it changes things: refused without consent, done with --yes, and then there is no drift."""
    done = fleet.scratch.drift("billing", "--all-stacks", "--remediate")
    assert done.returncode == 2 and "add --yes" in done.stderr
    fleet.simulator.forget_calls()
    done = fleet.scratch.drift("billing", "crm", "--stack", "prod", "--stack", "dev", "--remediate", "--yes")
    assert done.returncode == 7, done.stdout + done.stderr
    assert "Remediation done: pulumi up --refresh has restored what is declared." in done.stdout
    assert "Remediation by hand: What only a person can change" in done.stdout
    assert [call.detail for call in fleet.simulator.writes] == ["enable"]
    assert fleet.scratch.drift("billing", "--stack", "prod").returncode == 0

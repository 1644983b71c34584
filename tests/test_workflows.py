"""The repository's own workflows, and what checks them and the examples for others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real_engine import ROOT
from tools import workflows
from tools.engine import VERSION

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GITHUB = ROOT / ".github"
UNSAFE = """
on: pull_request
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.event.pull_request.title }}"
"""
WRONG = "on: push\njobs: {one: {runs-on: ubuntu-latest, needs: [two], steps: [{run: 'true'}]}}\n"


@pytest.fixture
def actionlint(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command, when it is here: a test fetches nothing."""
    monkeypatch.setenv("GOPROXY", "off")
    command, why_not = workflows.actionlint_command()
    if not command:
        pytest.skip(f"no actionlint here, which `make check` fetches where it can: {why_not}")
    return command


def test_zizmor_finds_nothing() -> None:
    """Neither in our workflows and the update bot's configuration nor in the examples; in an unsafe one it does."""
    done = workflows.zizmor(GITHUB, *workflows.EXAMPLES)
    assert done.returncode == 0, done.stdout
    assert len(workflows.EXAMPLES) == 2 and len(workflows.WORKFLOWS) == 4


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    """An action by its tag and a title in a script are found."""
    unsafe = tmp_path / "unsafe.yml"
    unsafe.write_text(UNSAFE)
    done = workflows.zizmor(unsafe)
    assert done.returncode != 0 and "template-injection" in done.stdout and "unpinned-uses" in done.stdout


def test_actionlint_finds_nothing(actionlint: list[str], tmp_path: Path) -> None:
    """Expressions, contexts and needs are those that there are; in a wrong one it finds that they are not."""
    assert workflows.actionlint(actionlint, *workflows.WORKFLOWS).returncode == 0
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WRONG)
    assert "two" in workflows.actionlint(actionlint, wrong).stdout


def test_without_go_actionlint_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Except where it has to run, as in CI."""
    monkeypatch.setenv("PATH", "")
    for strict, code, word in (("", 0, "skipped"), ("1", 1, "FAILED")):
        monkeypatch.setenv("WORKFLOWS_STRICT", strict)
        assert workflows.main() == code
        said = capsys.readouterr().out
        assert f"actionlint: {word}: there is neither actionlint nor Go on PATH\n" in said
        assert "zizmor: nothing found\n" in said


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-workflows", "workflows/ci.yml"),
        ("github-workflows", "workflows/release.yml"),
        ("dependabot", "dependabot.yml"),
    ],
)
def test_they_match_the_schema(schema: str, name: str) -> None:
    """What the forge would refuse is found here."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(GITHUB / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _loaded(name: str) -> Any:
    return yaml.safe_load((GITHUB / "workflows" / name).read_text())


def test_actions_are_pinned_alike() -> None:
    """Each by a commit with its version beside it, and the same one everywhere, the examples included."""
    pins: dict[str, set[str]] = {}
    for path in workflows.WORKFLOWS:
        for action, pin in re.findall(r"uses: (\S+?)@(.*)", path.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{path.name}: {action}"
            pins.setdefault(action, set()).add(pin)
    assert len(pins) > 5
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_rights_are_the_least(name: str) -> None:
    """No right by default, no stored secret anywhere; only what publishes gets an identity, and it runs nothing of ours."""
    workflow = _loaded(name)
    assert workflow["permissions"] == {}
    assert "secrets." not in (GITHUB / "workflows" / name).read_text()
    for job_name, job in workflow["jobs"].items():
        publishes = job_name == "publish"
        assert job["permissions"] == ({"id-token": "write"} if publishes else {"contents": "read"})
        assert ("environment" in job) is publishes
        assert not publishes or not [step for step in job["steps"] if "run" in step]


def test_ci_runs_what_people_run() -> None:
    """`make check`, and `make test` on the oldest and the newest Python, with the engine that is built elsewhere."""
    jobs = _loaded("ci.yml")["jobs"]
    runs = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert runs == {"check": ["make check"], "test": ["make test"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    minors = re.findall(r"Python :: 3\.(\d+)", str(project["classifiers"]))
    assert jobs["test"]["strategy"]["matrix"]["python"] == [f"3.{one}" for one in (minors[0], minors[-1])]
    assert project["requires-python"] == f">=3.{minors[0]}"
    (engine,) = (step["with"] for step in jobs["test"]["steps"] if step.get("uses", "").startswith("pulumi/actions@"))
    assert engine == {"pulumi-version": VERSION}


def test_the_bot_looks_after_everything_that_is_pinned() -> None:
    """Actions, the locked requirements, the engine's modules: each folder that is named has what it is named for."""
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    folders = {one["package-ecosystem"]: one.get("directories") or [one["directory"]] for one in updates}
    holds = {"github-actions": "*.yml", "pip": "*.txt", "gomod": "go.mod"}
    assert {*folders} == {*holds}
    for ecosystem, names in folders.items():
        for name in names:
            place = GITHUB / "workflows" if name == "/" else ROOT / name.strip("/")
            assert [*place.glob(holds[ecosystem])], name

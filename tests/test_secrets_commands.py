"""Canary secrets through every command, as processes: what they print, log, write and are called with holds none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codat_zoho.simulator import Simulator, serve
from tests.canaries import KEY, SECRET, CommandLines, Echo, echoing, leaks, leaks_in
from tests.mini_engine import Failed, Grpc
from tests.real_engine import ROOT, Project
from tests.support import ID
from tools.engine import Engine

_LOG_ALL = "import logging, os\nlogging.basicConfig(level=logging.DEBUG, filename=os.environ['LOG_ALL'])\n"
PASSPHRASE = "cAnary-0pen=Ses4me!4711"
TRIAL = ("contract", "--write", "--i-know-this-is-a-test-client", "--zoho", "us")
REPORTS = ("json", "markdown", "junit", "html")


@pytest.fixture
def lax() -> Iterator[None]:
    """A umask that lets everybody read and write what is created."""
    before = os.umask(0)
    yield
    os.umask(before)


def outspoken(folder: Path) -> dict[str, str]:
    """An environment in which everything that can be said is said, and temporary files go to a folder of their own."""
    for name in ("log", "tmp", "site"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text(_LOG_ALL)
    return {
        "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}",
        "LOG_ALL": str(folder / "log" / "all.log"),
        "TMPDIR": str(folder / "tmp"),
        "CODAT_ZOHO_DEBUG": "1",
        "CODAT_API_KEY": KEY,
        "ZOHO_CLIENT_ID": ID,
        "ZOHO_CLIENT_SECRET": SECRET,
    }


def run(*words: str, cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    """Run ``codat-zoho`` where there is no pulumi."""
    done = subprocess.run(
        [sys.executable, "-m", "codat_zoho", *words],
        cwd=cwd,
        env={**os.environ, "PATH": "/usr/bin:/bin", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("mode", [401, "names"])
def test_commands_in_front_of_a_remote_that_echoes(mode: int | str, tmp_path: Path, lax: None) -> None:
    """Every command that talks to Codat, with debugging and logging on: nothing of the keys in output, log or file."""
    folder = tmp_path / "here"
    folder.mkdir()
    env = outspoken(tmp_path)
    said = []
    with echoing() as (echo, base), CommandLines() as lines:
        echo.mode, echo.heard = mode, [KEY, SECRET]
        for words in (
            ("doctor", "--verify"),
            ("contract", "--output", "contract.json"),
            TRIAL,
            ("test-link", "--yes", "--link-file", "link", "--wait", "10s", "--format", "json"),
            ("adopt", "--stack", "new", "--client-id", ID, "--probe"),
            ("adopt", "--stack", "new", "--client-id", ID, "--dry-run"),
        ):
            code, text = run(*words, cwd=folder, env={**env, "CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho"})
            assert code in (0, 1, 3)
            said.append(text)
    for text in (*said, *lines.seen):
        assert not leaks(text, KEY, SECRET), text
    assert not leaks_in(tmp_path, KEY, SECRET)
    assert (tmp_path / "log" / "all.log").stat().st_size
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.slow
def test_files_are_their_owners(simulator: Simulator, tmp_path: Path, lax: None) -> None:
    """Whatever the umask: adopt's file and contract's result are readable by their owner only, and overwrite none."""
    simulator.add_codat_client(KEY, enabled=True, keys={"clientId": ID, "clientSecret": SECRET})
    folder = tmp_path / "here"
    folder.mkdir()
    with serve(simulator) as base:
        env = {**outspoken(tmp_path), "CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho"}
        commands = ("contract", "--output", "contract.json"), ("adopt", "--stack", "new", "--client-id", ID)
        for words in commands:
            code, text = run(*words, cwd=folder, env=env)
            assert code == 0, text
            assert not leaks(text, KEY, SECRET), text
        written = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        assert written == dict.fromkeys(("contract.json", "adopt-new.json"), 0o600)
        assert not leaks_in(tmp_path, KEY, SECRET)
        for path in folder.iterdir():
            path.write_text("mine")
        for words in commands:
            code, text = run(*words, cwd=folder, env=env)
            assert code == 1
            assert "already" in text and "a bug" not in text
    assert {path.read_text() for path in folder.iterdir()} == {"mine"}


_STACK = """\
config:
  codat-zoho:zohoClientId: "{id}"
  codat-zoho:zohoClientSecret: "{secret}"
  codat-zoho:apiKey: '{key}'
  codat-zoho:apiKeys: {{"one": '{key}'}}
  codat-zoho:regions: ["us", '{secret}']
  codat-zoho:enabled: '{secret}'
  codat-zoho:connection: '{key}'
  codat-zoho:{typo}: '{secret}'
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken", ["", "  - '{secret}\n", "  {secret}: &{secret} *{secret}\n", "\t{secret}: [{secret}\n"]
)
def test_review_of_secrets_in_clear(broken: str, tmp_path: Path) -> None:
    """What stands in clear in a file of the repository is reviewed without being repeated, valid or not."""
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "init", "-q", "."], cwd=tmp_path, check=True)
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    text = _STACK.format(id=ID, secret=SECRET, key=KEY, typo="zohoClientSecrt") + broken.format(secret=SECRET)
    (tmp_path / "Pulumi.prod.yaml").write_text(text)
    for drawn in ("text", "markdown", "json", "annotations"):
        _, said = run("review", "--base", "HEAD", "--format", drawn, cwd=tmp_path, env={"CODAT_ZOHO_DEBUG": "1"})
        assert "prod" in said
        assert not leaks(said, KEY, SECRET), said


@pytest.mark.slow
def test_a_contract_file_and_an_earlier_report_that_hold_secrets(tmp_path: Path) -> None:
    """A file that is not what it should be is refused without being quoted."""
    texts = [
        f'"{SECRET}"',
        SECRET,
        f'{{"codat-zoho-contract": 1, "assumptions": [{{"name": "mask", "seen": "{SECRET}"}}]}}',
    ]
    for text in (*texts, f'{{"codat-zoho-contract": 1, "assumptions": "{SECRET}"}}', f'{{"version": "{SECRET}"}}'):
        (tmp_path / "file.json").write_text(text)
        for words in (
            ("simulate", "--port", "0", "--contract", "file.json"),
            ("review", "--preview", "file.json"),
        ):
            code, said = run(*words, cwd=tmp_path, env={"CODAT_ZOHO_DEBUG": "1"})
            assert code == 1
            assert not leaks(said, SECRET), said


# --- the provider as a process ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mode", [400, 401, "names"])
def test_the_provider_process_in_front_of_a_remote_that_echoes(mode: int | str, tmp_path: Path, lax: None) -> None:
    """Over the engine's own protocol, with debugging and logging on: its output, its log and its errors hold nothing."""
    program = {"client_id": ID, "client_secret": SECRET, "enabled": True}
    failures: list[str] = []
    errors = (tmp_path / "stderr").open("w+")
    with echoing() as (echo, base), errors, CommandLines() as lines:
        env = {**os.environ, **outspoken(tmp_path), "ZOHO_URL": f"{base}/zoho"}
        del env["CODAT_API_KEY"]
        with Grpc(env, {"codat-zoho:apiKey": KEY, "codat-zoho:codatUrl": f"{base}/codat"}, stderr=errors) as wire:
            echo.mode = 200
            _methods(wire, echo, mode, program, failures)
    said = (tmp_path / "stderr").read_text()
    for text in (*failures, *lines.seen, said):
        assert not leaks(text, KEY, SECRET), text
    assert not leaks_in(tmp_path, KEY, SECRET)
    assert "codat-zoho: GET 127.0.0.1" in said
    assert (tmp_path / "log" / "all.log").stat().st_size


def _methods(wire: Grpc, echo: Echo, mode: int | str, program: dict[str, object], failures: list[str]) -> None:
    inputs, _ = wire.check("books", {}, program)
    echo.mode = mode
    calls: list[Callable[[], object]] = [
        lambda: wire.read("books", "default", inputs),
        lambda: wire.create("client", {"client_id": ID, "client_secret": SECRET, "regions": ["us"]}),
    ]
    if mode != "names":  # There it would wait for writes to show.
        calls += [
            lambda: wire.update("books", "default", {**inputs, "enabled": False}, inputs),
            lambda: wire.create("books", inputs),
            lambda: wire.delete("books", "default", inputs),
        ]
    for call in calls:
        try:
            outs = call()
        except Failed as failed:  # noqa: PERF203
            failures.append(str(failed))
        else:
            found = outs[1] if isinstance(outs, tuple) else {}
            failures.append(repr({name: value for name, value in found.items() if name != "client_secret"}))


def test_a_failure_is_one_line_over_the_wire(tmp_path: Path) -> None:
    """Without debugging the engine is told what went wrong, and no traceback around it."""
    with echoing() as (echo, base):
        echo.mode = 401
        env = {**os.environ, **outspoken(tmp_path), "CODAT_URL": f"{base}/codat", "CODAT_ZOHO_DEBUG": ""}
        with Grpc(env) as wire, pytest.raises(Failed) as failed:
            wire.read("books", "default", {"connection": "default", "enabled": True})
    assert "ApiKeyRefused" in str(failed.value)
    assert "Traceback" not in str(failed.value) and 'File "' not in str(failed.value)


# --- the real engine --------------------------------------------------------------------------------------------------


@pytest.mark.engine
def test_runs_of_the_real_engine(engine: Engine, simulator: Simulator, tmp_path: Path, lax: None) -> None:
    """Deploying, drift, failure, adoption, with all logs on: nothing in state, logs, reports, temporary files, or ps."""
    client = simulator.add_codat_client(KEY)
    simulator.add_zoho_client(ID, SECRET)
    env = outspoken(tmp_path)
    with serve(simulator) as base, CommandLines() as lines, echoing() as (echo, echo_base):
        project = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        project.environment |= env | {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        del project.environment["CODAT_API_KEY"], project.environment["ZOHO_CLIENT_SECRET"]
        project.configure(
            {"client": {"client_id": ID, "client_secret": SECRET, "regions": ["us"]}, "books": {"enabled": True}}
        )
        project.must("config", "set", "--secret", "codat-zoho:apiKey", stdin=KEY)
        assert project.up().returncode == 0, project.said[-1]
        client.integration.keys["clientSecret"] = SECRET[:-1] + "y"
        drift = ["drift", *(word for name in REPORTS for word in ("--report", f"{name}=report.{name}"))]
        _command(project, *drift, code=7)
        assert (project.folder / "report.json").exists()
        project.must("preview", "--refresh", "--diff")
        _command(project, "doctor", "--verify", code=0)
        echo.mode, echo.heard = 400, [KEY, SECRET]
        assert project.run("refresh", "--yes", CODAT_URL=f"{echo_base}/codat").returncode != 0
        client.integration.keys["clientSecret"] = SECRET
        adopt = ("adopt", "--run", "--yes", "--stack", "second", "--client-id", ID, "--regions", "us", "--probe")
        _command(project, *adopt, code=0, CODAT_API_KEY=KEY, ZOHO_CLIENT_SECRET=SECRET)
        (project.folder / "files").mkdir()
        _command(
            project,
            "adopt",
            "--stack",
            "second",
            "--client-id",
            ID,
            code=0,
            CODAT_API_KEY=KEY,
            ZOHO_CLIENT_SECRET=SECRET,
        )
    for text in (*project.said, *lines.seen):
        assert not leaks(text, KEY, SECRET, PASSPHRASE), text
    assert not leaks_in(tmp_path, KEY, SECRET, PASSPHRASE)
    assert any("pulumi" in line and "import" in line for line in lines.seen)
    assert (project.folder / "adopt-second.json").stat().st_mode & 0o777 == 0o600
    ours = [path.name for path in (tmp_path / "tmp").iterdir() if path.name.startswith("codat-zoho")]
    assert not ours


def _command(project: Project, *words: str, code: int, **env: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codat_zoho", *words],
        cwd=project.folder,
        env={**project.environment, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )
    project.said.append(done.stdout + done.stderr)
    assert done.returncode == code, project.said[-1]

"""``codat-zoho drift`` as a command: what it accepts, where it writes, how fast it may go, how it ends. No engine."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.cli import COMMANDS, main
from codat_zoho.drift import stacks as stacks_module
from codat_zoho.drift.command import Output, interruptible, outputs, parser
from codat_zoho.drift.report import Remediation, Report, Stack, State
from codat_zoho.drift.stacks import Checks, belongs
from codat_zoho.errors import ConfigurationError
from codat_zoho.terminal import console
from codat_zoho.workspace.command import Children, Stopped, TimedOut
from codat_zoho.workspace.failures import Failed, Failure
from codat_zoho.workspace.pulumi_yaml import Project
from tests.drift_samples import DRIFT, FINE, SAMPLE, books

# --- the command line -------------------------------------------------------------------------------------------------


def test_help_reads_without_pulumi() -> None:
    """Help and typing errors are quick: nothing heavy is imported for them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "codat_zoho", "drift", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not imported & {"pulumi", "httpx", "grpc"}
    for option in ("--all-stacks", "--report", "--shard", "--strict", "--remediate", "--previous"):
        assert option in done.stdout
    assert "exit codes" in done.stdout and "7    drift" in done.stdout
    assert "drift" in COMMANDS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shard", "3/2"], "is not like 2/5"),
        (["--shard", "x"], "is not like 2/5"),
        (["--jobs", "0"], "must be a whole number from 1 to"),
        (["--stack", "a", "--all-stacks"], "not allowed with"),
        (["--report", "pdf=x"], "the formats are text, json, markdown, junit, html"),
        (["--report", "json"], "is not like json=drift.json"),
        (["--report", "json=/nowhere/drift.json"], "its folder does not exist"),
        (["--output", "/"], "it is a folder"),
        (["--report", "json=a", "--report", "html=a"], "same file"),
        (["--report", "json=a", "--report", "junit=./a"], "same file"),
        (["--output", "a", "--report", "junit=../{here}/a"], "same file"),
        (["--timeout", "99999999999"], "must be a whole number from 1 to"),
        (["--yes"], "--yes needs --remediate"),
        (["--remediate"], "add --yes"),
        (["--all-stack"], "unrecognized arguments"),
        (["shop", "--state", "a"], "unrecognized arguments|does not go together with folders of projects"),
        (["--state", "a", "--all-stacks"], "not allowed with"),
        (["--state", "a", "--shard", "1/2"], "does not go together with --shard"),
        (["--state", "a", "--pending"], "does not go together with --pending"),
        (["--state", "a", "--remediate", "--yes"], "does not go together with --remediate"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_runs(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and the reason."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        main(["drift", *(word.replace("{here}", Path.cwd().name) for word in words)])
    assert ended.value.code == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert any(one in shown for one in said.split("|"))


def test_an_unusable_earlier_report_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All drift would look new otherwise."""
    path = tmp_path / "old.json"
    path.write_text("{}")
    assert main(["drift", "--previous", str(path)]) == 1
    assert "cannot be used: it is no drift report" in capsys.readouterr().err


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_report_replaces_the_old_one_at_once(tmp_path: Path) -> None:
    """Who reads it meanwhile never meets half a report; the file's mode stays, and nothing lies beside it."""
    path = tmp_path / "drift.json"
    path.write_text("old")
    path.chmod(0o640)
    Output("json", path).write(SAMPLE)
    assert json.loads(path.read_text())["version"] == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and list(tmp_path.iterdir()) == [path]


def test_a_new_report_has_the_usual_mode(tmp_path: Path) -> None:
    """Other steps of a pipeline read it."""
    mask = os.umask(0o022)
    try:
        Output("html", tmp_path / "drift.html").write(SAMPLE)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "drift.html").stat().st_mode) == 0o644


def test_a_link_leads_to_the_new_report(tmp_path: Path) -> None:
    """Where a report is published by a link, the link stays; so does one that leads nowhere yet."""
    link, there = tmp_path / "latest.json", tmp_path / "there.json"
    link.symlink_to(there)
    for text in ("", "old"):
        there.write_text(text) if text else None
        Output("json", link).write(SAMPLE)
        assert link.is_symlink() and json.loads(there.read_text())["version"] == 1


def test_other_reports_are_written_where_one_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk, or a reader that went away, costs that one: one line says so, and the exit code is 1."""
    state = tmp_path / "state.json"
    state.write_text('{"version": 3, "deployment": {}}')
    write = Output.write

    def nobody_reads(output: Output, report: Report) -> None:
        if output.path is None:
            raise BrokenPipeError
        write(output, report)

    monkeypatch.setattr(Output, "write", nobody_reads)
    reports = ["--report", "json=/dev/full", "--report", f"html={tmp_path / 'drift.html'}"]
    assert main(["drift", "--state", str(state), *reports]) == 1
    assert capsys.readouterr().err == "codat-zoho: /dev/full cannot be written: No space left on device.\n"
    assert (tmp_path / "drift.html").read_text().startswith("<!DOCTYPE html>")


def test_a_pipe_that_nobody_writes_to_is_given_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A state is waited for no longer than --timeout says."""
    os.mkfifo(tmp_path / "pipe")
    assert main(["drift", "--state", str(tmp_path / "pipe"), "--timeout", "1"]) == 1
    assert "longer than --timeout" in capsys.readouterr().out


def test_a_device_is_written_to_as_it_is() -> None:
    """/dev/null, or a pipe, is not replaced by a file."""
    Output("markdown", Path(os.devnull)).write(SAMPLE)
    assert not Path(os.devnull).is_file()


def test_a_report_that_cannot_be_drawn_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure half-way leaves no file of its own."""
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(ConfigurationError, match="cannot be written: full"):
        Output("junit", tmp_path / "drift.xml").write(SAMPLE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("terminal", "words", "env", "color"),
    [
        (True, [], {}, True),
        (False, [], {}, False),
        (True, ["--no-color"], {}, False),
        (True, [], {"NO_COLOR": "1"}, False),
        (True, ["--output", "x"], {}, False),
    ],
)
def test_colours_are_for_terminals(
    terminal: bool, words: list[str], env: dict[str, str], color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files, pipes and who says so get none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert outputs(parser().parse_args(words))[0].color is color


# --- which stacks -----------------------------------------------------------------------------------------------------


@given(st.text(), st.integers(1, 20))
def test_a_stack_belongs_to_exactly_one_shard(title: str, count: int) -> None:
    """Nothing is left out and nothing is checked twice, whatever other stacks there are."""
    assert sum(belongs(title, index, count) for index in range(1, count + 1)) == 1


def test_shards_stay_as_they_are() -> None:
    """The numbers are pinned: another hash would move every stack to another machine."""
    assert [index for index in range(1, 8) if belongs("billing/prod", index, 7)] == [7]


class DoubleFleet:
    """A fleet without an engine: a project 'shop' with two stacks, one of which drifted."""

    def __init__(self, listed: dict[str, bool] | Failure) -> None:
        self.listed = listed
        self.restored: list[str] = []

    def project(self, given: str) -> Project:
        if given == "nowhere":
            raise Failed(Failure("project", "There is no folder nowhere."))
        return Project(given, file=Path(given, "Pulumi.yaml").resolve(), given=given)

    def stacks(self, project: Project) -> dict[str, bool]:
        if isinstance(self.listed, Failure):
            raise Failed(self.listed)
        return self.listed

    def check(self, project: Project, name: str) -> Stack:
        if name not in ("dev", "prod"):
            return Stack(project.name, name, project.given, failure=Failure("unknown stack", "no stack"))
        return Stack(project.name, name, project.given, (books(DRIFT if name == "prod" else FINE),))

    def check_file(self, file: str) -> Stack:
        return Stack("shop", file, file, (books(FINE),))

    def remediate(self, project: Project, stack: Stack) -> Remediation:
        self.restored.append(stack.title)
        return Remediation("done")


LISTED = {"dev": True, "prod": False}


def checks(*words: str, listed: dict[str, bool] | Failure = LISTED) -> Checks:
    """What these arguments check."""
    arguments = parser().parse_args(list(words))
    arguments.project = arguments.project or ["."]
    return Checks(DoubleFleet(listed), arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        (["shop"], ["shop/dev"]),
        (["shop", "--all-stacks"], ["shop/dev", "shop/prod"]),
        (["shop", "crm", "--stack", "prod"], ["shop/prod", "crm/prod"]),
        (["shop", "shop", "--stack", "dev"], ["shop/dev"]),
        (["shop", "./shop/", "../{here}/shop", "--stack", "dev"], ["shop/dev"]),
        (["shop", "--stack", "dev", "--stack", "organization/shop/dev"], ["shop/dev"]),
        (["--state", "a.json", "b.json", "--state", "./a.json"], ["shop/a.json", "shop/b.json"]),
    ],
)
def test_which_stacks_are_checked(words: list[str], titles: list[str]) -> None:
    """The selected one, the named ones, or all, of each project, each once and in order."""
    words = [word.replace("{here}", Path.cwd().name) for word in words]
    assert [stack.title for stack in checks(*words).run()] == titles


def test_a_typo_is_answered_with_a_guess_or_the_list() -> None:
    """An unknown stack is an error that helps."""
    (close,) = checks("shop", "--stack", "prdo").run()
    assert close.failure and close.failure.text == "There is no stack 'prdo' in shop. Did you mean 'prod'?"
    (far,) = checks("shop", "--stack", "xyz").run()
    assert far.failure and far.failure.text == "There is no stack 'xyz' in shop. There are dev, prod."


def test_a_backend_that_cannot_list_is_told_once() -> None:
    """With names, their own checks tell; without, the project does."""
    locked_out = Failure("authentication", "not logged in")
    (stack,) = checks("shop", "--all-stacks", listed=locked_out).run()
    assert stack.failure == locked_out and stack.title == "shop/*"
    assert [one.state for one in checks("shop", "--stack", "dev", listed=locked_out).run()] == [State.AS_DECLARED]


def test_nothing_to_check_is_said() -> None:
    """No stack is no clean stack."""
    (empty,) = checks("shop", "--all-stacks", listed={}).run()
    assert empty.state is State.ERROR and empty.failure and "nothing was checked" in empty.failure.text
    assert [one.title for one in checks("shop", "nowhere", "--all-stacks", listed={}).run()] == ["nowhere/*"]
    (stack,) = checks("shop", listed={f"s{number}": False for number in range(12)}).run()
    assert stack.failure and "s7 and 4 more" in stack.failure.text


def test_every_shard_tells_of_a_project_that_cannot_be_listed() -> None:
    """None can know whose stacks these would have been."""
    for part in ("1/2", "2/2"):
        run = checks("nowhere", "shop", "--all-stacks", "--shard", part)
        assert next(stack.title for stack in run.run()) == "nowhere/*"
        assert "of 3 stacks." in run.notes[0]


@pytest.mark.parametrize(("answer", "outcome"), [("y\n", "done"), ("\n", "declined"), ("no\n", "declined")])
def test_remediation_asks(
    answer: str, outcome: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only drifted stacks, only after a yes; the question says that code changes go along."""
    run = checks("shop", "--all-stacks")
    report = Report(run.run(), "2026-01-01T00:00:00Z")
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    after = run.remediate(report, ask=True)
    assert [stack.remediation and stack.remediation.outcome for stack in after.stacks] == [None, outcome]
    asked = capsys.readouterr().err
    assert "shop/prod: drift in enabled" in asked and "also deploys what else has changed" in asked


def test_without_drift_nobody_is_asked() -> None:
    """There is nothing to restore."""
    report = Report(checks("shop").run(), "2026-01-01T00:00:00Z")
    assert checks("shop").remediate(report, ask=True) is report


def test_progress_is_one_line_that_goes_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal only, and never in CI."""
    checks("shop", "--all-stacks").run()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(stacks_module, "animated", lambda: True)
    checks("shop", "--all-stacks").run()
    shown = capsys.readouterr().err
    assert "2 of 2 stacks checked, 1 with drift or errors" in shown and shown.endswith("\r\x1b[K")
    checks("shop", "--quiet").run()
    assert capsys.readouterr().err == ""


def test_ci_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some CI systems give a terminal, and a log of half lines is of no use."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.delenv("CI", raising=False)
    assert console.animated()
    monkeypatch.setenv("CI", "true")
    assert not console.animated()


# --- without a usable pulumi -------------------------------------------------------------------------------------------


def pulumi(folder: Path, script: str) -> None:
    """Put a pulumi on PATH that is this shell script."""
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_pulumi_that_may_not_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told apart from one that is not there."""
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["drift", str(tmp_path)]) == 1
    assert "pulumi cannot be started (PermissionError)" in capsys.readouterr().err


def test_an_unreadable_list_is_an_error_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No list is no empty list."""
    pulumi(tmp_path, "echo no JSON")
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert main(["drift", str(tmp_path), "--all-stacks"]) == 1
    shown = capsys.readouterr().out
    assert "shop/*: error" in shown and "does not print a list of stacks" in shown


# --- children ---------------------------------------------------------------------------------------------------------

ENV = {"PATH": os.environ["PATH"]}
STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def test_a_child_is_run_to_its_end() -> None:
    """Its words and its code come back; it has no terminal to ask at."""
    code = "import sys; print(sys.stdin.read() == ''); print('e', file=sys.stderr); sys.exit(3)"
    assert Children().run([sys.executable, "-c", code], ".", ENV, seconds=60, grace=1) == (3, "True\n", "e\n")


def test_a_child_that_ignores_the_request_is_killed_with_its_own_children() -> None:
    """An engine's plugins are in groups of their own and would outlive it."""
    code = (
        f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], process_group=0)\n"
        if sys.version_info >= (3, 11)
        else "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], preexec_fn=os.setpgrp)\n"
    ) + "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nchild.wait()"
    with pytest.raises(TimedOut):
        Children().run([sys.executable, "-c", code], ".", ENV, seconds=1, grace=0.2)


@pytest.mark.parametrize("times", [1, 2])
def test_stopping_ends_what_runs_and_starts_nothing_more(times: int, tmp_path: Path) -> None:
    """The first time it is asked to end, the second time it is not waited for."""
    children, ended = Children(), threading.Event()
    outcome: list[type] = []
    ready = tmp_path / "ready"
    code = f"import pathlib, time; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"

    def work() -> None:
        try:
            children.run([sys.executable, "-c", code], ".", ENV, seconds=60, grace=10)
        except Stopped:
            outcome.append(Stopped)
        ended.set()

    threading.Thread(target=work).start()
    while not ready.exists():
        pass
    for _ in range(times):
        children.stop()
    assert ended.wait(30) and outcome == [Stopped]
    with pytest.raises(Stopped):
        children.run(["true"], ".", ENV, seconds=1, grace=1)


def test_signals_end_the_run_like_ctrl_c() -> None:
    """CI systems send SIGTERM; afterwards handlers are as they were."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interruptible(Children()):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_interruption_kills() -> None:
    """Whoever presses Ctrl-C twice does not wait."""

    class Impatient:
        stops = 0

        def stop(self) -> None:
            self.stops += 1
            if self.stops == 1:
                raise KeyboardInterrupt

    children = Impatient()
    with pytest.raises(ValueError, match="first"), interruptible(children):  # type: ignore[arg-type]
        raise ValueError("first")
    assert children.stops == 2


def test_waiting_ends_with_the_run() -> None:
    """Who waits for Codat's limit a minute does not keep an interrupted run from ending."""
    children = Children()
    children.wait(0.0)
    children.stop()
    with pytest.raises(Stopped):
        children.wait(60.0)

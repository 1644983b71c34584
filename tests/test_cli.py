"""The command line's frame: help, typos, exit codes, and no traceback whatever happens."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from codat_zoho.cli import COMMANDS, main, module_of
from codat_zoho.errors import ApiKeyRefused, ConfigurationError, Exit
from tests.support import SECRET


def command(monkeypatch: pytest.MonkeyPatch, run: Callable[[argparse.Namespace], int]) -> None:
    """Put a command in the place of ``simulate``."""
    module = ModuleType("codat_zoho.simulator.command")
    module.parser = lambda: argparse.ArgumentParser(prog="codat-zoho simulate")  # type: ignore[attr-defined]
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "codat_zoho.simulator.command", module)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Help lists each command with what it does, and every environment variable."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"  {name}" in said and text in said for name, text in COMMANDS.items())
    assert "CODAT_API_KEY" in said
    assert max(map(len, said.splitlines())) <= 100


@pytest.mark.parametrize("name", COMMANDS)
def test_each_commands_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains itself."""
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: codat-zoho {name}" in capsys.readouterr().out


def test_help_loads_neither_pulumi_nor_httpx() -> None:
    """Help is quick because it loads nothing that it does not need."""
    code = "import sys; from codat_zoho.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'pulumi', 'httpx', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("typed", "hint"), [("simulat", "did you mean 'simulate'?"), ("xyzzy", "there are ")])
def test_a_typo_gets_a_hint(typed: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command ends with 2 and a hint."""
    with pytest.raises(SystemExit) as ended:
        main([typed])
    assert ended.value.code == Exit.USAGE
    assert hint in capsys.readouterr().err


def _completed(*typed: str, shell: str = "bash") -> list[str]:
    """What a shell offers for the last word."""
    done = subprocess.run([sys.executable, "-m", "codat_zoho", "completion", shell], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words = " ".join(map(shlex.quote, ("codat-zoho", *typed)))
    asked = f"COMP_WORDS=({words}) COMP_CWORD={len(typed)}\n_codat_zoho\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    told = subprocess.run(["bash", "--norc", "-uc", f"{done.stdout}\n{asked}"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout.split()


def test_bash_completes_commands_options_and_values() -> None:
    """What is offered is what the parsers know, told by bash itself; after an option with a free value, file names."""
    assert _completed("") == [*COMMANDS, "--help", "--version"]
    assert _completed("dr") == ["drift"]
    assert set(_completed("drift", "--")) >= {"--all-stacks", "--stack", "--help"}
    assert _completed("drift", "--no-v") == ["--no-verify"]
    assert _completed("doctor", "--format", "") == ["text", "json"]
    assert _completed("drift", "--output", "") == []
    assert _completed("completion", "") == ["-h", "--help", "bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_what_is_printed_for_them(shell: str) -> None:
    """Where the shell is, it takes the lines; everywhere, they name each command and each of its options."""
    done = subprocess.run([sys.executable, "-m", "codat_zoho", "completion", shell], capture_output=True, text=True)
    for name in COMMANDS:
        for one in module_of(name).parser()._actions:
            for option in one.option_strings:
                assert re.search(rf"{name}.*{option.lstrip('-')}", done.stdout), (name, option)
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"there is no {shell} on PATH")
    read = subprocess.run([found, "-n"], input=done.stdout, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the package's."""
    from codat_zoho import __version__

    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"codat-zoho {__version__}\n"


def _raise(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def run(_: argparse.Namespace) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "codat-zoho: interrupted"),
        (ApiKeyRefused("Codat refused it.", "Copy it."), 3, "codat-zoho: Codat refused it. Copy it."),
        (ConfigurationError(f"Odd: {SECRET}."), 1, "codat-zoho: Odd: [redacted]."),
        (RuntimeError(f"a text with {SECRET}"), 1, "codat-zoho: a bug in codat-zoho (RuntimeError). Run it again with"),
    ],
)
def test_every_failure_is_one_line(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr, the documented exit code, no traceback, no text of a foreign exception."""
    command(monkeypatch, _raise(error))
    assert main(["simulate"]) == code
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1
    assert SECRET not in said


def test_debug_shows_a_redacted_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """CODAT_ZOHO_DEBUG=1 shows where, and still no secret."""
    monkeypatch.setenv("CODAT_ZOHO_DEBUG", "1")
    command(monkeypatch, _raise(RuntimeError(SECRET)))
    assert main(["simulate"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert SECRET not in said


def test_a_reader_that_goes_away() -> None:
    """`| head` is no reason for a traceback."""
    code = (
        "import sys, types, argparse; from codat_zoho.cli import main\n"
        "m = types.ModuleType('m'); m.parser = argparse.ArgumentParser\n"
        "def run(_):\n    for n in range(100000): print('line', n, flush=True)\n    return 0\n"
        "m.run = run; sys.modules['codat_zoho.simulator.command'] = m\nsys.exit(main(['simulate']))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["simulate", "--help"]])
def test_a_reader_that_was_never_there(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written when Python ends must not be complained of either."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "codat_zoho", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_simulate_serves_until_interrupted() -> None:
    """It prints what to export, serves, and ends on Ctrl-C with 0; `python -m` does the same."""
    for module in ("codat_zoho.simulator", "codat_zoho"):
        arguments = [] if module.endswith("simulator") else ["simulate"]
        with subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("export CODAT_URL=http://127.0.0.1:")
            assert process.stdout.readline() == "export CODAT_API_KEY=simulator-api-key\n"
            while "Ctrl-C" not in process.stdout.readline():
                pass
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(timeout=30) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says what to do."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["simulate", "--port", str(taken.getsockname()[1])]) == 1
    assert "choose another with --port" in capsys.readouterr().err
    assert main(["simulate", "--port", "99999"]) == 1


def test_exit_codes_are_the_documented_ones() -> None:
    """Pipelines rely on them."""
    assert {code.name: int(code) for code in Exit} == {
        "INTERRUPTED": 130,
        "ERROR": 1,
        "AUTHENTICATION": 3,
        "USAGE": 2,
        "CHANGES": 7,
        "OK": 0,
    }

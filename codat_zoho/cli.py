"""The command line: ``codat-zoho <command>``.

Each command has a module ``command`` with two functions: ``parser()`` describes its arguments, ``run(arguments)`` does
it and returns an exit code. Modules are imported when their command is called, so that help is quick.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from codat_zoho._version import __version__
from codat_zoho.errors import CodatZohoError, ConfigurationError, Exit, exit_of
from codat_zoho.terminal import completion
from codat_zoho.terminal.console import Parser, give_up, publish, remark, say
from codat_zoho.texts.environment_variables import debugging, help_text
from codat_zoho.texts.redact import register

COMMANDS: dict[str, str] = {
    "adopt": "take over what is in Codat, so that the first preview is empty",
    "completion": "print what completes this command line in bash, zsh or fish",
    "contract": "find out on a test client what is documented nowhere about Codat and Zoho",
    "doctor": "say what is wrong with this set-up, and what to do",
    "drift": "tell whether Codat and Zoho are still as declared, in any number of stacks",
    "review": "say what a change of configuration will do, before it is deployed",
    "simulate": "run stand-ins for Codat and Zoho on this machine",
    "test-link": "prove that a customer can link, with a test company that is deleted again",
}
"""Every command with its one line of help."""


def _parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:<12}{text}" for name, text in COMMANDS.items())
    parser = Parser(
        prog="codat-zoho",
        usage="codat-zoho [--version] <command> [options]",
        description="Keeps the Codat Zoho Books integration as declared in Pulumi.",
        epilog=f"commands:\n{commands}\n\n'codat-zoho <command> --help' tells more.\n\nenvironment:\n{help_text()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"codat-zoho {__version__}")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. Whatever goes wrong ends in one line on stderr, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # Not every console can show every character.
    try:
        return _run(argv)
    except KeyboardInterrupt:
        remark("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as `| head` does: no reason to complain, and nothing more to flush.
        give_up(sys.stdout)
        return Exit.ERROR
    except Exception as error:  # noqa: BLE001
        if debugging():
            import traceback

            say("".join(traceback.format_exception(error)))
        if isinstance(error, CodatZohoError):
            remark(str(error))
            return exit_of(type(error))
        if isinstance(error, OSError):  # Of the machine, and no bug: say, a disk that is full.
            where = f": {error.filename}" if error.filename else ""
            remark(f"{error.strerror or type(error).__name__}{where}.")
            return Exit.ERROR
        bug = f"a bug in codat-zoho ({type(error).__name__})"
        remark(f"{bug}. Run it again with CODAT_ZOHO_DEBUG=1 and report what it prints.")
        return Exit.ERROR


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        say(parser.format_help(), end="")
        return Exit.USAGE
    if arguments.command not in COMMANDS:
        import difflib

        close = difflib.get_close_matches(arguments.command, COMMANDS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(COMMANDS)}"
        parser.error(f"unknown command {arguments.command!r}{hint}")
    _know_secrets()
    try:
        Path.cwd()
    except OSError:
        raise ConfigurationError("The working directory is gone.", "Change into one that exists.") from None
    command = module_of(arguments.command)
    return int(command.run(command.parser().parse_args(arguments.rest)))


def module_of(command: str) -> Any:
    """Import the module of a command."""
    if command == "completion":
        return SimpleNamespace(parser=completion.parser, run=_complete)
    return importlib.import_module(f"codat_zoho.{_FOLDERS.get(command, command)}.command")


_FOLDERS = {"simulate": "simulator", "test-link": "link"}


def _complete(arguments: argparse.Namespace) -> int:
    publish(completion.script(arguments.shell, COMMANDS, {name: module_of(name).parser() for name in COMMANDS}))
    return Exit.OK


def _know_secrets() -> None:
    """Keep what the environment holds out of all texts, before anybody is asked who may say it."""
    for name, value in os.environ.items():
        if name.startswith(("CODAT_API_KEY", "ZOHO_CLIENT_SECRET")):
            register(value.strip().rpartition(" ")[2])

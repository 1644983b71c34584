"""``codat-zoho contract``: find out on a test client what nobody knows."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from codat_zoho.contract.client import Client
from codat_zoho.contract.file import content
from codat_zoho.contract.reading import read
from codat_zoho.contract.table import Table
from codat_zoho.contract.writing import Keys, refuse, write
from codat_zoho.contract.zoho import NAMES, ask_zoho
from codat_zoho.declare.datacentres import DATA_CENTRES, problem_with
from codat_zoho.doctor.finding import Observed
from codat_zoho.errors import ConfigurationError
from codat_zoho.remote.connection import Environment
from codat_zoho.terminal.ask import given
from codat_zoho.texts.debug_flags import debugging
from codat_zoho.texts.redact import redact
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import find_project

_EPILOG = """\
Without --write it reads only. The writing part changes the integration of a test client and puts back what it found;
stored keys cannot be read back, so where keys are stored it needs them in ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET, or
typed at a prompt. The result holds no secret and no id: attach it to an issue, or give it to
`codat-zoho simulate --contract FILE`.

exit codes: 0 done, also where something differs; 1 refused, failed, or not all restored; 2 wrong use; 3 API key refused
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = argparse.ArgumentParser(
        prog="codat-zoho contract",
        description="Compares what this package assumes of Codat and Zoho with what they do.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--connection", default="default", metavar="NAME", help="name of the Codat API key to use")
    parser.add_argument(
        "--stack", metavar="NAME", help="read API key and addresses from this stack's configuration too"
    )
    parser.add_argument("--cwd", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project")
    parser.add_argument("--write", action="store_true", help="also try what only writing can tell")
    parser.add_argument(
        "--i-know-this-is-a-test-client", action="store_true", dest="test_client", help="needed by --write"
    )
    parser.add_argument("--zoho", metavar="REGION", help="also ask this Zoho data centre: at most four token requests")
    parser.add_argument(
        "--disabled-in", action="append", default=[], metavar="REGION", help="with --zoho: the client is off there"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print it (default: text)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result as JSON; never overwrites")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Read, try where that is asked for, and print the table."""
    _check(arguments)
    http, table, environment = _http(), Table(), _environment(arguments)
    client = Client(http, environment, arguments.connection)
    _say(f"Connection {arguments.connection!r}, API key from {client.source}.")
    _say("Reading the integration and its keys." + ("" if arguments.write else " Nothing is written."))
    before = read(client, table)
    problems: list[str] = []
    if arguments.write:
        real = _real_keys() if before.keys is not None else None
        refuse(before, client.count_linked() if before.linked is None else before.linked, real)
        problems = write(client, table, before, real, _say)
    else:
        for name in ("writes_offered", "saving", "saving_keeps_enabled", "disabling_keeps_keys", "mask_keeps_length"):
            table.miss(name, "only writing can tell (--write)")
        table.miss("deleting_absent_keys", "only writing can tell (--write)")
    if arguments.zoho:
        url = environment.zoho_url()
        ask_zoho(http, _real_keys(), arguments.zoho, arguments.disabled_in, url, table, _say)
    else:
        for name in NAMES:
            table.miss(name, "Zoho was not asked (--zoho)")
    _print(table, arguments)
    for problem in problems:
        print(redact(f"codat-zoho: {problem}"), file=sys.stderr)
    return int(bool(problems))


def _check(arguments: argparse.Namespace) -> None:
    if arguments.write != arguments.test_client:
        raise ConfigurationError(
            "--write changes the integration of this Codat client for a moment, so it goes together with "
            "--i-know-this-is-a-test-client; nothing was written.",
            "Give both, or neither.",
        )
    for code in filter(None, (arguments.zoho, *arguments.disabled_in)):
        if problem := problem_with(code):
            raise ConfigurationError(
                problem if problem.endswith("?") else f"{problem}.", f"There are {', '.join(DATA_CENTRES)}."
            )
    if arguments.disabled_in and not arguments.zoho:
        raise ConfigurationError("--disabled-in goes together with --zoho.")
    if arguments.output and arguments.output.exists():
        raise ConfigurationError(f"{arguments.output} is there already, and nothing is overwritten.")


def _environment(arguments: argparse.Namespace) -> Environment:
    if not arguments.stack:
        return Environment()
    project = find_project(arguments.cwd)
    cli = Pulumi.find(project.folder if project else arguments.cwd.resolve())
    if cli is None:
        raise ConfigurationError("--stack needs the pulumi command on PATH.", "See `codat-zoho doctor`.")
    return Environment.of(cli.config(arguments.stack).get)


def _real_keys() -> Keys | None:
    client_id = given("ZOHO_CLIENT_ID", "Zoho client id")
    secret = given("ZOHO_CLIENT_SECRET", "Zoho client secret", secret=True) if client_id else None
    return Keys(client_id, secret) if client_id and secret else None


def _http() -> Observed:
    client = Observed()
    if debugging():
        client.log = _say
    return client


def _say(text: str) -> None:
    """The narration goes to stderr, so that the result can be piped."""
    print(redact(text), file=sys.stderr, flush=True)


def _print(table: Table, arguments: argparse.Namespace) -> None:
    result = json.dumps(content(table), indent=2) + "\n"
    if arguments.format == "json":
        print(redact(result), end="")
    else:
        lines = [
            ("result", "assumption", "assumed", "seen"),
            *(
                (row.result, row.name, _word(row.assumed), row.why if row.seen is None else _word(row.seen))
                for row in table.rows()
            ),
        ]
        widths = [max(map(len, column)) + 2 for column in zip(*lines, strict=True)]
        print()
        for line in lines:
            print("".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
    if arguments.output:
        handle = os.open(arguments.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(result)
        _say(f"Written: {arguments.output}")


def _word(value: str | bool) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value

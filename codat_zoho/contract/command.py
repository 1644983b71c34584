"""``codat-zoho contract``: find out on a test client what nobody knows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from codat_zoho.contract.observe import WRITTEN, ZOHO, Client, Keys, Table, ask_zoho, read
from codat_zoho.contract.trial import refuse, write
from codat_zoho.declare.datacentres import DATA_CENTRES, problem_with
from codat_zoho.errors import ConfigurationError
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.terminal.console import Parser, given, publish, refuse_unwritable, remark, say, write_new
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.redact import redact
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import find_project

SECONDS = 600.0
"""For all calls of a run that only reads."""
_EPILOG = """\
Without --write it reads only. The writing part changes the integration of a test client and puts back what it found;
stored keys cannot be read back, so where keys are stored it needs them in ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET, or
typed at a prompt. The result holds no secret and no id: attach it to an issue, or give it to
`codat-zoho simulate --contract FILE`.

Ctrl-C, SIGTERM and SIGHUP let the call at hand end, then put back what was found; a second one does not hasten it.

exit codes: 0 done, also where something differs; 1 refused, failed, or not all restored; 2 wrong use; 3 API key
refused; 130 stopped
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = Parser(
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
    web, table, environment = Http(record=True).reporting(remark), Table(), _environment(arguments)
    if not arguments.write:  # What is written has to be put back, however long that takes.
        web = web.within(web.deadline(SECONDS))
    client = Client(web, environment, arguments.connection)
    say(f"Connection {arguments.connection!r}, API key from {client.key.source}.")
    say("Reading the integration and its keys." + ("" if arguments.write else " Nothing is written."))
    before = read(client, table)
    problems: list[str] = []
    if arguments.write:
        real = _real_keys() if before.keys is not None else None
        refuse(before, client.count_linked() if before.linked is None else before.linked, real)
        problems = write(client, table, before, real, say)
    else:
        table.miss("only writing can tell (--write)", *WRITTEN)
    if arguments.zoho:
        ask_zoho(web, _real_keys(), arguments.zoho, arguments.disabled_in, environment.zoho_url(), table, say)
    else:
        table.miss("Zoho was not asked (--zoho)", *ZOHO)
    result = harmless(json.dumps(table.content(), indent=2) + "\n", "json")
    if arguments.output:
        try:
            write_new(arguments.output, result)
            say(f"Written: {arguments.output}")
        except ConfigurationError as error:  # It is printed all the same.
            problems.append(str(error))
            remark(str(error))
    publish(redact(result) if arguments.format == "json" else f"\n{table.text()}")
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
    if arguments.output:
        refuse_unwritable(arguments.output)


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

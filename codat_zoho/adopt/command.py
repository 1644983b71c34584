"""``codat-zoho adopt``: take over what somebody clicked together, so that the first preview is empty."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from codat_zoho.adopt import decide as deciding
from codat_zoho.adopt.decide import Choices, ClientIdNeeded, Takeover
from codat_zoho.adopt.targets import Place
from codat_zoho.adopt.targets import places as where
from codat_zoho.adopt.texts import SECRET_VARIABLE
from codat_zoho.declare.datacentres import DEFAULT_REGIONS
from codat_zoho.declare.stack_config import declared
from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.errors import ConfigurationError, NotAdopted
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.terminal.ask import ask, confirmed, given, http, interactive
from codat_zoho.texts.redact import redact
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project, find_project

_EPILOG = """\
Nothing is written to Codat or Zoho. The client secret comes from the environment variable ZOHO_CLIENT_SECRET or, with
--ask-secret, from a prompt; without it the secret stored in Codat stays as it is, unmanaged, until you declare it.

exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 the API key was refused
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = argparse.ArgumentParser(
        prog="codat-zoho adopt",
        description="Reads the Zoho Books integration from Codat and writes what declares exactly that: stack\n"
        "configuration, an import file, and lines for a program of your own. With --run it does it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", metavar="NAME", help="the stack that takes it over (default: the selected one)")
    parser.add_argument(
        "--connection",
        action="append",
        metavar="NAME[=STACK]",
        help="name of the Codat API key to use; repeat it for several Codat clients. With the ready-to-use project "
        "each gets a stack of its own, named like the connection unless STACK says otherwise (default: default)",
    )
    parser.add_argument(
        "--client-id",
        action="append",
        default=[],
        metavar="[CONNECTION=]ID",
        help="Zoho's client id, which Codat masks; it is checked against the mask (or ZOHO_CLIENT_ID)",
    )
    parser.add_argument("--ask-secret", action="store_true", help="ask for the client secret at a prompt")
    parser.add_argument("--leave-keys", action="store_true", help="leave client id and secret unmanaged")
    parser.add_argument("--regions", metavar="CODES", help="Zoho data centres to declare, for example us,uk,eu")
    parser.add_argument(
        "--probe", action="store_true", help="ask each of them once whether it accepts the client; needs the secret"
    )
    parser.add_argument("--cwd", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--run", action="store_true", help="do it now: configuration, import, and an empty preview")
    how.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    parser.add_argument("--yes", action="store_true", help="with --run, do not ask before doing it")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Read, show, then write files or do it."""
    project = find_project(arguments.cwd)
    cli = Pulumi.find(project.folder if project else arguments.cwd.resolve())
    if arguments.run and (project is None or cli is None):
        raise ConfigurationError(
            "--run needs the pulumi command on PATH."
            if project
            else f"--run needs a Pulumi project, and {arguments.cwd.resolve()} is in none.",
            "See `codat-zoho doctor`.",
        )
    stacks = cli.stacks() if cli and project and _reachable(cli, arguments) else {}
    places = where(arguments.connection, arguments.stack, project, stacks)
    web = http()
    for place in places:
        place.config = cli.config(place.stack) if cli and place.exists else project.defaults if project else {}
        if not arguments.connection and project and project.ready_to_use:
            place.connections = [place.config.get(f"{NAMESPACE}:connection") or "default"]
        _read(place, arguments, web, project)
        if project is None or not project.ready_to_use:
            place.takeovers = deciding.agreed(place.takeovers)
    if arguments.run:
        assert project is not None and cli is not None
        return _run(places, project, cli, arguments)
    return _write(places, project, cli, arguments)


def _reachable(cli: Pulumi, arguments: argparse.Namespace) -> bool:
    """Files can be written without a backend at hand; --run cannot do without."""
    try:
        cli.backend()
    except ConfigurationError:
        if arguments.run:
            raise
        return False
    return True


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(place: Place, arguments: argparse.Namespace, web: Http, project: Project | None) -> None:
    environment = Environment.of(place.config.get)
    ids = {"": os.environ.get("ZOHO_CLIENT_ID", ""), **_given_ids(arguments)}
    ready = declared(place.config) if project and project.ready_to_use else None
    for connection in place.connections:
        key = environment.api_key(connection)
        codat = environment.codat(web, connection)
        client = codat.named_client()
        whose = f"the Codat client {client}" if client.id else client.why
        print(redact(f"Connection {connection!r} (API key from {key.source}; {whose}):"))
        actual = replace(codat.actual(), codat_client=client)
        counted = codat.count_linked() if actual.linked is None else None
        for line in deciding.describe(actual, counted):
            print(redact(f"  {line}"))
        zoho = dict(ready.client) if ready else {}
        integration = dict(ready.integration) if ready else {}
        choices = Choices(
            client_id=ids.get(connection) or ids.get("") or zoho.pop("client_id", None),
            client_secret=_secret(arguments, connection) or zoho.pop("client_secret", None),
            regions=_regions(arguments) or tuple(zoho.pop("regions", ())) or DEFAULT_REGIONS,
            leave_keys=arguments.leave_keys,
            client_options={k: v for k, v in zoho.items() if k in ("same_credentials_everywhere", "verify")},
            integration_options={k: v for k, v in integration.items() if k in ("on_delete", "allow_disruption")},
        )
        try:
            takeover = deciding.decide(actual, connection, choices)
        except ClientIdNeeded as needed:
            if not interactive():
                raise
            print(f"  {needed.what}")
            typed = ask("  Zoho's client id (API console, Client Secret tab), or Enter to leave the keys unmanaged: ")
            choices = replace(choices, client_id=typed) if typed else replace(choices, leave_keys=True)
            takeover = deciding.decide(actual, connection, choices)
        if arguments.probe:
            takeover = _probed(takeover, web, environment)
        for note in takeover.notes:
            print(redact(f"  - {note}"))
        place.takeovers.append(takeover)


def _given_ids(arguments: argparse.Namespace) -> dict[str, str]:
    """Client ids by connection; the one without a connection is for all."""
    given = {}
    for one in arguments.client_id:
        name, _, value = one.rpartition("=")
        given[name] = value
    unknown = sorted(set(given) - {"", *(one.partition("=")[0] for one in arguments.connection or ["default"])})
    if unknown:
        raise ConfigurationError(f"--client-id names {', '.join(unknown)}, which no --connection does.")
    return given


def _secret(arguments: argparse.Namespace, connection: str) -> str | None:
    question = f"Zoho client secret of connection {connection!r}" if arguments.ask_secret else ""
    return given(SECRET_VARIABLE, question, secret=True)


def _regions(arguments: argparse.Namespace) -> tuple[str, ...]:
    return tuple(filter(None, (code.strip() for code in (arguments.regions or "").split(","))))


def _probed(takeover: Takeover, web: Http, environment: Environment) -> Takeover:
    from codat_zoho.remote.zoho import probe

    if takeover.client is None or takeover.secret is None:
        raise NotAdopted(
            "--probe asks Zoho about client id and secret, and the secret is not among what is taken over.",
            "Set ZOHO_CLIENT_SECRET or use --ask-secret, or leave --probe out.",
        )
    client, secret, url = takeover.client, takeover.secret, environment.zoho_url()
    asked = {code: probe(web, code, client.client_id, secret, url=url) for code in client.regions}
    return deciding.only_accepted(takeover, asked)


# --- doing it ---------------------------------------------------------------------------------------------------------


def _run(places: list[Place], project: Project, cli: Pulumi, arguments: argparse.Namespace) -> int:
    from codat_zoho.adopt.import_state import record
    from codat_zoho.adopt.run import check_version, conflicts, perform, recorded_already
    from codat_zoho.adopt.texts import program

    check_version(cli)
    todo = []
    print("\nPlan:")
    for place in places:
        found = record(place.stack, place.takeovers, project)
        already = recorded_already(found, _state(cli, place)) if place.exists else frozenset()
        clashing = conflicts(found, place.config, project) if len(already) < len(found.entries) else []
        if clashing:
            raise NotAdopted(
                f"Stack {place.stack} is configured otherwise than what is in Codat: {', '.join(clashing)}.",
                "Nothing was changed, and nothing is overwritten. Set them to what is there or remove them "
                "(pulumi config rm), adopt, then change them back: pulumi preview shows what that would do.",
            )
        print(f"  Stack {place.stack}{'' if place.exists else ' (new)'}:")
        if len(already) == len(found.entries):
            print(
                "    nothing to do: it manages this already; `pulumi preview --refresh` tells whether anything differs"
            )
            continue
        for key, value in found.config.items():
            print(f"    set {key} to {_shown(value)}")
        for key, value in found.secrets.items():
            print(f"    set {key} to {'the given secret, encrypted' if value else 'an empty secret: unmanaged'}")
        for entry in found.entries:
            if entry.name not in already:
                print(f"    import {entry.name} ({entry.type.rpartition(':')[2]} {entry.id})")
        todo.append((found, already, place))
    if not todo:
        return 0
    if not arguments.yes and not confirmed("Go on? Only the stack changes, nothing at Codat or Zoho."):
        print("Nothing was changed.")
        return 1
    for found, already, place in todo:
        perform(found, already, project, cli, lambda text: print(redact(text), flush=True))
        print(f"Stack {place.stack}: done. Nothing differs, and nothing was written to Codat or Zoho.")
        if found.own:
            print("\nAdd these lines to your program; until then the resources are protected from deletion:\n")
            print(program(place.takeovers))
        elif place.takeovers[0].client and not place.takeovers[0].secret:
            print(f"To manage the secret too: pulumi config set --secret {NAMESPACE}:zohoClientSecret; then pulumi up")
    return 0


def _shown(value: str | list[str]) -> str:
    return ", ".join(value) if isinstance(value, list) else value or "nothing: keys unmanaged"


def _state(cli: Pulumi, place: Place) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(cli.export(place.stack, secrets=False))
    return state


# --- files ------------------------------------------------------------------------------------------------------------


def _write(places: list[Place], project: Project | None, cli: Pulumi | None, arguments: argparse.Namespace) -> int:
    from codat_zoho.adopt.files import files, write

    for place in places:
        if not (cli and project and place.exists) and any(t.secret for t in place.takeovers):
            why = f"stack {place.stack}, which would encrypt it, does not exist yet"
            place.takeovers = [deciding.without_secret(t, why) if t.secret else t for t in place.takeovers]
            print(f"  - client_secret: left unmanaged, since {why}: run `pulumi stack init` first, or use --run.")
    folder = project.folder if project else arguments.cwd.resolve()
    drawn = files(places, folder, project, cli)
    if arguments.dry_run:
        for file, text in drawn.items():
            print(
                f"\n--- {file.name}{' (exists, and would not be overwritten)' if file.exists() else ''}\n{text}", end=""
            )
        print("\nNothing was written.")
        return 0
    write(drawn)
    names = [file.name for file in drawn]
    scripts = " and ".join(f"sh {name}" for name in names if name.endswith(".sh"))
    lines = "add the lines of the .py file to your program, then " if any(n.endswith(".py") for n in names) else ""
    print(f"\nWritten to {folder}: {', '.join(names)}. Nothing else was changed.")
    print(f"Next: read them, {lines}run {scripts}")
    return 0

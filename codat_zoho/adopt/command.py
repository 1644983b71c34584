"""``codat-zoho adopt``: take over what somebody clicked together, so that the first preview is empty."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from codat_zoho.adopt import decide as deciding
from codat_zoho.adopt import plugin_import
from codat_zoho.adopt.decide import Choices, ClientIdNeeded, Takeover
from codat_zoho.adopt.import_state import SECRET_VARIABLE, Names, commands, import_file, program, record
from codat_zoho.adopt.run import Target, declared_by, targets
from codat_zoho.declare.datacentres import DEFAULT_REGIONS
from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE
from codat_zoho.declare.settings import FINGERPRINT, declared
from codat_zoho.errors import ConfigurationError, NotAdopted
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.terminal.console import (
    Parser,
    ask,
    confirmed,
    given,
    interactive,
    publish,
    refuse_unwritable,
    remark,
    show,
    write_new,
)
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project, find_project, plain_name

_EPILOG = """\
Nothing is written to Codat or Zoho. The client secret comes from the environment variable ZOHO_CLIENT_SECRET or, with
--ask-secret, from a prompt; without it the secret stored in Codat stays as it is, unmanaged, until you declare it.

exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 the API key was refused
"""
_PROGRAM = (
    "\nAdd these lines to your program, then run pulumi up; until then the resources are protected from deletion:\n\n"
)


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = Parser(
        prog="codat-zoho adopt",
        description="Reads the Zoho Books integration from Codat and says what declares exactly that: an\n"
        "import file, the commands to run, and lines for a program of your own. With --run it does it.",
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
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="[CONNECTION:]client=NAME,books=NAME",
        help="take over into resources that a program of your own declares already, by their names in it",
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
    how.add_argument("--dry-run", action="store_true", help="show the import file too, and write nothing")
    parser.add_argument("--yes", action="store_true", help="with --run, do not ask before doing it")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Read and show, then write the import file or do it."""
    project = find_project(arguments.cwd)
    with_plugin = plugin_import.fits(project, run=arguments.run, names=bool(arguments.name))
    cli = Pulumi.find(project.folder if project else arguments.cwd.resolve())
    if arguments.run and (project is None or cli is None):
        raise ConfigurationError(
            "--run needs the pulumi command on PATH."
            if project
            else f"--run needs a Pulumi project, and {arguments.cwd.resolve()} is in none.",
            "See `codat-zoho doctor`.",
        )
    stacks: dict[str, bool] = {}
    try:
        if cli and project:
            stacks = cli.stacks()
    except ConfigurationError:
        if arguments.run:  # The file can be written without a backend at hand.
            raise
    found = targets(arguments.connection, arguments.stack, project, stacks)
    web = Http().reporting(remark)
    names = _names(arguments, project)
    for target in found:
        if cli and target.exists:
            target.config = cli.config(target.stack)
        elif project:
            target.config = project.defaults
        if not arguments.connection and project and project.ready_to_use:
            target.connections = [target.config.get(f"{NAMESPACE}:connection") or "default"]
        if names:
            if cli is None or not target.exists:
                raise ConfigurationError(
                    f"--name needs the pulumi command and stack {target.stack}, to preview what the program declares."
                )
            program = {name: kind for one in names.values() for kind, name in one.items()}
            declares = declared_by(program, target.stack, cli)
            target.declares = {key: _named(one, declares) for key, one in names.items()}
        _read(target, arguments, web, project)
        if project is None or not project.ready_to_use:
            target.takeovers = deciding.agreed(target.takeovers)
    if with_plugin:
        assert project is not None
        plugin_import.show_way(project, [(one.stack, one.takeovers) for one in found])
        return 0
    if arguments.run:
        assert project is not None and cli is not None
        return _run(found, project, cli, arguments, names)
    return _write(found, project, cli, arguments, names)


# --- reading ----------------------------------------------------------------------------------------------------------


def _names(arguments: argparse.Namespace, project: Project | None) -> Names:
    """What the program calls its resources, by connection and kind."""
    kinds = {"client": CLIENT, "books": INTEGRATION}
    names: dict[str, dict[str, str]] = {}
    for one in arguments.name:
        connection, _, pairs = one.rpartition(":") if ":" in one.partition("=")[0] else ("default", "", one)
        parts = [pair.partition("=")[::2] for pair in pairs.split(",")]
        if not all(kind in kinds and name for kind, name in parts):
            raise ConfigurationError(f"--name {one} is not of the form [CONNECTION:]client=NAME,books=NAME.")
        names.setdefault(connection, {}).update({kinds[kind]: name for kind, name in parts})
    unknown = sorted(set(names) - {one.partition("=")[0] for one in arguments.connection or ["default"]})
    if unknown:
        raise ConfigurationError(f"--name names {', '.join(unknown)}, which no --connection does.")
    if names and (project is None or project.ready_to_use):
        raise ConfigurationError(
            "--name is for a program of your own; "
            + ("none is here." if project is None else "this project has names."),
            "Leave it out." if project else "Change to the project's folder, or use --cwd.",
        )
    return names


def _named(names: Mapping[str, str], declares: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """What the program declares beside keys and what Codat tells, by kind."""
    told = {"client_id", "client_secret", FINGERPRINT, "enabled", "connection"}
    return {
        kind: {field: value for field, value in declares[name].items() if field not in told}
        for kind, name in names.items()
    }


def _read(target: Target, arguments: argparse.Namespace, web: Http, project: Project | None) -> None:
    environment = Environment.of(target.config.get)
    ids = _given_ids(arguments)
    ready = declared(target.config if project and project.ready_to_use else {})
    regions = tuple(filter(None, (code.strip() for code in (arguments.regions or "").split(","))))
    for connection in target.connections:
        key = environment.api_key(connection)
        codat = environment.codat(web, connection)
        client = codat.named_client()
        whose = f"the Codat client {client}" if client.id else client.why
        show(f"Connection {connection!r} (API key from {key.source}; {whose}):")
        actual = replace(codat.actual(), codat_client=client)
        counted = codat.count_linked() if actual.linked is None else None
        for line in deciding.describe(actual, counted):
            show(f"  {line}")
        client_options = {**_but_keys(ready.client), **target.declares.get(connection, {}).get(CLIENT, {})}
        integration_options = {
            **_but_keys(ready.integration),
            **target.declares.get(connection, {}).get(INTEGRATION, {}),
        }
        question = f"Zoho client secret of connection {connection!r}" if arguments.ask_secret else ""
        choices = Choices(
            client_id=ids.get(connection) or ids.get("") or ready.client.get("client_id"),
            client_secret=given(SECRET_VARIABLE, question, secret=True) or ready.client.get("client_secret"),
            regions=regions or tuple(client_options.get("regions", ())) or DEFAULT_REGIONS,
            leave_keys=arguments.leave_keys,
            client_options=client_options,
            integration_options=integration_options,
        )
        try:
            takeover = deciding.decide(actual, connection, choices)
        except ClientIdNeeded as needed:
            if not interactive():
                raise
            show(f"  {needed.what}")
            typed = ask("  Zoho's client id (API console, Client Secret tab), or Enter to leave the keys unmanaged: ")
            choices = replace(choices, client_id=typed) if typed else replace(choices, leave_keys=True)
            takeover = deciding.decide(actual, connection, choices)
        if arguments.probe:
            takeover = _probed(takeover, web, environment)
        for note in takeover.notes:
            show(f"  - {note}")
        target.takeovers.append(takeover)


def _but_keys(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if name not in ("client_id", "client_secret")}


def _given_ids(arguments: argparse.Namespace) -> dict[str, str]:
    """Client ids by connection; the one without a connection is for all."""
    ids = {"": os.environ.get("ZOHO_CLIENT_ID", "")}
    for one in arguments.client_id:
        name, _, value = one.rpartition("=")
        ids[name] = value
    unknown = sorted(set(ids) - {"", *(one.partition("=")[0] for one in arguments.connection or ["default"])})
    if unknown:
        raise ConfigurationError(f"--client-id names {', '.join(unknown)}, which no --connection does.")
    return ids


def _probed(takeover: Takeover, web: Http, environment: Environment) -> Takeover:
    from codat_zoho.remote.zoho import probe

    client, secret, url = takeover.client, takeover.desired.client_secret, environment.zoho_url()
    if client is None or secret is None:
        raise NotAdopted(
            "--probe asks Zoho about client id and secret, and the secret is not among what is taken over.",
            "Set ZOHO_CLIENT_SECRET or use --ask-secret, or leave --probe out.",
        )
    asked = {code: probe(web, code, client.client_id, secret, url=url) for code in client.regions}
    return deciding.only_accepted(takeover, asked)


# --- doing it ---------------------------------------------------------------------------------------------------------


def _run(found: list[Target], project: Project, cli: Pulumi, arguments: argparse.Namespace, names: Names) -> int:
    from codat_zoho.adopt.run import check_version, conflicts, recorded_already, take_over

    check_version(cli)
    todo = []
    show("\nPlan:")
    for target in found:
        new = record(target.stack, target.takeovers, project, names)
        already: frozenset[str] = frozenset()
        if target.exists:
            already = recorded_already(new, cli)
        complete = len(already) == len(new.entries)
        if not complete and (clashing := conflicts(new, target.config, project)):
            raise NotAdopted(
                f"Stack {target.stack} declares something else than what is in Codat: {', '.join(clashing)}.",
                "Nothing was changed, and nothing is overwritten. Set them to what is there or remove them "
                "(pulumi config rm), adopt, then change them back: pulumi preview shows what that would do.",
            )
        show(f"  Stack {target.stack}{'' if target.exists else ' (new)'}:")
        if complete:
            show(
                "    nothing to do: it manages this already; `pulumi preview --refresh` tells whether anything differs"
            )
            continue
        for key, value in new.config.items():
            shown = ", ".join(value) if isinstance(value, list) else value or "nothing: keys unmanaged"
            show(f"    set {key} to {shown}")
        for key, value in new.secrets.items():
            show(f"    set {key} to {'the given secret, encrypted' if value else 'an empty secret: unmanaged'}")
        for entry in new.entries:
            if entry.name not in already:
                show(f"    import {entry.name} ({entry.kind} {entry.id})")
        todo.append((new, already))
    if not todo:
        return 0
    if not arguments.yes and not confirmed("Go on? Only the stack changes, nothing at Codat or Zoho."):
        show("Nothing was changed.")
        return 1
    for new, already in todo:
        take_over(new, already, project, cli, show)
        show(f"Stack {new.stack}: done. Nothing differs, and nothing was written to Codat or Zoho.")
        if new.declared:
            show("They are protected from deletion until your program's next pulumi up.")
        elif new.own:
            show(_PROGRAM + program(new.entries))
        elif new.entries[0].kind == CLIENT and not any(new.secrets.values()):
            show(f"To manage the secret too: pulumi config set --secret {next(iter(new.secrets))}; then pulumi up")
    return 0


# --- the import file --------------------------------------------------------------------------------------------------


def _write(
    found: list[Target], project: Project | None, cli: Pulumi | None, arguments: argparse.Namespace, names: Names
) -> int:
    """Write what cannot be typed, and print what can: the lines of a program, and the commands."""
    records, files = [], {}
    folder = project.folder if project else arguments.cwd.resolve()
    for target in found:
        encrypt = None
        if cli and project and target.exists:
            encrypt = partial(cli.encrypted, target.stack, project.settings_of(target.stack))
        elif any(one.desired.client_secret for one in target.takeovers):
            why = f"stack {target.stack}, which would encrypt it, does not exist yet"
            target.takeovers = [one.without_secret(why) for one in target.takeovers]
            show(f"  - client_secret: left unmanaged, since {why}: run `pulumi stack init` first, or use --run.")
        new = record(target.stack, target.takeovers, project, names)
        records.append(new)
        files[folder / f"adopt-{plain_name(new.stack)}.json"] = import_file(new.entries, encrypt)
    if arguments.dry_run:
        for file, text in files.items():
            there = " (exists, and would not be overwritten)" if file.exists() else ""
            show(f"\n--- {file.name}{there}")
            publish(text, "json")
        show("\nNothing was written. Without --dry-run the file is, and these commands are what to run then:")
    else:
        refuse_unwritable(*files)
        for file, text in files.items():
            write_new(file, text)
        show(f"\nWritten to {folder}: {', '.join(file.name for file in files)}. Nothing else was changed.")
        show("Look at it, then run these commands in that folder:")
    show()
    for new, file in zip(records, files, strict=True):
        for command in commands(new, file.name):
            show(command.shell())
    for new in records:
        if new.own and not new.declared:
            show(_PROGRAM + program(new.entries))
    return 0

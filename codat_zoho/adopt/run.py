"""Does what adopting decided, through the ``pulumi`` command: configuration, import, proof that nothing differs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codat_zoho.adopt.decide import Takeover
from codat_zoho.adopt.import_state import Record, commands, import_file
from codat_zoho.declare.platform import INTEGRATION, PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.declare.settings import IntegrationSettings, Spelling, load
from codat_zoho.errors import ConfigurationError, NotAdopted
from codat_zoho.terminal.console import write_new
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace import state
from codat_zoho.workspace.command import IMPORTS_DYNAMIC, Pulumi, is_listed, version_of
from codat_zoho.workspace.failures import Failed, from_output
from codat_zoho.workspace.preview import read
from codat_zoho.workspace.pulumi_yaml import Project

_SECONDS, _GRACE = 3600.0, 120.0  # An import has a lock to give back, and must be let to.


def check_version(cli: Pulumi) -> None:
    """Refuse a CLI that cannot import dynamic resources."""
    version = cli.version()
    if version_of(version) < version_of(IMPORTS_DYNAMIC):
        raise ConfigurationError(
            f"Pulumi CLI {version} cannot import dynamic resources; that takes {IMPORTS_DYNAMIC} or newer.",
            "Update it, or set the stack's configuration with the commands that adopt prints and run pulumi up: "
            "creating takes over what is there, and sends nothing where nothing differs.",
        )


def conflicts(found: Record, existing: Mapping[str, str | None], project: Project) -> list[str]:
    """Which keys of the stack's configuration hold something else already. A project's default is no setting."""
    wanted = {key: json.dumps(value) if isinstance(value, list) else value for key, value in found.config.items()}
    clashing = []
    for key, value in {**wanted, **found.secrets}.items():
        allowed = [None, _comparable(value)]
        if key in wanted:
            allowed.append(_comparable(project.defaults.get(key)))
        if _comparable(existing.get(key)) not in allowed:
            clashing.append(key)
    return clashing


def _comparable(text: str | None) -> object:
    """A list in any order; anything else as it stands."""
    if text and text.startswith("["):
        try:
            return sorted(map(str, json.loads(text)))
        except ValueError:
            pass
    return text


def declared_by(program: Mapping[str, str], stack: str, cli: Pulumi) -> dict[str, dict[str, Any]]:
    """What a program declares of its resources, whose kinds are given by name, as far as a preview tells."""
    try:
        text = cli.preview(stack, _SECONDS)
        preview = read(text)
        if preview.errors:
            raise Failed(from_output("", "", preview.errors))
    except Failed as failed:
        raise NotAdopted(f"Stack {stack} cannot be previewed: {failed.failure.text}", "Nothing was changed.") from None
    found = {one.name: one for one in preview.resources if one.operation != "delete"}
    for name, kind in program.items():
        if name not in found or found[name].kind != kind:
            there = ", ".join(sorted(f"{one.name} ({one.kind})" for one in found.values())) or "none of this package"
            raise ConfigurationError(
                f"--name: the program declares no {kind} named {name}; it declares {there}.", "Nothing was changed."
            )
        if f"{PLUGIN_PREFIX}{kind}::{name}" in text:
            raise ConfigurationError(
                f"--name: {name} is declared as a resource of the plugin, and adopt imports dynamic ones.",
                f"Nothing was changed. Run: pulumi import {PLUGIN_PREFIX}{INTEGRATION} NAME CONNECTION; or pulumi up: "
                "creating takes over what is there, and sends nothing where nothing differs.",
            )
        if f"${TOKEN_PREFIX}{kind}::{name}" in text:
            raise ConfigurationError(
                f"--name: {name} is declared inside a component, and an import puts it beside.",
                "Nothing was changed. Run pulumi up instead: creating takes over what is there, and sends nothing "
                "where nothing differs.",
            )
    return {
        name: {field: one.value for field, one in (found[name].after or {}).items() if one.known} for name in program
    }


def recorded_already(found: Record, cli: Pulumi) -> frozenset[str]:
    """Names of resources that the stack's state holds already; refuses the same name or id of another one."""
    try:
        recorded = state.read(cli.export(found.stack, secrets=False)).resources
    except state.Unreadable as problem:
        raise NotAdopted(
            f"The state of stack {found.stack} cannot be read: {problem}", "Nothing was changed."
        ) from None
    there = set()
    for entry in found.entries:
        for one in recorded:
            if one.kind != entry.kind or not one.id or (entry.name != one.name and entry.id != one.id):
                continue
            of_plugin = one.spelling is Spelling.PROPERTY
            if (one.name, one.id) != (entry.name, entry.id) or of_plugin:
                how = "a resource of the plugin, " if of_plugin else ""
                raise NotAdopted(
                    f"Stack {found.stack} manages {one_line(one.id)} already, as {how}{one.name}; here it would be "
                    f"{entry.id}, as {entry.name}.",
                    "Nothing was changed. Name every connection of this program (--connection), or use another stack.",
                )
            there.add(one.name)
    return frozenset(there)


def take_over(
    found: Record, already: Collection[str], project: Project, cli: Pulumi, say: Callable[[str], None]
) -> None:
    """Configure, import what the stack does not have already, and prove that the next preview is empty."""
    stack = found.stack
    todo = [entry for entry in found.entries if entry.name not in already]
    with tempfile.TemporaryDirectory(prefix="codat-zoho-") as folder:
        file = Path(folder, "import.json")
        select, *settings, importing, look = commands(found, str(file))
        try:
            say(f"Stack {stack}: selecting it, or creating it.")
            cli.run(*select.arguments)
            if settings:
                say(f"Setting {', '.join((*found.config, *found.secrets))}.")
            for command in settings:
                cli.run(*command.arguments, given=command.given or "")
            if todo:
                say(f"Importing {', '.join(entry.name for entry in todo)}.")
                write_new(file, import_file(todo, partial(cli.encrypted, stack, project.settings_of(stack))))
                cli.run(*importing.arguments, seconds=_SECONDS, grace=_GRACE, keys=True)
            say("Checking that nothing differs: " + " ".join(look.arguments[:2]) + ".")
            preview = read(cli.run(*look.arguments, "--json", seconds=_SECONDS, keys=True))
            if preview.errors:
                raise Failed(from_output("", "", preview.errors))
        except Failed as failed:
            raise NotAdopted(
                f"Stack {stack}: pulumi failed: {failed.failure.text}",
                "Nothing was written to Codat or Zoho. Fix that and run the same command again: it continues where it "
                "stopped.",
            ) from None
    changes = [f"{one.operation} {one.name}" for one in preview.resources if one.operation != "same"]
    if changes:
        raise NotAdopted(
            f"Stack {stack} has taken over the integration, but its preview is not empty: {', '.join(changes)}.",
            "Nothing was written to Codat or Zoho. Look at it with: pulumi preview --refresh --diff",
        )


@dataclass
class Target:
    """One stack, its decrypted configuration, and the connections that it takes over."""

    stack: str
    connections: list[str]
    exists: bool
    config: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    takeovers: list[Takeover] = field(default_factory=list)
    declares: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    """What a program of one's own declares already, by connection and kind."""


def targets(
    connections: Sequence[str], stack: str | None, project: Project | None, stacks: Mapping[str, bool]
) -> list[Target]:
    """Say where each connection goes. The ready-to-use project holds one connection in a stack, other programs many.

    ``connections`` are ``NAME`` or ``NAME=STACK``; ``stacks`` tells of each of the project's whether it is selected.
    """
    named = [one.partition("=")[::2] for one in connections or ["default"]]
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise ConfigurationError("--connection names a connection twice.")
    for name in names:
        load(IntegrationSettings, {"connection": name})
    own = project is None or not project.ready_to_use
    if own and any(behind for _, behind in named):
        raise ConfigurationError(
            "--connection NAME=STACK is for the ready-to-use project, which holds one connection in a stack.",
            "Leave =STACK out: in a program of your own one stack holds all.",
        )
    if own or len(named) == 1:
        behind = named[0][1]
        if stack and behind not in ("", stack):
            raise ConfigurationError("--stack and --connection name different stacks.")
        chosen = behind or stack or next((name for name, selected in stacks.items() if selected), None)
        if not chosen:
            raise ConfigurationError("No stack is selected.", "Name one with --stack; --run makes it where it is new.")
        return [Target(chosen, names, is_listed(chosen, stacks))]
    if stack:
        raise ConfigurationError(
            "--stack names one stack, but in the ready-to-use project each connection has a stack of its own.",
            "Name it behind the connection: --connection NAME=STACK",
        )
    return [Target(behind or name, [name], is_listed(behind or name, stacks)) for name, behind in named]

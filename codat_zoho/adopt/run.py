"""Does what adopting decided, through Pulumi's Automation API: configuration, import, proof that nothing differs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codat_zoho.adopt.import_state import Record
from codat_zoho.adopt.texts import import_file
from codat_zoho.errors import ConfigurationError, NotAdopted
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.command import IMPORTS_DYNAMIC, Pulumi, version_of
from codat_zoho.workspace.pulumi_yaml import Project

if TYPE_CHECKING:
    from pulumi.automation import Stack


def check_version(cli: Pulumi) -> None:
    """Refuse a CLI that cannot import dynamic resources.

    Raises:
        ConfigurationError: it is too old.
    """
    version = cli.version()
    if version_of(version) < version_of(IMPORTS_DYNAMIC):
        raise ConfigurationError(
            f"Pulumi CLI {version} cannot import dynamic resources; that takes {IMPORTS_DYNAMIC} or newer.",
            "Update it, or set the stack's configuration with the lines that adopt writes and run pulumi up: creating "
            "takes over what is there, and sends nothing where nothing differs.",
        )


def conflicts(found: Record, existing: Mapping[str, str | None], project: Project) -> list[str]:
    """Which keys of the stack's configuration hold something else already. A project's default is no setting."""
    wanted = {key: json.dumps(value) if isinstance(value, list) else value for key, value in found.config.items()}
    clashing = []
    for key, value in {**wanted, **found.secrets}.items():
        now = existing.get(key)
        if now is None or _same(now, value) or (key in wanted and _same(now, project.default(key))):
            continue
        clashing.append(key)
    return clashing


def _same(one: str, other: str | None) -> bool:
    if other is None:
        return False
    try:
        left, right = json.loads(one), json.loads(other)
    except ValueError:
        return one == other
    return bool(sorted(left) == sorted(right)) if isinstance(left, list) and isinstance(right, list) else one == other


def recorded_already(found: Record, state: Mapping[str, Any]) -> frozenset[str]:
    """Names of resources that the stack's state holds already, with the same id.

    Raises:
        NotAdopted: it holds one of that name with another id, or that id under another name.
    """
    resources = (state.get("deployment") or {}).get("resources") or ()
    recorded = [(one["type"], one["urn"].rpartition("::")[2], str(one.get("id"))) for one in resources]
    there = set()
    for entry in found.entries:
        for kind, name, id_ in recorded:
            if kind != entry.type or (entry.name != name and entry.id != id_):
                continue
            if (name, id_) != (entry.name, entry.id):
                raise NotAdopted(
                    f"Stack {found.stack} manages {one_line(id_)} already, as {name}; it was to be {entry.id}, as "
                    f"{entry.name}.",
                    "Nothing was changed. Name every connection of this program (--connection), or use another stack.",
                )
            there.add(name)
    return frozenset(there)


def perform(found: Record, already: Collection[str], project: Project, cli: Pulumi, say: Callable[[str], None]) -> None:
    """Set the configuration, import the resources, and prove that the next preview is empty.

    Args:
        found: what the stack gets.
        already: names of resources that it has.
        project: the project.
        cli: the command line, for what must not travel on a command line.
        say: receives a line per step.

    Raises:
        NotAdopted: a step failed, or the preview afterwards is not empty. Running it again goes on where it stopped.
    """
    from pulumi import automation

    try:
        say(f"Stack {found.stack}: selecting it, or making it.")
        stack = automation.create_or_select_stack(found.stack, work_dir=str(project.folder))
        _configure(stack, found, cli, say)
        todo = replace(found, entries=[entry for entry in found.entries if entry.name not in already])
        if todo.entries:
            say(f"Importing {', '.join(entry.name for entry in todo.entries)}.")
            settings = project.settings_of(found.stack)
            content: Any = import_file(todo.entries, lambda text: cli.encrypted(found.stack, settings, text))
            # Protected where the program does not declare it yet: an early `pulumi up` would delete it.
            stack.import_resources(
                resources=content["resources"], protect=found.own, generate_code=False, show_secrets=False
            )
        say("Checking that nothing differs: " + ("refresh, previewed." if found.own else "preview --refresh."))
        changes = _changes(stack, found)
    except automation.CommandError as failed:
        said = [line for line in str(failed).splitlines() if line.strip(" )")]
        why = next((line.partition("error:")[2] for line in said if "error:" in line), said[-1] if said else "")
        raise NotAdopted(
            f"Stack {found.stack}: pulumi failed: {one_line(why)}.",
            "Nothing was written to Codat or Zoho. Mend it and run the same again: it goes on where it stopped.",
        ) from None
    if changes:
        raise NotAdopted(
            f"Stack {found.stack} has taken over the integration, but its preview is not empty: {', '.join(changes)}.",
            "Nothing was written to Codat or Zoho. Look at it with: pulumi preview --refresh --diff",
        )


def _configure(stack: Stack, found: Record, cli: Pulumi, say: Callable[[str], None]) -> None:
    from pulumi.automation import ConfigValue

    plain = {key: ConfigValue(value) for key, value in found.config.items() if isinstance(value, str)}
    items = {
        f"{key}[{index}]": ConfigValue(item)
        for key, value in found.config.items()
        if isinstance(value, list)
        for index, item in enumerate(value)
    }
    if plain or items or found.secrets:
        say(f"Setting {', '.join((*found.config, *found.secrets))}.")
    if plain:
        stack.set_all_config(plain)
    if items:
        stack.set_all_config(items, path=True)
    for key, value in found.secrets.items():
        cli.set_secret(found.stack, key, value)  # On standard input; the Automation API puts it on a command line.


def _changes(stack: Stack, found: Record) -> list[str]:
    """What the next preview would do, in words; empty when nothing."""
    changes: list[str] = []

    def see(event: Any) -> None:
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step is not None and str(getattr(step.op, "value", step.op)) not in ("same", "refresh", "read"):
            changes.append(f"{getattr(step.op, 'value', step.op)} {step.urn.rpartition('::')[2]}")

    if found.own:
        stack.preview_refresh(on_event=see)
    else:
        stack.preview(refresh=True, on_event=see)
    return changes

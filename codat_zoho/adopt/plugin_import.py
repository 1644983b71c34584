"""How a program that uses the plugin takes over: ``pulumi import`` for the integration, lines that declare the rest.

The plugin reads what it imports, so no file is needed. A Zoho client is declared: nobody can read one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from codat_zoho.adopt.decide import Takeover
from codat_zoho.adopt.import_state import Command
from codat_zoho.declare.describe import camel_case
from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX
from codat_zoho.declare.settings import key_of
from codat_zoho.errors import ConfigurationError
from codat_zoho.terminal.console import show
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import Project


def fits(project: Project | None, *, run: bool, names: bool) -> bool:
    """Whether this way is the one for a project: its program is in another language than Python.

    Raises:
        ConfigurationError: it is, and what was asked for is for the dynamic resources of Python.
    """
    if project is None or project.runtime == "python":
        return False
    if run or names:
        raise ConfigurationError(
            f"{'--run' if run else '--name'} takes over into the dynamic resources of Python programs, and the runtime "
            f"of {project.file.name} is {one_line(project.runtime)}, where the plugin's resources are declared.",
            "Leave it out: adopt prints the commands then, pulumi import among them.",
        )
    return True


def show_way(project: Project, found: Iterable[tuple[str, Sequence[Takeover]]]) -> None:
    """Print commands and lines for each stack and what it takes over."""
    yaml = project.runtime == "yaml"
    for stack, takeovers in found:
        why = f"The runtime is {one_line(project.runtime)}, so the plugin's resources fit"
        show(f"\nNothing was changed. {why}: pulumi import takes over.")
        show("Run these commands in the project's folder; they send nothing to Codat or Zoho:\n")
        for command in commands(stack, takeovers, write_code=not yaml):
            show(command.shell())
        lines = "add these lines to your program" if yaml else "declare in your program what these lines say in YAML"
        show(f"\nThen {lines}, and run pulumi up; until then the import is protected from deletion:\n")
        show(program(takeovers))
        show("That up asks Zoho about a client that it creates, reads Codat, and sends nothing where nothing differs.")


def commands(stack: str, takeovers: Sequence[Takeover], *, write_code: bool) -> list[Command]:
    """Select the stack or make it, set the secrets, import each integration.

    Until the program declares it, an import is protected: an early ``pulumi up`` would delete it.
    """
    made = [Command(("stack", "select", "--create", stack))]
    for key, secret in _secrets(takeovers).items():
        made.append(Command(("config", "set", "--secret", "--stack", stack, key), secret))
    for one in takeovers:
        what = f"{PLUGIN_PREFIX}{INTEGRATION}", f"zoho-books{_suffix(one)}", one.desired.connection
        options = f"--generate-code={str(write_code).lower()}", "--protect=true", "--yes"
        made.append(Command(("import", *what, "--stack", stack, *options)))
    return made


def program(takeovers: Sequence[Takeover]) -> str:
    """The lines of a YAML program that declare it; they say in any language what is to be declared."""
    lines = ["config:"] if _secrets(takeovers) else []
    lines += [f"  {key}: {{type: string, secret: true}}" for key in _secrets(takeovers)]
    lines.append("resources:")
    clients: dict[str, str] = {}
    for one in takeovers:
        keys: dict[str, Any] = {}
        if client := one.client:
            name = clients.setdefault(client.client_id, f"zoho-client{_suffix(one)}")
            keys = {"client_id": f"${{{name}.clientId}}"}
            if client.client_secret:
                keys["client_secret"] = f"${{{name}.clientSecret}}"
            if name == f"zoho-client{_suffix(one)}":
                given: dict[str, Any] = {"client_id": client.client_id}
                if client.client_secret:
                    given["client_secret"] = f"${{{_secret_key(one)}}}"
                lines += _resource(CLIENT, name, {**given, "regions": list(client.regions)})
        if one.desired.connection != "default":
            keys["connection"] = one.desired.connection
        lines += _resource(INTEGRATION, f"zoho-books{_suffix(one)}", {**keys, "enabled": one.desired.enabled})
    return "\n".join(lines) + "\n"


def _resource(kind: str, name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    type: {PLUGIN_PREFIX}{kind}"
    yield "    properties:"
    for key, value in properties.items():
        yield f"      {camel_case(key)}: {value if isinstance(value, str) else json.dumps(value)}"


def _suffix(one: Takeover) -> str:
    return "" if one.desired.connection == "default" else f"-{one.desired.connection}"


def _secret_key(one: Takeover) -> str:
    return f"{key_of('client_secret')}{_suffix(one)}"


def _secrets(takeovers: Sequence[Takeover]) -> dict[str, str]:
    """The client secrets by their keys in stack configuration; connections with one Zoho client share it."""
    found: dict[str, tuple[str, str]] = {}
    for one in takeovers:
        if one.client and one.client.client_secret:
            found.setdefault(one.client.client_id, (_secret_key(one), one.client.client_secret))
    return dict(found.values())

"""What a stack gets: configuration and resources, as a deployment would have left them. Imports pulumi when called."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.adopt.decide import Takeover
from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE, TOKEN_PREFIX
from codat_zoho.declare.settings import Spelling, key_of
from codat_zoho.workspace.pulumi_yaml import Project

SECRET_VARIABLE = "ZOHO_CLIENT_SECRET"
Encrypt = Callable[[str], dict[str, str]]
Names = Mapping[str, Mapping[str, str]]
"""By connection and kind, what a program calls its resources."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource to import, as state will hold it; ``kind`` is the name of its class."""

    kind: str
    name: str
    id: str
    inputs: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)

    @property
    def secret_key(self) -> str:
        """Where stack configuration holds the secret of this Zoho client."""
        return key_of("client_secret") + self.name.removeprefix("zoho-client")


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that one stack gets: configuration by full key, and resources.

    ``own``: for a program of one's own; ``declared``: which declares the resources already.
    """

    stack: str
    config: Mapping[str, str | list[str]]
    secrets: Mapping[str, str] = field(repr=False)
    entries: Sequence[Entry]
    own: bool = False
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command of pulumi; ``given`` is a secret for its standard input."""

    arguments: tuple[str, ...]
    given: str | None = field(default=None, repr=False)

    def shell(self) -> str:
        """The line to type, which finds the secret in the environment."""
        line = shlex.join(("pulumi", *self.arguments))
        if self.given is None:
            return line
        text = f'%s "${{{SECRET_VARIABLE}:?set it to the client secret first}}"' if self.given else "''"
        return f"printf {text} | {line}"


def record(stack: str, takeovers: Sequence[Takeover], project: Project | None, names: Names | None = None) -> Record:
    """Work out what a stack gets: one connection with the ready-to-use project, any number with other programs.

    ``names`` are those of resources that a program of one's own declares already.
    """
    if project is not None and project.ready_to_use:
        (takeover,) = takeovers
        # The project declares the secret as required; an empty one leaves the stored one alone.
        secrets = {Spelling.CONFIGURATION.name_of("client_secret"): takeover.desired.client_secret or ""}
        return Record(stack, _config(takeover, project), secrets, _entries(takeovers, ready_to_use=True))
    entries = _entries(takeovers, names or {}, ready_to_use=False)
    if names:  # Where the program finds the secret is its own affair.
        return Record(stack, {}, {}, entries, own=True, declared=True)
    secrets = {
        f"{NAMESPACE}:{entry.secret_key}": entry.inputs["client_secret"]
        for entry in entries
        if entry.kind == CLIENT and "client_secret" in entry.inputs
    }
    return Record(stack, {}, secrets, entries, own=True)


def _config(takeover: Takeover, project: Project) -> dict[str, str | list[str]]:
    """The ready-to-use project's configuration, without what its defaults say already."""
    desired, client, key = takeover.desired, takeover.client, Spelling.CONFIGURATION.name_of
    config: dict[str, str | list[str]] = {
        key("client_id"): client.client_id if client else "",
        key("enabled"): "true" if desired.enabled else "false",
    }
    if desired.connection != project.defaults.get(key("connection")):
        config[key("connection")] = desired.connection
    if client and sorted(client.regions) != sorted(json.loads(project.defaults.get(key("regions"), "[]"))):
        config[key("regions")] = list(client.regions)
    return config


def _entries(takeovers: Sequence[Takeover], names: Names | None = None, *, ready_to_use: bool) -> list[Entry]:
    """The resources; connections with one client id share its resource, which is named after the first of them."""
    from pulumi.dynamic.dynamic import serialize_provider

    from codat_zoho.provider import Books, ZohoClient, books, client

    def entry(kind: str, name: str, id_: str, provider: Any, declared: Mapping[str, Any], outputs: Any) -> Entry:
        mark = {"__provider": serialize_provider(provider)}
        return Entry(kind, name, id_, {**declared, **mark}, {**outputs, **mark})

    clients: dict[str, Entry] = {}
    entries = []
    for takeover in takeovers:
        connection, settings = takeover.desired.connection, takeover.client
        suffix = "" if ready_to_use or connection == "default" else f"-{connection}"
        named = {
            CLIENT: f"zoho-client{suffix}",
            INTEGRATION: f"zoho-books{suffix}",
            **(names or {}).get(connection, {}),
        }
        if settings is not None and settings.client_id not in clients:
            outputs = client.adopted(settings, takeover.asked)
            declared = client.check({}, settings.as_inputs()).inputs
            made = entry(CLIENT, named[CLIENT], settings.client_id, ZohoClient(), declared, outputs)
            clients[settings.client_id] = made
            entries.append(made)
        outputs = books.adopted(takeover.desired, takeover.actual)
        declared = books.check({}, takeover.desired.as_inputs()).inputs
        entries.append(entry(INTEGRATION, named[INTEGRATION], connection, Books(), declared, outputs))
    return entries


# --- texts: none holds a secret in clear ------------------------------------------------------------------------------


def import_file(entries: Sequence[Entry], encrypt: Encrypt | None) -> str:
    """The content of a file for ``pulumi import --file``. A secret is in it encrypted, or not at all."""
    cache: dict[str, dict[str, str]] = {}

    def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
        secret = values.get("client_secret")
        if secret is None:
            return dict(values)
        assert encrypt is not None, "without a stack, no secret is taken over"
        if secret not in cache:
            cache[secret] = encrypt(secret)
        return {**values, "client_secret": cache[secret]}

    resources = [
        {
            "type": TOKEN_PREFIX + one.kind,
            "name": one.name,
            "id": one.id,
            "inputs": sealed(one.inputs),
            "outputs": sealed(one.outputs),
        }
        for one in entries
    ]
    return json.dumps({"resources": resources}, indent=2) + "\n"


def program(entries: Sequence[Entry]) -> str:
    """The lines that declare it in a program of one's own."""
    variables = {entry.id: entry.name.replace("-", "_") for entry in entries if entry.kind == CLIENT}
    lines = ["import codat_zoho as cz", ""]
    if variables:
        lines = ["import pulumi", "", *lines, f'config = pulumi.Config("{NAMESPACE}")']
    for entry in entries:
        declared = entry.inputs
        if entry.kind == CLIENT:
            arguments = [
                f"client_id={json.dumps(entry.id)}",
                f"client_secret=config.get_secret({json.dumps(entry.secret_key)})",
                f"regions={json.dumps(declared['regions'])}",
            ]
        else:
            client_id = declared.get("client_id")
            arguments = [f"credentials={variables[client_id]}"] if client_id else []
            arguments.append(f"enabled={declared['enabled']}")
            if entry.id != "default":
                arguments.append(f"connection={json.dumps(entry.id)}")
        lines.append(f"{entry.name.replace('-', '_')} = cz.{entry.kind}(")
        lines += [f"    {text}," for text in (json.dumps(entry.name), *arguments)]
        lines.append(")")
    return "\n".join(lines) + "\n"


def commands(found: Record, import_file: str) -> list[Command]:
    """Select the stack or make it, configure it, import, and show what differs: at least these three."""
    stack = ("--stack", found.stack)
    made = [Command(("stack", "select", "--create", found.stack))]
    plain = [f"{key}={value}" for key, value in found.config.items() if isinstance(value, str)]
    items = [
        f"{key}[{index}]={item}"
        for key, value in found.config.items()
        if isinstance(value, list)
        for index, item in enumerate(value)
    ]
    for path, pairs in (((), plain), (("--path",), items)):
        if pairs:
            values = tuple(word for pair in pairs for word in ("--plaintext", pair))
            made.append(Command(("config", "set-all", *stack, *path, *values)))
    for key, value in found.secrets.items():
        made.append(Command(("config", "set", "--secret", *stack, key), value))
    # A program of one's own does not declare the resources yet, or under another name: an early `pulumi up` would
    # delete them, so they are protected, and one that does not declare them is not run to see what differs.
    options = ("--generate-code=false", f"--protect={str(found.own).lower()}", "--yes")
    made.append(Command(("import", *stack, "--file", import_file, *options)))
    look = ("refresh", "--preview-only") if found.own and not found.declared else ("preview", "--refresh")
    return [*made, Command((*look, *stack, "--expect-no-changes"))]

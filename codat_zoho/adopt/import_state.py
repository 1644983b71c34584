"""What a stack gets: configuration and resources, as a deployment would have left them. Imports pulumi when called."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.adopt.decide import Takeover
from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.workspace.pulumi_cli import Project


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource to import, as state will hold it."""

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that one stack gets.

    Args:
        stack: its name.
        config: plain configuration by full key; a list is an array.
        secrets: configuration to encrypt, by full key.
        entries: the resources.
        own: for a program of one's own, that is, not for the ready-to-use project.
    """

    stack: str
    config: Mapping[str, str | list[str]]
    secrets: Mapping[str, str] = field(repr=False)
    entries: Sequence[Entry]
    own: bool = False


def record(stack: str, takeovers: Sequence[Takeover], project: Project | None) -> Record:
    """Work out what a stack gets.

    Args:
        stack: its name.
        takeovers: one per connection; the ready-to-use project holds one.
        project: the project of the stack, None where there is none yet.
    """
    if project is not None and project.ready_to_use:
        (takeover,) = takeovers
        names = Names.of(takeovers, ready=True)
        return Record(stack, _config(takeover, project), _secret_config(takeover), _entries(takeovers, names))
    names = Names.of(takeovers)
    secrets = {f"{NAMESPACE}:{names.secret(t.client.client_id)}": t.secret for t in takeovers if t.client and t.secret}
    return Record(stack, {}, secrets, _entries(takeovers, names), own=True)


def _config(takeover: Takeover, project: Project) -> dict[str, str | list[str]]:
    """The ready-to-use project's configuration, without what its defaults say already."""
    desired, client = takeover.desired, takeover.client
    config: dict[str, str | list[str]] = {
        "zohoClientId": client.client_id if client else "",
        "enabled": "true" if desired.enabled else "false",
    }
    if desired.connection != project.default("connection"):
        config["connection"] = desired.connection
    if client and sorted(client.regions) != sorted(json.loads(project.default("regions") or "[]")):
        config["regions"] = list(client.regions)
    return {f"{NAMESPACE}:{key}": value for key, value in config.items()}


def _secret_config(takeover: Takeover) -> dict[str, str]:
    """The project declares the secret as required; an empty one leaves the stored one alone."""
    return {f"{NAMESPACE}:zohoClientSecret": takeover.secret or ""}


# --- resources --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """Names of resources: the connection's name is behind them, except for the default one.

    Args:
        clients: name of the Zoho client's resource, by client id; connections with one client id share it.
        ready: the ready-to-use project has fixed names.
    """

    clients: Mapping[str, str]
    ready: bool = False

    @classmethod
    def of(cls, takeovers: Sequence[Takeover], *, ready: bool = False) -> Names:
        """Name the resources of these."""
        clients: dict[str, str] = {}
        for takeover in takeovers:
            if takeover.client:
                suffix = "" if ready else _suffix(takeover.desired.connection)
                clients.setdefault(takeover.client.client_id, f"zoho-client{suffix}")
        return cls(clients, ready)

    def books(self, connection: str) -> str:
        """The integration's resource."""
        return f"zoho-books{'' if self.ready else _suffix(connection)}"

    def secret(self, client_id: str) -> str:
        """The configuration key of a client's secret."""
        return "zohoClientSecret" + self.clients[client_id].removeprefix("zoho-client")


def _suffix(connection: str) -> str:
    return "" if connection == "default" else f"-{connection}"


def _entries(takeovers: Sequence[Takeover], names: Names) -> list[Entry]:
    from pulumi.dynamic.dynamic import serialize_provider

    from codat_zoho.provider import Books, ZohoClient, books, client
    from codat_zoho.resources import ZohoBooksIntegration, ZohoClientCredentials

    entries: dict[str, Entry] = {}
    for takeover in takeovers:
        if takeover.client is not None:
            name = names.clients[takeover.client.client_id]
            entries[name] = _entry(
                ZohoClientCredentials._resource_type_name,
                serialize_provider(ZohoClient()),
                name,
                takeover.client.client_id,
                client.check({}, takeover.client.as_inputs()).inputs,
                client.adopted(takeover.client, takeover.asked),
            )
        name = names.books(takeover.desired.connection)
        entries[name] = _entry(
            ZohoBooksIntegration._resource_type_name,
            serialize_provider(Books()),
            name,
            takeover.desired.connection,
            books.check({}, takeover.desired.as_inputs()).inputs,
            books.adopted(takeover.desired, takeover.actual),
        )
    return list(entries.values())


def _entry(
    kind: str | None, provider: str, name: str, id_: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Entry:
    mark = {"__provider": provider}
    return Entry(f"pulumi-python:{kind}", name, id_, {**inputs, **mark}, {**outputs, **mark})

"""The texts that adopting writes: an import file, lines of a program, a shell script. None holds a secret in clear."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codat_zoho.adopt.decide import Takeover
from codat_zoho.adopt.import_state import Entry, Names, Record
from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.errors import NotAdopted

SECRET_VARIABLE = "ZOHO_CLIENT_SECRET"
Encrypt = Callable[[str], dict[str, str]]


def import_file(entries: Sequence[Entry], encrypt: Encrypt | None) -> dict[str, Any]:
    """The content of a file for ``pulumi import --file``. A secret is in it encrypted, or not at all.

    Raises:
        NotAdopted: there is a secret and no way to encrypt it.
    """
    cache: dict[str, dict[str, str]] = {}

    def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
        secret = values.get("client_secret")
        if secret is None:
            return dict(values)
        if encrypt is None:
            raise NotAdopted("The client secret cannot be encrypted without a stack.", "Adopt without it.")
        if secret not in cache:
            cache[secret] = encrypt(secret)
        return {**values, "client_secret": cache[secret]}

    return {
        "resources": [
            {
                "type": entry.type,
                "name": entry.name,
                "id": entry.id,
                "inputs": sealed(entry.inputs),
                "outputs": sealed(entry.outputs),
            }
            for entry in entries
        ]
    }


def program(takeovers: Sequence[Takeover]) -> str:
    """The lines that declare it in a program of one's own."""
    names = Names.of(takeovers)
    lines = ["import codat_zoho as cz", ""]
    if names.clients:
        lines = ["import pulumi", "", *lines, f'config = pulumi.Config("{NAMESPACE}")']
    written: dict[str, str] = {}
    for takeover in takeovers:
        arguments = []
        if takeover.client is not None:
            client = takeover.client
            variable = names.clients[client.client_id].replace("-", "_")
            if variable not in written.values():
                written[client.client_id] = variable
                lines += [
                    f"{variable} = cz.ZohoClientCredentials(",
                    f"    {_quoted(names.clients[client.client_id])},",
                    f"    client_id={_quoted(client.client_id)},",
                    f"    client_secret=config.get_secret({_quoted(names.secret(client.client_id))}),",
                    f"    regions={json.dumps(list(client.regions))},",
                    ")",
                ]
            arguments.append(f"credentials={variable}")
        desired = takeover.desired
        arguments.append(f"enabled={desired.enabled}")
        if desired.connection != "default":
            arguments.append(f"connection={_quoted(desired.connection)}")
        name = names.books(desired.connection)
        lines += [f"{name.replace('-', '_')} = cz.ZohoBooksIntegration("]
        lines += [f"    {text}," for text in (_quoted(name), *arguments)] + [")"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text)


def script(found: Record, import_name: str) -> str:
    """A shell script that does what ``--run`` does. It holds no secret."""
    stack = shlex.quote(found.stack)
    lines = [
        "#!/bin/sh",
        "# Takes over the Zoho Books integration as it is: writes to this stack's configuration and state, and to",
        "# nothing else. Made by `codat-zoho adopt`. It holds no secret.",
        "set -eu",
        'cd "$(dirname "$0")"',
        f"pulumi stack select --create {stack}",
    ]
    for key, value in found.config.items():
        if isinstance(value, list):
            lines += [
                f"pulumi config set --stack {stack} --path {shlex.quote(f'{key}[{index}]')} {shlex.quote(item)}"
                for index, item in enumerate(value)
            ]
        else:
            lines.append(f"pulumi config set --stack {stack} {key} {shlex.quote(value)}")
    for key, value in found.secrets.items():
        source = "printf ''"
        if value:
            lines.append(f': "${{{SECRET_VARIABLE}:?set it to the client secret first}}"')
            source = f'printf %s "${SECRET_VARIABLE}"'
        lines.append(f"{source} | pulumi config set --secret --stack {stack} {key}")
    # Protected where the program does not declare it yet: an early `pulumi up` would delete it.
    protect = str(found.own).lower()
    file = shlex.quote(import_name)
    lines.append(f"pulumi import --stack {stack} --file {file} --generate-code=false --protect={protect} --yes")
    check = "refresh --preview-only" if found.own else "preview --refresh"
    lines.append(f"pulumi {check} --stack {stack} --expect-no-changes")
    return "\n".join(lines) + "\n"

"""Reads the ready-to-use project's stack configuration as the declarations that its program makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, load
from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.errors import SettingsError

_CLIENT = {
    "zohoClientId": "client_id",
    "zohoClientSecret": "client_secret",
    "regions": "regions",
    "sameCredentialsEverywhere": "same_credentials_everywhere",
    "verify": "verify",
}
_INTEGRATION = {
    "zohoClientId": "client_id",
    "zohoClientSecret": "client_secret",
    "enabled": "enabled",
    "connection": "connection",
    "onDelete": "on_delete",
    "allowDisruption": "allow_disruption",
}
KEYS = tuple(dict.fromkeys((*_CLIENT, *_INTEGRATION)))
"""What the ready-to-use project reads, without its namespace."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Raw declarations by field, as they would reach the resources; empty texts count as not declared."""

    client: Mapping[str, Any] = field(repr=False)
    integration: Mapping[str, Any] = field(repr=False)

    def problems(self) -> Iterator[str]:
        """Every broken rule, named by configuration key where there is one."""
        told: set[str] = set()
        for model, values, names in (
            (ZohoClientSettings, self.client if self.client.get("client_id") else None, _CLIENT),
            (IntegrationSettings, self.integration, _INTEGRATION),
        ):
            if values is None:
                continue
            try:
                load(model, values)
            except SettingsError as error:
                keys = {name: key for key, name in names.items()}
                for problem in error.problems:
                    name, _, text = problem.partition(": ")
                    told.add(f"{NAMESPACE}:{keys.get(name, name)}: {text}")
        yield from sorted(told)


def declared(config: Mapping[str, str | None]) -> Declared:
    """Read configuration by full key, as ``pulumi config --json`` gives it."""
    values = {key: _value(config.get(f"{NAMESPACE}:{key}")) for key in KEYS}
    return Declared(
        {name: values[key] for key, name in _CLIENT.items() if values[key] is not None},
        {name: values[key] for key, name in _INTEGRATION.items() if values[key] is not None},
    )


def _value(text: str | None) -> Any:
    """Read a text as programs do: lists are JSON, booleans are the words; an empty one is none."""
    if not text:
        return None
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text

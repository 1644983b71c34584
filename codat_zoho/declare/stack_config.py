"""How stack configuration names the settings, and what the ready-made program declares with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from codat_zoho.declare.describe import described
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, load
from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.errors import Problem, SettingsError

SETTINGS = {**described(ZohoClientSettings), **described(IntegrationSettings)}
"""Every setting of the ready-made program by name. Both resources share keys, which are described alike."""
KEYS = tuple(one.key for one in SETTINGS.values())
"""What the ready-made program reads, without its namespace."""
SECRET_KEYS = (*(one.key for one in SETTINGS.values() if one.secret), "apiKey", "apiKeys")
"""Which of these, and of what the package itself reads, must not stand in clear."""


def key_of(name: str) -> str:
    """The key of a setting, without its namespace; the name itself of what is no setting."""
    return SETTINGS[name].key if name in SETTINGS else name


class Spelling(Enum):
    """How the program at hand spells a setting: as an argument, or as stack configuration of the ready-made project."""

    ARGUMENT = "argument"
    CONFIGURATION = "configuration"

    def name_of(self, name: str) -> str:
        """Spell a setting: ``allow_disruption``, or ``codat-zoho:allowDisruption``."""
        return name if self is Spelling.ARGUMENT else f"{NAMESPACE}:{key_of(name)}"

    def of(self, name: str, value: str | bool) -> str:
        """Spell that a setting has a value: ``allow_disruption=True``, or the key and the command that sets it."""
        if self is Spelling.ARGUMENT:
            return f"{name}={value!r}"
        key, text = self.name_of(name), str(value).lower()
        return f"{key} to {text} (pulumi config set {key} {text})"


@dataclass(frozen=True, slots=True)
class Declared:
    """Raw declarations by field, as they would reach the resources; empty texts count as not declared."""

    client: Mapping[str, Any] = field(repr=False)
    integration: Mapping[str, Any] = field(repr=False)

    def problems(self) -> Iterator[Problem]:
        """Every broken rule, once, named by its full key."""
        found = {*_problems(IntegrationSettings, self.integration)}
        if self.client.get("client_id"):
            found |= {*_problems(ZohoClientSettings, self.client)}
        yield from sorted(found)


def _problems(
    model: type[ZohoClientSettings] | type[IntegrationSettings], values: Mapping[str, Any]
) -> Iterator[Problem]:
    try:
        load(model, values)
    except SettingsError as error:
        for name, text in error.problems:
            yield Problem(f"{NAMESPACE}:{key_of(name)}", text)


def declared(config: Mapping[str, str | None]) -> Declared:
    """Read configuration by full key, as ``pulumi config --json`` gives it."""
    values = {name: one.read(text) for name, one in SETTINGS.items() if (text := config.get(f"{NAMESPACE}:{one.key}"))}
    return Declared(
        {name: value for name, value in values.items() if name in described(ZohoClientSettings)},
        {name: value for name, value in values.items() if name in described(IntegrationSettings)},
    )

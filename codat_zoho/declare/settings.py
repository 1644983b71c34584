"""What a user declares: every setting once, and the rules between them.

Plain dataclasses: the resources, the review of a pull request and the adoption of existing settings read the same
declarations through :func:`load`, which loads pydantic only to say what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar

from codat_zoho.declare.describe import LISTS, camel_case, described, setting
from codat_zoho.declare.platform import NAMESPACE, OUTPUTS
from codat_zoho.declare.rules import bad_client_id, bad_client_secret, bad_connection, bad_regions, fingerprint
from codat_zoho.errors import Problem, SettingsError

Verify = Literal["on-change", "always", "off"]
OnDelete = Literal["remove", "disable", "keep"]
FINGERPRINT = "client_secret_fingerprint"
"""The input that names a secret without telling it; it follows from client id and secret."""


@dataclass(frozen=True)
class _Settings:
    def as_inputs(self) -> dict[str, Any]:
        """The declared fields as the engine keeps them, without what is None, and the secret's fingerprint."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if values["client_id"] and values["client_secret"]:
            values[FINGERPRINT] = fingerprint(values["client_id"], values["client_secret"])
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def problems_between(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[Problem]:
        """Yield what is wrong between fields; ``values`` are raw, and lack what is unknown yet."""
        if values.get("client_secret") and values["client_secret"] == values.get("client_id"):
            yield Problem("client_secret", "is the same as client_id")


_ID = {"rule": bad_client_id, "key": "zohoClientId"}
_SECRET = {"rule": bad_client_secret, "key": "zohoClientSecret", "secret": True}


@dataclass(frozen=True)
class ZohoClientSettings(_Settings):
    """The OAuth client in Zoho's console that is declared to exist."""

    client_id: str = setting("", "Zoho's id of the client", required=True, replaces=True, **_ID)
    client_secret: str | None = setting(None, "its secret; None while nobody has it at hand", **_SECRET)
    regions: tuple[str, ...] = setting(
        (), "codes of the data centres that must accept it, sorted", rule=bad_regions, required=True
    )
    same_credentials_everywhere: bool = setting(
        True, 'the console\'s switch "Use the same OAuth credentials for all data centers" is on'
    )
    verify: Verify = setting("on-change", "when to ask Zoho whether it accepts the client")  # noqa: RUF009

    @classmethod
    def problems_between(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[Problem]:
        """Yield what is wrong between fields."""
        yield from super().problems_between(values, unknown)
        regions = values.get("regions")
        several = isinstance(regions, list) and len({code for code in regions if isinstance(code, str)}) > 1
        if values.get("same_credentials_everywhere") is False and several:
            yield Problem(
                "same_credentials_everywhere",
                "is false, but several regions are listed: without Zoho's switch 'Use the same OAuth credentials for "
                "all data centers' each data centre has its own secret, and Codat stores one; turn the switch on (API "
                "console, Settings tab) and set this to true, or list one region",
            )


@dataclass(frozen=True)
class IntegrationSettings(_Settings):
    """The Zoho Books integration of one Codat client, as declared. What is None is left as it is in Codat."""

    client_id: str | None = setting(None, "Zoho's client id for Codat to use; None leaves the stored keys", **_ID)
    client_secret: str | None = setting(None, "its secret; None leaves the stored one", **_SECRET)
    enabled: bool | None = setting(None, "whether customers can link Zoho Books; None never means false")
    connection: str = setting(
        "default", "the name of the Codat API key, and so of the Codat client", rule=bad_connection, replaces=True
    )
    on_delete: OnDelete = setting("remove", "destroying deletes the keys, only disables, or does nothing")  # noqa: RUF009
    allow_disruption: bool = setting(False, "lets changes through that can cut off linked companies")

    @classmethod
    def problems_between(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[Problem]:
        """Yield what is wrong between fields."""
        yield from super().problems_between(values, unknown)
        if "client_secret" in values and "client_id" not in {*values, *unknown}:
            yield Problem("client_secret", "is set without client_id: Codat stores the two together")


S = TypeVar("S", bound=_Settings)


def managed(model: type[_Settings]) -> tuple[str, ...]:
    """The inputs of a resource that are compared: its settings, and the fingerprint beside the secret."""
    names = [field.name for field in fields(model)]
    names.insert(names.index("client_secret") + 1, FINGERPRINT)
    return tuple(names)


def load(model: type[S], values: Mapping[str, object], *, unknown: Collection[str] = ()) -> S:
    """Read a declaration. What is None is not declared; what is unknown yet (in a preview) is not checked.

    Raises:
        SettingsError: with all problems at once.

    >>> load(IntegrationSettings, {"enabled": "no", "on_delete": "keep"})
    Traceback (most recent call last):
    codat_zoho.errors.SettingsError: enabled: must be true or false
    """
    settings = described(model)
    known = {
        name: list(value) if isinstance(value, LISTS) else value
        for name, value in values.items()
        if value is not None and name not in unknown
    }
    problems = [
        Problem(name, "is missing")
        for name, one in settings.items()
        if one.required and name not in known and name not in unknown
    ]
    if not all(name in settings and settings[name].fits(value) for name, value in known.items()):
        from codat_zoho.declare.validation import problems_with  # It takes long to load.

        problems += problems_with(settings, known)
    problems += model.problems_between(known, unknown)
    if problems:
        raise SettingsError(problems)
    made = {name: tuple(sorted({*value})) if isinstance(value, list) else value for name, value in known.items()}
    return model(**made)


SETTINGS = {**described(ZohoClientSettings), **described(IntegrationSettings)}
"""Every setting of the ready-to-use program by name. Both resources share keys, which are described alike."""
KEYS = tuple(one.key for one in SETTINGS.values())
"""What the ready-to-use program reads, without its namespace."""
SECRET_KEYS = (*(one.key for one in SETTINGS.values() if one.secret), "apiKey", "apiKeys")
"""Which of these, and of what the package itself reads, must not stand in clear."""


def key_of(name: str) -> str:
    """The key of a setting, without its namespace; the name itself of what is no setting."""
    return SETTINGS[name].key if name in SETTINGS else name


@cache
def _names() -> re.Pattern[str]:
    """What only Python spells with an underscore, and the value where one follows. Its making takes long."""
    names = {name for name in (*SETTINGS, *sum(OUTPUTS.values(), ())) if "_" in name}
    return re.compile(rf"\b({'|'.join(sorted(names))})\b(?:=(['\"]?)(\w+)\2)?")


class Spelling(Enum):
    """How the program at hand spells a setting.

    As an argument in Python, a property in YAML and other languages, stack configuration of the ready-to-use project.
    """

    ARGUMENT = "argument"
    PROPERTY = "property"
    CONFIGURATION = "configuration"

    def name_of(self, name: str) -> str:
        """Spell a setting: ``allow_disruption``, ``allowDisruption``, or ``codat-zoho:allowDisruption``."""
        if self is Spelling.CONFIGURATION:
            return f"{NAMESPACE}:{key_of(name)}"
        return name if self is Spelling.ARGUMENT else camel_case(name)

    def of(self, name: str, value: str | bool) -> str:
        """Spell that a setting has a value.

        ``allow_disruption=True``, ``allowDisruption: true``, or the key and the command that sets it.
        """
        if self is Spelling.ARGUMENT:
            return f"{name}={value!r}"
        if self is Spelling.PROPERTY:
            return f"{camel_case(name)}: {str(value).lower()}"
        key, text = self.name_of(name), str(value).lower()
        return f"{key} to {text} (pulumi config set {key} {text})"

    def text(self, text: str) -> str:
        """Spell what a text names as arguments and outputs of Python's resources.

        >>> Spelling.PROPERTY.text("client_id: is it meant? Codat keeps it (on_delete='keep').")
        "clientId: is it meant? Codat keeps it (onDelete: keep)."
        """
        if self is not Spelling.PROPERTY:
            return text
        return _names().sub(lambda one: self.of(one[1], one[3]) if one[3] else camel_case(one[1]), text)


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

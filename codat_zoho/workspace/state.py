"""Reads this package's part of an exported state (``pulumi stack export``). Pure: no command, no network.

Only resources of this package are looked at, and of their providers what the last deployment gave them to reach Codat:
those of dynamic resources hold all stack configuration, of which ``codat-zoho:*`` is read, and the plugin its own.
Everything else is passed over unread. The plugin's resources spell their properties in camelCase; here, and from here
on, all are spelled alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from codat_zoho.declare.describe import snake_case
from codat_zoho.declare.platform import CLIENT, CONFIG_KEYS, INTEGRATION, NAMESPACE, SECRET, SIGNATURE, UNKNOWN
from codat_zoho.declare.recorded import FORMS
from codat_zoho.declare.settings import Spelling
from codat_zoho.texts.redact import register
from codat_zoho.workspace.values import (
    PROVIDER_TYPE,
    explicit_provider,
    kind_of,
    name_of,
    project_and_stack,
    spelling_of,
)

_PROVIDERS = {"pulumi:providers:pulumi-python": f"{NAMESPACE}:", PROVIDER_TYPE: ""}
"""The types of our resources' providers, and what stands before our keys in their inputs."""
_VERSIONS = (3, 4)


class Mark(Enum):
    """Stands for a secret in a state that was exported without ``--show-secrets``, or for a form that is not known."""

    ENCRYPTED = "encrypted"
    ODD = "odd"


ENCRYPTED = Mark.ENCRYPTED


class Unreadable(Exception):
    """The text is no exported state in a form that is known; its text says why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource of this package as its last deployment, or a refresh since, left it; inputs and outputs in clear."""

    urn: str
    kind: str
    id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hidden: frozenset[str] = frozenset()  # the settings that the program marked as secret
    odd: tuple[str, ...] = ()  # what has a form that is not known: nothing can be said of the resource then
    unfinished: str = ""  # what the last deployment was doing with it, where it did not finish
    tainted: bool = False  # the next deployment replaces it
    spelling: Spelling = Spelling.ARGUMENT  # how its program spells properties
    provider: str = ""  # by reference, URN::ID
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what that was given, without namespace

    @property
    def name(self) -> str:
        """Pulumi's name of the resource."""
        return name_of(self.urn)

    @property
    def explicit_provider(self) -> str:
        """The name of its provider, where the program makes that itself."""
        return explicit_provider(self.provider.rpartition("::")[0])

    @property
    def undeclared(self) -> bool:
        """It was last changed by an older version of this package, which recorded no declaration."""
        return bool(self.inputs) and "declared" not in self.outputs and not (self.odd or self.unfinished)

    @property
    def connection(self) -> str:
        """Of an integration."""
        return str(self.inputs.get("connection") or self.outputs.get("connection") or self.id)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exported state holds of this package."""

    resources: tuple[Deployed, ...] = ()
    configured: bool = False  # a provider was given something to reach Codat with, or is one for nothing else
    names: tuple[str, str] | None = None  # project and stack, where any resource tells them


def read(text: str | bytes) -> Exported:
    """Read an exported state; a form that is not known is ``Unreadable``."""
    try:
        return _read(json.loads(text))
    except ValueError:
        raise Unreadable("It is not JSON.") from None
    except RecursionError:
        raise Unreadable("It is nested too deeply.") from None


def _read(whole: Any) -> Exported:
    if not isinstance(whole, dict) or "deployment" not in whole:
        raise Unreadable("It is no output of 'pulumi stack export'.")
    if whole.get("version") not in _VERSIONS:
        raise Unreadable("Its version is not one that this package knows.")
    deployment = {} if whole["deployment"] is None else whole["deployment"]
    if not isinstance(deployment, dict):
        raise Unreadable("Its deployment is no object.")
    resources = _objects(deployment.get("resources"))
    operations = _objects(deployment.get("pending_operations"))
    begun = _objects([one.get("resource") for one in operations])
    if not all(isinstance(one.get(name), str) for one in (*resources, *begun) for name in ("type", "urn")):
        raise Unreadable("It holds a resource without type or URN.")
    doing = {
        it["urn"]: (str(one.get("type")), kind_of(it["type"]))
        for one, it in zip(operations, begun, strict=True)
        if kind_of(it["type"]) and one.get("type") != "reading"  # Reading changes nothing.
    }
    for one in resources:
        # A later deployment has created it: Pulumi keeps the note that an earlier one began to.
        if doing.get(one["urn"], ("", ""))[0] == "creating":
            del doing[one["urn"]]
    given = _given(resources)
    ours = [_deployed(one, doing.pop(one["urn"], ("", ""))[0], given) for one in resources if kind_of(one["type"])]
    ours += [Deployed(urn, kind, unfinished=what) for urn, (what, kind) in doing.items()]
    names = project_and_stack(resources[0]["urn"]) if resources else None
    configured = any(config or not _PROVIDERS[type_] for type_, config in given.values())
    return Exported(tuple(sorted(ours, key=lambda one: one.urn)), configured, names)


_Given = Mapping[str, tuple[str, Mapping[str, Any]]]
"""By reference, the type of a provider and what it was given."""


def _given(resources: list[dict[str, Any]]) -> _Given:
    found = {}
    for one in resources:
        if (prefix := _PROVIDERS.get(type_ := one["type"])) is None:
            continue
        inputs = given if isinstance(given := one.get("inputs"), dict) else {}  # What is given nothing has none.
        ours = {name.removeprefix(prefix): raw for name, raw in inputs.items() if name.startswith(prefix)}
        values = {key: _value(raw)[0] for key, raw in ours.items() if prefix or key in CONFIG_KEYS}
        config = {key: value for key, value in values.items() if value not in (None, Mark.ODD)}
        found[f"{one['urn']}::{one.get('id')}"] = type_, config
    return found


def _provider(resource: Mapping[str, Any], given: _Given) -> tuple[str, Mapping[str, Any]]:
    """The provider that a resource names, and what it was given; else its type, and what all of that agree on."""
    named, needed = str(resource.get("provider")), f"pulumi:providers:{resource['type'].partition(':')[0]}"
    type_, config = given.get(named, ("", {}))
    if type_ == needed:
        return named, config
    alike = [config for type_, config in given.values() if type_ == needed]
    return needed, {
        key: value
        for config in alike
        for key, value in config.items()
        if all(other.get(key, value) == value for other in alike)
    }


def _objects(some: Any) -> list[dict[str, Any]]:
    if some is not None and not (isinstance(some, list) and all(isinstance(one, dict) for one in some)):
        raise Unreadable("Its resources are no list of objects.")
    return some or []


def _deployed(resource: Mapping[str, Any], doing: str, given: _Given) -> Deployed:
    kind = kind_of(resource["type"])
    odd = set() if kind in (INTEGRATION, CLIENT) else {"its type"}
    hidden: set[str] = set()
    bags: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}}
    for part, bag in bags.items():
        raw = _respelled(resource.get(part) or {})
        for name, fits in FORMS.items():
            value, secret = _value(raw.get(name)) if isinstance(raw, dict) else (Mark.ODD, False)
            if name == "declared":
                value = _respelled(value)
            if value is None:
                continue
            if value is not ENCRYPTED and not fits(value):
                odd.add(name)
                continue
            bag[name] = value
            if secret:
                hidden.add(name)
            if isinstance(value, str) and (name == "client_secret" or (name == "client_id" and name in hidden)):
                register(value)
    provider, config = _provider(resource, given)
    if not doing and resource.get("delete"):
        doing = "deleting"
    elif not doing and resource.get("pendingReplacement"):
        doing = "replacing"
    return Deployed(
        urn=resource["urn"],
        kind=kind,
        id=str(resource.get("id") or ""),
        **bags,
        hidden=frozenset(hidden),
        odd=tuple(sorted(odd)),
        unfinished=doing,
        tainted=bool(resource.get("taint")),
        spelling=spelling_of(resource["type"]),
        provider=provider,
        config=config,
    )


def _respelled(bag: Any) -> Any:
    """Properties as Python spells them, whatever the program does."""
    return {snake_case(name): value for name, value in bag.items()} if isinstance(bag, dict) else bag


def _value(raw: Any) -> tuple[Any, bool]:
    """Return a value, or a :class:`Mark` in its place, and whether any part of it is secret."""
    if isinstance(raw, dict) and SIGNATURE in raw:
        if raw[SIGNATURE] != SECRET:
            return Mark.ODD, False
        if isinstance(raw.get("plaintext"), str):
            try:
                return _value(json.loads(raw["plaintext"]))[0], True
            except ValueError:
                return Mark.ODD, True
        return (ENCRYPTED if "ciphertext" in raw else Mark.ODD), True
    if isinstance(raw, list | dict):
        parts = {key: _value(part) for key, part in (raw.items() if isinstance(raw, dict) else enumerate(raw))}
        secret = any(part_secret for _, part_secret in parts.values())
        for mark in (Mark.ODD, ENCRYPTED):
            if any(part is mark for part, _ in parts.values()):
                return mark, secret
        bare = {key: part for key, (part, _) in parts.items()}
        return (bare if isinstance(raw, dict) else list(bare.values())), secret
    return (Mark.ODD if raw == UNKNOWN else raw), False

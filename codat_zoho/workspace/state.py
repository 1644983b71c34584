"""Reads this package's part of an exported state (``pulumi stack export``). Pure: no command, no network.

Only resources of this package are looked at, and of the default provider of dynamic resources what it was given of
``codat-zoho:*``: the stack configuration of the last deployment. Everything else is passed over unread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE, SECRET, SIGNATURE, UNKNOWN
from codat_zoho.declare.recorded import FORMS
from codat_zoho.texts.redact import register
from codat_zoho.workspace.values import kind_of, name_of, project_and_stack

_PROVIDER = "pulumi:providers:pulumi-python"
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

    @property
    def name(self) -> str:
        """Pulumi's name of the resource."""
        return name_of(self.urn)

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
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)  # of the last deployment, without namespace
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
    ours = [_deployed(one, doing.pop(one["urn"], ("", ""))[0]) for one in resources if kind_of(one["type"])]
    ours += [Deployed(urn, kind, unfinished=what) for urn, (what, kind) in doing.items()]
    names = project_and_stack(resources[0]["urn"]) if resources else None
    return Exported(tuple(sorted(ours, key=lambda one: one.urn)), _config(resources), names)


def _config(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """What the default provider of dynamic resources was given."""
    config: dict[str, Any] = {}
    for one in resources:
        # A program may have several; those of another SDK's dynamic resources were given the same configuration.
        if one["type"] != _PROVIDER or not isinstance(one.get("inputs"), dict):
            continue
        for full, raw in one["inputs"].items():
            space, _, key = full.partition(":")
            if space == NAMESPACE and (value := _value(raw)[0]) is not Mark.ODD:
                config[key] = value
    return config


def _objects(some: Any) -> list[dict[str, Any]]:
    if some is not None and not (isinstance(some, list) and all(isinstance(one, dict) for one in some)):
        raise Unreadable("Its resources are no list of objects.")
    return some or []


def _deployed(resource: Mapping[str, Any], doing: str) -> Deployed:
    kind = kind_of(resource["type"])
    odd = set() if kind in (INTEGRATION, CLIENT) else {"its type"}
    hidden: set[str] = set()
    bags: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}}
    for part, bag in bags.items():
        raw = resource.get(part) or {}
        for name, fits in FORMS.items():
            value, secret = _value(raw.get(name)) if isinstance(raw, dict) else (Mark.ODD, False)
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
    )


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

"""Reads this package's part of an exported state (``pulumi stack export``). Pure: no command, no network.

Only resources of this package are looked at, and of the default provider of dynamic resources what it was given of
``codat-zoho:*``: the stack configuration of the last deployment. Everything else is passed over unread. Nothing here
keeps the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from codat_zoho.declare.tokens import CLIENT, INTEGRATION, NAMESPACE, SECRET, SIGNATURE, TOKEN_PREFIX, UNKNOWN
from codat_zoho.texts.redact import one_line, register

_PROVIDER = "pulumi:providers:pulumi-python"
_VERSIONS = (3, 4)


class Mark(Enum):
    """What stands where a value cannot be read."""

    ENCRYPTED = "encrypted"
    ODD = "odd"


ENCRYPTED = Mark.ENCRYPTED
"""Stands for a secret in a state that was exported without ``--show-secrets``."""


class Unreadable(Exception):
    """The text is no exported state in a form that is known; its text says why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource of this package as its last deployment, or a refresh since, left it.

    Args:
        urn: Pulumi's full name of it.
        kind: its type without the prefix.
        id: Pulumi's id of it.
        inputs: decrypted.
        outputs: decrypted.
        hidden: the settings that the program marked as secret.
        odd: what is in a form that is not known: nothing can be said of the resource then.
        unfinished: what the last deployment was doing with it when it ended, where it did not finish.
        tainted: the next deployment replaces it.
    """

    urn: str
    kind: str
    id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hidden: frozenset[str] = frozenset()
    odd: tuple[str, ...] = ()
    unfinished: str = ""
    tainted: bool = False

    @property
    def name(self) -> str:
        """Pulumi's name of the resource."""
        return one_line(self.urn.rpartition("::")[2])

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
    """What an exported state holds of this package.

    Args:
        resources: by URN.
        config: the stack configuration of the last deployment, by key without the namespace.
        names: project and stack, where any resource tells them.
    """

    resources: tuple[Deployed, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    names: tuple[str, str] | None = None


def read(text: str | bytes) -> Exported:
    """Read an exported state.

    Raises:
        Unreadable: it is in a form that is not known.
    """
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
        it["urn"]: (str(one.get("type")), _kind(it))
        for one, it in zip(operations, begun, strict=True)
        if _ours(it) and one.get("type") != "reading"  # Reading changes nothing.
    }
    for one in resources:
        # A later deployment has created it: Pulumi keeps the note that an earlier one began to.
        if doing.get(one["urn"], ("", ""))[0] == "creating":
            del doing[one["urn"]]
    ours = [_deployed(one, doing.pop(one["urn"], ("", ""))[0]) for one in resources if _ours(one)]
    ours += [Deployed(urn, kind, unfinished=what) for urn, (what, kind) in doing.items()]
    config: dict[str, Any] = {}
    for one in resources:
        # A program may have several; those of another SDK's dynamic resources were given the same configuration.
        if one["type"] == _PROVIDER and isinstance(one.get("inputs"), dict):
            found = {key: _value(raw)[0] for key, raw in one["inputs"].items() if key.startswith(f"{NAMESPACE}:")}
            config |= {key.partition(":")[2]: value for key, value in found.items() if value is not Mark.ODD}
    parts = resources[0]["urn"].split("::") if resources else []
    names = (one_line(parts[1]), one_line(parts[0].removeprefix("urn:pulumi:"))) if len(parts) > 3 else None
    return Exported(tuple(sorted(ours, key=lambda one: one.urn)), config, names)


def _objects(some: Any) -> list[dict[str, Any]]:
    if some is not None and not (isinstance(some, list) and all(isinstance(one, dict) for one in some)):
        raise Unreadable("Its resources are no list of objects.")
    return some or []


def _ours(resource: Mapping[str, Any]) -> bool:
    return str(resource["type"]).startswith(TOKEN_PREFIX)


def _kind(resource: Mapping[str, Any]) -> str:
    return str(resource["type"]).removeprefix(TOKEN_PREFIX)


def _deployed(resource: Mapping[str, Any], doing: str) -> Deployed:
    odd = set() if _kind(resource) in (INTEGRATION, CLIENT) else {"its type"}
    hidden: set[str] = set()
    bags: list[dict[str, Any]] = [{}, {}]
    for bag, raw in zip(bags, (resource.get("inputs") or {}, resource.get("outputs") or {}), strict=True):
        for name, fits in _FORMS.items():
            value, secret = _value(raw.get(name)) if isinstance(raw, dict) else (Mark.ODD, False)
            if value is None:
                continue
            if value is ENCRYPTED or fits(value):
                bag[name] = value
                hidden |= {name} if secret else set()
            else:
                odd.add(name)
        for name in ("client_secret", *({"client_id"} & hidden)):
            register(bag[name] if isinstance(bag.get(name), str) else None)
    waiting = "deleting" * bool(resource.get("delete")) or "replacing" * bool(resource.get("pendingReplacement"))
    return Deployed(
        urn=resource["urn"],
        kind=_kind(resource),
        id=str(resource.get("id") or ""),
        inputs=bags[0],
        outputs=bags[1],
        hidden=frozenset(hidden),
        odd=tuple(sorted(odd)),
        unfinished=doing or waiting,
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


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _time(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None


def _codes(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and re.fullmatch("[a-z]{2}", one) for one in value)


def _verdicts(value: object) -> bool:
    return isinstance(value, dict) and _codes([*value]) and all(isinstance(one, str) for one in value.values())


def _declaration(value: object) -> bool:
    return isinstance(value, dict) and all(_FORMS[name](one) for name, one in value.items() if name in _FORMS)


# What is read, and the form that it must have. Older versions recorded less.
_FORMS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("client_id", "client_secret", "client_secret_fingerprint", "connection"), _text),
    **dict.fromkeys(("codat_client", "codat_client_name"), _text),
    **dict.fromkeys(("enabled", "allow_disruption", "keys_cleared_while_disabled"), _flag),
    **dict.fromkeys(("verified_at", "at"), _time),
    "regions": _codes,
    "verdicts": _verdicts,
    "declared": _declaration,
}

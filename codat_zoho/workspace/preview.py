"""Reads the output of ``pulumi preview --json``: which resources of this package it is about, and what differs.

Seen on the engine (3.259): with ``--refresh`` each resource comes first in a step ``refresh`` whose old state is what
the last run recorded; the old state of the step that follows is what the refresh found. So the two tell drift from a
change of the program. ``pulumi refresh --preview-only --json`` looks the same, but the program was not run: there the
step that follows has what was recorded as its old state and what was found as its new one, and the stack itself, which
every program registers, comes in no step but ``refresh``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codat_zoho.declare import tokens as pulumi_format
from codat_zoho.declare.tokens import TOKEN_PREFIX, UNKNOWN
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.values import BOOKS, CLIENT, ELSEWHERE, Field, Fields, differing, show

_TYPES = {f"{TOKEN_PREFIX}{pulumi_format.CLIENT}": CLIENT, f"{TOKEN_PREFIX}{pulumi_format.INTEGRATION}": BOOKS}
_STACK = "pulumi:pulumi:Stack"
_SECRET = "[secret]"
_LATER = ("create-replacement", "delete-replaced", "discard-replaced", "read", "refresh")


class Unreadable(Exception):
    """The text is no output of ``pulumi preview --json``."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a preview: as recorded, as it is, as it will be; recorded is None without a refresh."""

    name: str
    kind: str
    operation: str
    recorded: Fields | None
    before: Fields | None
    after: Fields | None
    linked: int | None

    @property
    def books(self) -> bool:
        """It is an integration."""
        return self.kind == pulumi_format.INTEGRATION

    def changes(self) -> Iterator[tuple[str, str | bool | None, str | bool | None]]:
        """The settings that differ, before and after; secrets are told by their fingerprints alone."""
        old, new = self.before or {}, self.after or {}
        for name in differing(old, new):
            if name != "client_secret":
                yield name, _plain(old.get(name)), _plain(new.get(name))


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview.

    Args:
        project: its name.
        stack: its name.
        errors: why it failed.
        empty: it has no steps.
        refreshed: it looked at what is there.
        ran: it ran the program.
        resources: those of this package that it is about.
    """

    project: str
    stack: str
    errors: tuple[str, ...] = ()
    empty: bool = False
    refreshed: bool = False
    ran: bool = True
    resources: tuple[Resource, ...] = ()


def read(text: str) -> Preview:
    """Read a preview.

    Raises:
        Unreadable: it is none.
    """
    try:
        told = json.loads(text)
        steps = [step for step in told["steps"] if isinstance(step, dict) and isinstance(step.get("urn"), str)]
        diagnostics = told.get("diagnostics") or []
        if not isinstance(diagnostics, list) or not all(map(_readable, steps)):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreadable from None
    failed = [one for one in diagnostics if isinstance(one, dict) and one.get("severity") == "error"]
    errors = tuple(str(one.get("message")) for one in failed)
    operations = {str(step.get("op")) for step in steps}
    ran = "refresh" not in operations or any(_type(step) == _STACK and step.get("op") != "refresh" for step in steps)
    resources = () if errors else tuple(_resources(steps))
    return Preview(*_names(steps), errors, not steps, "refresh" in operations, ran, resources)


def _plain(one: Field | None) -> str | bool | None:
    return None if one is None else one.value if isinstance(one.value, bool) else one.shown


def _readable(step: Mapping[str, Any]) -> bool:
    """It is of the shape that is read below."""
    states = [step.get("oldState") or {}, step.get("newState") or {}]
    if not all(isinstance(state, dict) for state in states) or not isinstance(step.get("detailedDiff") or {}, dict):
        return False
    bags = [state.get(name) or {} for state in states for name in ("inputs", "outputs")]
    return all(isinstance(bag, dict) for bag in bags)


def _names(steps: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    for step in steps:
        parts = str(step["urn"]).split("::")
        if len(parts) >= 4 and parts[0].startswith("urn:pulumi:"):
            return one_line(parts[1], 100), one_line(parts[0].removeprefix("urn:pulumi:"), 100)
    return "", "preview"


def _type(step: Mapping[str, Any]) -> str:
    """As the state names it; the type in the URN of a component's child has the component's before a ``$``."""
    for state in (step.get("newState"), step.get("oldState")):
        if isinstance(state, dict) and isinstance(state.get("type"), str):
            return str(state["type"])
    parts = str(step["urn"]).split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def _resources(steps: Sequence[Mapping[str, Any]]) -> Iterator[Resource]:
    """The resources of this package; one that is listed in its refresh alone stays as it is."""
    recorded = {step["urn"]: step for step in steps if step.get("op") == "refresh" and _type(step) in _TYPES}
    for step in steps:
        if _type(step) not in _TYPES or step.get("op") in _LATER:
            continue
        refreshed = recorded.pop(step["urn"], None)
        yield _resource(step, None if refreshed is None else refreshed.get("oldState"))
    for step in recorded.values():
        yield _resource({**step, "op": "same", "oldState": step.get("newState")}, step.get("oldState"))


def _resource(step: Mapping[str, Any], recorded: object) -> Resource:
    names = _TYPES[_type(step)]
    operation, old, new = str(step.get("op")), step.get("oldState"), step.get("newState")
    before = None if operation == "create" else _fields(old, names)
    after = None if operation == "delete" else _fields(new, names)
    if before is not None and after is not None:
        # The engine hides secrets, but it lists which of them differ.
        listed = {re.split(r"[.\[]", path)[0] for path in step.get("detailedDiff") or ()}
        hidden = [name for name in listed & before.keys() & after.keys() if before[name].shown == after[name].shown]
        after = {**after, **{name: replace(after[name], identity="another secret") for name in hidden}}
    outputs = (old or {}).get("outputs") or {}
    count = outputs.get("linked_companies")
    return Resource(
        name=one_line(str(step["urn"]).rpartition("::")[2], 100),
        kind=_type(step).removeprefix(TOKEN_PREFIX),
        operation=operation,
        recorded=_fields(recorded, names),
        before=before,
        after=after,
        linked=int(count) if isinstance(count, int | float) and count is not True and math.isfinite(count) else None,
    )


def _fields(state: object, names: Sequence[str]) -> Fields | None:
    if not isinstance(state, dict):
        return None
    inputs = {name: value for name, value in (state.get("inputs") or {}).items() if value is not None}
    if names is BOOKS:
        inputs.setdefault("connection", "default")
    return {name: _field(inputs[name]) for name in names if name in inputs}


def _field(value: Any) -> Field:
    if value == UNKNOWN or (isinstance(value, list) and UNKNOWN in value):
        return Field(f"{ELSEWHERE}pulumi up", "not known before pulumi up", known=False)
    if value == _SECRET:
        return Field("a secret", _SECRET)
    if isinstance(value, list):
        value = sorted(map(str, value))
    return Field(json.dumps(value, sort_keys=True), show(value), value)

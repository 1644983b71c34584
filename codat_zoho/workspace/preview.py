"""Reads the output of ``pulumi preview --json``: which resources of this package it is about, and what differs.

With ``--refresh`` (seen with 3.259) a first step ``refresh`` of a resource has as its old state what the last run
recorded; the old state of the step that follows is what was found. In ``pulumi refresh --preview-only`` that step has
what was recorded and what was found, and the stack, which every program registers, comes in no step but ``refresh``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codat_zoho.declare.platform import CLIENT, INTEGRATION, UNKNOWN
from codat_zoho.workspace import values
from codat_zoho.workspace.values import ELSEWHERE, Field, Fields, differing, kind_of, name_of, project_and_stack, show

_NAMES = {CLIENT: values.CLIENT, INTEGRATION: values.BOOKS}
_STACK = "pulumi:pulumi:Stack"
_SECRET = "[secret]"
YAML_FAILED = "\033[31mError\033[0m: "
"""How the host of YAML programs begins an error, be it on a terminal or not (seen with 1.38)."""
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
        return self.kind == INTEGRATION

    def changes(self) -> Iterator[tuple[str, str | bool | None, str | bool | None]]:
        """The settings that differ, before and after; secrets are told by their fingerprints alone."""
        old, new = self.before or {}, self.after or {}
        for name in differing(old, new):
            if name != "client_secret":
                yield name, _plain(old.get(name)), _plain(new.get(name))


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview: of which stack it is, why it failed, and the resources of this package that it is about."""

    project: str
    stack: str
    errors: tuple[str, ...] = ()
    empty: bool = False  # it has no steps
    refreshed: bool = False  # it looked at what is there
    ran: bool = True  # it ran the program
    resources: tuple[Resource, ...] = ()


def read(text: str) -> Preview:
    """Read a preview; another text is ``Unreadable``."""
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable from None


def _errors(diagnostics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The errors, those of the YAML host among them: it prints why it cannot run a program, and the engine goes on."""
    for one in diagnostics:
        message = str(one.get("message"))
        if one.get("severity") == "error" or message.startswith(YAML_FAILED):
            yield message.removeprefix(YAML_FAILED)


def _read(told: Any) -> Preview:
    steps = [step for step in told["steps"] if isinstance(step, dict) and isinstance(step.get("urn"), str)]
    errors = tuple(_errors(told.get("diagnostics") or ()))
    named = next((found for step in steps if (found := project_and_stack(step["urn"]))), ("", "preview"))
    refreshed = any(step.get("op") == "refresh" for step in steps)
    ran = not refreshed or any(_type(step) == _STACK and step.get("op") != "refresh" for step in steps)
    resources = () if errors else tuple(_resources(steps))
    return Preview(*named, errors, not steps, refreshed, ran, resources)


def _plain(one: Field | None) -> str | bool | None:
    if one is None:
        return None
    return one.value if isinstance(one.value, bool) else one.shown


def _type(step: Mapping[str, Any]) -> str:
    """As the state names it; the type in the URN of a component's child has the component's before a ``$``."""
    for state in (step.get("newState"), step.get("oldState")):
        if state and isinstance(state.get("type"), str):
            return str(state["type"])
    parts = str(step["urn"]).split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def _resources(steps: Sequence[Mapping[str, Any]]) -> Iterator[Resource]:
    """The resources of this package; one that is listed in its refresh alone stays as it is."""
    ours = [step for step in steps if kind_of(_type(step)) in _NAMES]
    told = {step["urn"] for step in ours if step.get("op") not in _LATER}
    # Where an engine lists only the halves of a replacement, the first of them stands for the whole.
    ours = [
        {**step, "op": "replace"} if step.get("op") == "create-replacement" and step["urn"] not in told else step
        for step in ours
    ]
    recorded = {step["urn"]: step for step in ours if step.get("op") == "refresh"}
    for step in ours:
        if step.get("op") not in _LATER:
            refreshed = recorded.pop(step["urn"], None)
            yield _resource(step, None if refreshed is None else refreshed.get("oldState"))
    for step in recorded.values():
        yield _resource({**step, "op": "same", "oldState": step.get("newState")}, step.get("oldState"))


def _resource(step: Mapping[str, Any], recorded: Mapping[str, Any] | None) -> Resource:
    kind, operation = kind_of(_type(step)), str(step.get("op"))
    old, new = step.get("oldState"), step.get("newState")
    before = None if operation == "create" else _fields(old, kind)
    after = None if operation == "delete" else _fields(new, kind)
    if before is not None and after is not None:
        # The engine hides secrets, but it lists which of them differ.
        listed = {re.split(r"[.\[]", path)[0] for path in step.get("detailedDiff") or ()}
        hidden = [name for name in listed & before.keys() & after.keys() if before[name].shown == after[name].shown]
        for name in hidden:
            another = replace(after[name], identity="another secret", shown=f"another one, {after[name].shown}")
            after = {**after, name: another}
    count = ((old or {}).get("outputs") or {}).get("linked_companies")
    if isinstance(count, bool) or not isinstance(count, int | float) or not math.isfinite(count):
        count = None
    return Resource(
        name=name_of(step["urn"]),
        kind=kind,
        operation=operation,
        recorded=_fields(recorded, kind),
        before=before,
        after=after,
        linked=None if count is None else int(count),
    )


def _fields(state: Mapping[str, Any] | None, kind: str) -> Fields | None:
    if state is None:
        return None
    inputs = {name: value for name, value in (state.get("inputs") or {}).items() if value is not None}
    if kind == INTEGRATION:
        inputs.setdefault("connection", "default")
    return {name: _field(name, inputs[name]) for name in _NAMES[kind] if name in inputs}


def _field(name: str, value: Any) -> Field:
    if value == UNKNOWN or (isinstance(value, list) and UNKNOWN in value):
        return Field(f"{ELSEWHERE}pulumi up", "not known before pulumi up", known=False)
    if value == _SECRET or (isinstance(value, list) and _SECRET in value):
        return Field("a secret", _SECRET, known=name == "client_secret")  # That one's fingerprint is in clear.
    if isinstance(value, list):
        value = sorted(map(str, value))
    return Field(json.dumps(value, sort_keys=True), show(value), value)

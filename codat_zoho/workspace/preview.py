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

from codat_zoho.declare.describe import snake_case
from codat_zoho.declare.platform import CLIENT, CONFIG_KEYS, INTEGRATION, PLUGIN_PREFIX, UNKNOWN
from codat_zoho.workspace import values
from codat_zoho.workspace.values import (
    ELSEWHERE,
    PROVIDER_TYPE,
    Field,
    Fields,
    differing,
    explicit_provider,
    kind_of,
    name_of,
    project_and_stack,
    show,
)

PROVIDER = "provider"
_NAMES = {CLIENT: values.CLIENT, INTEGRATION: values.BOOKS, PROVIDER: CONFIG_KEYS}
_STACK = "pulumi:pulumi:Stack"
_SECRET = "[secret]"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FAILED = "Error: "
"""How the host for YAML programs says that it stops; the engine takes that for a line of the program."""
_ALONE = {"create-replacement": "replace", "import-replacement": "replace", "import": "same"}
"""What a step stands for where no other follows for the same resource."""
_LATER = (*_ALONE, "delete-replaced", "discard-replaced", "read", "refresh")


class Unreadable(Exception):
    """The text is no output of ``pulumi preview --json``."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a preview: as recorded, as it is, as it will be; recorded is None without a refresh.

    ``kind`` is its class, or ``PROVIDER``.
    """

    name: str
    kind: str
    operation: str
    recorded: Fields | None
    before: Fields | None
    after: Fields | None
    linked: int | None
    of_plugin: bool = False  # the engine names its properties in camelCase
    imported: bool = False  # what is there is recorded first
    moved: bool = False  # another explicit provider, or none any more, has it

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
    providers: tuple[Resource, ...] = ()  # the plugin itself, as it is configured


def read(text: str) -> Preview:
    """Read a preview; another text is ``Unreadable``."""
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable from None


def _read(told: Any) -> Preview:
    steps = [step for step in told["steps"] if isinstance(step, dict) and isinstance(step.get("urn"), str)]
    said = [(one.get("severity"), _COLOUR.sub("", str(one.get("message")))) for one in told.get("diagnostics") or ()]
    errors = tuple(
        text for level, text in said if level == "error" or (level == "info#err" and text.startswith(_FAILED))
    )
    named = next((found for step in steps if (found := project_and_stack(step["urn"]))), ("", "preview"))
    refreshed = any(step.get("op") == "refresh" for step in steps)
    ran = not refreshed or any(_type(step) == _STACK and step.get("op") != "refresh" for step in steps)
    planned = () if errors else tuple(_resources(steps))
    resources = tuple(one for one in planned if one.kind != PROVIDER)
    providers = tuple(one for one in planned if one.kind == PROVIDER)
    return Preview(*named, errors, not steps, refreshed, ran, resources, providers)


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


def _kind(step: Mapping[str, Any]) -> str:
    return PROVIDER if _type(step) == PROVIDER_TYPE else kind_of(_type(step))


def _resources(steps: Sequence[Mapping[str, Any]]) -> Iterator[Resource]:
    """The resources of this package; one that is listed in its refresh alone stays as it is."""
    ours = [step for step in steps if _kind(step) in _NAMES]
    told = {step["urn"] for step in ours if step.get("op") not in _LATER}
    # Where an engine lists only the halves of a replacement, the first of them stands for the whole.
    imported = {step["urn"] for step in ours if step.get("op") == "import"}
    ours = [
        {**step, "op": _ALONE.get(str(step.get("op")), step.get("op"))} if step["urn"] not in told else step
        for step in ours
    ]
    recorded = {step["urn"]: step for step in ours if step.get("op") == "refresh"}
    for step in ours:
        if step.get("op") not in _LATER:
            refreshed = recorded.pop(step["urn"], None)
            made = _resource(step, None if refreshed is None else refreshed.get("oldState"))
            yield replace(made, imported=step["urn"] in imported)
    for step in recorded.values():
        yield _resource({**step, "op": "same", "oldState": step.get("newState")}, step.get("oldState"))


def _resource(step: Mapping[str, Any], recorded: Mapping[str, Any] | None) -> Resource:
    kind, operation = _kind(step), str(step.get("op"))
    old, new = step.get("oldState"), step.get("newState")
    old = new if old is None and operation == "same" else old  # It is imported as it is declared.
    before = None if operation == "create" else _fields(old, kind)
    after = None if operation == "delete" else _fields(new, kind)
    if before is not None and after is not None:
        # The engine hides secrets, but it lists which of them differ.
        paths = step.get("detailedDiff") or step.get("diffReasons") or ()
        listed = {_own(kind, re.split(r"[.\[]", path)[0]) for path in paths}
        hidden = [name for name in listed & before.keys() & after.keys() if before[name].shown == after[name].shown]
        for name in hidden:
            another = replace(after[name], identity="another secret", shown=f"another one, {after[name].shown}")
            after = {**after, name: another}
        if kind == PROVIDER and operation == "update":  # Of the plugin's own secrets, it does not even do that.
            perhaps = [name for name, one in after.items() if one.shown == _SECRET and name in before]
            others = {name: replace(after[name], identity="perhaps another", known=False) for name in perhaps}
            after = {**after, **others}
    outputs = (old or {}).get("outputs") or {}
    count = outputs.get("linked_companies", outputs.get("linkedCompanies"))
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
        of_plugin=_type(step).startswith(PLUGIN_PREFIX) or kind == PROVIDER,
        moved=None not in (before, after) and _provider(old) != _provider(new),
    )


def _provider(state: Mapping[str, Any] | None) -> str:
    """The explicit provider that a resource has; "" for a default one, whose name changes with its version."""
    urn = str((state or {}).get("provider") or "").rpartition("::")[0]
    return urn if explicit_provider(urn) else ""


def _own(kind: str, name: str) -> str:
    """The name of a setting by that of a property; of what programs configure the plugin with, the same."""
    return name if kind == PROVIDER else snake_case(name)


def _fields(state: Mapping[str, Any] | None, kind: str) -> Fields | None:
    if state is None:
        return None
    inputs = {_own(kind, name): value for name, value in (state.get("inputs") or {}).items() if value is not None}
    if kind == INTEGRATION:
        inputs.setdefault("connection", "default")
    return {name: _field(name, inputs[name]) for name in _NAMES[kind] if name in inputs}


def _field(name: str, value: Any) -> Field:
    if value == UNKNOWN or (isinstance(value, list) and UNKNOWN in value):
        return Field(f"{ELSEWHERE}pulumi up", "not known before pulumi up", known=False)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if value == _SECRET or _SECRET in inner:
        return Field("a secret", _SECRET, known=name == "client_secret")  # That one's fingerprint is in clear.
    if isinstance(value, list):
        value = sorted(map(str, value))
    return Field(json.dumps(value, sort_keys=True), show(value), value)

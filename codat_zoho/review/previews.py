"""Reviews what the engine itself plans: the output of ``pulumi preview --json``, also with ``--refresh``.

Seen on the engine (3.259): with ``--refresh`` each resource comes first in a step ``refresh`` whose old state is what
the last run recorded; the old state of the step that follows is what the refresh found. So the two tell drift from a
change of the program.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codat_zoho._redact import one_line
from codat_zoho.errors import ConfigurationError
from codat_zoho.reports.review import Environment, FieldChange, Finding, Level, Problem, Review, Status, Step
from codat_zoho.review import consequences, risks
from codat_zoho.review.fields import BOOKS, CLIENT, Field, Fields, digest, show

__all__ = ["review"]

_TYPES = {
    "pulumi-python:dynamic/codat-zoho:ZohoClientCredentials": CLIENT,
    "pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration": BOOKS,
}
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_LATER = ("create-replacement", "delete-replaced", "discard-replaced", "read", "refresh")
_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Resource:
    """One resource of a preview: as recorded, as it is, as it will be."""

    name: str
    books: bool
    recorded: Fields | None
    before: Fields | None
    after: Fields | None
    listed: frozenset[str] | None
    linked: int | None


def review(files: Sequence[str]) -> Review:
    """Review previews, one file per stack; ``-`` is standard input.

    Raises:
        ConfigurationError: a file cannot be read at all.
    """
    environments = [_environment(name, _text(name)) for name in files]
    refreshed = all("refresh" in one.file_ops for one in environments)
    unknown = () if refreshed else ("Drift, where the preview was made without --refresh.",)
    return Review("what is deployed", "the preview", tuple(one.made for one in environments), unknown, offline=False)


@dataclass(frozen=True, slots=True)
class _Made:
    made: Environment
    file_ops: frozenset[str] = frozenset()


def _text(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(_MAX_BYTES)
        with Path(name).open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as problem:
        raise ConfigurationError(f"--preview: {name} cannot be read: {problem.strerror}.") from None


def _environment(file: str, text: str) -> _Made:
    shown = "standard input" if file == "-" else file
    try:
        told = json.loads(text)
        steps = [step for step in told["steps"] if isinstance(step, dict) and isinstance(step.get("urn"), str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        text = (
            "is no output of `pulumi preview --json`; make it so: pulumi preview --json > FILE (its errors go to "
            "stderr, and nothing is reviewed when it fails)"
        )
        return _Made(Environment("", "preview", shown, "broken", problems=(Problem(text, shown),)))
    failed = [one for one in told.get("diagnostics") or () if isinstance(one, dict) and one.get("severity") == "error"]
    project, stack = _names(steps)
    problems = tuple(Problem(f"the preview failed: {one_line(str(one.get('message')), 400)}", shown) for one in failed)
    whole = Environment(project, stack, shown, "broken" if problems else "unchanged", problems=problems)
    if not steps and not problems:
        return _Made(replace(whole, status="broken", problems=(Problem("has no steps: did the preview fail?", shown),)))
    ops = frozenset(str(step.get("op")) for step in steps)
    if problems:
        return _Made(whole, ops)
    return _Made(_reviewed(whole, list(_resources(steps))), ops)


def _names(steps: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    for step in steps:
        parts = str(step["urn"]).split("::")
        if len(parts) >= 4 and parts[0].startswith("urn:pulumi:"):
            return one_line(parts[1], 100), one_line(parts[0].removeprefix("urn:pulumi:"), 100)
    return "", "preview"


def _resources(steps: Sequence[Mapping[str, Any]]) -> Iterator[_Resource]:
    """The resources of this package; what is not listed again after its refresh does not change."""
    recorded = {step["urn"]: step.get("oldState") for step in steps if step.get("op") == "refresh"}
    for step in steps:
        kind = str(step["urn"]).split("::")[2].rpartition("$")[2] if str(step["urn"]).count("::") >= 3 else ""
        names = _TYPES.get(kind)
        if names is None or step.get("op") in _LATER:
            continue
        old, new = step.get("oldState"), step.get("newState")
        if step.get("op") == "delete":
            new = None
        elif step.get("op") == "create":
            old = None
        outputs = (old or {}).get("outputs") or {}
        count = outputs.get("linked_companies")
        detailed = step.get("detailedDiff")
        yield _Resource(
            name=one_line(str(step["urn"]).rpartition("::")[2], 100),
            books=names is BOOKS,
            recorded=_fields(recorded.get(step["urn"]), names),
            before=_fields(old, names),
            after=_fields(new, names),
            listed=frozenset(re.split(r"[.\[]", key)[0] for key in detailed) if detailed else None,
            linked=int(count) if isinstance(count, int | float) and not isinstance(count, bool) else None,
        )


def _fields(state: object, names: Sequence[str]) -> Fields | None:
    if not isinstance(state, dict):
        return None
    inputs = state.get("inputs") or {}
    return {name: _field(name, inputs[name], inputs) for name in names if inputs.get(name) is not None}


def _field(name: str, value: Any, inputs: Mapping[str, Any]) -> Field:
    if value == _UNKNOWN or (isinstance(value, list) and _UNKNOWN in value):
        return Field(f"unknown {name}", "not known before pulumi up", known=False)
    if name == "client_secret":
        # The engine hides it; its fingerprint, an input beside it, says which secret it is.
        which = inputs.get("client_secret_fingerprint")
        return Field(digest(f"secret {which}"), "[secret]", known=which not in (None, _UNKNOWN))
    if isinstance(value, list):
        value = sorted(map(str, value))
    return Field(json.dumps(value, sort_keys=True), show(value), value)


def _reviewed(whole: Environment, resources: Sequence[_Resource]) -> Environment:
    changes: list[FieldChange] = []
    asked: list[Step] = []
    sent: list[Step] = []
    gone: list[Step] = []
    hand: list[str] = []
    findings: list[Finding] = []
    for one in resources:
        changes += _changes(one)
        if one.before is not None and one.after is not None and not _differ(one):
            continue
        if one.books:
            there = consequences.as_found(one.before, one.linked) if one.before is not None else None
            done = consequences.books(one.before, one.after, there)
            sent += done.steps
            hand += risks.books_by_hand(one.before, one.after)
            findings += risks.books_findings(one.before, one.after, done)
        else:
            (gone if one.after is None else asked).extend(consequences.client(one.before, one.after))
            hand += risks.client_by_hand(one.before, one.after)
            findings += risks.client_findings(one.before, one.after)
    drifted = [change for change in changes if change.origin == "drift"]
    if drifted:
        names = ", ".join(dict.fromkeys(change.field for change in drifted))
        text = f"Changed outside Pulumi since the last run, and put back by this one: {names}."
        findings.append(Finding("drift", Level.CAUTION, text))
    status: Status = "changed" if changes or sent or asked or gone else "unchanged"
    cannot_know = []
    if any(step.condition == consequences.UNKNOWN_COUNT for step in sent):
        cannot_know.append("How many companies are linked: Codat did not say at the last look.")
    if not resources:
        cannot_know.append("Which resources of codat-zoho there are: a preview lists only what changes.")
    return replace(
        whole,
        status=status,
        changes=tuple(changes),
        steps=(*asked, *sent, *gone),
        by_hand=tuple(dict.fromkeys(hand)),
        findings=tuple(sorted(findings, key=lambda found: found.level is not Level.DANGER)),
        cannot_know=tuple(cannot_know),
    )


def _differ(one: _Resource) -> bool:
    return bool(consequences.changes(one.name, one.before, one.after))


def _changes(one: _Resource) -> list[FieldChange]:
    """As the engine lists them, drift told apart: recorded is what is wanted, and what was found is neither."""
    found = []
    for change in consequences.changes(one.name, one.before, one.after):
        if one.listed is not None and change.field not in one.listed:
            continue
        if one.recorded is not None and one.before is not None and one.after is not None:
            old, live, new = (side.get(change.field) for side in (one.recorded, one.before, one.after))
            identities = [None if side is None else side.identity for side in (old, live, new)]
            if identities[0] == identities[2] != identities[1]:
                change = replace(change, origin="drift")
        found.append(change)
    return found

"""Reviews what the engine itself plans: the output of ``pulumi preview --json``, also with ``--refresh``.

Seen on the engine (3.259): with ``--refresh`` each resource comes first in a step ``refresh`` whose old state is what
the last run recorded; the old state of the step that follows is what the refresh found. So the two tell drift from a
change of the program. ``pulumi refresh --preview-only --json`` looks the same, but the program was not run: there the
step that follows has what was recorded as its old state and what was found as its new one, and the stack itself, which
every program registers, comes in no step but ``refresh``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.errors import ConfigurationError
from codat_zoho.review import consequences, risks
from codat_zoho.review.report import Environment, FieldChange, Finding, Level, Problem, Review, Status, Step
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace import preview as preview_json
from codat_zoho.workspace.preview import Resource
from codat_zoho.workspace.values import Field, Fields, differing

_MAX_BYTES = 64 * 1024 * 1024


def review(files: Sequence[str]) -> Review:
    """Review previews, one file per stack; ``-`` is standard input.

    Raises:
        ConfigurationError: a file cannot be read at all.
    """
    made = [_environment(name, _text(name)) for name in files]
    refreshed = all(one.refreshed for one in made)
    unknown = () if refreshed else ("Drift, where the preview was made without --refresh.",)
    return Review("what is deployed", "the preview", tuple(one.environment for one in made), unknown, offline=False)


@dataclass(frozen=True, slots=True)
class _Made:
    environment: Environment
    refreshed: bool = False


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
        preview = preview_json.read(text)
    except preview_json.Unreadable:
        text = (
            "is no output of `pulumi preview --json`; make it so: pulumi preview --json > FILE (its errors go to "
            "stderr, and nothing is reviewed when it fails)"
        )
        return _Made(Environment("", "preview", shown, "broken", problems=(Problem(text, shown),)))
    problems = tuple(Problem(f"the preview failed: {one_line(error, 400)}", shown) for error in preview.errors)
    status: Status = "broken" if problems else "unchanged"
    whole = Environment(preview.project, preview.stack, shown, status, problems=problems)
    if problems:
        return _Made(whole, preview.refreshed)
    if preview.empty:
        return _Made(replace(whole, status="broken", problems=(Problem("has no steps: did the preview fail?", shown),)))
    drawn = _planned if preview.ran else _found
    return _Made(drawn(whole, preview.resources), preview.refreshed)


def _found(whole: Environment, resources: Sequence[Resource]) -> Environment:
    """A refresh alone: what is there against what was recorded. What the program wants is not known."""
    changes: list[FieldChange] = []
    findings: list[Finding] = []
    for one in resources:
        if one.after is None:
            findings.append(_gone(one))
            continue
        changes += consequences.changes(one.name, one.before, one.after, "drift")
        findings += _drifts(one.name, one.before, one.after)
    return replace(
        whole,
        status="changed" if changes or findings else "unchanged",
        changes=tuple(changes),
        findings=tuple(findings),
        cannot_know=("What pulumi up does about it: this refresh did not run the program.",),
    )


def _planned(whole: Environment, resources: Sequence[Resource]) -> Environment:
    """A preview: what is there against what the program wants, and against what was recorded where it refreshed."""
    changes: list[FieldChange] = []
    asked: list[Step] = []
    sent: list[Step] = []
    gone: list[Step] = []
    hand: list[str] = []
    findings: list[Finding] = []
    cannot_know: list[str] = []
    renamed = dict(_renames(resources))
    for old, new in renamed.values():
        sent.append(
            Step("forget", f"end the name {old.name}: {new.name} is the same integration, so Codat stays as is")
        )
    ended = {id(old) for old, _ in renamed.values()}
    for one in resources:
        if id(one) in ended:
            continue
        if id(one) in renamed:
            old, _ = renamed[id(one)]
            one = replace(one, operation="update", recorded=old.recorded, before=old.before, linked=old.linked)
        changes += _changes(one)
        if one.operation == "create" and one.recorded is not None:
            findings.append(_gone(one))
        findings += _drifts(one.name, one.recorded, one.before, one.after)
        if not differing(one.before, one.after):
            continue
        if one.books:
            done = _done(one)
            sent += done.steps
            hand += risks.books_by_hand(one.before, one.after)
            findings += risks.books_findings(one.before, one.after, done)
            if done.count_matters:
                cannot_know.append("How many companies are linked: Codat did not say at the last look.")
        else:
            (gone if one.after is None else asked).extend(consequences.client(one.before, one.after))
            hand += risks.client_by_hand(one.before, one.after)
            findings += risks.client_findings(one.before, one.after)
    if not resources:
        cannot_know.append("Which resources of codat-zoho there are: a preview lists only what changes.")
    return replace(
        whole,
        status="changed" if renamed else _status(resources),
        changes=tuple(changes),
        steps=(*asked, *sent, *gone),
        by_hand=tuple(dict.fromkeys(hand)),
        findings=tuple(sorted(findings, key=lambda found: found.level is not Level.DANGER)),
        cannot_know=tuple(cannot_know),
    )


def _renames(resources: Sequence[Resource]) -> Iterator[tuple[int, tuple[Resource, Resource]]]:
    """Which integrations only get another name or place: deleted here, created there, with one connection."""
    created = {_connection(one.after): one for one in resources if one.books and one.before is None}
    for old in resources:
        if old.books and old.after is None and (connection := _connection(old.before)) and connection in created:
            yield id(created[connection]), (old, created[connection])


def _connection(fields: Fields | None) -> str | None:
    one = (fields or {}).get("connection")
    return str(one.value) if one is not None and one.known else None


def _status(resources: Sequence[Resource]) -> Status:
    if not any(differing(one.before, one.after) for one in resources):
        return "unchanged"
    if all(one.before is None and one.recorded is None for one in resources):
        return "added"
    return "deleted" if all(one.after is None for one in resources) else "changed"


def _changes(one: Resource) -> list[FieldChange]:
    """As the engine lists them, drift told apart: what was recorded is what is wanted, and was not found."""
    found = consequences.changes(one.name, one.before, one.after)
    if one.recorded is None:
        return found
    wanted = set(differing(one.recorded, one.after))
    return [change if change.field in wanted else replace(change, origin="drift") for change in found]


def _done(one: Resource) -> consequences.Books:
    before = one.before
    if before is None:
        return consequences.books(None, one.after)
    told = str(before[FINGERPRINT].value) if FINGERPRINT in before else ""
    if told and not is_fingerprint(told) and "client_secret" in before:
        # The secret that was found is another one; the engine keeps showing the one that was recorded.
        before = {**before, "client_secret": replace(before["client_secret"], identity="not the recorded secret")}
    return consequences.books(before, one.after, consequences.as_found(before, one.linked))


def _drifts(name: str, recorded: Fields | None, now: Fields | None, wanted: Fields | None = None) -> Iterator[Finding]:
    """What somebody changed since the last deployment, and what becomes of that, where a refresh tells."""
    if recorded is None or now is None:
        return
    for field in differing(recorded, now):
        was, found, goal = (side.get(field) for side in (recorded, now, wanted or {}))
        told = f"{name}: {field} was {_said(was)} at the last deployment, now: {_said(found)}."
        if wanted is not None:
            same = (goal.identity if goal else None) == (found.identity if found else None)
            told += " The code agrees with that." if same else " pulumi up sets what the code says."
        yield Finding("drift", Level.CAUTION, told)


def _said(one: Field | None) -> str:
    return "not set" if one is None else one.shown


def _gone(one: Resource) -> Finding:
    return Finding("drift", Level.CAUTION, f"{one.name} was deployed and is gone.")

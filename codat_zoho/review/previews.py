"""Reviews what the engine itself plans: the output of ``pulumi preview --json``, also with ``--refresh``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.errors import ConfigurationError
from codat_zoho.review import judge
from codat_zoho.review.differences import field_changes
from codat_zoho.review.report import Environment, FieldChange, Finding, Level, Problem, Review, Status, Step
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace import preview as preview_json
from codat_zoho.workspace.preview import Preview, Resource
from codat_zoho.workspace.values import Field, Fields, differing

_MAX_BYTES = 64 * 1024 * 1024
_NO_PREVIEW = (
    "is no output of `pulumi preview --json`; make it so: pulumi preview --json > FILE (its errors go to stderr, and "
    "nothing is reviewed when it fails)"
)
_COUNT = "How many companies are linked: Codat did not say at the last look."


def review(files: Sequence[str]) -> Review:
    """Review previews, one file per stack; ``-`` is standard input.

    Raises:
        ConfigurationError: a file cannot be read at all.
    """
    environments, refreshed = [], True
    for file in files:
        shown = "standard input" if file == "-" else file
        try:
            preview = preview_json.read(_text(file))
        except preview_json.Unreadable:
            broken = Environment("", "preview", shown, "broken", problems=(Problem(_NO_PREVIEW, shown),))
            environments.append(broken)
            refreshed = False
        else:
            environments.append(_environment(preview, shown))
            refreshed = refreshed and preview.refreshed
    unknown = () if refreshed else ("Drift, where the preview was made without --refresh.",)
    return Review("what is deployed", "the preview", tuple(environments), unknown, offline=False)


def _text(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(_MAX_BYTES)
        with Path(name).open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as problem:
        raise ConfigurationError(f"--preview: {name} cannot be read: {problem.strerror}.") from None


def _environment(preview: Preview, file: str) -> Environment:
    problems = [f"the preview failed: {one_line(error, 400)}" for error in preview.errors]
    if preview.empty and not problems:
        problems = ["has no steps: did the preview fail?"]
    if problems:
        broken = tuple(Problem(text, file) for text in problems)
        return Environment(preview.project, preview.stack, file, "broken", problems=broken)
    whole = Environment(preview.project, preview.stack, file, "unchanged")
    return _planned(whole, preview.resources) if preview.ran else _found(whole, preview.resources)


def _found(whole: Environment, resources: Iterable[Resource]) -> Environment:
    """A refresh alone: what is there against what was recorded. What the program wants is not known."""
    changes: list[FieldChange] = []
    findings: list[Finding] = []
    for one in resources:
        if one.after is None:
            findings.append(_gone(one))
        else:
            changes += field_changes(one.name, one.before, one.after, "drift")
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
    status = _status(resources)
    changes: list[FieldChange] = []
    ended: list[Step] = []
    judged: list[judge.Judgement] = []
    for old, one in _with_renames(resources):
        if old is not None:
            status = "changed"
            text = f"end the name {old.name}: {one.name} is the same integration, so Codat stays as is"
            ended.append(Step("forget", text))
        changes += _changes(one)
        judgement = _judged(one)
        gone = [_gone(one)] if one.operation == "create" and one.recorded is not None else []
        drifts = _drifts(one.name, one.recorded, one.before, one.after)
        judged.append(replace(judgement, findings=(*gone, *drifts, *judgement.findings)))
    nothing_listed = "Which resources of codat-zoho there are: a preview lists only what changes."
    return judge.conclude(
        replace(whole, status=status),
        changes,
        judged,
        steps=ended,
        cannot_know=() if resources else (nothing_listed,),
        count_unknown=_COUNT,
    )


def _with_renames(resources: Sequence[Resource]) -> Iterator[tuple[Resource | None, Resource]]:
    """The resources, and beside an integration that only gets another name or place its old one.

    That is deleted here and created there, with one connection: it is the update of one integration.
    """
    created = {_connection(one.after): one for one in resources if one.books and one.before is None}
    deleted = {_connection(one.before): one for one in resources if one.books and one.after is None}
    renamed = (created.keys() & deleted.keys()) - {None}
    for one in resources:
        connection = _connection(one.after or one.before)
        if connection in renamed and one is created[connection]:
            old = deleted[connection]
            yield old, replace(one, operation="update", recorded=old.recorded, before=old.before, linked=old.linked)
        elif connection not in renamed or one is not deleted[connection]:
            yield None, one


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
    found = field_changes(one.name, one.before, one.after)
    if one.recorded is None:
        return found
    wanted = set(differing(one.recorded, one.after))
    return [change if change.field in wanted else replace(change, origin="drift") for change in found]


def _judged(one: Resource) -> judge.Judgement:
    if not one.books or not differing(one.before, one.after):
        return judge.client(one.before, one.after)
    before = one.before
    shown = str(before[FINGERPRINT].value) if before and FINGERPRINT in before else ""
    if before and "client_secret" in before and shown and not is_fingerprint(shown):
        # The secret that was found is another one; the engine keeps showing the one that was recorded.
        before = {**before, "client_secret": replace(before["client_secret"], identity="not the recorded secret")}
    return judge.books(before, one.after, seen=True, linked=one.linked)


def _drifts(name: str, recorded: Fields | None, now: Fields | None, wanted: Fields | None = None) -> Iterator[Finding]:
    """What somebody changed since the last deployment, and what becomes of that, where a refresh tells."""
    if recorded is None or now is None:
        return
    for field in differing(recorded, now):
        was, found = (_shown(side.get(field)) for side in (recorded, now))
        text = f"{name}: {field} was {was} at the last deployment, now: {found}."
        if wanted is not None and field in differing(now, wanted):
            text += " pulumi up sets what the code says."
        elif wanted is not None:
            text += " The code agrees with that."
        yield Finding("drift", Level.CAUTION, text)


def _shown(one: Field | None) -> str:
    return "not set" if one is None else one.shown


def _gone(one: Resource) -> Finding:
    return Finding("drift", Level.CAUTION, f"{one.name} was deployed and is gone.")

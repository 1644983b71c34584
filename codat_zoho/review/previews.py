"""Reviews what the engine itself plans: the output of ``pulumi preview --json``, also with ``--refresh``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.errors import ConfigurationError
from codat_zoho.review.judge import Judgement, hidden, provider_findings
from codat_zoho.review.pairs import option_changed
from codat_zoho.review.report import Environment, Finding, Problem, Review, Status, Step, spelled
from codat_zoho.review.steps import SECRETS, Sides, end_of_name
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace import preview as preview_json
from codat_zoho.workspace.preview import Preview, Resource
from codat_zoho.workspace.values import Fields, differing, explicit_provider

_MAX_BYTES = 64 * 1024 * 1024
_NO_PREVIEW = (
    "is no output of `pulumi preview --json`; make it so: pulumi preview --json > FILE (its errors go to stderr, and "
    "nothing is reviewed when it fails)"
)
_REPLACED = {
    False: "Pulumi replaces the client: Zoho is asked again, and its console stays as it is.",
    True: (
        "Pulumi deletes and creates the integration. Creating sends what differs in Codat; deleting sends nothing only "
        "because the program declares the same connection in the same run. Leave --replace and replace_on_changes out: "
        "`pulumi up --refresh` repairs without them."
    ),
}
_DEFAULT_PROVIDER = (
    "The keys and addresses that stack configuration sets: no preview lists the plugin's default provider. "
    "`codat-zoho review` of the files does."
)
_TELLS = "No preview shows it: read the program."
_COUNT = "How many companies are linked: Codat did not say at the last look."


def review(files: Sequence[str]) -> Review:
    """Review previews, one file per stack; ``-`` is standard input."""
    environments, refreshed, of_plugin = [], True, False
    for file in files:
        shown = "standard input" if file == "-" else file
        try:
            preview = preview_json.read(_text(file))
        except preview_json.Unreadable:
            refreshed = False
            problem = Problem(_NO_PREVIEW, shown)
            environments.append(Environment("", "preview", shown, "broken", problems=(problem,)))
        else:
            refreshed = refreshed and preview.refreshed
            of_plugin = of_plugin or any(one.of_plugin for one in preview.resources)
            environments.append(_environment(preview, shown))
    unknown = [] if refreshed else ["Drift, where the preview was made without --refresh."]
    unknown += [_DEFAULT_PROVIDER] if of_plugin else []
    return Review("what is deployed", "the preview", tuple(environments), tuple(unknown), offline=False)


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
    if not preview.ran:
        made = _found(whole, preview.resources)
    else:
        made = _planned(whole, preview.resources, preview.providers)
    return spelled(made) if any(one.of_plugin for one in (*preview.resources, *preview.providers)) else made


def _found(whole: Environment, resources: Iterable[Resource]) -> Environment:
    """A refresh alone: what is there against what was recorded. What the program wants is not known."""
    judgement = Judgement(cannot_know=["What pulumi up does about it: this refresh did not run the program."])
    for one in resources:
        if one.after is None:
            judgement.findings.append(_gone(one))
        else:
            sides = Sides(one.before or {}, one.after or {})
            judgement.changes += sides.changes(one.name, "drift")
            judgement.findings += _drifts(one.name, sides)
    status: Status = "changed" if judgement.changes or judgement.findings else "unchanged"
    return judgement.environment(replace(whole, status=status))


def _planned(whole: Environment, resources: Sequence[Resource], providers: Sequence[Resource]) -> Environment:
    """A preview: what is there against what the program wants, and against what was recorded where it refreshed."""
    status = _status(resources)
    judgement = Judgement()
    for one in providers:
        sides = Sides(one.before or {}, one.after or {})
        if sides.differ:
            status = "changed" if status == "unchanged" else status
            explicit = explicit_provider(one.name)
            judgement.changes += sides.changes(explicit or "provider")
            judgement.findings += provider_findings(sides, explicit=bool(explicit))
    ended, findings = [], list[Finding]()
    for old, one in _with_renames(resources):
        sides = Sides(one.before or {}, one.after or {})
        if old is not None:
            status = "changed"
            ended.append(end_of_name(old.name, one.name))
        drifted = set(sides.differ) - set(differing(one.recorded, one.after)) if one.recorded is not None else set()
        for change in sides.changes(one.name):
            judgement.changes.append(replace(change, origin="drift") if change.field in drifted else change)
        if one.operation == "create" and one.recorded is not None:
            judgement.findings.append(_gone(one))
        judgement.findings += _drifts(one.name, Sides(one.recorded or {}, one.before or {}), one.after)
        if one.moved:
            status = "changed"
            judgement.findings.append(option_changed(one.name, "provider"))
        if one.imported:
            status = "changed"
            ended.append(Step("forget", f"import {one.name}: record what is there"))
        if one.operation == "replace":
            status = "changed"
            ended.append(Step("forget", f"replace {one.name}: create it anew, then delete the old one"))
            judgement.findings.append(Finding("replaced", "danger" if one.books else "caution", _REPLACED[one.books]))
        if one.after is not None:
            findings += hidden(sides, added=one.before is None, tells=_TELLS)
            judgement.add_unknown({name: sides.new(name) for name in sides.differ})
        if not one.books:
            judgement.add_client(Sides({}, sides.after) if one.operation == "replace" else _known(sides))
        elif sides.differ:
            effect = judgement.add_integration(_known(_as_found(sides)), seen=True, linked=one.linked)
            if effect and effect.count_matters:
                judgement.cannot_know.append(_COUNT)
    judgement.sent = [*ended, *judgement.sent]
    judgement.findings += dict.fromkeys(findings)  # Both resources may hold the same.
    if not resources:
        judgement.cannot_know.append("Which resources of codat-zoho there are: a preview lists only what changes.")
    return judgement.environment(replace(whole, status=status))


def _known(sides: Sides) -> Sides:
    """Without the settings that may be equal: nothing follows from what cannot be known."""
    return sides.assuming_equal(sides.uncertain - SECRETS)


def _as_found(sides: Sides) -> Sides:
    """The engine keeps showing the secret that was recorded; its fingerprint tells where another one was found."""
    shown = sides.old(FINGERPRINT).value
    if "client_secret" not in sides.before or not shown or is_fingerprint(str(shown)):
        return sides
    found = replace(sides.old("client_secret"), identity="not the recorded secret")
    return Sides({**sides.before, "client_secret": found}, sides.after)


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


def _drifts(name: str, sides: Sides, wanted: Fields | None = None) -> Iterator[Finding]:
    """What somebody changed since the last deployment, and what becomes of that, where a refresh tells."""
    if not sides.before or not sides.after:
        return
    for field in sides.differ:
        was, found = (side[field].shown if field in side else "not set" for side in (sides.before, sides.after))
        text = f"{name}: {field} was {was} at the last deployment, now: {found}."
        if wanted is not None and field in differing(sides.after, wanted):
            text += " pulumi up sets what the code says."
        elif wanted is not None:
            text += " The code agrees with that."
        yield Finding("drift", "caution", text)


def _gone(one: Resource) -> Finding:
    return Finding("drift", "caution", f"{one.name} was deployed and is gone.")

"""Reviews what two revisions of stack-config files declare, one environment after the other. Reads nothing itself."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from codat_zoho.declare.platform import CLIENT, CONFIG_KEYS, INTEGRATION
from codat_zoho.declare.settings import KEYS
from codat_zoho.policy.rules import secret_in_clear
from codat_zoho.review.declaration import Declared
from codat_zoho.review.declared import BY_PROGRAM
from codat_zoho.review.judge import Judgement, finding, hidden, provider_findings
from codat_zoho.review.pairs import option_findings, paired
from codat_zoho.review.report import NOT_REVIEWED, Environment, Finding, Level, Status
from codat_zoho.review.steps import SECRETS, Sides, end_of_name
from codat_zoho.workspace.values import Field, differing
from codat_zoho.workspace.yaml_program import PROVIDER

GENERAL = (
    "Whether Codat and Zoho are as the base declares (drift): `pulumi preview --refresh` or `codat-zoho drift` tell.",
    "What a program other than the ready-to-use one makes of the settings: `codat-zoho review --preview` tells.",
)
"""What no review of files can know."""
_ADDED = (
    "A new environment. The first `pulumi up` adopts what Codat holds for its API key and changes what differs: it may "
    "disable an integration, or replace keys, that are in use."
)
_DELETED = (
    "The {} file is deleted. Codat and the stack's state stay as they are, but without its settings and secrets the "
    "stack can be neither updated nor destroyed: run `pulumi destroy` or `pulumi stack rm` first."
)
_RUNS = "pulumi up runs another program, or the same one in another Python, and what that does is not reviewed here"
_PROJECT: Mapping[str, tuple[Level, str]] = {
    "main": ("danger", _RUNS),
    "runtime": ("danger", _RUNS),
    "plugins": ("danger", "other plugins run beside the program, with all its secrets"),
    "packages": ("danger", "other plugins run beside the program, with all its secrets"),
    "backend": (
        "danger",
        "stacks and their state are looked for elsewhere; where they are not, a first deployment follows, and what is "
        "deployed now is in no state that anybody looks at",
    ),
    "options": ("caution", "pulumi commands behave in another way by default, for example refresh first"),
}
"""What follows from a change of a project's key, where that is known, and how bad it is."""
_NO_MATTER = ("description", "author", "website", "license", "template")
_NAMED = 5  # Stacks with the same client that are named.
_COUNT = "How many companies are linked: `pulumi preview --refresh` counts them."


def environment(
    base: Declared | None,
    head: Declared | None,
    *,
    touched: bool = False,
    laid_out: Callable[[], bool] = lambda: False,
    program: Sequence[str] = (),
    shared: Iterable[Finding] = (),
) -> Environment:
    """Review one environment; None stands for a side that has no such stack.

    It is ``touched`` where its files differ, and ``laid_out`` tells whether they do so in their layout alone;
    ``program`` are the files of its program that differ. ``shared`` is what concerns other environments, too.
    """
    side = head or base
    assert side is not None
    ready_made = all(one.ready_made or one.yaml for one in (base, head) if one)
    problems = [replace(one, side="base") for one in base.problems] if base else []
    problems += [replace(one, side="head") for one in head.problems] if head else []
    status: Status = "unchanged"
    if problems:
        status = "broken"
    elif base is None or head is None:
        status = "added" if base is None else "deleted"
    elif base.stack != head.stack:
        status = "renamed"
    whole = Environment(side.project, side.stack, side.file, status, problems=tuple(problems), touched=touched)
    if head is None:
        text = _DELETED.format("stack" if side.stack else "project")
        deleted = Finding("stack-deleted", "danger", text, side.file)
        return whole if problems else replace(whole, findings=(deleted,))
    if problems:
        # A side that cannot be read declares nothing: only what stands there in clear can be told.
        found = [*_in_clear(base or Declared(), head), *_not_reviewed(ready_made, program, head.file, other=False)]
        return replace(whole, findings=tuple(found))
    judgement = Judgement()
    if base is not None and base.stack != head.stack:
        rename = f"pulumi stack rename {head.stack} --stack {base.stack}"
        judgement.by_hand.append(f"Before pulumi up: `{rename}`, else a second stack is created.")
    _judge_resources(judgement, base or Declared(), head, added=base is None)
    judgement.findings += _in_clear(base or Declared(), head)
    if base is None:
        judgement.findings.append(Finding("stack-added", "caution", _ADDED, head.file))
    else:
        judgement.findings += [*_moved(base, head), *_project_findings(Sides(base.rest, head.rest), head)]
    other = touched and not ready_made and not laid_out()
    judgement.findings += _not_reviewed(ready_made, program, head.file, other=other)
    judgement.findings += _odd_settings(base or Declared(), head)
    judgement.findings += shared
    made = judgement.environment(whole)
    if status == "unchanged" and (made.changes or made.not_reviewed):
        return replace(made, status="changed")
    return replace(made, laid_out=laid_out()) if touched and made.quiet else made


def _judge_resources(judgement: Judgement, base: Declared, head: Declared, *, added: bool) -> None:
    pairs = [*paired(base.resources, head.resources)]
    if not added and not base.known:
        # The program decided them before: what was there is not known, and it is not there for the first time.
        pairs = [replace(one, before=dict.fromkeys(one.after, BY_PROGRAM)) for one in pairs]
    elif not head.known:
        pairs = [replace(one, after=dict.fromkeys(one.before, BY_PROGRAM)) for one in pairs]
    pairs.sort(key=lambda one: one.kind != CLIENT)
    tells = "A preview tells."
    for one in pairs:
        if one.kind == PROVIDER:
            judgement.findings += provider_findings(one.sides, explicit=True)
        else:
            judgement.findings += hidden(one.sides, added=not one.before, tells=tells)
        judgement.changes += [*one.sides.changes(one.name), *one.options.changes(one.name)]
        judgement.findings += option_findings(one)
    provider = Sides(base.provider, head.provider)
    judgement.changes += provider.changes("provider")
    for one in reversed(pairs):
        if one.renamed and one.kind == INTEGRATION:
            judgement.forgotten.append(end_of_name(one.renamed, one.name))
        known = one.sides.assuming_equal(one.sides.uncertain - SECRETS)
        effect = judgement.add_integration(known) if one.kind == INTEGRATION else None
        if one.kind == CLIENT:
            if head.known and not one.after:
                judgement.by_hand.append("Zoho's API console: delete the client there when nobody uses it any more.")
            judgement.add_client(known)
        if effect and effect.count_matters:
            judgement.cannot_know.append(_COUNT)
        if effect and effect.refused and not effect.disruptive:
            text = "pulumi up will refuse this change: see what it does."
            judgement.findings.append(Finding("refused", "caution", text, head.file))
    judgement.findings += provider_findings(provider)
    if not head.known:
        text = "What the program declares: the stack file sets none of the fields. `codat-zoho review --preview` tells."
        judgement.cannot_know.append(text)
    if added and (judgement.asked or judgement.sent):
        judgement.cannot_know.append("What Codat holds for this API key so far.")
    judgement.add_unknown(*(one.after for one in pairs))
    if any(not change.certain and change.field == "client_secret" for change in judgement.changes):
        text = "Whether the client secret is another one: it is encrypted, and nothing is decrypted here."
        judgement.cannot_know.append(text)


# --- what concerns the files ------------------------------------------------------------------------------------------


def _moved(base: Declared, head: Declared) -> Iterator[Finding]:
    """What was renamed, encrypted another way, or is taken from elsewhere."""
    if base.stack != head.stack:
        text = (
            f"The stack file is renamed, the stack is not: to Pulumi, {head.stack} is another stack than {base.stack}."
        )
        yield Finding("stack-renamed", "caution", text, head.file)
    if base.project != head.project:
        text = (
            f"The project is renamed from {base.project or 'nothing'} to {head.project or 'nothing'}: to Pulumi "
            "its stacks are others, and settings in the old name's namespace are not read any more."
        )
        yield Finding("project-renamed", "danger", text, head.file)
    yield from _encryption_findings(base, head)
    if differing(base.imports, head.imports):
        [at] = (head.imports or base.imports).values()
        text = (
            "The ESC environments are others. What they hold cannot be known: settings that the stack file leaves out, "
            "and environment variables, the API key's and Codat's address among them, may come from there."
        )
        yield finding("imports-changed", "danger", text, at)


def _encryption_findings(base: Declared, head: Declared) -> Iterator[Finding]:
    sides = Sides(base.encryption, head.encryption)
    if not sides.differ:
        return
    first, words = sides.differ[0], ", ".join(sides.differ)
    at = sides.old(first) if sides.dropped(first) else sides.new(first)
    kept = (head.encrypted.keys() & base.encrypted.keys()) - set(differing(base.encrypted, head.encrypted))
    if kept:
        text = (
            f"{words} changes, but {len(kept)} encrypted {'value stays' if len(kept) == 1 else 'values stay'} as "
            "before: what was encrypted the old way cannot be decrypted the new way, and pulumi up fails."
        )
        yield finding("undecryptable", "danger", text, at)
    else:
        text = (
            f"{words} changes: the secrets are encrypted another way (another passphrase or key). Whoever runs pulumi "
            "up needs the new one; whether the secrets themselves are the same cannot be known."
        )
        yield finding("encryption-changed", "caution", text, at)


def _project_findings(sides: Sides, head: Declared) -> Iterator[Finding]:
    """What follows from a change of the project's other keys."""
    for name in sides.differ:
        if name in _NO_MATTER:
            continue
        level, follows = _PROJECT.get(name, ("caution", "what follows from it is not known here"))
        file = head.project_file or sides.old(name).file
        yield Finding("project-changed", level, f"{name} of {file} changes: {follows}.", file, sides.new(name).line)


def _not_reviewed(ready_made: bool, program: Sequence[str], file: str, *, other: bool) -> Iterator[Finding]:
    """That nothing here tells what a program does: it changes, or is of its own and ``other`` files of it do."""
    if not program and not other:
        return
    shown = ", ".join(program[:3]) + (f" and {len(program) - 3} more" if len(program) > 3 else "")
    changed = f" ({shown} changed)" if program else ""
    what = "the program" if ready_made else "programs of their own decide what is declared"
    text = (
        f"Not reviewed: {what}{changed}. No review of files tells what comes of that; run with --preview, where "
        "one can be made: `pulumi preview --json --refresh > FILE`, then `codat-zoho review --preview FILE`."
    )
    yield Finding(NOT_REVIEWED, "caution", text, program[0] if program else file)


def _in_clear(base: Declared, head: Declared) -> Iterator[Finding]:
    was = {one.identity for one in base.clear}
    now = {one.identity for one in head.clear}
    for one in head.clear:
        text = secret_in_clear(one.key, looks_like=one.looks_like)
        if " of " in one.key:  # Of a resource in a YAML program.
            text = text.replace(f"--secret {one.key}`", "--secret NAME`, to be referred to here as ${NAME}")
        yield Finding("secret-in-clear", "danger", text, one.file, one.line, one.identity not in was)
    gone = {one.key or one.looks_like: one.file for one in base.clear if one.identity not in now}
    for what, file in gone.items():
        text = f"{what} stood in clear before this change and stays in git's history: make a new one and revoke it."
        text = f"{text[0].upper()}{text[1:]}" if what.startswith("a ") else text
        yield Finding("secret-was-in-clear", "caution", text, file)


def _odd_settings(base: Declared, head: Declared) -> Iterator[Finding]:
    """Settings that nothing reads, and values that are allowed but look wrong."""
    for name, one in head.unknown_settings.items():
        close = difflib.get_close_matches(name.rpartition(":")[2], [*KEYS, *CONFIG_KEYS], n=1)
        hint = f" Is {close[0]} meant?" if close else ""
        text = f"{one.shown} is no setting of codat-zoho, and the ready-to-use program does not read it.{hint}"
        yield finding("unknown-setting", "caution", text, one, new=name not in base.unknown_settings)
    for (name, text), at in head.warnings.items():
        new = (name, text) not in base.warnings
        yield finding("shape", "caution", f"{text[0].upper()}{text[1:]}.", at, new=new)


# --- what concerns several environments -------------------------------------------------------------------------------


def shared_clients(bases: Sequence[Declared], heads: Sequence[Declared]) -> Mapping[tuple[str, str], list[Finding]]:
    """Findings by file and stack: the same Zoho client id in two environments."""
    before = [{(one.project, one.stack) for one in group} for group in _by_client(bases).values()]
    found = defaultdict(list)
    for shared, group in _by_client(heads).items():
        names = {(one.project, one.stack) for one in group}
        new = not any(names <= was for was in before)
        for one in group:
            others = sorted(f"{other.stack} ({other.file})" for other in group if other is not one)
            if others:
                more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
                text = (
                    f"The same Zoho client id as in {', '.join(others[:_NAMED])}{more}: rotating its secret or "
                    "deleting it in one concerns the other, and Zoho's limits are shared. This is ordinary where "
                    "Codat's support copied a client."
                )
                at = next(client_id for client_id in _client_ids(one) if client_id.value == shared)
                found[one.file, one.stack].append(finding("client-id-shared", "caution", text, at, new=new))
    return found


def _by_client(sides: Sequence[Declared]) -> Mapping[object, list[Declared]]:
    groups = defaultdict(list)
    for side in sides:
        for value in dict.fromkeys(client_id.value for client_id in _client_ids(side)):
            groups[value].append(side)
    return groups


def _client_ids(side: Declared) -> Iterator[Field]:
    for one in side.resources:
        client_id = one.fields.get("client_id")
        if one.kind == INTEGRATION and client_id is not None and client_id.known:
            yield client_id

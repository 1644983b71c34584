"""Reviews what two revisions of stack-config files declare, one environment after the other. Reads nothing itself."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from codat_zoho.declare.stack_config import KEYS
from codat_zoho.declare.tokens import CONFIG_KEYS
from codat_zoho.policy.rules import secret_in_clear
from codat_zoho.review import consequences, risks
from codat_zoho.review.declared import Clear, Declared
from codat_zoho.review.report import Environment, FieldChange, Finding, Level, Problem, Status, Step
from codat_zoho.review.risks import finding
from codat_zoho.workspace.values import ELSEWHERE, Field, Fields, differing

GENERAL = (
    "Whether Codat and Zoho are as the base declares (drift): `pulumi preview --refresh` or `codat-zoho drift` tell.",
    "What a program other than the ready-to-use one makes of the settings: `codat-zoho review --preview` tells.",
)
"""What no review of files can know."""
_COUNT = "How many companies are linked: `pulumi preview --refresh` counts them."
_CLIENT, _BOOKS, _PROVIDER = "zoho-client", "zoho-books", "provider"


def environment(
    base: Declared | None,
    head: Declared | None,
    *,
    problems: Sequence[Problem] = (),
    moved: str = "",
    touched: bool = False,
) -> Environment:
    """Review one environment.

    Args:
        base: what the base declares; None where it has no such stack.
        head: what the head declares; None where it has no such stack any more.
        problems: why a side could not even be read.
        moved: the stack's name at the base, where it was renamed.
        touched: its stack-config or project file differs.
    """
    side = head or base
    assert side is not None
    problems = [
        *problems,
        *(replace(one, side="base") for one in (base.problems if base else ())),
        *(replace(one, side="head") for one in (head.problems if head else ())),
    ]
    status: Status = "unchanged"
    if base is None or head is None:
        status = "added" if base is None else "deleted"
    elif moved:
        status = "renamed"
    whole = Environment(side.project, side.stack, side.file, status, problems=tuple(problems), touched=touched)
    if problems:
        # A side that cannot be read declares nothing: only what stands there in clear can be told.
        return replace(whole, status="broken", findings=tuple(_clear_findings(base, head) if head else ()))
    findings = list(_file_findings(base, head, moved))
    if head is None:
        return replace(whole, findings=tuple(findings))
    changes, steps, hand, found, untold = _resources(base, head)
    cannot_know = [*untold, *_cannot_know(base, head, changes, steps)]
    if changes and status == "unchanged":
        status = "changed"
    return replace(
        whole,
        status=status,
        changes=tuple(changes),
        steps=tuple(steps),
        by_hand=tuple(dict.fromkeys([*_stack_by_hand(base, head, moved), *hand])),
        findings=tuple(sorted([*found, *findings], key=lambda one: one.level is not Level.DANGER)),
        cannot_know=tuple(cannot_know),
    )


def _resources(
    base: Declared | None, head: Declared
) -> tuple[list[FieldChange], list[Step], list[str], list[Finding], list[str]]:
    """Changes, steps in order, what is left to a person, findings, and what cannot be known of the two resources."""
    old_client, old_books = (base.client, base.books) if base else (None, None)
    if base is not None and base.books is None and head.books is not None:
        # The program decided them before: what was there is not known, and it is not there for the first time.
        old_client, old_books = _unknown_like(head.client), _unknown_like(head.books)
    client, books = head.client, head.books
    if head.books is None and base is not None and base.books is not None:
        client, books = _unknown_like(old_client), _unknown_like(old_books)
    changed = [
        *consequences.changes(_CLIENT, old_client, client),
        *consequences.changes(_BOOKS, old_books, books),
        *consequences.changes(_PROVIDER, base.provider if base else {}, head.provider),
    ]
    client, books = consequences.settled(old_client, client), consequences.settled(old_books, books)
    done = consequences.books(old_books, books) if differing(old_books, books) else consequences.Books()
    asked = consequences.client(old_client, client)
    steps = [*done.steps, *asked] if client is None else [*asked, *done.steps]
    hand = [*risks.client_by_hand(old_client, client), *risks.books_by_hand(old_books, books)]
    found = [
        *risks.books_findings(old_books, books, done),
        *risks.client_findings(old_client, client),
        *_provider_findings(base.provider if base else {}, head.provider),
    ]
    if any(step.kind == "refuse" for step in steps) and not done.disruptive:
        found.append(
            Finding("refused", Level.CAUTION, "pulumi up will refuse this change: see what it does.", head.file)
        )
    untold = [_COUNT] if done.count_matters else []
    return changed, steps, hand, found, untold


def _unknown_like(fields: Fields | None) -> Fields | None:
    if fields is None:
        return None
    return {name: Field(f"{ELSEWHERE}the program", "as the program decides", known=False) for name in fields}


def _provider_findings(before: Fields, after: Fields) -> Iterator[Finding]:
    for name in differing(before, after):
        at = after.get(name) or before[name]
        if name == "codatUrl" and name in after:
            text = f"The API key and the client secret are sent to another address: {at.shown}."
            yield finding("address-changed", Level.DANGER, text, at)
        elif name in ("apiKey", "apiKeys") and name in after:
            what = "is written anew" if name in before else "is set where the environment has none"
            text = f"{name} {what}. With a key of another Codat client, pulumi up changes that client's integration."
            yield finding("api-key-changed", Level.CAUTION, text, at)
        else:
            text = f"{name} decides where the package sends its requests: {at.shown if name in after else 'removed'}."
            yield finding("address-changed", Level.CAUTION, text, at)


# --- what concerns the files ------------------------------------------------------------------------------------------


def _file_findings(base: Declared | None, head: Declared | None, moved: str) -> Iterator[Finding]:
    if head is None:
        assert base is not None
        text = (
            "The stack file is deleted. Codat and the stack's state stay as they are, but without its settings and "
            "secrets the stack can be neither updated nor destroyed: run `pulumi destroy` or `pulumi stack rm` first."
        )
        yield Finding("stack-deleted", Level.DANGER, text, base.file)
        return
    yield from _clear_findings(base, head)
    if base is None:
        text = (
            "A new environment. The first `pulumi up` adopts what Codat holds for its API key and changes what "
            "differs: it may disable an integration, or replace keys, that are in use."
        )
        yield Finding("stack-added", Level.CAUTION, text, head.file)
    else:
        if moved:
            text = (
                f"The stack file is renamed, the stack is not: to Pulumi, {head.stack} is another stack than {moved}."
            )
            yield Finding("stack-renamed", Level.CAUTION, text, head.file)
        if base.project != head.project:
            text = (
                f"The project is renamed from {base.project or 'nothing'} to {head.project or 'nothing'}: to Pulumi "
                "its stacks are others, and settings in the old name's namespace are not read any more."
            )
            yield Finding("project-renamed", Level.DANGER, text, head.file)
        yield from _encryption_findings(base, head)
        if _identity(base.imports) != _identity(head.imports):
            told = head.imports or base.imports
            text = "The ESC environments that settings are taken from are others; what they hold cannot be known."
            yield finding("imports-changed", Level.CAUTION, text, told)
    yield from _strange(base, head)
    was = base.warnings if base else ()
    for text in head.warnings:
        if not text.startswith("regions"):
            at = _at(head, text.split(" ")[0])
            yield finding("shape", Level.CAUTION, f"{text[0].upper()}{text[1:]}.", at, new=text not in was)


def _clear_findings(base: Declared | None, head: Declared) -> Iterator[Finding]:
    was = {one.identity for one in base.clear} if base else set()
    now = {one.identity for one in head.clear}
    for one in head.clear:
        text = secret_in_clear(one.key, looks_like=one.looks_like)
        yield Finding("secret-in-clear", Level.DANGER, text, one.file, one.line, one.identity not in was)
    gone: dict[str, Clear] = {one.key: one for one in (base.clear if base else ()) if one.identity not in now}
    for key, one in gone.items():
        text = f"{key} stood in clear before this change and stays in git's history: make a new one and revoke it."
        yield Finding("secret-was-in-clear", Level.CAUTION, text, one.file)


def _encryption_findings(base: Declared, head: Declared) -> Iterator[Finding]:
    differ = differing(base.encryption, head.encryption)
    if not differ:
        return
    at = head.encryption.get(differ[0]) or base.encryption[differ[0]]
    same = [key for key, one in head.encrypted.items() if _identity(base.encrypted.get(key)) == one.identity]
    words = ", ".join(differ)
    if same:
        text = (
            f"{words} changes, but {len(same)} encrypted {'value stays' if len(same) == 1 else 'values stay'} as "
            "before: what was encrypted the old way cannot be decrypted the new way, and pulumi up fails."
        )
        yield finding("undecryptable", Level.DANGER, text, at)
        return
    text = (
        f"{words} changes: the secrets are encrypted another way (another passphrase or key). Whoever runs pulumi up "
        "needs the new one; whether the secrets themselves are the same cannot be known."
    )
    yield finding("encryption-changed", Level.CAUTION, text, at)


def _strange(base: Declared | None, head: Declared) -> Iterator[Finding]:
    was = {one.identity for one in base.strangers} if base else set()
    for one in head.strangers:
        close = difflib.get_close_matches(one.identity, [*KEYS, *CONFIG_KEYS], n=1)
        hint = f" Is {close[0]} meant?" if close else ""
        text = f"{one.shown} is no setting of codat-zoho, and the ready-to-use program does not read it.{hint}"
        yield finding("unknown-setting", Level.CAUTION, text, one, new=one.identity not in was)


def _stack_by_hand(base: Declared | None, head: Declared, moved: str) -> Iterator[str]:
    if moved:
        yield f"Before pulumi up: `pulumi stack rename {head.stack} --stack {moved}`, else a second stack is created."
    if base is not None and base.client is not None and head.client is None and head.books is not None:
        yield "Zoho's API console: delete the client there when nobody uses it any more."


def _cannot_know(
    base: Declared | None, head: Declared, changes: Sequence[FieldChange], steps: Sequence[Step]
) -> Iterator[str]:
    if head.books is None:
        yield "What the program declares: the stack file sets none of the fields. `codat-zoho review --preview` tells."
    if base is None and steps:
        yield "What Codat holds for this API key so far."
    hidden = {
        name: one.shown
        for fields in (head.client, head.books)
        for name, one in (fields or {}).items()
        if not one.known and name not in ("client_secret", "client_secret_fingerprint")
    }
    for shown in dict.fromkeys(hidden.values()):
        yield f"The value of {', '.join(name for name, words in hidden.items() if words == shown)}: {shown}."
    if any(not change.certain and change.field == "client_secret" for change in changes):
        yield "Whether the client secret is another one: it is encrypted, and nothing is decrypted here."


def _at(side: Declared, name: str) -> Field | None:
    return (side.books or {}).get(name) or (side.client or {}).get(name)


def _identity(one: Field | None) -> str | None:
    return None if one is None else one.identity


# --- what concerns several environments -------------------------------------------------------------------------------


def shared_clients(bases: Sequence[Declared], heads: Sequence[Declared]) -> Mapping[tuple[str, str], list[Finding]]:
    """Findings by file and stack: the same Zoho client id in two environments."""
    before = {frozenset(_who(one) for one in group) for group in _by_client(bases).values()}
    found: dict[tuple[str, str], list[Finding]] = {}
    for group in _by_client(heads).values():
        if len(group) < 2:
            continue
        whole = frozenset(_who(one) for one in group)
        new = not any(whole <= was for was in before)
        for one in group:
            others = ", ".join(sorted(f"{other.stack} ({other.file})" for other in group if other is not one))
            text = (
                f"The same Zoho client id as in {others}: rotating its secret or deleting it in one concerns the "
                "other, and Zoho's limits are shared."
            )
            at = (one.books or {}).get("client_id")
            found.setdefault((one.file, one.stack), []).append(
                finding("client-id-shared", Level.CAUTION, text, at, new=new)
            )
    return found


def _by_client(sides: Sequence[Declared]) -> dict[str, list[Declared]]:
    groups: dict[str, list[Declared]] = {}
    for side in sides:
        at = (side.books or {}).get("client_id")
        if at is not None and at.known:
            groups.setdefault(str(at.value), []).append(side)
    return groups


def _who(side: Declared) -> tuple[str, str]:
    return side.project, side.stack

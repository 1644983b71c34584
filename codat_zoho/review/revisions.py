"""Reviews every environment of a git repository: finds the environments of both sides, and pairs them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from codat_zoho.core.zoho_client import PROVE
from codat_zoho.declare.platform import INTEGRATION
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.link.record import FILE as RECORD
from codat_zoho.link.record import read as read_record
from codat_zoho.link.record import standing
from codat_zoho.review import offline
from codat_zoho.review.declaration import Declared
from codat_zoho.review.environments import Place, behind_links, read_side, with_clear
from codat_zoho.review.git import INDEX, WORKTREE, Repository
from codat_zoho.review.programs import Programs, nearest, only_laid_out
from codat_zoho.review.report import Environment, Review, spelled
from codat_zoho.texts.redact import one_line

_ALIKE = 0.5  # Lines in common from which on a file that went and a file that came are taken for one that was renamed.


def review(repository: Repository, base: str | None, head: str) -> Review:
    """Review what ``head`` (a revision, ``worktree`` or ``index``) changes since it left ``base``.

    Without a base, that is the usual main branch.
    """
    commit = "" if head in (WORKTREE, INDEX) else repository.commit(head, "--head")
    before, base_words = _base(repository, base, commit)
    old_tree = repository.tree(before) if before else {}
    new_tree = repository.tree(commit or head)
    changed = repository.changed(before, commit or head) if before else frozenset(new_tree)
    old_content, new_content = repository.read(old_tree, new_tree)
    known: dict[tuple[object, ...], Declared] = {}
    bases, heads = (with_clear(read_side(content, known), content) for content in (old_content, new_content))
    bases, heads = behind_links(bases, heads, old_content), behind_links(heads, bases, new_content)
    homes: dict[str, bool] = {}  # Whether each project runs the ready-to-use program, on both sides.
    code: dict[str, set[str]] = {}
    open_: set[str] = set()
    for (home, _), one in (*bases.items(), *heads.items()):
        open_.update([] if one.yaml and not one.reads_more else [home])
        homes[home] = homes.get(home, True) and one.ready_made
        code.setdefault(home, set()).update(one.code)
    links = {path for side in (old_tree, new_tree) for path, blob in side.items() if blob is None}
    all_programs = Programs(homes, code, links, homes.keys() - open_)
    programs = all_programs.changes(changed)
    named = set()
    if not all(homes.values()):
        named = all_programs.naming(repository.naming(*filter(None, (before, commit or head))))
    for home in {home for home, stack in (*bases, *heads) if stack}:  # Its environments are known by name.
        for side in (bases, heads):
            side.pop((home, ""), None)
    shared = offline.shared_clients([*bases.values()], [*heads.values()])
    pairs = list(_pairs(bases, heads, old_content, new_content))
    environments, all_yaml = [], True
    for folder, old, new in pairs:
        sides = [one for one in (new, old) if one]
        files = programs.get(folder, ())
        nameless = not sides[0].stack  # A project alone: only what changes in its program is of interest.
        touched = any(path in changed for one in sides for path in one.files)
        if nameless and not new and not (old and old.yaml and old.ours):
            continue
        if not (
            any(one.ours for one in sides) or folder in named or (nameless and homes[folder] and (files or touched))
        ):
            continue
        laid_out = partial(only_laid_out, old, new, old_content, new_content)
        about_others = shared.get((new.file, new.stack), ()) if new else ()
        made = offline.environment(old, new, touched=touched, laid_out=laid_out, program=files, shared=about_others)
        made = _with_proof(made, new, new_content.get(posixpath.join(folder, RECORD)))
        in_yaml = any(one.yaml for one in sides)
        environments.append(spelled(made) if in_yaml else made)
        all_yaml = all_yaml and in_yaml
    general: tuple[str, ...] = ()
    if any(one.changes_something for one in environments):
        general = offline.GENERAL[:1] if all_yaml else offline.GENERAL
    unseen = ", ".join(sorted(one_line(path, 60) for path in links & changed if nearest(path, homes) is None))
    if unseen:
        general += (f"What is in submodules and behind links: {unseen}. Review a submodule in its own repository.",)
    return Review(
        base=base_words,
        head=_words(head, commit) if commit else head,
        environments=tuple(environments),
        cannot_know=general,
        other_stacks=len(pairs) - len(environments),
    )


def _with_proof(made: Environment, new: Declared | None, recorded: bytes | None) -> Environment:
    """Beside the reminder to prove that a customer can link, say what is recorded of that, if anything is."""
    if PROVE not in made.by_hand or new is None or recorded is None:
        return made
    try:
        tests = read_record(recorded)
    except ValueError as problem:
        said = f"{RECORD} cannot be read: {problem}"
    else:
        fields = next((one.fields for one in new.resources if one.kind == INTEGRATION), {})
        connection, known = fields.get("connection"), fields.get(FINGERPRINT)
        said = standing(
            tests,
            connection=str(connection.value) if connection and connection.known else "default",
            stack=new.stack,
            fingerprint=known.shown if known and known.known else None,
        ).text
    by_hand = (f"{PROVE} So far, says {RECORD}: {said}." if text == PROVE else text for text in made.by_hand)
    return replace(made, by_hand=tuple(by_hand))


def _base(repository: Repository, base: str | None, commit: str) -> tuple[str, str]:
    """The commit to compare with, and the same in words; "" where the repository has none yet."""
    if not commit:
        if not repository.has_commits and base in (None, "HEAD"):
            return "", "nothing (there is no commit yet)"
        commit = repository.commit("HEAD", "--head")
    name = base or repository.default_base()
    named = repository.commit(name, "--base")
    left = repository.merge_base(named, commit)
    return left, _words(name, left) if left == named else f"where it left {one_line(name, 60)} ({left[:8]})"


def _words(name: str, commit: str) -> str:
    return commit[:8] if commit.startswith(name) else f"{one_line(name, 60)} ({commit[:8]})"


def _pairs(
    bases: Mapping[Place, Declared],
    heads: Mapping[Place, Declared],
    old_content: Mapping[str, bytes | None],
    new_content: Mapping[str, bytes | None],
) -> Iterator[tuple[str, Declared | None, Declared | None]]:
    """The folder and both sides of each environment: same place, else same project and stack, else a renamed stack."""
    gone, came = dict(bases), dict(heads)
    for place in sorted(gone.keys() & came.keys()):
        yield place[0], gone.pop(place), came.pop(place)
    for place, new in list(came.items()):
        names = (new.project, new.stack)
        moved = [at for at, old in gone.items() if old.project and (old.project, old.stack) == names]
        if len(moved) == 1:
            yield place[0], gone.pop(moved[0]), came.pop(place)
    for place, new in list(came.items()):
        alike = {at: _alike(old_content[gone[at].file], new_content[new.file]) for at in gone if at[0] == place[0]}
        likely = max(alike, key=lambda at: alike[at], default=place)
        if alike.get(likely, 0) >= _ALIKE:
            yield place[0], gone.pop(likely), came.pop(place)
    yield from ((place[0], old, None) for place, old in gone.items())
    yield from ((place[0], None, new) for place, new in came.items())


def _alike(*contents: bytes | None) -> float:
    """How many lines two files have in common, from 0 to 1."""
    one, other = ({line.strip() for line in (raw or b"").splitlines() if line.strip()} for raw in contents)
    return len(one & other) / max(len(one), len(other)) if one and other else 0.0

"""Reviews every environment of a git repository: finds the stack files of both sides, and pairs them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import PurePosixPath
from typing import TypeVar

from codat_zoho.policy.files import is_ready_made
from codat_zoho.review import offline
from codat_zoho.review.declared import Declared, declared
from codat_zoho.review.git import INDEX, WORKTREE, Repository
from codat_zoho.review.report import Problem, Review
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import FILE, Project, Stack, read_project, read_stack, refuse_others
from codat_zoho.workspace.yaml_lines import Broken

_UNREADABLE = "cannot be read: it is no regular file (a link?), is missing from this clone, or is larger than 1 MiB"
_JSON = "is JSON: not reviewed, write it as YAML"
_OUTSIDE = "has a stackConfigDir that leads out of the repository: not reviewed, write the way within it"
_NOT_TAKEN = "is not reviewed, because Pulumi reads {} instead: rename it or delete it"
_MENTIONS = re.compile(rb"codat-zoho|zohoClient|\\")  # Or an escape, which may hide the name.
_CODE = re.compile(r".*\.(cs|go|java|js|mjs|py|ts)|.*/?(requirements[^/]*\.txt|pyproject\.toml|package\.json|go\.mod)")
_NO_PROGRAM = re.compile(r"(^|/)(tests?|docs?|examples?|node_modules|\.[^/]+)/")
_ALIKE = 0.5  # Lines in common from which on a file that went and a file that came are taken for one that was renamed.
_T = TypeVar("_T")
Place = tuple[str, str]
"""The folder of a project, and the name of a stack."""


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
    bases, heads = _side(old_content, known), _side(new_content, known)
    shared = offline.shared_clients([*bases.values()], [*heads.values()])
    pairs = list(_pairs(bases, heads, old_content, new_content))
    environments = []
    projects: dict[str, str] = {}
    for folder, old, new in pairs:
        sides = [one for one in (new, old) if one]
        if not any(one.ours for one in sides):
            continue
        projects.setdefault(folder, sides[0].project)
        touched = any(path in changed for one in sides for path in one.files)
        about_others = shared.get((new.file, new.stack), ()) if new else ()
        environments.append(offline.environment(old, new, touched=touched, shared=about_others))
    general = offline.GENERAL if any(one.changes_something for one in environments) else ()
    folders = {posixpath.dirname(path) for path in (*old_tree, *new_tree)}
    return Review(
        base=base_words,
        head=_words(head, commit) if commit else head,
        environments=tuple(environments),
        cannot_know=(*general, *_programs(projects, changed, folders)),
        other_stacks=len(pairs) - len(environments),
    )


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


def _side(content: Mapping[str, bytes | None], known: dict[tuple[object, ...], Declared]) -> dict[Place, Declared]:
    """The stacks of one side, each read within its project; ``known`` are those that were read before."""
    # By folder and stack ("" for the project); of several files of one name, the engine's first comes first.
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(content):
        folder, file = posixpath.split(path)
        is_file = FILE.fullmatch(file)
        if is_file:
            found[folder][is_file[1] or ""].append(path)
    homes = {folder: _home(folder, files[""], content) for folder, files in found.items() if "" in files}
    places = {home.place for home in homes.values()}
    made = {}
    for folder in sorted(found.keys() - (places - homes.keys())):
        home = homes.get(folder) or _Home(folder, broken=_broken_above(folder, homes))
        stacks: dict[str, list[str]] = defaultdict(list)
        for place in dict.fromkeys((home.place, folder)):
            for name, paths in found.get(place, {}).items():
                if name:
                    stacks[name] += paths
        near = (*chain(*stacks.values()), *home.files)
        for name, paths in sorted(stacks.items()):
            key = (folder, home.broken, *((path, content[path]) for path in (*paths, *home.files)))
            if key not in known:
                known[key] = _declared(name, paths, home, near, content)
            made[folder, name] = known[key]
    return made


@dataclass(frozen=True)
class _Home:
    """A folder's project, the files that it may be in, why it is broken, and where its stack files are."""

    place: str
    project: Project = field(default_factory=Project)
    files: tuple[str, ...] = ()
    broken: tuple[Problem, ...] = ()


def _home(folder: str, files: Sequence[str], content: Mapping[str, bytes | None]) -> _Home:
    project, broken = _read(read_project, files, files[0], content, Project())
    place = posixpath.normpath(posixpath.join(folder, project.stack_folder))
    if place.split("/")[0] == "..":
        broken = (*broken, Problem(_OUTSIDE, files[0]))
    return _Home("" if place == "." else place, project, tuple(files), broken)


def _broken_above(folder: str, homes: Mapping[str, _Home]) -> tuple[Problem, ...]:
    """The problems of the project that stack files belong to, if any: it would say where its stack files are."""
    while folder:
        folder = posixpath.dirname(folder)
        if folder in homes:
            return homes[folder].broken
    return ()


def _declared(
    name: str, paths: Sequence[str], home: _Home, near: Sequence[str], content: Mapping[str, bytes | None]
) -> Declared:
    """What a stack declares; where it is broken, it is taken for ours if a file ``near`` it may mention the package."""
    taken, project_file = paths[0], home.files[0] if home.files else ""
    if project_file:
        taken = posixpath.join(home.place, f"Pulumi.{name}{posixpath.splitext(project_file)[1]}")
    stack, problems = _read(partial(read_stack, project=home.project.name), paths, taken, content, Stack())
    problems = (*home.broken, *problems)
    file = taken if taken in paths else paths[0]
    if problems:
        mentioned = any(_MENTIONS.search((content[path] or b"").replace(b"\0", b"")) for path in near)
        ours = mentioned or is_ready_made(home.project)
        side = Declared(home.project.name, name, file, project_file, problems=problems, ours=ours)
    else:
        side = declared(name, file, stack, home.project, project_file)
    return replace(side, files=(*paths, *home.files, *(problem.file for problem in problems)))


def _read(
    parse: Callable[[bytes], _T], paths: Sequence[str], taken: str, content: Mapping[str, bytes | None], empty: _T
) -> tuple[_T, tuple[Problem, ...]]:
    """Read the one of some files that Pulumi takes."""
    try:
        if taken not in paths:
            taken, instead = paths[0], taken
            raise Broken(_NOT_TAKEN.format(instead))
        refuse_others(map(PurePosixPath, paths), PurePosixPath(taken))
        raw = content[taken]
        if raw is None or taken.endswith(".json"):
            raise Broken(_UNREADABLE if raw is None else _JSON)
        return parse(raw), ()
    except Broken as why:
        return empty, (Problem(why.text, taken, why.line),)


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


def _programs(projects: Mapping[str, str], changed: frozenset[str], folders: set[str]) -> Iterator[str]:
    """For each project whose program differs: that nothing here tells what that does. No setting need differ."""
    for home, project in projects.items():
        prefix = f"{home}/" if home else ""
        # Projects further down have programs of their own.
        nested = tuple(f"{folder}/" for folder in folders if folder != home and folder.startswith(prefix))
        paths = sorted(
            path
            for path in changed
            if path.startswith(prefix)
            and not path.startswith(nested)
            and _CODE.fullmatch(path)
            and not _NO_PROGRAM.search(path.removeprefix(prefix))
        )
        if paths:
            shown = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
            yield f"What the change of the program of {project or home} does ({shown}): a preview tells."

"""Reviews every environment of a git repository: finds the stack files of both sides, and pairs them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from codat_zoho.declare.platform import NAMESPACE
from codat_zoho.policy.files import clear_in_text, clear_secrets, each_once, is_ready_made
from codat_zoho.review import offline
from codat_zoho.review.declared import Declared, declared, rest_of
from codat_zoho.review.git import INDEX, WORKTREE, Repository
from codat_zoho.review.report import Problem, Review
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import Project, Stack, read_project, read_stack
from codat_zoho.workspace.yaml_lines import Broken, Value, read, value_of

_NAME = re.compile(r"Pulumi(?:\.(.+))?\.ya?ml")
_UNREADABLE = "cannot be read: it is a symbolic link, is missing from this clone, or is larger than 1 MiB"
_CODE = re.compile(
    r".*\.(cs|go|java|js|mjs|pth|py|ts)"
    r"|(.*/)?(requirements[^/]*\.txt|pyproject\.toml|setup\.cfg|(uv|poetry)\.lock|Pipfile(\.lock)?|package\.json|go\.mod)"
)
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
    bases, heads = (_with_clear(_side(content, known), content) for content in (old_content, new_content))
    homes = {home: one.ready_made for side in (bases, heads) for (home, _), one in side.items()}
    programs = _program_changes(homes, changed)
    named = set()
    if not all(homes.values()):
        named = _naming(homes, repository.naming(*filter(None, (before, commit or head))))
    for home in {home for home, stack in (*bases, *heads) if stack}:  # Its environments are known by name.
        for side in (bases, heads):
            side.pop((home, ""), None)
    shared = offline.shared_clients([*bases.values()], [*heads.values()])
    pairs = list(_pairs(bases, heads, old_content, new_content))
    environments = []
    for folder, old, new in pairs:
        sides = [one for one in (new, old) if one]
        files = programs.get(folder, ())
        nameless = not sides[0].stack  # A project alone: only what changes in its program is of interest.
        touched = any(path in changed for one in sides for path in (one.file, one.project_file))
        if nameless and not new:
            continue
        if not (
            any(one.ours for one in sides) or folder in named or (nameless and homes[folder] and (files or touched))
        ):
            continue
        laid_out = partial(_laid_out, old, new, old_content, new_content)
        about_others = shared.get((new.file, new.stack), ()) if new else ()
        environments.append(
            offline.environment(old, new, touched=touched, laid_out=laid_out, program=files, shared=about_others)
        )
    general = offline.GENERAL if any(one.changes_something for one in environments) else ()
    return Review(
        base=base_words,
        head=_words(head, commit) if commit else head,
        environments=tuple(environments),
        cannot_know=general,
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
    stacks: dict[str, dict[str, str]] = {}
    project_files: dict[str, str] = {}
    for path in sorted(content, reverse=True):  # .yml before .yaml, so that the latter wins
        folder, file = posixpath.split(path)
        found = _NAME.fullmatch(file)
        if found and found[1]:
            stacks.setdefault(folder, {})[found[1]] = path
        elif found:
            project_files[folder] = path
    projects = {folder: _read(read_project, path, content[path], Project()) for folder, path in project_files.items()}
    # Usually beside the project file; else where its stackConfigDir says.
    homes = {folder: folder for folder in projects}
    for folder, (project, _) in projects.items():
        if project.stack_folder:
            homes[posixpath.normpath(posixpath.join(folder, project.stack_folder)).removeprefix("./")] = folder
    made = {}
    for folder, paths in sorted(stacks.items()):
        home = homes.get(folder, folder)
        project, broken = projects.get(home, (Project(), ()))
        project_file = project_files.get(home, "")
        for name, path in sorted(paths.items()):
            key = (path, content[path], project_file, content.get(project_file))
            if key not in known:
                known[key] = _declared(name, path, content[path], project, project_file, broken)
            made[home, name] = known[key]
    for home in projects.keys() - {home for home, _ in made}:
        project, file = projects[home][0], project_files[home]
        clear = each_once(clear_secrets(Stack(), file, project, file))
        ready_made = is_ready_made(project)
        made[home, ""] = Declared(
            project.name,
            "",
            file,
            file,
            clear=clear,
            ours=bool(clear),
            ready_made=ready_made,
            rest=rest_of(project, file),
        )
    return made


def _read(parse: Callable[[bytes], _T], path: str, raw: bytes | None, empty: _T) -> tuple[_T, tuple[Problem, ...]]:
    if raw is None:
        return empty, (Problem(_UNREADABLE, path),)
    try:
        return parse(raw), ()
    except Broken as why:
        return empty, (Problem(why.text, path, why.line),)


def _declared(
    name: str, path: str, raw: bytes | None, project: Project, project_file: str, broken: tuple[Problem, ...]
) -> Declared:
    stack, problems = _read(lambda raw: read_stack(raw, project.name), path, raw, Stack())
    if not (broken or problems):
        return declared(name, path, stack, project, project_file)
    ours = is_ready_made(project) or f"{NAMESPACE}:".encode() in (raw or b"")
    ready_made = is_ready_made(project)
    return Declared(
        project.name, name, path, project_file, problems=(*broken, *problems), ours=ours, ready_made=ready_made
    )


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


def _program_changes(homes: Mapping[str, bool], changed: Iterable[str]) -> dict[str, list[str]]:
    """For each project the files of its program that differ: code alone where it is the ready-made one.

    A program of one's own may read anything in its folder, and code outside that is no other such program's.
    """
    found: dict[str, list[str]] = {home: [] for home in homes}
    for path in sorted(changed):
        home = _home(path, homes)
        if _NAME.fullmatch(posixpath.basename(path)) or path.endswith(".md"):
            continue
        if home is not None and not homes[home]:
            found[home].append(path)
        elif _is_code(path, home):
            for one, ready_made in homes.items():
                if one == home or not ready_made:
                    found[one].append(path)
    return found


def _naming(homes: Mapping[str, bool], paths: Iterable[str]) -> set[str]:
    """The projects with programs of their own that may use this package, by the paths that name it."""
    own = {home for home, ready_made in homes.items() if not ready_made}
    found: set[str] = set()
    for path in paths:
        home = _home(path, homes)
        if home in own:
            found.add(home or "")
        elif _is_code(path, home) and posixpath.basename(path) not in ("__main__.py", "requirements.txt"):
            found |= own
    return found


def _is_code(path: str, home: str | None) -> bool:
    """It may be part of a program that lies in the project ``home``, or is shared."""
    inside = path.removeprefix(f"{home}/" if home else "")
    return bool(_CODE.fullmatch(path) and not _NO_PROGRAM.search(inside))


def _home(path: str, homes: Mapping[str, bool]) -> str | None:
    """The nearest project that a file lies in."""
    folder = posixpath.dirname(path)
    while folder and folder not in homes:
        folder = posixpath.dirname(folder)
    return folder if folder in homes else None


def _with_clear(side: Mapping[Place, Declared], content: Mapping[str, bytes | None]) -> dict[Place, Declared]:
    """Add what stands in clear anywhere in an environment's files, those among them that the engine does not take."""
    found = defaultdict(list)
    for path, raw in content.items():
        folder, file = posixpath.split(path)
        name = _NAME.fullmatch(file)
        for one in clear_in_text(raw or b"", path):
            found[folder, (name and name[1]) or ""].append(one)
    made = dict(side)
    for place, declared_ in side.items() if found else ():
        files = ((posixpath.dirname(declared_.file), declared_.stack), (posixpath.dirname(declared_.project_file), ""))
        clear = each_once([*declared_.clear, *(one for key in files for one in found.get(key, ()))])
        made[place] = replace(declared_, clear=clear, ours=declared_.ours or bool(clear))
    return made


def _laid_out(
    old: Declared | None,
    new: Declared | None,
    old_content: Mapping[str, bytes | None],
    new_content: Mapping[str, bytes | None],
) -> bool:
    """Nothing but the layout of an environment's files differs."""
    if not old or not new:
        return False
    files = ((old.file, new.file), (old.project_file, new.project_file))
    return all(_alike_but_laid_out(old_content.get(was), new_content.get(now)) for was, now in files if now)


def _alike_but_laid_out(before: bytes | None, after: bytes | None) -> bool:
    if before == after:
        return before is not None
    try:
        old, new = ({key: value_of(node) for key, node in read(raw or b"").items()} for raw in (before, after))
    except Broken:
        return False
    return {key: _data(one) for key, one in old.items()} == {key: _data(one) for key, one in new.items()}


def _data(value: Value) -> object:
    """All of a value, for comparison, without the order of what it holds."""
    if value.encrypted is not None:
        return "encrypted", value.encrypted
    if isinstance(value.plain, list):
        return "list", sorted(repr(_data(part)) for part in value.parts.values())
    if isinstance(value.plain, dict):
        return "map", sorted((key, repr(_data(part))) for key, part in value.parts.items())
    return type(value.plain).__name__, value.plain

"""Reviews every environment of a git repository: finds the stack files of both sides, and pairs them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.policy.files import is_ready_made
from codat_zoho.review import offline
from codat_zoho.review.declared import Declared, declared
from codat_zoho.review.git import INDEX, WORKTREE, Repository
from codat_zoho.review.report import Problem, Review
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import Broken, Project, read_project, read_stack

_NAME = re.compile(r"Pulumi(?:\.(.+))?\.ya?ml")
_UNREADABLE = "cannot be read: it is a symbolic link, is missing from this clone, or is larger than 1 MiB"
_CODE = re.compile(r".*\.(cs|go|java|js|mjs|py|ts)|.*/?(requirements[^/]*\.txt|pyproject\.toml|package\.json|go\.mod)")
_NO_PROGRAM = re.compile(r"(^|/)(tests?|docs?|examples?|node_modules|\.[^/]+)/")
_ALIKE = 0.5  # Lines in common from which on a file that went and a file that came are taken for one that was renamed.
_Seen = dict[tuple[object, ...], Declared]


@dataclass(frozen=True, slots=True)
class _File:
    """A stack file of one side."""

    declared: Declared
    folder: str
    content: bytes
    project_file: str

    @property
    def place(self) -> tuple[str, str]:
        return self.folder, self.declared.stack

    @property
    def name(self) -> tuple[str, str]:
        return self.declared.project, self.declared.stack

    @property
    def paths(self) -> set[str]:
        return {self.declared.file, self.project_file}


_Pair = tuple[_File | None, _File | None]


def review(repository: Repository, base: str | None, head: str) -> Review:
    """Review what ``head`` changes since it left ``base``.

    Args:
        repository: where.
        base: the revision to compare with; None for the usual main branch.
        head: a revision, ``worktree`` or ``index``.

    Raises:
        ConfigurationError: git knows no such revision, or the two have no history in common.
    """
    commit = "" if head in (WORKTREE, INDEX) else repository.commit(head, "--head")
    before, base_words = _base(repository, base, commit)
    old_tree = repository.tree(before) if before else {}
    new_tree = repository.tree(commit or head)
    changed = repository.changed(before, commit or head) if before else frozenset(new_tree)
    old_content, new_content = repository.read(old_tree, new_tree)
    seen: _Seen = {}
    bases = list(_side(old_content, "base", seen))
    heads = list(_side(new_content, "head", seen))
    pairs = list(_pairs(bases, heads))
    shared = offline.shared_clients([one.declared for one in bases], [one.declared for one in heads])
    environments = []
    homes: dict[str, str] = {}
    for old, new in pairs:
        sides = [one for one in (new, old) if one]
        if not any(one.declared.ours for one in sides):
            continue
        homes.setdefault(sides[0].folder, sides[0].declared.project)
        environments.append(
            offline.environment(
                old.declared if old else None,
                new.declared if new else None,
                touched=any(one.paths & changed for one in sides),
                shared=shared.get((new.declared.file, new.declared.stack), ()) if new else (),
            )
        )
    general = offline.GENERAL if any(one.changes_something for one in environments) else ()
    folders = {posixpath.dirname(path) for path in (*old_tree, *new_tree)}
    return Review(
        base=base_words,
        head=_words(head, commit) if commit else head,
        environments=tuple(environments),
        cannot_know=(*general, *_programs(homes, changed, folders)),
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


# --- one side ---------------------------------------------------------------------------------------------------------


def _side(content: Mapping[str, bytes | None], side: Literal["base", "head"], seen: _Seen) -> Iterator[_File]:
    """The stack files of one side, each read within its project; ``seen`` are those that were read before."""
    stacks: dict[str, dict[str, str]] = {}
    project_files: dict[str, str] = {}
    for path in sorted(content, reverse=True):  # .yml before .yaml, so that the latter wins
        folder, file = posixpath.split(path)
        found = _NAME.fullmatch(file)
        if found and found[1]:
            stacks.setdefault(folder, {})[found[1]] = path
        elif found:
            project_files[folder] = path
    projects = {folder: _project(path, content[path]) for folder, path in project_files.items()}
    # Usually beside the project file; else where its stackConfigDir says.
    homes = {folder: folder for folder in projects}
    for folder, (project, _) in projects.items():
        if project.folder:
            homes[posixpath.normpath(posixpath.join(folder, project.folder)).removeprefix("./")] = folder
    for folder, paths in sorted(stacks.items()):
        home = homes.get(folder)
        project_file = project_files[home] if home is not None else ""
        for name, path in sorted(paths.items()):
            raw = content[path]
            key = (path, raw, project_file, content.get(project_file))
            if key not in seen:
                project, broken = projects[home] if home is not None else (Project(), None)
                seen[key] = _stack(name, path, raw, project, project_file, broken)
            read = seen[key]
            read = replace(read, problems=tuple(replace(one, side=side) for one in read.problems))
            yield _File(read, folder if home is None else home, raw or b"", project_file)


def _project(path: str, raw: bytes | None) -> tuple[Project, Problem | None]:
    if raw is None:
        return Project(), Problem(_UNREADABLE, path)
    try:
        return read_project(raw), None
    except Broken as why:
        return Project(), Problem(why.text, path, why.line)


def _stack(
    name: str, path: str, raw: bytes | None, project: Project, project_file: str, broken: Problem | None
) -> Declared:
    problems = [broken] if broken else []
    if raw is None:
        problems.append(Problem(_UNREADABLE, path))
    else:
        try:
            stack = read_stack(raw, project.name)
        except Broken as why:
            problems.append(Problem(why.text, path, why.line))
        else:
            if not broken:
                return declared(name, path, stack, project, project_file)
    ours = is_ready_made(project) or f"{NAMESPACE}:".encode() in (raw or b"")
    return Declared(project.name, name, path, problems=tuple(problems), ours=ours)


# --- both sides -------------------------------------------------------------------------------------------------------


def _pairs(bases: Sequence[_File], heads: Sequence[_File]) -> Iterator[_Pair]:
    """Which file of the base is which of the head: same place, else same project and stack, else a renamed stack."""
    gone = {one.place: one for one in bases}
    came = {one.place: one for one in heads}
    for place in sorted(gone.keys() & came.keys()):
        yield gone.pop(place), came.pop(place)
    for new in list(came.values()):
        moved = [old for old in gone.values() if old.declared.project and old.name == new.name]
        if len(moved) == 1:
            yield gone.pop(moved[0].place), came.pop(new.place)
    for new in list(came.values()):
        beside = [old for old in gone.values() if old.folder == new.folder]
        likely = max(beside, key=lambda old: _alike(old, new), default=None)
        if likely and _alike(likely, new) >= _ALIKE:
            yield gone.pop(likely.place), came.pop(new.place)
    yield from ((old, None) for old in gone.values())
    yield from ((None, new) for new in came.values())


def _alike(one: _File, other: _File) -> float:
    """How many lines two files have in common, from 0 to 1."""
    lines = [{line.strip() for line in file.content.splitlines() if line.strip()} for file in (one, other)]
    return len(lines[0] & lines[1]) / max(map(len, lines)) if all(lines) else 0.0


def _programs(homes: Mapping[str, str], changed: frozenset[str], folders: set[str]) -> Iterator[str]:
    """For each project whose program differs: that nothing here tells what that does. No setting need differ."""
    for home, project in homes.items():
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

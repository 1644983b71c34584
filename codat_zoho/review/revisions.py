"""Reviews every environment of a git repository: finds the stack files of both sides, and pairs them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from codat_zoho.declare.tokens import NAMESPACE
from codat_zoho.review import offline
from codat_zoho.review.declared import Declared, declared, is_ready_made
from codat_zoho.review.git import INDEX, WORKTREE, Entry, Repository, Tree
from codat_zoho.review.report import Environment, Problem, Review
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import Project, read_project, read_stack
from codat_zoho.workspace.yaml_lines import Broken

_NAME = re.compile(r"Pulumi(?:\.(.+))?\.ya?ml")
_UNREADABLE = "cannot be read: it is a symbolic link, is missing from this clone, or is larger than 1 MiB"
_CODE = re.compile(r".*\.(cs|go|java|js|mjs|py|ts)|.*/?(requirements[^/]*\.txt|pyproject\.toml|package\.json|go\.mod)")
_NO_PROGRAM = re.compile(r"(^|/)(tests?|docs?|examples?|node_modules|\.[^/]+)/")
_ALIKE = 0.5  # Lines in common from which on a file that went and a file that came are taken for one that was renamed.
Side = Literal["base", "head"]


@dataclass(frozen=True, slots=True)
class _Found:
    """A stack file of one side."""

    declared: Declared
    folder: str
    entry: Entry
    content: bytes
    problems: tuple[Problem, ...] = ()
    relevant: bool = True
    project_file: str = ""
    project_entry: Entry | None = None

    @property
    def stack(self) -> str:
        return self.declared.stack

    @property
    def key(self) -> tuple[str, str]:
        return self.folder, self.stack


@dataclass(slots=True)
class _Reading:
    """What both sides share: most files are the same on both, and are read once."""

    projects: dict[tuple[str, bytes], tuple[Project, Problem | None]] = field(default_factory=dict)
    stacks: dict[tuple[object, ...], tuple[Declared, tuple[Problem, ...], bool]] = field(default_factory=dict)


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
    old_tree: Tree = repository.tree(before) if before else {}
    new_tree = repository.tree(commit) if commit else repository.index() if head == INDEX else repository.worktree()
    changed = repository.changed(before, commit or head) if before else frozenset(new_tree)
    old_content, new_content = repository.read(old_tree, new_tree)
    reading = _Reading()
    bases = list(_side(old_tree, old_content, "base", reading))
    heads = list(_side(new_tree, new_content, "head", reading))
    pairs = list(_pairs(bases, heads))
    mine = [(old, new) for old, new in pairs if (old and old.relevant) or (new and new.relevant)]
    shared = offline.shared_clients([one.declared for one in bases], [one.declared for one in heads])
    folders = {
        posixpath.dirname(path) for path in {**old_tree, **new_tree} if _NAME.fullmatch(posixpath.basename(path))
    }
    homes: dict[str, str] = {}
    environments = []
    for old, new in mine:
        side = new or old
        assert side is not None
        homes.setdefault(side.folder, side.declared.project)
        made = _environment(old, new, changed)
        if new is not None and not made.problems:
            found = (*made.findings, *shared.get((new.declared.file, new.stack), ()))
            made = replace(made, findings=tuple(sorted(found, key=lambda one: one.level.value != "danger")))
        environments.append(made)
    return Review(
        base=base_words,
        head=head if not commit else _words(head, commit),
        environments=tuple(environments),
        cannot_know=(
            *(offline.GENERAL if any(one.changes_something for one in environments) else ()),
            *_programs(homes, changed, folders),
        ),
        other_stacks=len(pairs) - len(mine),
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


def _side(tree: Tree, content: Mapping[str, bytes | None], side: Side, reading: _Reading) -> Iterator[_Found]:
    """The stack files of one side, each read within its project."""
    files: dict[str, dict[str, str]] = {}
    homes: dict[str, str] = {}
    for path in sorted(tree, reverse=True):  # .yml before .yaml, so that the latter wins
        folder, name = posixpath.split(path)
        found = _NAME.fullmatch(name)
        if found and found[1]:
            files.setdefault(folder, {})[found[1]] = path
        elif found:
            homes[folder] = path
    projects = {folder: _project(path, content[path], reading) for folder, path in homes.items()}
    # Usually beside the project file; else where its stackConfigDir says.
    owners = {folder: folder for folder in homes}
    for folder, (project, _) in projects.items():
        if project.stack_folder:
            owners[posixpath.normpath(posixpath.join(folder, project.stack_folder)).removeprefix("./")] = folder
    for folder, stacks in sorted(files.items()):
        home = owners.get(folder)
        project, broken = projects[home] if home is not None else (Project(), None)
        project_file = homes[home] if home is not None else ""
        for name, path in sorted(stacks.items()):
            raw = content[path]
            key = (path, project_file, raw, content.get(project_file))
            if key not in reading.stacks:
                reading.stacks[key] = _stack(name, path, raw, project, project_file, broken)
            made, problems, relevant = reading.stacks[key]
            yield _Found(
                made,
                folder if home is None else home,
                tree[path],
                raw or b"",
                tuple(replace(one, side=side) for one in problems),
                relevant,
                project_file,
                tree.get(project_file),
            )


def _project(path: str, raw: bytes | None, reading: _Reading) -> tuple[Project, Problem | None]:
    if raw is None:
        return Project(), Problem(_UNREADABLE, path)
    key = path, raw
    if key not in reading.projects:
        try:
            reading.projects[key] = read_project(raw), None
        except Broken as why:
            reading.projects[key] = Project(), Problem(why.text, path, why.line)
    return reading.projects[key]


def _stack(
    name: str, path: str, raw: bytes | None, project: Project, project_file: str, broken: Problem | None
) -> tuple[Declared, tuple[Problem, ...], bool]:
    nothing = Declared(project.name, name, path)
    ours = is_ready_made(project) or f"{NAMESPACE}:".encode() in (raw or b"")
    problems = [broken] if broken else []
    if raw is None:
        return nothing, (*problems, Problem(_UNREADABLE, path)), ours
    try:
        stack = read_stack(raw, project.name)
    except Broken as why:
        return nothing, (*problems, Problem(why.text, path, why.line)), ours
    if broken:
        return nothing, tuple(problems), ours
    made = declared(name, path, stack, project, project_file)
    if any(space == NAMESPACE for space, _ in stack.settings) or made.ready_made or made.clear:
        return made, (), True
    return replace(made, problems=()), (), False


# --- both sides -------------------------------------------------------------------------------------------------------


def _pairs(bases: Sequence[_Found], heads: Sequence[_Found]) -> Iterator[tuple[_Found | None, _Found | None]]:
    """Which file of the base is which of the head: same place, else same project and stack, else a renamed stack."""
    old = {one.key: one for one in bases}
    new = {one.key: one for one in heads}
    for key in sorted(old.keys() & new.keys()):
        yield old.pop(key), new.pop(key)
    gone, came = list(old.values()), list(new.values())
    for one in list(came):
        moved = [other for other in gone if other.declared.project and _who(other) == _who(one)]
        if len(moved) == 1:
            gone.remove(moved[0])
            came.remove(one)
            yield moved[0], one
    for one in list(came):
        likely = max(
            ((_alike(other, one), other) for other in gone if other.folder == one.folder),
            key=lambda pair: pair[0],
            default=None,
        )
        if likely and likely[0] >= _ALIKE:
            gone.remove(likely[1])
            came.remove(one)
            yield likely[1], one
    yield from ((one, None) for one in gone)
    yield from ((None, one) for one in came)


def _who(found: _Found) -> tuple[str, str]:
    return found.declared.project, found.stack


def _alike(one: _Found, other: _Found) -> float:
    """How many lines two files have in common, from 0 to 1."""
    if one.entry.blob and one.entry.blob == other.entry.blob:
        return 1.0
    lines = [{line.strip() for line in found.content.splitlines() if line.strip()} for found in (one, other)]
    return len(lines[0] & lines[1]) / max(map(len, lines)) if all(lines) else 0.0


def _environment(old: _Found | None, new: _Found | None, changed: frozenset[str]) -> Environment:
    sides = [one for one in (old, new) if one]
    problems = [problem for one in sides for problem in one.problems]
    paths = {path for one in sides for path in (one.declared.file, one.project_file) if path}
    return offline.environment(
        old.declared if old else None,
        new.declared if new else None,
        problems=problems,
        moved=old.stack if old and new and old.stack != new.stack else "",
        touched=bool(paths & changed),
    )


def _programs(homes: Mapping[str, str], changed: frozenset[str], folders: Iterable[str]) -> Iterator[str]:
    """For each project whose program differs: that nothing here tells what that does. No setting need differ."""
    for home, project in homes.items():
        paths = sorted(_program(home, changed, folders))
        if paths:
            shown = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
            yield f"What the change of the program of {project or home} does ({shown}): a preview tells."


def _program(home: str, changed: frozenset[str], folders: Iterable[str]) -> Iterator[str]:
    """What changed of the program in ``home``; projects further down have programs of their own."""
    prefix = f"{home}/" if home else ""
    nested = tuple(f"{folder}/" for folder in folders if folder != home and folder.startswith(prefix))
    for path in changed:
        inside = path.startswith(prefix) and not (nested and path.startswith(nested))
        if inside and _CODE.fullmatch(path) and not _NO_PROGRAM.search(path.removeprefix(prefix)):
            yield path

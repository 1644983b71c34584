"""Reads the environments of one side of a review: which files the engine takes, and what stands in them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import PurePosixPath
from typing import TypeVar

from codat_zoho.policy.files import clear_in_text, each_once
from codat_zoho.review.declaration import Declared
from codat_zoho.review.declared import declared
from codat_zoho.review.report import Problem
from codat_zoho.workspace.pulumi_yaml import FILE, Project, Stack, read_project, read_stack, refuse_others
from codat_zoho.workspace.yaml_lines import Broken
from codat_zoho.workspace.yaml_program import Program, read_program, template_of

_UNREADABLE = (
    "cannot be read: it is no regular file (a link?), is missing from this clone, is larger than 1 MiB, or "
    ".gitattributes (filter, ident, working-tree-encoding) let a checkout differ from it"
)
_LINKED = "is a link or a submodule: the files of Pulumi behind it are not reviewed"
_JSON = "is JSON: not reviewed, write it as YAML"
_OUTSIDE = "has a stackConfigDir that leads out of the repository: not reviewed, write the way within it"
_NOT_TAKEN = "is not reviewed, because Pulumi reads {} instead: rename it or delete it"
_MENTIONS = re.compile(rb"codat-zoho|zohoClient|\\")  # Or an escape, which may hide the name.
_T = TypeVar("_T")
Place = tuple[str, str]
"""The folder of a project, and the name of a stack; "" for a project that has none."""


def read_side(content: Mapping[str, bytes | None], known: dict[tuple[object, ...], Declared]) -> dict[Place, Declared]:
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
    for folder in homes.keys() - {folder for folder, _ in made}:
        made[folder, ""] = _without_stacks(homes[folder], content)
    return made


def behind_links(
    side: Mapping[Place, Declared], other: Mapping[Place, Declared], content: Mapping[str, bytes | None]
) -> dict[Place, Declared]:
    """A side, and what only the other has where this one has a link or a submodule: it is not gone, but not seen."""
    made = dict(side)
    for place in other.keys() - side.keys():
        link, home = _link(place[0], content), side.get((place[0], ""), Declared())
        if link or home.problems:
            made[place] = replace(other[place], problems=home.problems or (Problem(_LINKED, link),), files=(link,))
    return made


def _link(way: str, content: Mapping[str, bytes | None]) -> str:
    """The first link or submodule on the way to a folder; "" for none."""
    parts = way.split("/")
    folders = (posixpath.normpath("/".join(parts[:end])) for end in range(1, len(parts) + 1))
    return next((folder for folder in folders if folder in content and content[folder] is None), "")


def _without_stacks(home: _Home, content: Mapping[str, bytes | None]) -> Declared:
    """A project that has no stack files, or has them where they cannot be seen, as a stack that leaves all to it."""
    file = home.files[0]
    side = declared("", file, Stack(), home.project, file, home.program)
    # Of the ready-to-use program, only what changes is of interest.
    ours = bool(side.clear) or (side.ours and not side.ready_made)
    if home.linked:
        ours = ours or side.ready_made or home.project.has_settings or _mentioned(home.files, content)
        side = replace(side, problems=home.broken)
    return replace(side, ours=ours, files=(*home.files, *(content if home.linked else ())), code=home.code)


@dataclass(frozen=True)
class _Home:
    """A folder's project, the files that it and its program may be in, why it is broken, where its stack files are."""

    place: str
    project: Project = field(default_factory=Project)
    files: tuple[str, ...] = ()
    broken: tuple[Problem, ...] = ()
    code: tuple[str, ...] = ()
    program: tuple[str, Program] | None = None  # In YAML, and the file that it is in.
    linked: bool = False  # The stack files are behind a link or a submodule, and so may be anywhere.


def _home(folder: str, files: Sequence[str], content: Mapping[str, bytes | None]) -> _Home:
    project, broken = _read(read_project, files, files[0], content, Project())
    way = posixpath.join(folder, project.stack_folder)
    place, link = posixpath.normpath(way), _link(way, content)
    if place.split("/")[0] == "..":
        broken = (*broken, Problem(_OUTSIDE, files[0]))
    if link:
        broken = (*broken, Problem(_LINKED, link))
    template, program = template_of(project, folder, content), None
    if template:
        made, why = _read(_program, [template], template, content, Program())
        program, broken = (template, made), (*broken, *why)
        files = [*dict.fromkeys([*files, template])]
    named = project.plugins if template else project.code
    code = tuple(posixpath.normpath(posixpath.join(folder, one)) for one in named)
    return _Home("" if place == "." else place, project, tuple(files), broken, code, program, bool(link))


def _program(content: bytes) -> Program:
    """A program in YAML; one that does not mention the package declares none of its resources."""
    return read_program(content) if _MENTIONS.search(content.replace(b"\0", b"")) else Program()


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
        ours = home.project.has_settings or _mentioned(near, content)
        side = Declared(
            home.project.name,
            name,
            file,
            project_file,
            problems=problems,
            ours=ours,
            ready_made=home.project.ready_made,
        )
    else:
        side = declared(name, file, stack, home.project, project_file, home.program)
    files = (*paths, *home.files, *(problem.file for problem in problems), *(content if home.linked else ()))
    return replace(side, files=files, code=home.code)


def _mentioned(paths: Iterable[str], content: Mapping[str, bytes | None]) -> bool:
    """One of some files may name the package."""
    return any(_MENTIONS.search((content[path] or b"").replace(b"\0", b"")) for path in paths)


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


def with_clear(side: Mapping[Place, Declared], content: Mapping[str, bytes | None]) -> dict[Place, Declared]:
    """Add what stands in clear anywhere in an environment's files, those among them that the engine does not take."""
    found = defaultdict(list)
    for path, raw in content.items():
        folder, file = posixpath.split(path)
        name = FILE.fullmatch(file)
        for one in clear_in_text(raw or b"", path):
            found[folder, (name and name[1]) or ""].append(one)
    made = dict(side)
    for place, declared_ in side.items() if found else ():
        of_project = dict.fromkeys((posixpath.dirname(declared_.project_file), posixpath.dirname(declared_.template)))
        keys = ((posixpath.dirname(declared_.file), declared_.stack), *((folder, "") for folder in of_project))
        clear = each_once([*declared_.clear, *(one for key in keys for one in found.get(key, ()))])
        made[place] = replace(declared_, clear=clear, ours=declared_.ours or bool(clear))
    return made

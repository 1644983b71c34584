"""What changes besides settings: the programs of projects, and the mere layout of files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from codat_zoho.link.record import FILE as RECORD
from codat_zoho.review.declaration import Declared
from codat_zoho.workspace.pulumi_yaml import FILE
from codat_zoho.workspace.yaml_lines import Broken, Value, read

_CODE = re.compile(
    r".*\.(cs|go|java|js|mjs|pth|pyc?|so|ts|whl)"
    r"|(.*/)?((requirements|constraints)[^/]*\.txt|requirements/[^/]+\.txt|pyproject\.toml|setup\.cfg|uv\.toml"
    r"|(uv|poetry)\.lock|Pipfile(\.lock)?|package\.json|go\.mod)"
)
_NO_PROGRAM = re.compile(r"(^|/)(tests?|docs?|examples?|node_modules|\.[^/]+)/")
_HARMLESS = re.compile(r"(.*/)?(tests?|docs?|examples?|\.github)/.*|(.*/)?(LICENSE|\.gitignore)|.*\.md")
"""What is no part of the ready-to-use program, wherever it is in its project."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of a repository's projects.

    By the project's folder, ``homes`` tells whether it is ready to use, and ``code`` where the project says that
    it and its Python are. Behind ``links``, submodules among them, there may be anything. One that is ``closed`` is in
    YAML, was read, and depends on no other file but what is in ``code``.
    """

    homes: Mapping[str, bool]
    code: Mapping[str, Collection[str]]
    links: Collection[str]
    closed: Collection[str]

    def changes(self, changed: Iterable[str]) -> dict[str, list[str]]:
        """For each project the files of its program that differ.

        A program of one's own may read anything in its folder, and code outside that is no other such program's. Of the
        ready-to-use one all counts but what is known to be harmless.
        """
        linked = {home for path in self.links for home in self._of(path) if not self._harmless(path, home)}
        found: dict[str, list[str]] = {home: [] for home in self.homes}
        for path in sorted(changed):
            if FILE.fullmatch(name := posixpath.basename(path)) or name == RECORD:
                continue
            of = self._of(path)
            for home in of:
                if home in self.closed and not any(_within(path, folder) for folder in self.code[home]):
                    continue
                free = self._harmless(path, home) if self.homes[home] else path.endswith(".md")
                if not free or path in self.links or home in linked:
                    found[home].append(path)
            if not any(not self.homes[home] for home in of) and (path in self.links or _is_code(path, of)):
                for home in self.homes.keys() - of - {*self.closed}:
                    if not self.homes[home]:
                        found[home].append(path)
        return found

    def naming(self, paths: Iterable[str]) -> set[str]:
        """The projects with programs of their own that may use this package, by the paths that name it."""
        own = {home for home, ready_made in self.homes.items() if not ready_made} - {*self.closed}
        found: set[str] = set()
        for path in paths:
            of = self._of(path)
            if of & own:
                found |= of & own
            elif _is_code(path, of) and posixpath.basename(path) not in ("__main__.py", "requirements.txt"):
                found |= own
        return found

    def _of(self, path: str) -> set[str]:
        """The projects that a file belongs to: the nearest that it lies in, and those that name a folder of it."""
        home = nearest(path, self.homes)
        named = {one for one, folders in self.code.items() if any(_within(path, folder) for folder in folders)}
        return named if home is None else {home, *named}

    def _harmless(self, path: str, home: str) -> bool:
        """No part of a ready-to-use program, seen from the nearest folder that is the project's or named by it."""
        folders = [folder for folder in (home, *self.code.get(home, ())) if _within(path, folder)]
        inside = _inside(path, max(folders, key=len, default=""))
        return _HARMLESS.fullmatch(inside) is not None


def _within(path: str, folder: str) -> bool:
    return folder in ("", ".", path) or path.startswith(f"{folder}/")


def _inside(path: str, folder: str) -> str:
    return path if folder == "." else path.removeprefix(f"{folder}/" if folder else "")


def _is_code(path: str, homes: Iterable[str]) -> bool:
    """It may be part of a program that lies in one of some projects, or is shared."""
    inside = _inside(path, max(homes, key=len, default=""))
    return bool(_CODE.fullmatch(path) and not _NO_PROGRAM.search(inside))


def nearest(path: str, homes: Mapping[str, bool]) -> str | None:
    """The nearest project that a file lies in."""
    folder = posixpath.dirname(path)
    while folder and folder not in homes:
        folder = posixpath.dirname(folder)
    return folder if folder in homes else None


def only_laid_out(
    old: Declared | None,
    new: Declared | None,
    old_content: Mapping[str, bytes | None],
    new_content: Mapping[str, bytes | None],
) -> bool:
    """Nothing but the layout of an environment's files differs."""
    if not old or not new:
        return False
    files = ((old.file, new.file), (old.project_file, new.project_file), (old.template, new.template))
    plain = old.ready_made and new.ready_made
    return all(_alike(old_content.get(was), new_content.get(now), plain=plain) for was, now in files if now)


def _alike(before: bytes | None, after: bytes | None, *, plain: bool) -> bool:
    """Two files say the same; ``plain`` means that the ready-to-use program reads them, which sorts its regions."""
    if before == after:
        return before is not None
    try:
        old, new = (read(raw or b"") for raw in (before, after))
    except Broken:
        return False
    was, now = ({key: _data(one, plain=plain) for key, one in side.items()} for side in (old, new))
    return was == now


def _data(value: Value, key: str = "", *, plain: bool) -> object:
    """All of a value, for comparison, without the order of its keys; that of a list says nothing in ``regions``."""
    if value.encrypted is not None:
        return "encrypted", value.encrypted
    if isinstance(value.plain, list):
        parts = [repr(_data(part, plain=plain)) for part in value.parts.values()]
        return "list", sorted(parts) if plain and key == "regions" else parts
    if isinstance(value.plain, dict):
        of = "" if key != "regions" else key  # A declaration's default is one, too.
        named = {name: of or name.rpartition(":")[2] for name in value.parts}
        return "map", sorted((name, repr(_data(part, named[name], plain=plain))) for name, part in value.parts.items())
    return type(value.plain).__name__, value.plain, value.odd

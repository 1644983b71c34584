"""What changes besides settings: the programs of projects, and the mere layout of files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from codat_zoho.review.declared import Declared
from codat_zoho.workspace.pulumi_yaml import FILE
from codat_zoho.workspace.yaml_lines import Broken, Value, read

_CODE = re.compile(
    r".*\.(cs|go|java|js|mjs|pth|py|ts)"
    r"|(.*/)?(requirements[^/]*\.txt|pyproject\.toml|setup\.cfg|(uv|poetry)\.lock|Pipfile(\.lock)?|package\.json|go\.mod)"
)
_NO_PROGRAM = re.compile(r"(^|/)(tests?|docs?|examples?|node_modules|\.[^/]+)/")


def program_changes(homes: Mapping[str, bool], changed: Iterable[str]) -> dict[str, list[str]]:
    """For each project the files of its program that differ: code alone where it is the ready-made one.

    A program of one's own may read anything in its folder, and code outside that is no other such program's.
    """
    found: dict[str, list[str]] = {home: [] for home in homes}
    for path in sorted(changed):
        home = nearest(path, homes)
        if FILE.fullmatch(posixpath.basename(path)) or path.endswith(".md"):
            continue
        if home is not None and not homes[home]:
            found[home].append(path)
        elif _is_code(path, home):
            for one, ready_made in homes.items():
                if one == home or not ready_made:
                    found[one].append(path)
    return found


def naming(homes: Mapping[str, bool], paths: Iterable[str]) -> set[str]:
    """The projects with programs of their own that may use this package, by the paths that name it."""
    own = {home for home, ready_made in homes.items() if not ready_made}
    found: set[str] = set()
    for path in paths:
        home = nearest(path, homes)
        if home in own:
            found.add(home or "")
        elif _is_code(path, home) and posixpath.basename(path) not in ("__main__.py", "requirements.txt"):
            found |= own
    return found


def _is_code(path: str, home: str | None) -> bool:
    """It may be part of a program that lies in the project ``home``, or is shared."""
    inside = path.removeprefix(f"{home}/" if home else "")
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
    files = ((old.file, new.file), (old.project_file, new.project_file))
    return all(_alike_butonly_laid_out(old_content.get(was), new_content.get(now)) for was, now in files if now)


def _alike_butonly_laid_out(before: bytes | None, after: bytes | None) -> bool:
    if before == after:
        return before is not None
    try:
        old, new = (read(raw or b"") for raw in (before, after))
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

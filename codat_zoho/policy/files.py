"""Looks for secrets in clear in a project's files: the engine tells a policy pack nothing of stack configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from codat_zoho.declare.platform import NAMESPACE
from codat_zoho.declare.rules import secret_shape
from codat_zoho.declare.settings import KEYS, SECRET_KEYS
from codat_zoho.policy.rules import secret_in_clear
from codat_zoho.texts.redact import register
from codat_zoho.workspace.failures import Failed
from codat_zoho.workspace.pulumi_yaml import Project, Stack, find_project, read_stack
from codat_zoho.workspace.values import digest
from codat_zoho.workspace.yaml_lines import Broken


@dataclass(frozen=True, slots=True)
class Clear:
    """A secret that stands in a file as it is; ``looks_like`` says of what, where the key does not tell."""

    key: str
    file: str
    line: int
    looks_like: str
    identity: str = field(repr=False)


def is_ready_made(project: Project) -> bool:
    """The project declares settings of the ready-to-use program, or is it."""
    return bool(project.declares & set(KEYS)) or project.name == NAMESPACE


def clear_secrets(stack: Stack, file: str, project: Project, project_file: str) -> Iterator[Clear]:
    """Find the secrets in clear of a stack-config file and its project file, and keep them out of every text."""
    spaces = {NAMESPACE, project.name} if is_ready_made(project) else {NAMESPACE}
    for settings, where in ((stack.settings, file), (project.settings, project_file)):
        for (space, name), value in settings.items():
            named = name in SECRET_KEYS and space in spaces
            for leaf in value.leaves():
                if leaf.encrypted is not None or leaf.plain in (None, "", True, False):
                    continue
                looks_like = secret_shape(leaf.text)
                if named or looks_like:
                    register(leaf.text)
                    key = f"{space}:{name}"
                    yield Clear(key, where, leaf.line, "" if named else looks_like, digest(leaf.text))


def clear_settings(folders: Iterable[Path], name: str, stack: str) -> list[str] | None:
    """One sentence per secret in clear in the files of a stack.

    Args:
        folders: where to look for the project, each with the folders above it; the first that is it counts.
        name: the project's name.
        stack: the stack's name.

    Returns:
        None where the files cannot be read, and so nothing is known.
    """
    for folder in folders:
        try:
            project = find_project(folder)
            if project is None or project.name != name:
                continue
            path = project.settings_of(stack)
            path = path if path.is_file() else path.with_suffix(".yml")
            settings = read_stack(path.read_bytes(), name)
        except (Broken, Failed, OSError):
            continue
        found = clear_secrets(settings, path.name, project, project.file.name)
        return [f"{one.file}, line {one.line}: {secret_in_clear(one.key, looks_like=one.looks_like)}" for one in found]
    return None

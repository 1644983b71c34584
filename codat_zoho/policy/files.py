"""Looks for secrets in clear in a project's files: the engine tells a policy pack nothing of stack configuration."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codat_zoho.declare.platform import NAMESPACE
from codat_zoho.declare.rules import secret_shape, secrets_within
from codat_zoho.declare.settings import SECRET_KEYS, SETTINGS
from codat_zoho.policy.rules import secret_in_clear
from codat_zoho.texts.redact import register
from codat_zoho.workspace.failures import Failed
from codat_zoho.workspace.pulumi_yaml import Project, Stack, find_project, stack_file
from codat_zoho.workspace.values import digest
from codat_zoho.workspace.yaml_lines import Broken, Value, read

_SECRET_NAMES = {one.key.lower() for one in SETTINGS.values() if one.secret}
_SPELLINGS = "|".join(re.sub("(?=[A-Z])", "[_-]?", one.key) for one in SETTINGS.values() if one.secret)
_NAMED = re.compile(
    rf"""(?im)\b({_SPELLINGS}|{NAMESPACE}:apiKey)["']?[ \t]*[:=][ \t]*["']?"""
    r"""(?=[^\s"']*[0-9])([^\s"'<>{}$*]{8,})["']?[ \t\r]*$"""
)
"""A secret by its name: one word that has a digit in it, and so is no explanation."""


@dataclass(frozen=True, slots=True)
class Clear:
    """A secret that stands in a file as it is; ``looks_like`` says of what, where the key does not tell.

    The key is empty where it is no setting's whole value: in a comment, inside a longer text, outside ``config``.
    """

    key: str
    file: str
    line: int
    looks_like: str
    identity: str = field(repr=False)


def _spaces(project: Project) -> set[str]:
    """The namespaces in which a project's stack configuration holds settings of this package."""
    return {NAMESPACE, project.name} if project.has_settings else {NAMESPACE}


def clear_secrets(stack: Stack, file: str, project: Project, project_file: str) -> Iterator[Clear]:
    """Find the secrets in clear among the settings of a stack-config file and its project file.

    A setting of that name is one in any namespace, and within an object; other tools have an ``apiKey`` of their own.
    """
    spaces = _spaces(project)
    for settings, where in ((stack.settings, file), (project.settings, project_file)):
        for (space, name), value in settings.items():
            for path, leaf in _leaves(name, value):
                if leaf.encrypted is not None or leaf.plain in (None, "", True, False):
                    continue
                named = (name in SECRET_KEYS and space in spaces) or any(_plain(part) in _SECRET_NAMES for part in path)
                looks_like = secret_shape(leaf.text)
                if named or looks_like:
                    register(leaf.text)
                    key = f"{space}:{name}"
                    yield Clear(key, where, leaf.line, "" if named else looks_like, digest(leaf.text))
                else:
                    for _, secret, kind in secrets_within(leaf.text):
                        yield Clear("", where, leaf.line, kind, digest(secret))


def clear_in_text(content: bytes, file: str) -> Iterator[Clear]:
    """Find what looks like a secret anywhere in a file, whether or not it can be read as YAML, or has its name."""
    text = content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", errors="replace")
    for at, secret, kind in secrets_within(text):
        register(secret)
        yield Clear("", file, text.count("\n", 0, at) + 1, kind, digest(secret))
    for named in _NAMED.finditer(text):
        if "#" in text[text.rfind("\n", 0, named.start()) + 1 : named.start()]:  # A comment; the others are read.
            register(named[2])
            yield Clear(named[1], file, text.count("\n", 0, named.start()) + 1, "", digest(named[2]))
    if b"\\" in content:  # An escape may be part of one.
        with contextlib.suppress(Broken):
            for leaf in (leaf for value in read(content).values() for leaf in value.leaves()):
                for _, secret, kind in secrets_within(leaf.text):
                    register(secret)
                    yield Clear("", file, leaf.line, kind, digest(secret))


def each_once(found: Iterable[Clear]) -> tuple[Clear, ...]:
    """The same secret in one file once: as a setting, which says more, rather than as a piece of text."""
    by_name = sorted(found, key=lambda one: not one.key)
    return tuple({(one.file, one.identity): one for one in reversed(by_name)}.values())[::-1]


def _leaves(name: str, value: Value, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Value]]:
    path = (*above, name)
    if not value.parts:
        yield path, value
    for key, part in value.parts.items():
        yield from _leaves(key, part, path)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _others(stack: Stack, project: Project, configuration: Mapping[str, str]) -> bool:
    """Whether the files are not those that the engine has read this configuration from: of another folder's stack."""
    set_here = {f"{space}:{name}": value for (space, name), value in {**project.settings, **stack.settings}.items()}
    spaces = _spaces(project)
    # An ESC environment sets more than the files say.
    known = set_here if stack.imports else {*set_here, *configuration}
    return any(
        key not in set_here or key not in configuration or _differs(set_here[key], configuration[key])
        for key in known
        if key.partition(":")[0] in spaces
    )


def _differs(value: Value, given: str) -> bool:
    return isinstance(value.plain, (str, bool)) and not value.odd and value.text != given


def clear_settings(
    folders: Iterable[Path], name: str, stack: str, configuration: Mapping[str, str] | None = None
) -> list[str] | None:
    """One sentence per secret in clear in the files of a stack.

    Args:
        folders: where to look for the project, each with the folders above it; the first that is it counts.
        name: the project's name.
        stack: the stack's name.
        configuration: all of the stack's, decrypted, where it is known: files that say otherwise are another stack's.

    Returns:
        None where the files cannot be read, and so nothing is known.
    """
    for folder in folders:
        try:
            project = find_project(folder)
            if project is None or project.name != name:
                continue
            settings, path = stack_file(project, stack), project.settings_of(stack)
            if configuration is not None and _others(settings, project, configuration):
                continue
            texts = [(file.name, file.read_bytes()) for file in (path, project.file)]
        except (Broken, Failed, OSError):
            continue
        found = [*clear_secrets(settings, path.name, project, project.file.name)]
        found += [one for file, text in texts for one in clear_in_text(text, file)]
        said = [(one, secret_in_clear(one.key, looks_like=one.looks_like)) for one in each_once(found)]
        return [f"{one.file}, line {one.line}: {text}" for one, text in said]
    return None

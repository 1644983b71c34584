"""Reads ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml``, for all commands alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from codat_zoho.declare.platform import NAMESPACE
from codat_zoho.workspace.failures import Failed, unreadable_project
from codat_zoho.workspace.yaml_lines import Broken, Value, pairs, read, shown, value_of

Key = tuple[str, str]
"""Namespace and name of a setting."""
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")


def plain_name(stack: str) -> str:
    """A stack's name without organisation and project."""
    return stack.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack-config file: its settings, how its secrets are encrypted, and the ESC environments that it imports."""

    settings: Mapping[Key, Value] = field(default_factory=dict)
    encryption: Mapping[str, Value] = field(default_factory=dict)
    imports: Value | None = None

    @property
    def environments(self) -> tuple[str, ...]:
        """Names of the ESC environments; of two that give the same, the later one counts."""
        listed = self.imports.plain if self.imports else None
        if isinstance(listed, dict):
            listed = listed.get("imports")
        if not isinstance(listed, list):
            return ()
        # An import may say how it is merged: {name: {merge: false}}.
        names = [name for one in listed for name in (one if isinstance(one, dict) else [one])]
        return tuple(name for name in names if isinstance(name, str))


@dataclass(frozen=True, slots=True)
class Project:
    """A project file; "" stands for what it does not say."""

    name: str = ""
    settings: Mapping[Key, Value] = field(default_factory=dict)  # what stacks get that do not set it themselves
    required: frozenset[Key] = frozenset()  # what each stack must set
    stack_folder: str = ""  # where its stack-config files are, relative to it
    runtime: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)  # of the runtime, for example `virtualenv`
    file: Path = Path("Pulumi.yaml")  # where it was found on disk
    given: str = "."  # its folder as the user wrote it
    rest: Mapping[str, Value] = field(default_factory=dict)  # its other keys, as they stand there

    @property
    def declares(self) -> frozenset[str]:
        """The names that it declares in its own namespace."""
        return frozenset(name for space, name in {*self.settings, *self.required} if space == self.name)

    @property
    def ready_to_use(self) -> bool:
        """It is the project that comes with this package, driven by stack configuration alone."""
        return self.name == NAMESPACE and "zohoClientId" in self.declares

    @property
    def folder(self) -> Path:
        """Where its programs run."""
        return self.file.parent

    def settings_of(self, stack: str) -> Path:
        """The file with a stack's configuration."""
        return self.folder / self.stack_folder / f"Pulumi.{plain_name(stack)}.yaml"

    @property
    def defaults(self) -> dict[str, str]:
        """What it sets for all stacks, by full key, as the texts that programs get."""
        return {
            f"{space}:{name}": value.text for (space, name), value in self.settings.items() if value.plain is not None
        }


def find_project(folder: Path) -> Project | None:
    """Find the project of a folder as pulumi does: here, or in the nearest folder above. A broken one is ``Failed``."""
    here = folder.resolve()
    names = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
    file = next((place / name for place in (here, *here.parents) for name in names if (place / name).is_file()), None)
    if file is None:
        return None
    try:
        project = read_project(file.read_bytes())
    except (Broken, OSError):
        project = Project()
    if not project.name:
        text = f"{file} is no readable Pulumi project."
        raise Failed(unreadable_project(text), text)
    return replace(project, file=file)


def environments(settings: Path) -> tuple[str, ...]:
    """The ESC environments that a stack's settings file imports."""
    try:
        return read_stack(settings.read_bytes(), "").environments
    except (Broken, OSError):
        return ()


def read_stack(content: bytes, project: str) -> Stack:
    """Read ``Pulumi.<stack>.yaml``; what Pulumi would not read is ``Broken``."""
    top = read(content)
    settings: dict[Key, Value] = {}
    for name, value in pairs(top.get("config"), "config"):
        key = _key(name, project)
        if key is None:
            raise Broken(f"{shown(name)} is no key of the form <namespace>:<name>", value.line)
        settings[key] = value
    encryption = {name: value_of(top[name]) for name in _ENCRYPTION if name in top}
    return Stack(settings, encryption, value_of(top["environment"]) if "environment" in top else None)


def read_project(content: bytes) -> Project:
    """Read ``Pulumi.yaml``; what Pulumi would not read is ``Broken``."""
    top = read(content)
    name = _text(top.get("name"))
    config: yaml.Node | None = top.get("config")
    stack_folder = _text(top.get("stackConfigDir"))
    if isinstance(config, yaml.ScalarNode):  # The older way to say where the stacks' files are.
        stack_folder = stack_folder or str(config.value)
        config = None
    settings: dict[Key, Value] = {}
    required = set()
    for written, value in pairs(config, "config"):
        key = _key(written, name)
        if key is None:
            continue
        if not isinstance(value.plain, dict):
            settings[key] = value
            continue
        # A declaration; `value` and `default` come to the same, and the engine takes the latter when both are there.
        given = value.parts.get("default") or value.parts.get("value")
        if given is not None:
            settings[key] = given
        elif key[0] == name:
            required.add(key)
    told = value_of(top["runtime"]).plain if "runtime" in top else None
    runtime = told if isinstance(told, dict) else {"name": told}
    options = runtime.get("options")
    return Project(
        name,
        settings,
        frozenset(required),
        stack_folder,
        str(runtime.get("name") or ""),
        options if isinstance(options, dict) else {},
        rest={key: value_of(node) for key, node in top.items() if key not in ("name", "config", "stackConfigDir")},
    )


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _key(text: str, project: str) -> Key | None:
    """``namespace:name``, or the older ``namespace:config:name``, or a name in the project's namespace."""
    parts = text.split(":")
    if len(parts) == 1:
        return project, text
    if len(parts) == 3 and parts[1] == "config":
        del parts[1]
    return (parts[0], parts[1]) if len(parts) == 2 else None

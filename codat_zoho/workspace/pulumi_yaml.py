"""Reads ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml``, for all commands alike."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE
from codat_zoho.declare.settings import KEYS
from codat_zoho.workspace.failures import Failed, unreadable_project
from codat_zoho.workspace.yaml_lines import Broken, Value, parts_of, read, shown

Key = tuple[str, str]
"""Namespace and name of a setting."""
FILE = re.compile(r"Pulumi(?:\.(.+))?\.(?:json|ya?ml)")
"""The names of project files and, with the name of a stack, of stack-config files."""
_EXTENSIONS = (".json", ".yaml", ".yml")
_TEXTS = ("description", "author", "website", "license", "main", "stackConfigDir")
_DECLARATION: Mapping[str, type] = {
    "type": str,
    "items": dict,
    "description": str,
    "secret": bool,
    "default": object,
    "value": object,
}
_TYPES: Mapping[str, Callable[[object], bool]] = {
    "string": lambda plain: isinstance(plain, str),
    "integer": lambda plain: re.fullmatch("[-+]?[0-9]+", str(plain)) is not None,
    "boolean": lambda plain: isinstance(plain, bool) or plain in ("true", "false"),
    "array": lambda plain: isinstance(plain, list),
    "object": lambda plain: isinstance(plain, dict),
}
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
    def has_settings(self) -> bool:
        """Its namespace holds settings of the ready-to-use program: it declares some, or has that program's name."""
        return self.name == NAMESPACE or not self.declares.isdisjoint(KEYS)

    @property
    def ready_made(self) -> bool:
        """It declares what the ready-to-use program reads, all of it and no more: no other one is to be expected."""
        return {*KEYS} <= self.declares <= {*KEYS, *(CONFIG_KEYS if self.name == NAMESPACE else ())}

    @property
    def code(self) -> tuple[str, ...]:
        """Where it says that its program and its Python are, relative to it."""
        main = self.rest["main"].plain if "main" in self.rest else None
        said = [one for one in (main, self.options.get("virtualenv")) if isinstance(one, str) and one]
        return tuple(posixpath.dirname(one) if one.endswith(".py") else one for one in said)

    @property
    def plugins(self) -> tuple[str, ...]:
        """Where it says that its plugins and packages are, relative to it."""
        said = [leaf.text for key in ("plugins", "packages") if key in self.rest for leaf in self.rest[key].leaves()]
        return tuple(one for one in said if one == "." or "/" in one)

    @property
    def folder(self) -> Path:
        """Where its programs run."""
        return self.file.parent

    def settings_of(self, stack: str) -> Path:
        """The file with a stack's configuration."""
        return self.folder / self.stack_folder / f"Pulumi.{plain_name(stack)}{self.file.suffix}"

    @property
    def defaults(self) -> dict[str, str]:
        """What it sets for all stacks, by full key, as the texts that programs get."""
        return {
            f"{space}:{name}": value.text for (space, name), value in self.settings.items() if value.plain is not None
        }


def find_project(folder: Path) -> Project | None:
    """Find the project of a folder as pulumi does: here, or in the nearest folder above. A broken one is ``Failed``."""
    here = folder.resolve()
    for place in (here, *here.parents):
        files = [place / f"Pulumi{extension}" for extension in _EXTENSIONS]
        files = [file for file in files if file.exists() and not file.is_dir()]
        if files:
            break
    else:
        return None
    try:
        refuse_others(files, files[0])
        return replace(read_project(_content(files[0])), file=files[0])
    except (Broken, OSError) as problem:
        why = problem.text if isinstance(problem, Broken) else f"cannot be read: {problem.strerror}"
        text = f"{files[0]} is no readable Pulumi project: it {why}."
        raise Failed(unreadable_project(text), text) from None


def stack_file(project: Project, stack: str) -> Stack:
    """Read a stack's file, or raise ``Broken`` or OSError."""
    return read_stack(_content(project.settings_of(stack)), project.name)


def environments(project: Project, stack: str) -> tuple[str, ...]:
    """The ESC environments that a stack's file imports; that of a file which is not there, or broken, is nothing."""
    try:
        return stack_file(project, stack).environments
    except (Broken, OSError):
        return ()


def refuse_others(found: Iterable[PurePath], taken: PurePath) -> None:
    """Refuse files beside the one that Pulumi takes: somebody changes one of them, and another one counts."""
    others = ", ".join(str(file) for file in found if file != taken)
    if others:
        raise Broken(f"is the one that Pulumi reads, and not {others}: not reviewed, leave only one of them")


def _content(file: Path) -> bytes:
    if file.exists() and not file.is_file():
        raise Broken("is no regular file")
    return file.read_bytes()


def read_stack(content: bytes, project: str) -> Stack:
    """Read ``Pulumi.<stack>.yaml``; what Pulumi would not read is ``Broken``."""
    top = read(content)
    settings = _settings(top, project)
    encryption = {name: top[name] for name in _ENCRYPTION if name in top}
    imports = top.get("environment")
    return Stack(settings, encryption, imports if imports and (imports.plain is not None or imports.hides) else None)


def _settings(top: Mapping[str, Value], project: str) -> dict[Key, Value]:
    """The settings by their canonical keys; of two spellings of one key the engine takes either."""
    settings: dict[Key, Value] = {}
    for name, value in parts_of(top.get("config"), "config").items():
        key = _key(name, project)
        if key is None:
            raise Broken(f"{shown(name)} is no key of the form <namespace>:<name>", value.line)
        if key in settings:
            text = f"{shown(name)} is another spelling of a key in line {settings[key].line}, and Pulumi takes either"
            raise Broken(f"{text}: leave only one of them", value.line)
        settings[key] = value
    return settings


def read_project(content: bytes) -> Project:
    """Read ``Pulumi.yaml``; what Pulumi would not read is ``Broken``."""
    top = read(content)
    name = _text(top, "name")
    if not name:
        raise Broken("has no name for the project")
    texts = {field: _text(top, field) for field in _TEXTS}
    config = top.get("config")
    if config is not None and isinstance(config.plain, str):  # The older way to say where the stacks' files are.
        if "stackConfigDir" in top:
            raise Broken("names the folder of stack files twice: leave config out", config.line)
        texts["stackConfigDir"] = _text(top, "config")
        top = {field: value for field, value in top.items() if field != "config"}
    settings: dict[Key, Value] = {}
    required = set()
    for key, value in _settings(top, name).items():
        if re.search(r"[.\[\]]", key[1]):  # Pulumi takes it for a way into an object, and drops other settings for it.
            raise Broken(f"{shown(key[1])} holds a dot or a bracket: not reviewed, declare it without", value.line)
        given = _declared(value, own=key[0] == name)
        if given is not None:
            settings[key] = given
        else:
            required.add(key)
    told = top["runtime"].plain if "runtime" in top else ""
    if not isinstance(told, (str, dict)):
        raise Broken("runtime is neither a name nor a map", top["runtime"].line)
    runtime = told if isinstance(told, dict) else {"name": told}
    options = runtime.get("options")
    return Project(
        name,
        settings,
        frozenset(required),
        texts["stackConfigDir"].lstrip("/"),
        str(runtime.get("name") or ""),
        options if isinstance(options, dict) else {},
        rest={key: value for key, value in top.items() if key not in ("name", "config", "stackConfigDir")},
    )


def _text(top: Mapping[str, Value], name: str) -> str:
    value = top.get(name)
    if value is None or value.plain is None:
        return ""
    if not isinstance(value.plain, str) or value.odd:
        raise Broken(f"{name} is no text: write it in quotes", value.line)
    return value.plain


def _declared(value: Value, *, own: bool) -> Value | None:
    """What a project sets for a key: as it is, or in a declaration. None where stacks have to set it."""
    given: Value | None = value
    if isinstance(value.plain, dict):
        parts = {name: part for name, part in value.parts.items() if part.plain is not None or part.encrypted}
        for name, part in value.parts.items():
            if not isinstance(part.plain, _DECLARATION.get(name, ())):
                raise Broken(f"{shown(name)} is not read in the declaration of a setting", part.line)
        default, other = parts.get("default"), parts.get("value")
        if default and other:
            raise Broken("declares a setting with both default and value: leave one out", value.line)
        if not own and (default or "type" in parts or not other):
            raise Broken("sets what is not the project's own otherwise than by value", value.line)
        kind = parts["type"].plain if "type" in parts else ""
        if kind and not _fits(kind, parts.get("items"), default):
            raise Broken("declares a type that the default is not of, or that Pulumi does not know", value.line)
        given = default or other
    if given is None and own:
        return None
    if given is None or given.plain is None or given.unread or isinstance(given.plain, float) or given.hides:
        why = (given and given.unread) or "sets what Pulumi does not take here: write it in quotes, as text"
        raise Broken(why, value.line)
    return given


def _fits(kind: object, items: Value | None, value: Value | None) -> bool:
    """The type is one that Pulumi knows, and the value, where there is one, is of it."""
    check = _TYPES.get(str(kind))
    if check is None or (value and not check(value.plain)):
        return False
    if kind != "array":
        return True
    inner = items.parts if items else {}
    parts = (*value.parts.values(), None) if value else (None,)
    return "type" in inner and all(_fits(inner["type"].plain, inner.get("items"), part) for part in parts)


def _key(text: str, project: str) -> Key | None:
    """``namespace:name``, or the older ``namespace:config:name``, or a name in the project's namespace."""
    parts = text.split(":")
    if len(parts) == 1:
        return project, text
    if len(parts) == 3 and parts[1] == "config":
        del parts[1]
    return (parts[0], parts[1]) if len(parts) == 2 else None

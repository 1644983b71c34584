"""Reads ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml`` as Pulumi does, and remembers in which line each value stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from codat_zoho.texts.redact import one_line

Key = tuple[str, str]
"""Namespace and name of a setting."""
# libyaml where it is there is ten times as fast; and what a plain scalar means is decided here, see below.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# Plain scalars as YAML 1.2 has them, which Pulumi follows; PyYAML follows 1.1, where `no` is false.
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?\d[\d_]*")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
_ENCRYPTION: tuple[str, ...] = ("secretsprovider", "encryptedkey", "encryptionsalt")
_MOST_NODES = 20_000
_MAY_BE_DEEP, _DEEPEST = 4_000, 500
"""Bytes from which on nesting is counted, and how deep it may be."""


class Broken(Exception):
    """The file cannot be read; ``line`` says where."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a file.

    Args:
        plain: what stands there: None, bool, int, float, str, list or dict. What is encrypted in it is None.
        line: where it stands.
        encrypted: the ciphertext, where the value as a whole is ``secure:``.
        parts: its nested values by path, where it is a map: ``apiKeys`` has one per connection.
    """

    plain: object = field(repr=False)
    line: int
    encrypted: str | None = field(default=None, repr=False)
    parts: Mapping[str, Value] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """What a program gets: Pulumi hands over every value as text."""
        if isinstance(self.plain, str):
            return self.plain
        return json.dumps(self.plain, separators=(",", ":"), sort_keys=True)

    def leaves(self) -> Iterator[Value]:
        """The values in it that hold no others."""
        if not self.parts:
            yield self
        for part in self.parts.values():
            yield from part.leaves()

    @property
    def identity(self) -> str:
        """Equal for values that are the same, whether or not they are encrypted."""
        if self.encrypted is not None:
            return f"encrypted {self.encrypted}"
        return f"{self.text} {[(name, part.identity) for name, part in sorted(self.parts.items())]}"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack-config file: its settings, and how its secrets are encrypted.

    Args:
        settings: by namespace and name; a key without namespace is in the project's.
        encryption: ``secretsprovider``, ``encryptedkey`` and ``encryptionsalt``.
        imports: the Pulumi ESC environments that it takes more settings from, None where none.
    """

    settings: Mapping[Key, Value] = field(default_factory=dict)
    encryption: Mapping[str, Value] = field(default_factory=dict)
    imports: Value | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project file.

    Args:
        name: the project's name, "" where the file has none.
        settings: what it sets for all stacks that do not set it themselves: values and defaults.
        required: the settings that each stack must have.
        folder: where its stack-config files are, relative to it; "" for beside it.
    """

    name: str = ""
    settings: Mapping[Key, Value] = field(default_factory=dict)
    required: frozenset[Key] = frozenset()
    folder: str = ""

    @property
    def declares(self) -> frozenset[str]:
        """The names that it declares in its own namespace."""
        return frozenset(name for space, name in {*self.settings, *self.required} if space == self.name)


def read_stack(content: bytes, project: str) -> Stack:
    """Read ``Pulumi.<stack>.yaml``.

    Raises:
        Broken: it is no YAML, or not of the shape that Pulumi reads.
    """
    top = _read(content)
    settings: dict[Key, Value] = {}
    for name, node in _pairs(top.get("config"), "config"):
        key = _key(name.value, project)
        if key is None:
            raise Broken(f"{_shown(name.value)} is no key of the form <namespace>:<name>", _line(name))
        settings[key] = node
    encryption = {name: _value(top[name]) for name in _ENCRYPTION if name in top}
    return Stack(settings, encryption, _value(top["environment"]) if "environment" in top else None)


def read_project(content: bytes) -> Project:
    """Read ``Pulumi.yaml``.

    Raises:
        Broken: it is no YAML, or not of the shape that Pulumi reads.
    """
    top = _read(content)
    name = str(top["name"].value) if isinstance(top.get("name"), yaml.ScalarNode) else ""
    config = top.get("config")
    folder = top.get("stackConfigDir") or (config if isinstance(config, yaml.ScalarNode) and config.value else None)
    settings: dict[Key, Value] = {}
    required = set()
    for key_node, value in _pairs(None if isinstance(config, yaml.ScalarNode) else config, "config"):
        key = _key(key_node.value, name)
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
    return Project(name, settings, frozenset(required), str(folder.value) if folder is not None else "")


# --- YAML -------------------------------------------------------------------------------------------------------------


def _read(content: bytes) -> dict[str, yaml.Node]:
    if b"\0" in content[:8192] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Broken("is not text: encrypted as a whole, or another kind of file")
    loader = None
    try:
        _refuse_depth(content)
        loader = _Loader(content)
        top = loader.get_node() if loader.check_node() else None
    except yaml.MarkedYAMLError as error:
        raise _invalid(error) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        kind = "characters that YAML does not allow" if isinstance(error, yaml.YAMLError) else "not UTF-8"
        raise Broken(f"is not valid YAML: {kind}") from None
    except RecursionError:
        raise Broken("is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()
    if top is None or (isinstance(top, yaml.ScalarNode) and not top.value):
        return {}
    if not isinstance(top, yaml.MappingNode):
        raise Broken("is not a map of settings", _line(top))
    return {key.value: value for key, value in _unique(top)}


def _refuse_depth(content: bytes) -> None:
    """Refuse what would overflow libyaml's stack, and end this process: it reads nested values recursively."""
    if len(content) < _MAY_BE_DEEP:
        return
    depth = 0
    for event in yaml.parse(content, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise Broken("is nested too deeply")


def _invalid(error: yaml.MarkedYAMLError) -> Broken:
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    # Never the mark's snippet, nor what the problem quotes: either may be part of a secret.
    said = error.problem or "unreadable"
    problem = re.sub("'[^']*'", lambda quoted: quoted[0] if len(quoted[0]) < 5 else "'…'", said)
    if mark and began and began.line != mark.line:
        problem = f"{problem}, {error.context} that begins in line {began.line + 1}"
    return Broken(f"is not valid YAML: {one_line(problem)}", mark.line + 1 if mark else None)


def _unique(mapping: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """The pairs of a map; Pulumi refuses a key that comes twice."""
    seen: dict[str, int] = {}
    for key, value in _merged(mapping):
        if not isinstance(key, yaml.ScalarNode):
            raise Broken("has a key that is no text", _line(key))
        if key.value in seen:
            raise Broken(f"sets {_shown(key.value)} twice (before in line {seen[key.value]})", _line(key))
        seen[key.value] = _line(key)
        yield key, value


def _merged(mapping: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """The pairs of a map with ``<<`` replaced by those of the map that it names."""
    own = [pair for pair in mapping.value if not _is_merge(pair[0])]
    names = {key.value for key, _ in own if isinstance(key, yaml.ScalarNode)}
    for key, value in mapping.value:
        if not _is_merge(key):
            continue
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(source, yaml.MappingNode):
                raise Broken("merges (<<) something that is no map", _line(key))
            for pair in source.value:
                if isinstance(pair[0], yaml.ScalarNode) and pair[0].value not in names:
                    names.add(pair[0].value)
                    own.append(pair)
    return own


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and key.style is None


def _pairs(node: yaml.Node | None, what: str) -> Iterator[tuple[yaml.ScalarNode, Value]]:
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return
    if not isinstance(node, yaml.MappingNode):
        raise Broken(f"{what} is not a map", _line(node))
    for key, value in _unique(node):
        yield key, replace(_value(value), line=_line(key))


def _value(node: yaml.Node) -> Value:
    try:
        return _convert(node, [_MOST_NODES])
    except RecursionError:
        raise Broken("is nested too deeply", _line(node)) from None


def _convert(node: yaml.Node, budget: list[int]) -> Value:
    budget[0] -= 1
    if budget[0] < 0:  # aliases of aliases
        raise Broken("is much too large", _line(node))
    line = _line(node)
    if isinstance(node, yaml.SequenceNode):
        items = [_convert(item, budget) for item in node.value]
        return Value([item.plain for item in items], line, parts={str(at): item for at, item in enumerate(items)})
    if isinstance(node, yaml.MappingNode):
        pairs = {key.value: value for key, value in _unique(node)}
        secure = pairs.get("secure")
        if len(pairs) == 1 and isinstance(secure, yaml.ScalarNode) and isinstance(_scalar(secure), str):
            return Value(None, line, encrypted=secure.value)
        parts = {name: _convert(value, budget) for name, value in pairs.items()}
        return Value({name: part.plain for name, part in parts.items()}, line, parts=parts)
    return Value(_scalar(node), line)


def _scalar(node: yaml.Node) -> object:
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text.replace("_", "")) if len(text) < 20 else float(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _key(text: str, project: str) -> Key | None:
    """``namespace:name``, or the older ``namespace:config:name``, or a name in the project's namespace."""
    parts = text.split(":")
    if len(parts) == 1:
        return project, text
    if len(parts) == 3 and parts[1] == "config":
        del parts[1]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(text: str) -> str:
    """A key for a message; somebody may have pasted a secret in its place."""
    return repr(one_line(text, 60))

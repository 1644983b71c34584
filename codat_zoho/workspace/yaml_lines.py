"""Reads YAML as Pulumi does, and remembers in which line each value stands.

Plain scalars are those of YAML 1.2, which Pulumi follows; PyYAML follows 1.1, where ``no`` is false.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from codat_zoho.texts.redact import one_line

# libyaml, where it is there, is ten times as fast. Neither decides what a plain scalar means.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?\d[\d_]*")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
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
    """One value of a file, and the values in it by their keys; what is encrypted in ``plain`` is None."""

    plain: object = field(repr=False)
    line: int
    encrypted: str | None = field(default=None, repr=False)  # the ciphertext, where it is `secure:` as a whole
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
        whole = f"{self.text} {[(name, part.identity) for name, part in sorted(self.parts.items())]}"
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()  # Quoted in quotes, it would explode.


def read(content: bytes) -> dict[str, yaml.Node]:
    """Read a file that is a map, or nothing at all; anything else is ``Broken``."""
    if b"\0" in content[:8192] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Broken("is not text: encrypted as a whole, or another kind of file")
    loader = None
    try:
        _refuse_depth(content)
        loader = _Loader(content)
        top = loader.get_node() if loader.check_node() else None
    except yaml.MarkedYAMLError as error:
        raise _invalid(error) from None
    except (yaml.YAMLError, ValueError) as error:
        kind = "characters that YAML does not allow" if isinstance(error, yaml.YAMLError) else "not UTF-8"
        raise Broken(f"is not valid YAML: {kind}") from None
    except RecursionError:
        raise Broken("is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()
    if top is None or is_empty(top):
        return {}
    if not isinstance(top, yaml.MappingNode):
        raise Broken("is not a map of settings", line_of(top))
    return {key.value: value for key, value in _unique(top)}


def pairs(node: yaml.Node | None, what: str) -> Iterator[tuple[str, Value]]:
    """The keys and values of a map; each value's line is that of its key."""
    if node is None or is_empty(node):
        return
    if not isinstance(node, yaml.MappingNode):
        raise Broken(f"{what} is not a map", line_of(node))
    for key, value in _unique(node):
        yield key.value, replace(value_of(value), line=line_of(key))


def value_of(node: yaml.Node) -> Value:
    """Read all of a node."""
    try:
        return _convert(node, [_MOST_NODES])
    except RecursionError:
        raise Broken("is nested too deeply", line_of(node)) from None


def is_empty(node: yaml.Node) -> bool:
    """Nothing stands there."""
    return isinstance(node, yaml.ScalarNode) and not node.value


def line_of(node: yaml.Node) -> int:
    """Where a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


def shown(key: str) -> str:
    """A key for a message; somebody may have pasted a secret in its place."""
    return repr(one_line(key, 60))


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
            raise Broken("has a key that is no text", line_of(key))
        if key.value in seen:
            raise Broken(f"sets {shown(key.value)} twice (before in line {seen[key.value]})", line_of(key))
        seen[key.value] = line_of(key)
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
                raise Broken("merges (<<) something that is no map", line_of(key))
            for pair in source.value:
                if isinstance(pair[0], yaml.ScalarNode) and pair[0].value not in names:
                    names.add(pair[0].value)
                    own.append(pair)
    return own


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and key.style is None


def _convert(node: yaml.Node, budget: list[int]) -> Value:
    budget[0] -= 1
    if budget[0] < 0:  # aliases of aliases
        raise Broken("is much too large", line_of(node))
    line = line_of(node)
    if isinstance(node, yaml.SequenceNode):
        items = [_convert(item, budget) for item in node.value]
        return Value([item.plain for item in items], line, parts={str(at): item for at, item in enumerate(items)})
    if isinstance(node, yaml.MappingNode):
        nodes = {key.value: value for key, value in _unique(node)}
        secure = nodes.get("secure")
        if len(nodes) == 1 and isinstance(secure, yaml.ScalarNode) and isinstance(_scalar(secure), str):
            return Value(None, line, encrypted=secure.value)
        parts = {name: _convert(value, budget) for name, value in nodes.items()}
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

"""Reads YAML as Pulumi does, and remembers in which line each value stands.

Plain scalars are those of YAML 1.2, which Pulumi follows; PyYAML follows 1.1, where ``no`` is false. What the two were
not compared in, tags for example, is refused: what the engine makes of it would be a guess.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from codat_zoho.texts.redact import one_line


def _loader(base: type) -> Any:
    """What reads nodes and decides nothing: a node has a tag only where one is written."""
    return type("_Loader", (base,), {"resolve": lambda *_: ""})


# libyaml, where it is there, is ten times as fast.
_Loader = _loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader))
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14}|(0|[1-9][0-9]{0,9})\.[0-9]{1,4})")
"""Numbers that everybody reads and writes alike."""
_ODD = re.compile(
    r"[-+]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|\.?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))"
    r"|\.(nan|NaN|NAN)|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt \t].*)?"
)
"""What Pulumi takes for another number, without its underscores, or for a date."""
_MOST_NODES = 100_000
_MAY_BE_DEEP, _DEEPEST = 4_000, 500
"""Bytes from which on nesting is counted, and how deep it may be."""
_REWRITTEN = "holds {}, a date or a number that Pulumi rewrites: write it in quotes, or as a plain number"


class Broken(Exception):
    """The file cannot be read; ``line`` says where."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a file, and the values in it by their keys; what is encrypted in ``plain`` is None.

    The line of what stands in a map is that of its key.
    """

    plain: object = field(repr=False)
    line: int
    encrypted: str | None = field(default=None, repr=False)  # the ciphertext, where it is `secure:` as a whole
    parts: Mapping[str, Value] = field(default_factory=dict, repr=False)
    odd: bool = False  # Pulumi makes something else of this text

    @property
    def text(self) -> str:
        """What a program gets: Pulumi hands over every value as text."""
        if self.plain is None or isinstance(self.plain, str):
            return self.plain or ""
        return json.dumps(self.plain, separators=(",", ":"), sort_keys=True)

    @property
    def hides(self) -> bool:
        """Something in it is encrypted."""
        return any(leaf.encrypted is not None for leaf in self.leaves())

    @property
    def unread(self) -> str:
        """Why it is not known what a program gets; "" where it is."""
        odd = next((leaf for leaf in self.leaves() if leaf.odd), None)
        return _REWRITTEN.format(shown(str(odd.plain))) if odd else ""

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


def read(content: bytes) -> Mapping[str, Value]:
    """Read a file that is a map, or nothing at all; anything else is ``Broken``."""
    if b"\0" in content[:8192] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Broken("is not text: encrypted as a whole, or another kind of file")
    if content.startswith(b"\xef\xbb\xbf" * 2):
        raise Broken("begins with two byte-order marks: not reviewed, leave them out")
    if re.search(rb"^%", content, re.MULTILINE):
        raise Broken("has a YAML directive (%): not reviewed, leave it out")
    loader = None
    try:
        _refuse_depth(content)
        loader = _Loader(content)
        top = loader.get_node() if loader.check_node() else None
        whole = _convert(top, [_MOST_NODES], line_of(top)) if top else Value(None, 1)
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
    return parts_of(whole)


def refuse_shared(content: bytes) -> None:
    """Refuse anchors that are used, and merges: the YAML host of Pulumi does not read them, wherever they stand."""
    for event in yaml.parse(content, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or (isinstance(event, yaml.ScalarEvent) and event.value == "<<"):
            text = "uses an alias (*) or a merge (<<): Pulumi runs no YAML program with one, write the values out"
            raise Broken(text, line_of(event))


def parts_of(value: Value | None, what: str = "") -> Mapping[str, Value]:
    """The values in a map by their keys."""
    if value is not None and (value.plain is not None or value.encrypted is not None):
        if not isinstance(value.plain, dict):
            raise Broken(f"{what} is not a map of settings".lstrip(), value.line)
        return value.parts
    return {}


def line_of(node: yaml.Node | yaml.Event) -> int:
    """Where a node begins, counted from 1."""
    return int(node.start_mark.line) + 1 if node.start_mark else 1


_NAME = re.compile(r"[\w.:/@\[\]\"' -]{0,200}")


def shown(key: str) -> str:
    """A key for a message, or its beginning: somebody may have pasted a secret in its place."""
    return repr(one_line(key, 60)) if _NAME.fullmatch(key) else f"{key[:4]!a}…"


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


def _keys(mapping: yaml.MappingNode, budget: list[int]) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
    """The keys of a map as they are written, and its values, with what it merges (``<<``): its own keys win."""
    found: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    for key, value in mapping.value:
        read = _convert(key, budget, line_of(key))
        if not isinstance(key, yaml.ScalarNode) or not isinstance(read.plain, str) or read.odd:
            raise Broken("has a key that is no text: write it in quotes", read.line)
        if read.plain in found:
            before = line_of(found[read.plain][0])
            raise Broken(f"sets {shown(read.plain)} twice (before in line {before})", read.line)
        found[read.plain] = key, value
    if "<<" in found and not found["<<"][0].style:
        key, merged = found.pop("<<")
        _refuse_tag(merged)
        for source in merged.value if isinstance(merged, yaml.SequenceNode) else [merged]:
            _refuse_tag(source)
            if not isinstance(source, yaml.MappingNode):
                raise Broken("merges (<<) something that is no map", line_of(key))
            for name, pair in _keys(source, budget).items():
                found.setdefault(name, pair)
        mapping.value = list(found.values())  # So that what is merged in many places is looked at once.
    return found


def _convert(node: yaml.Node, budget: list[int], line: int) -> Value:
    budget[0] -= 1
    if budget[0] < 0:  # aliases of aliases
        raise Broken("is much too large", line)
    _refuse_tag(node)
    if isinstance(node, yaml.SequenceNode):
        items = [_convert(item, budget, line_of(item)) for item in node.value]
        return Value([item.plain for item in items], line, parts={str(at): item for at, item in enumerate(items)})
    if isinstance(node, yaml.MappingNode):
        parts = {name: _convert(value, budget, line_of(key)) for name, (key, value) in _keys(node, budget).items()}
        secure = parts.get("secure")
        if secure and len(parts) == 1 and isinstance(secure.plain, str) and not secure.odd:
            return Value(None, line, encrypted=secure.plain)
        return Value({name: part.plain for name, part in parts.items()}, line, parts=parts)
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, line)


def _refuse_tag(node: yaml.Node) -> None:
    if node.tag:
        # It is not shown: it may be a secret that begins with an exclamation mark.
        raise Broken("has a tag, as what begins with ! is: not reviewed, leave it out or quote it", line_of(node))


def _scalar(node: yaml.ScalarNode, line: int) -> Value:
    text = str(node.value)
    if node.style or text[:1] not in "~nNtTfF+-.0123456789":
        return Value(text, line)
    if _NULL.fullmatch(text):
        return Value(None, line)
    if _BOOL.fullmatch(text):
        return Value(text.lower() == "true", line)
    if _NUMBER.fullmatch(text):
        number = float(text)
        return Value(int(number) if number.is_integer() else number, line)
    return Value(text, line, odd=_ODD.fullmatch(text.replace("_", "")) is not None)

"""How a setting is described: what follows from its description, for a declaration, its inputs and its stack keys."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType, NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

LISTS = (list, tuple, set, frozenset)
"""What may be given for a list of texts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as :func:`setting` describes it."""

    name: str
    type: Any  # without None
    default: Any
    text: str  # what it is, in one line
    key: str  # in the stack configuration of the ready-to-use program
    rule: Callable[[Any], Iterator[str]] | None = None  # yields what is wrong with a value of the right type
    required: bool = False
    replaces: bool = False  # another value replaces the resource
    secret: bool = False

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts that are allowed; empty where a rule decides."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def is_list(self) -> bool:
        """It is an unordered list of texts."""
        return get_origin(self.type) is tuple

    def has_type(self, value: object) -> bool:
        """Tell that a value is of the right type, or one of the choices."""
        if self.is_list:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        if self.choices:
            return value in self.choices
        return isinstance(value, self.type)

    def fits(self, value: object) -> bool:
        """Tell, without pydantic, that nothing is wrong with a value; ``validation`` says what is."""
        return self.has_type(value) and not (self.rule and any(self.rule(value)))

    def read(self, text: str) -> Any:
        """Read what stack configuration holds, as a program does: lists are JSON, booleans are the words."""
        if self.type is bool:
            return {"true": True, "false": False}.get(text, text)
        if self.is_list:
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                return text
        return text


def setting(default: Any, text: str, **about: Any) -> Any:
    """Describe a field of a declaration, see :class:`Setting`; the key follows from the name where it is left out."""
    return dataclasses.field(default=default, repr=not about.get("secret"), metadata={"text": text, **about})


def camel_case(name: str) -> str:
    """Spell a name as YAML and TypeScript do.

    >>> camel_case("client_secret_fingerprint")
    'clientSecretFingerprint'
    """
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def snake_case(name: str) -> str:
    """Spell a name as Python does: what :func:`camel_case` makes of it is ``name`` again."""
    return re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", name)


def respelled(how: Callable[[str], str], bag: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of a resource with their names spelled otherwise, those inside its output ``declared`` too."""
    found = {how(name): value for name, value in bag.items()}
    if isinstance(inner := found.get("declared"), Mapping):
        found["declared"] = {how(name): value for name, value in inner.items()}
    return found


def _described(model: type) -> Mapping[str, Setting]:
    found, hints = {}, get_type_hints(model)
    for field in dataclasses.fields(model):
        hint = hints[field.name]
        type_ = next(one for one in get_args(hint) if one is not NoneType) if NoneType in get_args(hint) else hint
        about = {"key": camel_case(field.name), **field.metadata}
        found[field.name] = Setting(field.name, type_, field.default, **about)
    return MappingProxyType(found)


described: Callable[[type], Mapping[str, Setting]] = cache(_described)
"""The settings of a declaration, by name; every check asks for them, and they never change."""

"""Properties on their way: the engine's values in camelCase with secrets marked, and those that the core knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import Struct

from codat_zoho.declare.describe import camel_case, respelled, snake_case
from codat_zoho.declare.platform import SECRET, SECRET_ID, SIGNATURE, UNKNOWN, UNKNOWNS
from codat_zoho.declare.settings import Spelling
from codat_zoho.provider.inputs import DECLARED

Props = dict[str, Any]
_ALWAYS = frozenset({"client_secret", DECLARED})
"""What is secret whoever declares it how."""


@dataclass(frozen=True, slots=True)
class Bag:
    """Properties by the core's names; ``given`` are their names as they came, ``secret`` which of them were marked."""

    values: Props
    given: Collection[str] = ()
    secret: frozenset[str] = frozenset()

    @classmethod
    def of(cls, struct: Struct) -> Bag:
        """Read what the engine sent."""
        found = opened(struct)
        values = respelled(snake_case, {name: one for name, (one, _) in found.items() if not name.startswith("__")})
        return cls(values, [*found], frozenset(snake_case(name) for name, (_, secret) in found.items() if secret))

    @property
    def moved(self) -> bool:
        """They are of a dynamic resource, whose place the plugin's takes: those have names with an underscore."""
        return any("_" in name for name in self.given)

    def marked_by(self, inputs: Bag) -> Props:
        """The values as the core wants them, which does not see that inputs are secret."""
        secret = "client_id" in inputs.secret or inputs.values.get(SECRET_ID) is True
        return {**self.values, SECRET_ID: True} if secret else {n: v for n, v in self.values.items() if n != SECRET_ID}


def opened(struct: Struct) -> dict[str, tuple[Any, bool]]:
    """What the engine sent, by the names that it has there: each value without marks, and whether it is secret."""
    return {name: _opened(value) for name, value in struct.fields.items()}


def struct(values: Mapping[str, Any], secret: Collection[str] = ()) -> Struct:
    """Write values for the engine, those that are ``secret`` and those that always are marked as such."""
    made = Struct()
    names = {*_ALWAYS, *secret} | ({"client_id"} if values.get(SECRET_ID) else set())
    marked = {*map(camel_case, names)}
    given = {name: value for name, value in values.items() if name != SECRET_ID and value is not None}
    for name, value in respelled(camel_case, given).items():
        if isinstance(value, list):
            value = [Spelling.PROPERTY.text(one) if isinstance(one, str) else one for one in value]
        made[name] = {SIGNATURE: SECRET, "value": value} if name in marked else value
    return made


def _opened(value: Any) -> tuple[Any, bool]:
    """A value without the marks of secrets, and whether there were any."""
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        items = [_opened(one) for one in value.list_value.values]
        return [one for one, _ in items], any(secret for _, secret in items)
    if kind != "struct_value":
        plain = None if kind in (None, "null_value") else getattr(value, kind)
        return UNKNOWN if isinstance(plain, str) and plain in UNKNOWNS else plain, False
    fields = value.struct_value.fields
    if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
        return _opened(fields["value"])[0], True
    inner = {name: _opened(one) for name, one in fields.items()}
    return {name: one for name, (one, _) in inner.items()}, any(secret for _, secret in inner.values())

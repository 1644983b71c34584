"""What the values of a YAML program come to in one stack, as far as its files tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from codat_zoho.declare.describe import camel_case, described
from codat_zoho.declare.platform import CLIENT, CONFIG_KEYS
from codat_zoho.declare.settings import SECRET_KEYS, IntegrationSettings, ZohoClientSettings
from codat_zoho.review.report import Problem
from codat_zoho.texts.redact import register
from codat_zoho.workspace.values import Field, Fields, digest, show
from codat_zoho.workspace.yaml_lines import Broken, Value, shown
from codat_zoho.workspace.yaml_program import PROVIDER, TEMPLATES, Access, Program, function_of, pieces

_SAME = ("fn::secret", "fn::unsecret")
_PURE = (
    "frombase64",
    "join",
    "length",
    "select",
    "sha1",
    "singleornone",
    "split",
    "stackreference",
    "tobase64",
    "tojson",
)
_NO_FILES = (*_SAME, *(f"fn::{name}" for name in _PURE))
_NUMBER = re.compile(r"[-+]?(0[xX])?[0-9a-fA-F_]*\.?[0-9a-fA-F_]*([eEpP][-+]?[0-9_]+)?|[-+]?(inf|infinity|nan)", re.I)
_FALSE, _TRUE = ("f", "F", "FALSE", "false", "False"), ("t", "T", "TRUE", "true", "True")
_LONGEST = 100_000
_TOO_DEEP = "is nested too deeply"
_STACK_REFERENCE = "pulumi:pulumi:StackReference"
_BY_EXPRESSION = "what an expression gives that is not evaluated here"


def models(kind: str) -> type[ZohoClientSettings] | type[IntegrationSettings]:
    """The settings of a class of resources."""
    return ZohoClientSettings if kind == CLIENT else IntegrationSettings


def properties_of(kind: str) -> dict[str, str]:
    """The names of settings by the names of properties."""
    return (
        {key: key for key in CONFIG_KEYS}
        if kind == PROVIDER
        else {camel_case(one): one for one in described(models(kind))}
    )


def as_host_reads(text: str) -> object:
    """What the YAML host makes of a text of the configuration; one that may be a number is ``Broken``."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if re.search("[0-9]|(?i:inf|nan)", text) and _NUMBER.fullmatch(text):
        raise Unread("refers to a setting that Pulumi may read as a number: not reviewed")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


class Unread(Broken):
    """Pulumi reads it, but how was not compared."""


@dataclass
class Scope:
    """A program in one stack; ``setting`` looks configuration up, by full or short name.

    ``reads_more`` is true once a value was met that may depend on further files, or on anything else.
    """

    program: Program
    file: str
    project: str
    stack: str
    setting: Callable[[str], Field | None]
    reads_more: bool = False
    _made: dict[str, Fields] = field(default_factory=dict)
    _variables: dict[str, Field | None] = field(default_factory=dict)
    _others: dict[str, str] = field(default_factory=dict)

    def bad_variables(self) -> Iterator[Problem]:
        """What makes a run fail, since Pulumi evaluates all variables: also those that none of our resources uses."""
        alone = replace(self, _made={}, _variables={}, _others={})
        for name, value in self.program.variables.items():
            problem = alone._problem(name, value)
            if problem:
                yield problem

    def _problem(self, name: str, value: Value) -> Problem | None:
        try:
            self._variable(name, ())
        except Unread:
            return None  # Where one of our resources uses it, that is said there.
        except Broken as why:
            return Problem(f"the variable {show(name)} {why.text}", self.file, why.line or value.line)
        except RecursionError:
            return Problem(f"the variable {show(name)} {_TOO_DEEP}", self.file, value.line)
        return None

    def resource(self, key: str) -> tuple[Fields, Fields]:
        """The properties and options of a resource; what cannot be read is ``Broken``."""
        try:
            return self.fields(key), dict(self._options(key))
        except RecursionError:
            raise Broken(_TOO_DEEP) from None

    def fields(self, key: str, within: tuple[str, ...] = ()) -> Fields:
        """The properties of a resource by the names of settings, as they are written; what is null is left out."""
        if key not in self._made:
            one = self.program.declarations[key]
            known = properties_of(one.kind)
            found = {}
            for name, value in one.properties.items():
                if name not in known:
                    raise Broken(f"{shown(name)} is no property of it", value.line)
                made = self.value(value, (*within, key))
                if made is not None:
                    secret = name in ("clientSecret", *SECRET_KEYS)
                    found[known[name]] = _hidden(made) if secret else made
            self._made[key] = found
        return self._made[key]

    def value(self, value: Value, within: tuple[str, ...] = ()) -> Field | None:
        """What a value comes to; None is null."""
        if value.encrypted is not None or "secure" in value.parts:
            raise Unread("has secure: outside of configuration, where Pulumi does not decrypt it", value.line)
        function = function_of(value)
        if function and function[0] in _SAME:
            made = self.value(function[1], within)
        elif function:
            self.reads_more |= not _calls(value) <= {*_NO_FILES}
            made = self._unknown(value, [self.value(leaf, within) for leaf in value.leaves()])
        elif value.unread:
            raise Unread(value.unread, value.line)
        elif value.plain is None:
            return None
        elif isinstance(value.plain, str):
            made = self._text(value, within)
        elif value.parts:
            made = self._collection(value, within)
        else:
            made = Field(json.dumps(value.plain), show(value.plain), value.plain)
        if made is not None and len(made.identity) > _LONGEST:
            raise Broken("comes to a value that is much too long", value.line)
        return made if made is None or made.file else replace(made, file=self.file, line=value.line)

    def _variable(self, name: str, within: tuple[str, ...]) -> Field | None:
        if name not in self._variables:
            self._variables[name] = self.value(self.program.variables[name], (*within, name))
        return self._variables[name]

    def _collection(self, value: Value, within: tuple[str, ...]) -> Field:
        parts = {name: self.value(part, within) for name, part in value.parts.items()}
        if any(part and not part.known for part in parts.values()):
            return self._unknown(value, parts.values())
        plain = {name: part and part.value for name, part in parts.items()}
        made = [*plain.values()] if isinstance(value.plain, list) else plain
        whole = json.dumps(made)
        return Field(whole, show(whole) if "{" in whole else show(made), made)

    def _unknown(self, value: Value, parts: Iterable[Field | None]) -> Field:
        of = [part and part.identity for part in parts]
        return Field(digest(f"{value.identity} {of}"), _BY_EXPRESSION, known=False)

    def _text(self, value: Value, within: tuple[str, ...]) -> Field | None:
        made = [piece if isinstance(piece, str) else self._reference(piece, value, within) for piece in pieces(value)]
        if len(made) == 1 and not isinstance(made[0], str):
            return made[0]
        texts = [piece if isinstance(piece, str) else _words(piece) for piece in made]
        if None in texts:
            return self._unknown(value, [piece for piece in made if isinstance(piece, Field)])
        text = "".join(map(str, texts))
        return Field(json.dumps(text), show(text), text)

    def _reference(self, access: Access, value: Value, within: tuple[str, ...]) -> Field | None:
        root, rest = str(access[0]), access[1:]
        if root in within:
            raise Broken(f"{shown(root)} refers to itself", value.line)
        if root in self.program.declarations:
            return self._output(root, rest, value, within)
        if root in self.program.others:
            other = self.program.others[root]
            self.reads_more |= "type" not in other.parts or other.parts["type"].text != _STACK_REFERENCE
            if root not in self._others:
                leaves = [self._lenient(leaf, (*within, root)) for leaf in other.leaves()]
                self._others[root] = digest(f"{other.identity} {leaves}")
            words = f"what {show(root)} of another package gives"
            return Field(digest(f"{access} {self._others[root]}"), words, known=False)
        if root == "pulumi":
            text = {"stack": self.stack, "project": self.project}.get(".".join(map(str, rest)))
            return (
                Field(json.dumps(text), show(text), text)
                if text
                else Field(f"{access}", "what the run gives", known=False)
            )
        if root.startswith(f"{self.project}:") and not self.file.endswith(TEMPLATES[-1]):
            raise Broken(
                f"refers to {shown(root)}: leave the project's name out, which this file does not say", value.line
            )
        found = self.setting(root)
        if root in self.program.variables and (found is None or found.elsewhere):
            variable = self._variable(root, within)
            if found and variable:
                identity = f"{found.identity} {variable.identity}"
                variable = replace(variable, identity=identity, shown=found.shown, value=None, known=False)
            found = variable
        elif found is None:
            raise Broken(f"refers to {shown(root)}, which is no resource, setting or variable", value.line)
        return found if found is None or not rest else _within(found, rest, value)

    def _lenient(self, leaf: Value, within: tuple[str, ...]) -> str:
        """The identity of a value of another package's resource, where one can be told."""
        try:
            made = self.value(leaf, within)
        except Broken:
            return ""
        return made.identity if made else ""

    def _output(self, key: str, rest: Access, value: Value, within: tuple[str, ...]) -> Field:
        one = self.program.declarations[key]
        if not rest:
            if within:  # Else it is an option.
                self.fields(key, within)
            return Field(f"resource {key}", show(key), known=False)
        fields = self.fields(key, within)
        name = properties_of(one.kind).get(str(rest[0]), "")
        if len(rest) == 1 and name in fields and name != "regions" and "ignoreChanges" not in one.options:
            return fields[name]
        of = {name: one.identity for name, one in fields.items()}
        return Field(digest(f"{rest} {of}"), f"an output of {show(key)}", known=False)

    def _options(self, key: str) -> Iterator[tuple[str, Field]]:
        """By ``options.NAME``, that of a default provider among them."""
        one = self.program.declarations[key]
        for name, value in one.options.items():
            made = self.value(value)
            if made is not None:
                yield f"options.{name}", made
        provider = next((name for name, two in self.program.declarations.items() if two.default_provider), "")
        if provider and "provider" not in one.options and one.kind != PROVIDER:
            yield (
                "options.provider",
                Field(f"resource {provider}", show(provider), known=False, file=self.file, line=one.line),
            )


def _calls(value: Value) -> set[str]:
    """The functions that are called anywhere in a value."""
    function = function_of(value)
    return {name for part in value.parts.values() for name in _calls(part)} | ({function[0]} if function else set())


def _words(one: Field | None) -> str | None:
    """What a value adds to a text; None where that is not known."""
    if one is None or not one.known or not isinstance(one.value, str | bool):
        return None
    return show(one.value) if isinstance(one.value, bool) else one.value


def texts_of(value: object) -> list[str]:
    """The texts in a value that is a text, or a map of them."""
    return [str(text) for text in (value.values() if isinstance(value, dict) else [value])]


def _hidden(one: Field) -> Field:
    if one.known:
        for text in texts_of(one.value):
            register(text)
        return replace(one, identity=digest(one.identity), shown="in clear")
    return one


def _within(found: Field, rest: Sequence[str | int], value: Value) -> Field | None:
    """A part of a setting that is an object or a list."""
    if not found.known:
        return replace(found, identity=digest(f"{found.identity} {rest}"))
    part: object = found.value
    for step in rest:
        if isinstance(part, Mapping) and isinstance(step, str):
            part = part.get(step)
        elif isinstance(part, list) and isinstance(step, int) and step < len(part):
            part = part[step]
        else:
            raise Broken("refers to a part of a value that has none", value.line)
    return None if part is None else replace(found, identity=json.dumps(part), shown=show(part), value=part)

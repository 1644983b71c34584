"""Reads a YAML program: which resources of this package it declares, and the pieces that their values are made of.

The rules are those of ``pulumi-language-yaml`` 1.38.1. It takes the names of sections in any spelling and warns, takes
no aliases, and runs nothing of a program that has an error; what it would refuse or only warn of is ``Broken`` here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE, PLUGIN_PREFIX
from codat_zoho.workspace.pulumi_yaml import Project
from codat_zoho.workspace.values import PROVIDER_TYPE
from codat_zoho.workspace.yaml_lines import Broken, Value, parts_of, read, refuse_shared, shown

TEMPLATES = ("Main.json", "Main.yaml", "Pulumi.yaml")
"""The files that hold a program; of several in its folder the first counts."""
PROVIDER = "provider"
_SECTIONS = ("resources", "variables", "outputs", "config", "configuration", "components", "pulumi", "sdks", "name")
_RESOURCE = ("type", "name", "defaultProvider", "properties", "options", "get")
_OPTIONS = (
    *("additionalSecretOutputs", "aliases", "customTimeouts", "deleteBeforeReplace", "deletedWith", "dependsOn"),
    *("envVarMappings", "hideDiffs", "ignoreChanges", "import", "parent", "pluginDownloadURL", "protect", "provider"),
    *("providers", "replaceOnChanges", "replaceWith", "replacementTrigger", "retainOnDelete", "version"),
)
_LITERAL: Mapping[str, type] = {
    **dict.fromkeys(("import", "pluginDownloadURL", "version"), str),
    **dict.fromkeys(("deleteBeforeReplace", "retainOnDelete"), bool),
    **dict.fromkeys(("additionalSecretOutputs", "hideDiffs", "ignoreChanges", "replaceOnChanges"), list),
}
"""The options that Pulumi takes no expression for."""
_KINDS = {
    PROVIDER_TYPE: PROVIDER,
    **{
        f"{prefix}{kind}".lower(): kind for kind in (CLIENT, INTEGRATION) for prefix in (PLUGIN_PREFIX, f"{NAMESPACE}:")
    },
}
_LONGEST_NAME = 100
_PIECE = re.compile(r'\$\$|\$\{((?:\["(?:\\"|[^"])*"\]|\[[0-9]+\]|[^}\[])*)\}')
_ACCESS = re.compile(r'\["((?:\\"|[^"])*)"\]|\[([0-9]+)\]|([^.\[]+)')
Access = tuple[str | int, ...]
"""What an expression refers to: the name of a resource, setting or variable, and the way from there."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One resource of this package as it stands there; ``kind`` is its class, or ``PROVIDER``."""

    name: str
    kind: str
    line: int
    properties: Mapping[str, Value] = field(repr=False)
    options: Mapping[str, Value] = field(repr=False)
    default_provider: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What a YAML program declares, by the names that its expressions use; ``others`` are other packages' resources."""

    declarations: Mapping[str, Declaration] = field(default_factory=dict)
    others: Mapping[str, Value] = field(default_factory=dict)
    variables: Mapping[str, Value] = field(default_factory=dict)


def template_of(project: Project, folder: str, paths: Collection[str]) -> str:
    """The file that holds the program of a project in ``folder``; "" where it is none in YAML, or not among ``paths``.

    A program that a compiler makes is not one in YAML.
    """
    if project.runtime != "yaml" or project.options.get("compiler"):
        return ""
    main = project.rest["main"].text if "main" in project.rest else ""
    if main.endswith((".json", ".yaml", ".yml")):
        main = posixpath.dirname(main)
    places = (posixpath.normpath(posixpath.join(folder, main, name)) for name in TEMPLATES)
    return next((place for place in places if place in paths), "")


def read_program(content: bytes) -> Program:
    """Read a program; what its host refuses, or was not compared with it, is ``Broken``."""
    top = read(content)
    refuse_shared(content)
    _refuse_spellings(top, _SECTIONS)
    if "configuration" in top:
        raise Broken("has a section configuration: not reviewed, call it config", top["configuration"].line)
    declarations, others = {}, {}
    for name, value in parts_of(top.get("resources"), "resources").items():
        parts = parts_of(value, shown(name))
        _refuse_spellings(parts, _RESOURCE)
        type_ = parts["type"].text if "type" in parts else ""
        kind = _KINDS.get(type_ if type_.startswith("pulumi:") else type_.lower())
        if kind:
            declarations[name] = _declaration(name, kind, value, parts)
        elif type_.lower().startswith(f"{NAMESPACE}:"):
            raise Broken(f"{shown(type_)} is no type of {NAMESPACE}", parts["type"].line)
        else:
            others[name] = value
    variables = parts_of(top.get("variables"), "variables")
    if "pulumi" in {**declarations, **others, **variables}:
        raise Broken("calls a resource or variable pulumi, which is a reserved name")
    names = [(one.kind, one.name) for one in declarations.values()]
    if len({*names}) < len(names):
        raise Broken("declares two resources of one type and name")
    return Program(declarations, others, variables)


def _declaration(key: str, kind: str, value: Value, parts: Mapping[str, Value]) -> Declaration:
    options = parts_of(parts.get("options"), "options")
    _refuse_spellings(options, _OPTIONS)
    for found, known in ((parts, _RESOURCE), (options, _OPTIONS)):
        for name in found.keys() - {*known}:
            raise Broken(f"{shown(name)} is nothing that Pulumi reads there", found[name].line)
    for name, literal in _LITERAL.items():
        if name in options and (not isinstance(options[name].plain, literal) or "${" in str(options[name].plain)):
            raise Broken(f"has {name} otherwise than written out, where Pulumi takes nothing else", options[name].line)
    if "get" in parts:
        raise Broken(f"{shown(key)} is read with get: not reviewed", parts["get"].line)
    own = parts.get("name")
    if any(not text.isprintable() or len(text) > _LONGEST_NAME for text in (key, own.text if own else "")):
        raise Broken("has a resource whose name is too long, or not printable: not reviewed", value.line)
    default = "defaultProvider" in parts and parts["defaultProvider"].plain is True
    properties = parts_of(parts.get("properties"), "properties")
    if len(properties) == 1 and next(iter(properties)).casefold().startswith("fn::"):
        raise Broken("properties is an expression: not reviewed, write a map", parts["properties"].line)
    return Declaration((own and own.text) or key, kind, value.line, properties, options, default)


def _refuse_spellings(found: Mapping[str, Value], known: Collection[str]) -> None:
    spelled = {name.casefold(): name for name in known}
    for name, value in found.items():
        right = spelled.get(name.casefold(), name)
        if right != name:
            raise Broken(f"spells {right} as {shown(name)}, and Pulumi takes either: write {right}", value.line)


def pieces(value: Value) -> Iterator[str | Access]:
    """The pieces of a text: plain ones, and what it refers to."""
    text, at = value.text, 0
    for found in _PIECE.finditer(text):
        if found.start() > at:
            yield _plain(text[at : found.start()], value)
        at = found.end()
        if found[1] is None:
            yield "$"
            continue
        access = tuple(
            int(index) if index else name or quoted.replace('\\"', '"')
            for quoted, index, name in _ACCESS.findall(found[1])
        )
        if not access or isinstance(access[0], int):
            raise Broken("has an expression that refers to nothing", value.line)
        yield access
    if at < len(text):
        yield _plain(text[at:], value)


def _plain(text: str, value: Value) -> str:
    if "${" in text:
        raise Broken("has an expression that is not closed, or not read here", value.line)
    return text


def function_of(value: Value) -> tuple[str, Value] | None:
    """The function that a map calls, in small letters, and its argument; None for other values."""
    if len(value.parts) != 1 or not isinstance(value.plain, dict):
        return None
    [(name, argument)] = value.parts.items()
    return (name.lower(), argument) if name.lower().startswith("fn::") else None

"""What one revision declares for one stack: from stack configuration to the resources' fields, as the program does it.

This is the mapping of the ready-to-use program (``__main__.py`` of this project) in any project. What it cannot tell
it calls unknown: an encrypted value, what a Pulumi ESC environment or a program of its own decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from codat_zoho.declare.describe import Setting, camel_case, described
from codat_zoho.declare.platform import CLIENT, CONFIG_KEYS, INTEGRATION, NAMESPACE
from codat_zoho.declare.rules import fingerprint, warnings_about
from codat_zoho.declare.settings import (
    FINGERPRINT,
    KEYS,
    SECRET_KEYS,
    SETTINGS,
    key_of,
    load,
)
from codat_zoho.errors import SettingsError
from codat_zoho.policy.files import Clear, clear_secrets, each_once
from codat_zoho.review.declaration import Declared, Resource
from codat_zoho.review.expressions import Scope, Unread, as_host_reads, models, texts_of
from codat_zoho.review.report import Problem
from codat_zoho.texts.redact import register
from codat_zoho.workspace.pulumi_yaml import Key, Project, Stack
from codat_zoho.workspace.values import ELSEWHERE, Field, Fields, digest, show
from codat_zoho.workspace.yaml_lines import Broken, Value
from codat_zoho.workspace.yaml_program import PROVIDER, Program

_BY_STACK = Field(f"{ELSEWHERE}the stacks", "as each stack sets it", known=False)
_UNLESS_ESC = ", unless the ESC environment says otherwise"
BY_PROGRAM = Field(f"{ELSEWHERE}the program", "as the program decides", known=False)
_OPTIONAL = ("client_id", "client_secret")
_READY_MADE = ((INTEGRATION, "zoho-books"), (CLIENT, "zoho-client"))
"""What the ready-to-use program declares, and how it is named."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where the settings of a stack come from; ``settings`` are those that its files set, and in which file."""

    file: str
    stack: Stack
    project: Project
    project_file: str
    settings: Mapping[Key, tuple[Value, str]]

    def find(self, key: Key, *, secret: bool = False) -> tuple[Value, str] | Field | Problem | None:
        """What is set, and where; a field where others set it; why it cannot be told; None where nobody sets it."""
        label = ":".join(key)
        if key in self.settings:
            value, where = self.settings[key]
            if value.plain is None and not value.hides:
                return Problem(f"{label} has no value", where, value.line)
            return value, where
        if self.stack.imports is not None:
            identity = f"{ELSEWHERE}ESC {self.stack.imports.identity}"
            one = Field(identity, "the ESC environment's, or a default", known=False)
            if key not in self.project.settings:
                return one
            value = self.project.settings[key]
            default = _field(value, self.project_file, value.plain, secret=secret)
            whole = replace(
                default, identity=f"{identity} {default.identity}", shown=one.shown, value=None, known=False
            )
            return replace(whole, otherwise=default.shown)
        if key in self.project.required and self.file == self.project_file:
            return _BY_STACK
        if key in self.project.required:
            return Problem(f"{label} is not set, and {self.project_file} declares it without a default", self.file)
        return None

    def as_host_reads(self, name: str) -> Field | None:
        """A setting as an expression of a YAML program names it; None where nobody sets it."""
        at, _, key = name.rpartition(":")
        found = self.find((at or self.project.name, key))
        if isinstance(found, Problem):
            raise Broken(f"refers to a setting that is not there: {found.text}")
        if found is None or isinstance(found, Field):
            return found
        value, where = found
        if value.unread:
            raise Unread(f"refers to a setting that {value.unread}")
        plain = None if value.hides else as_host_reads(value.text)
        return replace(
            _field(value, where, plain, secret=False),
            identity=digest(value.identity) if value.hides else json.dumps(plain),
        )


def declared(
    name: str, file: str, stack: Stack, project: Project, project_file: str, program: tuple[str, Program] | None = None
) -> Declared:
    """Read what ``stack`` declares within ``project``; ``program`` is one in YAML, and the file that it is in."""

    def digested(value: Value, shown: str = "") -> Field:
        return Field(digest(value.identity), shown, file=file, line=value.line)

    ready_made = project.has_settings and program is None
    space = project.name if ready_made else NAMESPACE
    settings: dict[Key, tuple[Value, str]] = {key: (value, file) for key, value in stack.settings.items()}
    if stack.imports is None:
        settings = {key: (value, project_file) for key, value in project.settings.items()} | settings
    sources = _Sources(file, stack, project, project_file, settings)
    given, problems = _given(sources, space, ready_made=ready_made)
    for (at, key), (value, where) in settings.items():
        if at in (NAMESPACE, space) and value.unread:
            problems.append(Problem(f"{at}:{key} {value.unread}", where, value.line))
    clear = each_once(clear_secrets(stack, file, project, project_file))
    encrypted = {}
    for (at, key), value in stack.settings.items():
        for number, leaf in enumerate(value.leaves()):
            if leaf.encrypted is not None:
                encrypted[f"{at}:{key}#{number}"] = digested(leaf)
    provider = {}
    for key in CONFIG_KEYS:
        of_project = project.settings.get((NAMESPACE, key))
        at_hand = settings.get((NAMESPACE, key)) or (of_project and (of_project, project_file))
        if at_hand:
            value, where = at_hand
            secret = key in SECRET_KEYS
            one = _field(value, where, None if secret else value.plain, secret=secret)
            provider[key] = one if (NAMESPACE, key) in settings else replace(one, shown=f"{one.shown}{_UNLESS_ESC}")
    ours = bool(clear) or ready_made or any(at == NAMESPACE for at, _ in (*stack.settings, *project.settings))
    ours = ours or bool(program and program[1].declarations)
    side = Declared(
        project.name,
        name,
        file,
        project_file,
        provider=provider,
        encrypted=encrypted,
        encryption={key: digested(value) for key, value in stack.encryption.items()},
        imports={} if stack.imports is None else {"environment": digested(stack.imports)},
        clear=clear,
        unknown_settings=dict(_unknown_settings(settings, space, project)),
        problems=tuple(problems) if ours else (),
        ours=ours,
        ready_made=project.ready_made and program is None,
        rest=rest_of(project, project_file),
    )
    if program:
        return _with_program(side, *program, sources)
    if ready_made or (ours and any(one.file for one in given.values())):
        return _with_settings(side, given, space)
    return side


def rest_of(project: Project, file: str) -> Fields:
    """What else a project's file says, by key."""
    return {key: Field(digest(value.identity), "", file=file, line=value.line) for key, value in project.rest.items()}


def _unknown_settings(
    settings: Mapping[Key, tuple[Value, str]], space: str, project: Project
) -> Iterator[tuple[str, Field]]:
    """What nothing reads in the namespaces of this package and of a ready-to-use project.

    What a project declares is for its program to read, unless it is but a slip away from a setting.
    """
    known = {(NAMESPACE, key) for key in CONFIG_KEYS} | {(space, key) for key in KEYS}
    for (at, key), (value, file) in settings.items():
        if at not in (NAMESPACE, space) or (at, key) in known:
            continue
        declared_there = at == project.name and key in project.declares
        if not declared_there or get_close_matches(key, KEYS, n=1, cutoff=0.8):
            yield f"{at}:{key}", Field(digest(value.identity), show(f"{at}:{key}"), file=file, line=value.line)


def _given(sources: _Sources, space: str, *, ready_made: bool) -> tuple[dict[str, Field], list[Problem]]:
    """The fields as the program gets them, not validated yet, without those that are not set at all."""
    given: dict[str, Field] = {}
    problems: list[Problem] = []
    for name, setting in SETTINGS.items():
        found = sources.find((space, setting.key), secret=setting.secret)
        if isinstance(found, Problem):
            problems.append(found)
        elif isinstance(found, Field):
            given[name] = found
        elif found:
            value, where = found
            plain = _converted(setting, value, ready_made=ready_made)
            if setting.secret:
                register(str(plain))
            given[name] = _field(value, where, plain, secret=setting.secret)
        elif not (ready_made and name in _OPTIONAL):
            given[name] = BY_PROGRAM
    for name in _OPTIONAL:
        if name in given and given[name].value == "":
            del given[name]
    if "client_id" not in given:
        given.pop("client_secret", None)
    return given, problems


def _converted(setting: Setting, value: Value, *, ready_made: bool) -> object:
    """What the program makes of the text that Pulumi hands it."""
    if setting.type is bool:
        read = setting.read(value.text)
        return read if isinstance(read, bool) else value.plain
    if setting.is_list:
        return setting.read(value.plain) if isinstance(value.plain, str) and not ready_made else value.plain
    return value.text


def _field(value: Value, file: str, plain: object, *, secret: bool) -> Field:
    if value.hides:
        return Field(digest(value.identity), "encrypted", known=False, file=file, line=value.line)
    shown = "in clear" if secret else show(plain)
    return Field(digest(value.identity), shown, plain, file=file, line=value.line)


def _with_settings(side: Declared, given: Mapping[str, Field], space: str) -> Declared:
    """What the ready-to-use program declares."""
    made, problems = [], list(side.problems)
    for kind, name in _READY_MADE:
        mine = {setting: given[setting] for setting in described(models(kind)) if setting in given}
        if kind == CLIENT and "client_id" not in mine:
            continue
        fields, wrong = _validated(kind, mine)
        made += [] if wrong else [Resource(name, kind, fields)]
        for setting, text in wrong:
            at = given.get(setting)
            file, line = (at.file, at.line) if at is not None and at.file else (side.file, None)
            problems.append(Problem(f"{space}:{key_of(setting)} {text}", file, line))
    return replace(side, resources=tuple(made), warnings=_warnings("", given), problems=tuple(dict.fromkeys(problems)))


def _with_program(side: Declared, template: str, program: Program, sources: _Sources) -> Declared:
    """What a YAML program declares, with the plugin's defaults."""
    scope = Scope(program, template, side.project, side.stack, sources.as_host_reads)
    made, problems, clear = [], list(side.problems), list(side.clear)
    warnings: dict[tuple[str, str], Field] = {}
    for name in ("pulumi", *program.declarations, *program.others):
        setting, where = sources.settings.get((side.project, name), (None, ""))
        if setting:
            text = f"{side.project}:{show(name)} has the name of a resource, or one that YAML programs reserve"
            problems.append(Problem(text, where, setting.line))
    problems += scope.bad_variables()
    for key, one in program.declarations.items():
        try:
            given, options = scope.resource(key)
        except Broken as why:
            problems.append(Problem(f"{one.name} {why.text}", template, why.line or one.line))
            continue
        fields, wrong = (given, ()) if one.kind == PROVIDER else _validated(one.kind, given)
        for name, text in wrong:
            at = given[name] if name in given and given[name].file else Field("", "", file=template, line=one.line)
            problems.append(Problem(f"{one.name}: {camel_case(name)} {text}", at.file, at.line))
        if one.kind != PROVIDER and not wrong:
            defaults = {name: setting.default for name, setting in described(models(one.kind)).items()}
            usual = {
                name: Field(json.dumps(value), show(value), value)
                for name, value in defaults.items()
                if value not in (None, "", ())
            }
            fields = {**usual, **fields}
            warnings |= _warnings(one.name, given)
        made.append(Resource(one.name, one.kind, fields, options))
        for name in given.keys() & {"client_secret", *SECRET_KEYS}:
            if given[name].known:
                secret = given[name]
                of = f"{camel_case(name)} of {one.name}"
                clear += [Clear(of, secret.file, secret.line or 0, "", digest(text)) for text in texts_of(secret.value)]
    return replace(
        side,
        resources=tuple(made),
        warnings=warnings,
        problems=tuple(dict.fromkeys(problems)),
        clear=each_once(clear),
        yaml=True,
        template=template,
        reads_more=scope.reads_more,
        rest={name: one for name, one in side.rest.items() if name not in ("resources", "variables", "outputs")},
    )


def _validated(kind: str, mine: Fields) -> tuple[Fields, Sequence[tuple[str, str]]]:
    """Validate with the resource's own rules; the fields come back normalised, as the engine keeps them."""
    known = {name: one.value for name, one in mine.items() if one.known}
    try:
        loaded = load(models(kind), known, unknown=mine.keys() - known.keys())
    except SettingsError as error:
        return {}, error.problems
    fields = {name: _normalised(one, getattr(loaded, name)) for name, one in mine.items() if name != "client_secret"}
    if "client_secret" in mine:
        fields["client_secret"] = replace(mine["client_secret"], value=None)  # A secret goes no further.
        fields[FINGERPRINT] = _fingerprint(mine["client_id"], mine["client_secret"])
    return fields, ()


def _warnings(of: str, given: Fields) -> dict[tuple[str, str], Field]:
    """What is allowed but looks wrong; regions are left to the rules of the policy pack, which the review has."""
    known = {name: one.value for name, one in given.items() if one.known and name != "regions"}
    return {(f"{of}.{name}", text): given[name] for name in known for text in warnings_about({name: known[name]})}


def _normalised(one: Field, loaded: object) -> Field:
    """A field with the value that validation made of it: regions sorted, each once."""
    if not one.known:
        return one
    value = list(loaded) if isinstance(loaded, tuple) else loaded
    return replace(one, identity=json.dumps(value), shown=show(value), value=value)


def _fingerprint(client_id: Field, secret: Field) -> Field:
    """The input that the engine shows in place of the secret; known where both id and secret stand in clear."""
    if client_id.known and secret.known:
        shown = fingerprint(str(client_id.value), str(secret.value))
        return Field(shown, shown, file=secret.file, line=secret.line)
    identity = digest(f"{client_id.identity}\0{secret.identity}")
    return Field(identity, "not known while encrypted", known=False, file=secret.file, line=secret.line)

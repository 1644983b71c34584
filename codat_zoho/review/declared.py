"""What one revision declares for one stack: from stack configuration to the resources' fields, as the program does it.

This is the mapping of the ready-to-use program (``__main__.py`` of this project) in any project. What it cannot tell
it calls unknown: an encrypted value, what a Pulumi ESC environment or a program of its own decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from codat_zoho.declare.describe import Setting, described
from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE
from codat_zoho.declare.rules import fingerprint, warnings_about
from codat_zoho.declare.settings import (
    FINGERPRINT,
    KEYS,
    SECRET_KEYS,
    SETTINGS,
    IntegrationSettings,
    ZohoClientSettings,
    key_of,
    load,
)
from codat_zoho.errors import SettingsError
from codat_zoho.policy.files import Clear, clear_secrets, each_once
from codat_zoho.review.report import Problem
from codat_zoho.texts.redact import register
from codat_zoho.workspace.pulumi_yaml import Key, Project, Stack
from codat_zoho.workspace.values import ELSEWHERE, Field, Fields, digest, show
from codat_zoho.workspace.yaml_lines import Value

_BY_STACK = Field(f"{ELSEWHERE}the stacks", "as each stack sets it", known=False)
_UNLESS_ESC = ", unless the ESC environment says otherwise"
BY_PROGRAM = Field(f"{ELSEWHERE}the program", "as the program decides", known=False)
_OPTIONAL = ("client_id", "client_secret")


@dataclass(frozen=True, slots=True)
class Declared:
    """One side of one environment; where it has problems, everything else is incomplete.

    ``client`` is empty where none is declared, ``books`` where the program decides them and nothing is known. The
    ciphertexts in ``encrypted`` are digested, ``encryption`` is how they were made, ``imports`` the ESC environments.
    What is allowed but looks wrong is in ``warnings``, by field; ``rest`` are the project's other keys. A stack that is
    not ``ours`` is another program's; one that is not ``ready_made`` has a program of its own.
    ``files`` are all that could have been read instead, its own and its project's; ``code`` the folders that the
    project names for its program and its Python.
    """

    project: str = ""
    stack: str = ""
    file: str = ""
    project_file: str = ""
    client: Fields = field(default_factory=dict)
    books: Fields = field(default_factory=dict)
    provider: Fields = field(default_factory=dict)
    encrypted: Fields = field(default_factory=dict)
    encryption: Fields = field(default_factory=dict)
    imports: Fields = field(default_factory=dict)
    clear: tuple[Clear, ...] = ()
    unknown_settings: Fields = field(default_factory=dict)
    warnings: tuple[tuple[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    ours: bool = True
    ready_made: bool = True
    rest: Fields = field(default_factory=dict)
    files: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


def declared(name: str, file: str, stack: Stack, project: Project, project_file: str) -> Declared:
    """Read what ``stack`` declares within ``project``."""

    def digested(value: Value, shown: str = "") -> Field:
        return Field(digest(value.identity), shown, file=file, line=value.line)

    ready_made = project.has_settings
    space = project.name if ready_made else NAMESPACE
    settings: dict[Key, tuple[Value, str]] = {key: (value, file) for key, value in stack.settings.items()}
    if stack.imports is None:
        settings = {key: (value, project_file) for key, value in project.settings.items()} | settings
    given, problems = _given(settings, space, file, stack, project, project_file)
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
        ready_made=project.ready_made,
        rest=rest_of(project, project_file),
    )
    if ready_made or (ours and any(one.file for one in given.values())):
        return _with_resources(side, given, space)
    return side


def rest_of(project: Project, file: str) -> Fields:
    """What else a project's file says, by key."""
    return {key: Field(digest(value.identity), "", file=file, line=value.line) for key, value in project.rest.items()}


def _unknown_settings(
    settings: Mapping[Key, tuple[Value, str]], space: str, project: Project
) -> Iterator[tuple[str, Field]]:
    """What nothing reads in the namespaces of this package and of a ready-made project.

    What a project declares is for its program to read, unless it is but a slip away from a setting.
    """
    known = {(NAMESPACE, key) for key in CONFIG_KEYS} | {(space, key) for key in KEYS}
    for (at, key), (value, file) in settings.items():
        if at not in (NAMESPACE, space) or (at, key) in known:
            continue
        declared_there = at == project.name and key in project.declares
        if not declared_there or get_close_matches(key, KEYS, n=1, cutoff=0.8):
            yield f"{at}:{key}", Field(digest(value.identity), show(f"{at}:{key}"), file=file, line=value.line)


def _given(
    settings: Mapping[Key, tuple[Value, str]], space: str, file: str, stack: Stack, project: Project, project_file: str
) -> tuple[dict[str, Field], list[Problem]]:
    """The fields as the program gets them, not validated yet, without those that are not set at all."""
    ready_made = project.has_settings
    given: dict[str, Field] = {}
    problems: list[Problem] = []
    for name, setting in SETTINGS.items():
        key = (space, setting.key)
        if key in settings:
            value, where = settings[key]
            if value.plain is None and not value.hides:
                problems.append(Problem(f"{space}:{setting.key} has no value", where, value.line))
            else:
                plain = _converted(setting, value, ready_made=ready_made)
                if setting.secret:
                    register(str(plain))
                given[name] = _field(value, where, plain, secret=setting.secret)
        elif stack.imports is not None:
            one = Field(f"{ELSEWHERE}ESC {stack.imports.identity}", "the ESC environment's, or a default", known=False)
            if key in project.settings:
                value = project.settings[key]
                default = _field(value, project_file, value.plain, secret=setting.secret)
                identity = f"{one.identity} {default.identity}"
                one = replace(default, identity=identity, shown=one.shown, value=None, known=False)
                one = replace(one, otherwise=default.shown)
            given[name] = one
        elif key in project.required and file == project_file:
            given[name] = _BY_STACK
        elif key in project.required:
            text = f"{space}:{setting.key} is not set, and {project_file} declares it without a default"
            problems.append(Problem(text, file))
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


def _with_resources(side: Declared, given: Mapping[str, Field], space: str) -> Declared:
    """Validate with the resources' own rules; the fields come back normalised, as the engine keeps them."""
    values = {name: one.value for name, one in given.items() if one.known}
    made: dict[type, Fields] = {}
    problems = list(side.problems)
    for model in (IntegrationSettings, ZohoClientSettings):
        mine = {name: given[name] for name in described(model) if name in given}
        if model is ZohoClientSettings and "client_id" not in mine:
            continue
        known = {name: values[name] for name in mine if name in values}
        try:
            loaded = load(model, known, unknown=mine.keys() - known.keys())
        except SettingsError as error:
            for name, text in error.problems:
                at = given.get(name)
                file, line = (at.file, at.line) if at is not None and at.file else (side.file, None)
                problems.append(Problem(f"{space}:{key_of(name)} {text}", file, line))
            continue
        fields = {
            name: _normalised(one, getattr(loaded, name)) for name, one in mine.items() if name != "client_secret"
        }
        if "client_secret" in mine:
            fields["client_secret"] = replace(mine["client_secret"], value=None)  # A secret goes no further.
            fields[FINGERPRINT] = _fingerprint(mine["client_id"], mine["client_secret"])
        made[model] = fields
    # What is said of regions is a rule of the policy pack, and the review has that.
    warnings = [(name, text) for name in values if name != "regions" for text in warnings_about({name: values[name]})]
    return replace(
        side,
        client=made.get(ZohoClientSettings, {}),
        books=made.get(IntegrationSettings, {}),
        warnings=tuple(warnings),
        problems=tuple(dict.fromkeys(problems)),
    )


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

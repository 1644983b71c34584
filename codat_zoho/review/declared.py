"""What one revision declares for one stack: from stack configuration to the resources' fields, as the program does it.

This is the mapping of the ready-to-use program (``__main__.py`` of this project) in any project. What it cannot tell
it calls unknown: an encrypted value, what a Pulumi ESC environment or a program of its own decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from codat_zoho.declare.describe import described
from codat_zoho.declare.rules import fingerprint, warnings_about
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings, ZohoClientSettings, load
from codat_zoho.declare.stack_config import KEYS, SETTINGS, key_of
from codat_zoho.declare.tokens import CONFIG_KEYS, NAMESPACE
from codat_zoho.errors import SettingsError
from codat_zoho.review.report import Problem
from codat_zoho.texts.redact import register
from codat_zoho.workspace.pulumi_yaml import Key, Project, Stack
from codat_zoho.workspace.values import ELSEWHERE, Field, Fields, digest, show
from codat_zoho.workspace.yaml_lines import Value

_SECRET_NAMES = frozenset({"zohoClientSecret", "apiKey", "apiKeys"})
_SHAPES = {
    "a Zoho client secret": re.compile(r"[0-9a-f]{42}"),
    "a Zoho token or grant code": re.compile(r"\d{4}\.[0-9a-f]{32}\.[0-9a-f]{32}"),
}
_OPTIONAL = ("client_id", "client_secret")


@dataclass(frozen=True, slots=True)
class Clear:
    """A secret that stands in a file as it is."""

    key: str
    file: str
    line: int
    looks_like: str = ""
    identity: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Declared:
    """One side of one environment.

    Args:
        project, stack, file: which.
        client: fields of the Zoho client; None where none is declared, or nothing is known of it.
        books: fields of the integration; None where the program decides them.
        provider: what the package reads besides: addresses and API keys.
        ready_made: the project declares the settings of the ready-to-use program.
        encrypted: every ciphertext of the stack, digested, by key.
        encryption: how they are encrypted, by key.
        imports: the ESC environments, in words.
        clear: secrets that stand there as they are.
        strangers: settings in the package's namespace that nothing reads.
        warnings: what is allowed but looks wrong, by field.
        problems: why it is broken; everything else is then incomplete.
    """

    project: str
    stack: str
    file: str
    client: Fields | None = None
    books: Fields | None = None
    provider: Fields = field(default_factory=dict)
    ready_made: bool = False
    encrypted: Fields = field(default_factory=dict)
    encryption: Fields = field(default_factory=dict)
    imports: Field | None = None
    clear: tuple[Clear, ...] = ()
    strangers: tuple[Field, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def declared(name: str, file: str, stack: Stack, project: Project, project_file: str) -> Declared:
    """Read what ``stack`` declares within ``project``."""
    return _Reader(name, file, stack, project, project_file).read()


def is_ready_made(project: Project) -> bool:
    """The project declares settings of the ready-to-use program, or is it."""
    return bool(project.declares & set(KEYS)) or project.name == NAMESPACE


class _Reader:
    def __init__(self, name: str, file: str, stack: Stack, project: Project, project_file: str) -> None:
        self._name, self._file, self._stack, self._project, self._project_file = (
            name,
            file,
            stack,
            project,
            project_file,
        )
        self._ready_made = is_ready_made(project)
        self._space = project.name if self._ready_made else NAMESPACE
        self._problems: list[Problem] = []

    def read(self) -> Declared:
        client, books, warnings = self._resources()
        imports = self._stack.imports
        return Declared(
            project=self._project.name,
            stack=self._name,
            file=self._file,
            client=client,
            books=books,
            provider=dict(self._provider()),
            ready_made=self._ready_made,
            encrypted=dict(self._encrypted()),
            encryption={key: self._field(value, "as it is") for key, value in self._stack.encryption.items()},
            imports=None if imports is None else self._field(imports, show(_names(imports))),
            clear=tuple(self._clear()),
            strangers=tuple(self._strangers()),
            warnings=warnings,
            problems=tuple(dict.fromkeys(self._problems)),
        )

    # --- the two resources ---

    def _resources(self) -> tuple[Fields | None, Fields | None, tuple[str, ...]]:
        given = {name: self._setting(name) for name in SETTINGS}
        if not self._ready_made and all(one is None or not one.file for one in given.values()):
            return None, None, ()
        if given["client_id"] is not None and given["client_id"].value == "":
            given["client_id"] = None
        if given["client_secret"] is not None and given["client_secret"].value == "":
            given["client_secret"] = None
        if given["client_id"] is None:
            given["client_secret"] = None
        values = {name: one.value for name, one in given.items() if one is not None and one.known}
        unknown = frozenset(name for name, one in given.items() if one is not None and not one.known)
        books = self._load(IntegrationSettings, given, values, unknown)
        client = self._load(ZohoClientSettings, given, values, unknown) if given["client_id"] is not None else None
        return client, books, warnings_about(values)

    def _load(
        self,
        model: type[IntegrationSettings] | type[ZohoClientSettings],
        given: Mapping[str, Field | None],
        values: Mapping[str, object],
        unknown: frozenset[str],
    ) -> Fields | None:
        """Validate with the resource's own model; the fields come back normalised, as the engine keeps them."""
        mine: dict[str, Field] = {name: one for name in described(model) if (one := given[name]) is not None}
        try:
            made = load(model, {name: values[name] for name in mine if name in values}, unknown=unknown & mine.keys())
        except SettingsError as error:
            for name, text in error.problems:
                at = given.get(name)
                key = f"{self._space}:{key_of(name)}"
                where = (at.file, at.line) if at is not None and at.file else (self._file, None)
                self._problems.append(Problem(f"{key} {text}", *where))
            return None
        fields = {name: _normal(name, one, getattr(made, name)) for name, one in mine.items()}
        if "client_secret" in fields:
            fields[FINGERPRINT] = _fingerprint(fields["client_id"], fields["client_secret"], values)
        return fields

    def _setting(self, name: str) -> Field | None:
        """A field as the program gets it, not validated yet; None where it is not set at all."""
        key = (self._space, key_of(name))
        value, file = self._lookup(key)
        if value is None:
            if self._stack.imports is not None:
                return _elsewhere(f"ESC {self._stack.imports.identity}", "from the ESC environment, or a default")
            if key in self._project.required:
                self._problems.append(
                    Problem(
                        f"{key[0]}:{key[1]} is not set, and {self._project_file} declares it without a default",
                        self._file,
                    )
                )
                return None
            if self._ready_made and name in _OPTIONAL:
                return None
            return _elsewhere("the program", "as the program decides")
        if value.encrypted is not None or any(leaf.encrypted is not None for leaf in value.leaves()):
            return Field(digest(value.identity), "encrypted", None, known=False, file=file, line=value.line)
        if value.plain is None:
            self._problems.append(Problem(f"{key[0]}:{key[1]} has no value", file, value.line))
            return None
        plain = self._converted(name, value)
        if name == "client_secret" and isinstance(plain, str):
            register(plain)
            words = "in clear" if plain else "empty"
            return Field(f"clear {digest(plain)}", words, plain, file=file, line=value.line)
        return Field(value.identity, show(plain), plain, file=file, line=value.line)

    def _converted(self, name: str, value: Value) -> object:
        """What the program makes of the text that Pulumi hands it."""
        setting = SETTINGS[name]
        if setting.type is bool:
            read = setting.read(value.text)
            return read if isinstance(read, bool) else value.plain
        if setting.is_list:
            return setting.read(value.plain) if isinstance(value.plain, str) and not self._ready_made else value.plain
        return value.text

    def _lookup(self, key: Key) -> tuple[Value | None, str]:
        if key in self._stack.settings:
            return self._stack.settings[key], self._file
        if self._stack.imports is None and key in self._project.settings:
            return self._project.settings[key], self._project_file
        return None, ""

    # --- the rest ---

    def _field(self, value: Value, shown: str) -> Field:
        return Field(digest(value.identity), shown, file=self._file, line=value.line)

    def _provider(self) -> Iterator[tuple[str, Field]]:
        for name in CONFIG_KEYS:
            value, file = self._lookup((NAMESPACE, name))
            if value is None:
                continue
            secret = name in _SECRET_NAMES
            hidden = any(leaf.encrypted is not None for leaf in value.leaves())
            shown = "encrypted" if hidden else "in clear" if secret else show(value.plain)
            yield (
                name,
                Field(digest(value.identity), shown, None if secret else value.plain, not hidden, file, value.line),
            )

    def _encrypted(self) -> Iterator[tuple[str, Field]]:
        for (space, name), value in self._stack.settings.items():
            for at, leaf in enumerate(value.leaves()):
                if leaf.encrypted is not None:
                    yield f"{space}:{name}#{at}", self._field(leaf, "encrypted")

    def _clear(self) -> Iterator[Clear]:
        sources = [(self._stack.settings, self._file), (self._project.settings, self._project_file)]
        for settings, file in sources:
            for (space, name), value in settings.items():
                named = name in _SECRET_NAMES and space in (NAMESPACE, self._space)
                for leaf in value.leaves():
                    if leaf.encrypted is not None or leaf.plain in (None, "", True, False):
                        continue
                    looks_like = next((what for what, shape in _SHAPES.items() if shape.fullmatch(leaf.text)), "")
                    if named or looks_like:
                        register(leaf.text)
                        line = value.line if leaf is value else leaf.line
                        yield Clear(f"{space}:{name}", file, line, "" if named else looks_like, digest(leaf.text))

    def _strangers(self) -> Iterator[Field]:
        known = {*CONFIG_KEYS, *(KEYS if self._space == NAMESPACE else ())}
        if self._project.name == NAMESPACE:
            known |= self._project.declares
        for (space, name), value in self._stack.settings.items():
            if space == NAMESPACE and name not in known:
                yield Field(name, show(name), file=self._file, line=value.line)


def _elsewhere(identity: str, words: str) -> Field:
    return Field(f"{ELSEWHERE}{identity}", words, known=False)


def _normal(name: str, one: Field, made: object) -> Field:
    """A field with the value that the model made of it: regions sorted, each once. A secret goes no further."""
    if name == "client_secret":
        return replace(one, value=None)
    if not one.known:
        return one
    value = list(made) if isinstance(made, tuple) else made
    return Field(json.dumps(value), show(value), value, file=one.file, line=one.line)


def _fingerprint(client_id: Field, secret: Field, values: Mapping[str, object]) -> Field:
    """The input that the engine shows in place of the secret; known where both id and secret stand in clear."""
    known = client_id.known and secret.known
    shown = (
        fingerprint(str(values["client_id"]), str(values["client_secret"])) if known else "not known while encrypted"
    )
    identity = shown if known else digest(f"{client_id.identity}\0{secret.identity}")
    return Field(identity, shown, known=known, file=secret.file, line=secret.line)


def _names(imports: Value) -> list[str]:
    return [leaf.text for leaf in imports.leaves() if isinstance(leaf.plain, str)]

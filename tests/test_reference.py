"""The generated reference leaves nothing out: variables, exit codes, errors, fields of reports."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codat_zoho import errors
from codat_zoho.cli import COMMANDS, main
from codat_zoho.declare.platform import CONFIG_KEYS
from codat_zoho.doctor import command as doctor
from codat_zoho.errors import Exit
from codat_zoho.remote.connection import Environment
from codat_zoho.texts.environment_variables import VARIABLES
from tests.real_engine import ROOT
from tests.support import node_tool
from tools import plugin_schema, reference, schemas
from tools.markdown import code, plain, table

NAMES = {one.name for one in VARIABLES}
# Told to the engines that this package starts, and read by nothing here.
ONLY_SET = {
    "PULUMI_AUTOMATION_API",
    "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
    "PULUMI_HOME",
    "PULUMI_SKIP_CONFIRMATIONS",
    "PULUMI_SKIP_UPDATE_CHECK",
}
SAID_BESIDE = {
    "SSL_CERT_DIR": "SSL_CERT_FILE",
    "HTTP_PROXY": "HTTPS_PROXY",
    "ALL_PROXY": "HTTPS_PROXY",
    "NO_PROXY": "HTTPS_PROXY",
}


def _texts() -> Iterator[tuple[Path, str]]:
    """Every text in the code but docstrings, names of modules, and the table itself."""
    for path in (ROOT / "codat_zoho").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        exported = {
            id(element)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("__all__", "VARIABLES")
            for element in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exported:
                yield path, node.value


def test_every_variable_is_in_the_table() -> None:
    """Whoever reads another variable documents it: the code names none that the table, and so the page, has not."""
    looks_like_one = re.compile(r"(?:(?:CODAT|ZOHO|PULUMI|UV|SSL)_[A-Z_]*[A-Z]|[A-Z]+_PROXY|NO_COLOR|CI)")
    found = {text: path for path, text in _texts() if looks_like_one.fullmatch(text)}
    missing = {name: str(path) for name, path in found.items() if name not in NAMES | ONLY_SET | SAID_BESIDE.keys()}
    assert not missing
    for path in (ROOT / "codat_zoho").rglob("*.py"):
        for name in re.findall(r"os\.environ(?:\.get\(|\[)\"(\w+)\"", path.read_text()):
            assert name in NAMES, path
    for name, other in SAID_BESIDE.items():
        assert name in next(one.text for one in VARIABLES if one.name == other)


def test_the_table_has_no_variable_that_nothing_reads() -> None:
    """A variable that is gone from the code is gone from the page."""
    used = {text for _, text in _texts()}
    # What httpx and ssl read for us, and what is put together.
    assert NAMES - used <= {"HTTPS_PROXY", "CODAT_API_KEY_<NAME>", "CODAT_CLIENT_ID_<NAME>"}


def test_keys_of_stack_configuration_stand_beside_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key that any project may set is in the table, beside the variable that comes before it."""
    assert {one.key for one in VARIABLES if one.key} == set(CONFIG_KEYS)
    source = (ROOT / "codat_zoho/remote/connection.py").read_text()
    pairs = set(re.findall(r'"((?:CODAT|ZOHO)_\w+)", "(\w+)"', source))
    assert pairs == {(one.name, one.key) for one in VARIABLES if one.key and "<" not in one.name}
    monkeypatch.setenv("CODAT_URL", "https://from.environment.test")
    assert Environment({"codatUrl": "https://from.configuration.test"}).codat_url() == "https://from.environment.test"


@pytest.mark.parametrize("name", errors.__all__)
def test_a_command_exits_as_the_page_of_errors_says(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error has a meaning, a cause, a cure, and the exit code that a command really ends with."""
    raised = getattr(errors, name)("It broke." if name != "SettingsError" else ["it broke"])

    def run(arguments: object) -> int:
        raise raised

    monkeypatch.setattr(doctor, "run", run)
    ended = main(["doctor"])
    page = (ROOT / "docs/reference/errors.md").read_text()
    (row,) = re.findall(rf"(?m)^\| `{name}` \|(.*)\|$", page)
    meaning, cause, cure, exit_code = (cell.strip() for cell in row.split(" | "))
    assert meaning and cause and cure and int(exit_code) == ended
    assert "broke" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_its_exit_codes(command: str) -> None:
    """Its help lists them, and a wrong option really ends with the one for that."""
    page = (ROOT / "docs/reference/cli.md").read_text()
    text = page.partition(f"## codat-zoho {command}\n")[2].partition("\n## ")[0]
    codes = reference.exit_codes(text)
    assert {0, 1, 2} <= codes <= set(map(int, Exit))
    with pytest.raises(SystemExit) as ended:
        main([command, "--no-such-option"])
    assert ended.value.code == Exit.USAGE


def _properties(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield from part.get("properties", {}).items()
        for inner in part.values():
            yield from _properties(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _properties(inner)


@pytest.mark.parametrize("title", schemas.SCHEMAS)
def test_every_field_of_a_report_is_explained(title: str) -> None:
    """A field without a description, or missing on the page, would leave readers to guess."""
    schema = json.loads(schemas.SCHEMAS[title][0].read_text())
    page = (ROOT / "docs/reference/reports.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    shown = {name.rpartition(".")[2] for name in re.findall(r"(?m)^\| `([^`]+)` \|", page)}
    fields = list(_properties(schema))
    assert {name for name, _ in fields} == shown
    for name, field in fields:
        target = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
        assert field.get("description") or target.get("description"), name


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Each schema within a schema."""
    yield schema
    for held in ("properties", "$defs"):
        for part in schema.get(held, {}).values():
            yield from _parts(part)
    for part in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from _parts(part)


@pytest.mark.parametrize("title", schemas.SCHEMAS)
def test_schemas_are_strict(title: str) -> None:
    """Ajv compiles each in its strict mode: one type at a time, known keywords, and what is required is described."""
    known = {"$schema", "$defs", "$ref", "title", "description", "examples", "type", "const", "enum", "anyOf"}
    known |= {"items", "properties", "required", "additionalProperties", "pattern"}
    for part in _parts(json.loads(schemas.SCHEMAS[title][0].read_text())):
        assert part.keys() <= known and isinstance(part.get("type", ""), str), part
        assert "type" in part or not {"enum", "items", "properties", "pattern"} & part.keys(), part
        assert set(part.get("required", ())) <= part.get("properties", {}).keys(), part


@pytest.mark.slow
@pytest.mark.parametrize("title", schemas.SCHEMAS)
def test_ajv_compiles_schemas_in_its_strict_mode(title: str, tmp_path: Path) -> None:
    """What the test above says of it, by Ajv itself."""
    arguments = ("compile", "--spec=draft2020", "--strict=true", "--allow-union-types=false", "-s")
    done = node_tool("ajv", *arguments, str(schemas.SCHEMAS[title][0]), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (odd := tmp_path / "odd.json").write_text('{"type": "object", "oddities": []}')
    assert node_tool("ajv", *arguments, str(odd), folder=tmp_path).returncode, "it finds nothing at all"


def test_all_schemas_are_on_the_page() -> None:
    """Another report with a schema gets its place."""
    there = set((ROOT / "codat_zoho").rglob("*schema.json")) - {*plugin_schema.files()}
    assert there == {path for path, _ in schemas.SCHEMAS.values()}


def test_tables_keep_their_columns() -> None:
    """A bar inside a cell divides no cell, and an empty cell stays one."""
    drawn = table(("a", "b"), (code("x | y"), ""), (plain("``on|off``\n  :class:`~z.Z`"), "2"))
    assert drawn.splitlines() == ["| a | b |", "| --- | --- |", "| `x \\| y` | |", "| `on\\|off` `z.Z` | 2 |"]

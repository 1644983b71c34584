"""What is printed gives no command to a CI system's agent and steers no terminal, in any format and by whatever part."""

from __future__ import annotations

import ast
import dataclasses
import html
import json
import re
import unicodedata
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.cli import main
from codat_zoho.drift.command import FORMATS, Output
from codat_zoho.errors import ConfigurationError
from codat_zoho.provider import process
from codat_zoho.provider.process import clean
from codat_zoho.review.report import Environment, FieldChange, Finding, Problem, Review, Step
from codat_zoho.terminal.console import publish
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.report_json import redacted, reworded
from codat_zoho.workspace.yaml_lines import read
from tests.drift_samples import SAMPLE
from tests.real_engine import ROOT
from tests.support import SECRET

HARM = "##vso[task.setvariable variable=x]y #\u200b#[add-path]/tmp\n \ufeff::error::no \x1b[8m\u202e"
REVIEW = Review(
    "main",
    "worktree",
    (
        Environment(
            "shop",
            "prod",
            "Pulumi.prod.yaml",
            "changed",
            (FieldChange("zoho-books", "client_id", "a", "b", file="Pulumi.prod.yaml", line=3),),
            (Step("disable", "Disables it.", ("eu",), "if it is enabled"),),
            ("By hand.",),
            (Finding("rule", "danger", "Mind it.", "Pulumi.prod.yaml", 4),),
            ("Unknown.",),
            (Problem("Broken.", "Pulumi.prod.yaml", 1, "base"),),
        ),
    ),
    cannot_know=("Much.",),
)


def commands(text: str) -> list[str]:
    """What Azure's and GitHub's agents would obey, line by line, with .NET's eyes: blind to what shows nothing."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        seen = "".join(c for c in line if unicodedata.category(c) not in ("Cf", "Cc", "Mn") or c == "\t")
        found += re.findall(r"##\w*\[", seen) + re.findall(r"^\s*(::(?![\d:]*\])\S.*?::)", seen)
    return found


def harmed(value: Any) -> Any:
    """The same report, with harm in each of its texts."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return f"{value}{HARM}"
    if isinstance(value, tuple):
        return tuple(map(harmed, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{one.name: harmed(getattr(value, one.name)) for one in dataclasses.fields(value)}
        )
    return value


def test_the_agents_would_obey_the_harm() -> None:
    """The tests below can fail."""
    assert commands(HARM) == ["##vso[", "##[", "::error::"]


@pytest.mark.parametrize("name", FORMATS)
def test_no_drift_report_commands(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever stands in a state, printed or in a file that a job prints later; JSON says the same as it would."""
    report = harmed(SAMPLE)
    Output(name).write(report)
    printed = capsys.readouterr().out
    Output(name, tmp_path / "report").write(report)
    assert printed == (tmp_path / "report").read_text(encoding="utf-8")
    assert commands(printed) == [] and not re.search("[\x1b\u202e\u200b]", printed)
    if name == "json":
        assert json.loads(printed)["stacks"][0]["project"] == report.stacks[0].project


@pytest.mark.parametrize("name", ["text", "markdown", "json", "annotations"])
def test_no_review_commands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever stands in a pull request; annotations are commands, and hold no others."""
    kept = dataclasses.replace(harmed(REVIEW.environments[0]), status="changed")
    finding = dataclasses.replace(kept.findings[0], level="danger")
    made = dataclasses.replace(harmed(REVIEW), environments=(dataclasses.replace(kept, findings=(finding,)),))
    monkeypatch.setattr("codat_zoho.review.command._review", lambda _: made)
    main(["review", "--format", name])
    printed = capsys.readouterr().out
    found = commands(printed)
    if name == "annotations":
        assert found and all(re.fullmatch("::(error|warning|notice) .*::", one) for one in found)
        assert len(found) == printed.count("\n") and printed.count("::") == 2 * len(found)
    else:
        assert found == []


_TEXTS = st.text(st.sampled_from("##::[]vso \u200b\u00ad\ufeff\n\t\x00\x1b1é\udcff"), max_size=30)


@given(_TEXTS)
def test_no_text_commands(text: str) -> None:
    """Whatever stands between its characters; what was made harmless once stays as it is."""
    made = harmless(text)
    assert commands(made) == [] and harmless(made) == made
    made.encode("utf-8")


@given(_TEXTS)
def test_json_and_markup_mean_the_same(text: str) -> None:
    """Programs read what they would have read, and pages show it."""
    printed = harmless(json.dumps([text]), "json")
    assert commands(printed) == [] and json.loads(printed) == [text]
    page = harmless(html.escape(text), "html")
    assert commands(page) == []
    visible = re.sub(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4})", "", html.unescape(page))
    assert visible == re.sub("[\x00\x1b\u200b\u00ad\ufeff\udcff]", "", text)


def test_an_address_of_ipv6_can_be_copied() -> None:
    """It holds two colons, and commands nobody."""
    assert harmless("export CODAT_URL=http://[::1]:8765/codat") == "export CODAT_URL=http://[::1]:8765/codat"


def test_colours_stay_where_the_package_has_coloured() -> None:
    """Those that it uses, and no other sequence: one may hide text. Elsewhere they are data, and shown."""
    text = "\x1b[31mfail\x1b[0m \x1b[8mhidden"
    assert harmless(text, coloured=True) == "\x1b[31mfail\x1b[0m \\x1b[8mhidden"
    assert harmless(text) == "\\x1b[31mfail\\x1b[0m \\x1b[8mhidden"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("color", [True, False])
def test_a_colour_in_data_colours_nothing(name: str, color: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """A date of an earlier report, say, may hold one: it reaches no file, no page and no terminal."""

    def tinged(value: str) -> str:
        return f"{value}\x1b[1;31mX"

    Output(name, color=color).write(reworded(SAMPLE, tinged))
    printed = capsys.readouterr().out
    assert "\x1b[1;31m" not in printed and ("\x1b" in printed) is (color and name == "text")


def test_the_provider_does_not_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The engine passes on what it says, and its errors."""
    process.say(HARM)
    assert commands(capsys.readouterr().err) == []

    def fail() -> None:
        raise ConfigurationError(HARM)

    with pytest.raises(Exception, match="# #vso") as raised:
        clean(fail)()
    assert commands(str(raised.value)) == []


def test_a_wrong_command_line_does_not_command(capsys: pytest.CaptureFixture[str]) -> None:
    """An error of usage quotes what was typed, by a pipeline say, from a branch's name; a secret stays out."""
    with pytest.raises(SystemExit):
        main(["drift", "--shard", f"##vso[x] {SECRET}"])
    said = capsys.readouterr().err
    assert commands(said) == [] and "# #vso[x]" in said and SECRET not in said


def test_all_is_printed_in_one_place() -> None:
    """No other part prints, or describes its arguments with what would print by itself."""
    allowed = {
        ("terminal/console.py", "print"),
        ("terminal/console.py", "input"),
        ("plugin/server.py", "print"),  # The port, for the engine.
        ("provider/process.py", "print"),  # It has no terminal; what it says is harmless, too.
    }
    found = set()
    for path in sorted((ROOT / "codat_zoho").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in ("print", "input", "argparse.ArgumentParser") or re.match(r"sys\.std(out|err)\.write", name):
                    found.add((path.relative_to(ROOT / "codat_zoho").as_posix(), name))
    assert found - {("terminal/console.py", "sys.stdout.write")} == allowed


def test_a_report_is_redacted_whatever_it_was_read_from() -> None:
    """A data centre's name or a date may come from a file that anybody wrote; each text is one line."""
    report = redacted(harmed(dataclasses.replace(SAMPLE, started=SECRET, tool=f"x\n{SECRET}")))
    assert SECRET not in repr(report) and "\n" not in report.tool
    assert redacted(SAMPLE) == SAMPLE


def test_a_console_that_says_it_is_no_utf8_gets_references(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An HTML page or XML says that it is UTF-8, so what is printed of it is ASCII where the console is another."""
    with (tmp_path / "out").open("w", encoding="cp1252") as out:
        monkeypatch.setattr("sys.stdout", out)
        publish("<p>é ✖</p>", "html")
    assert (tmp_path / "out").read_bytes() == b"<p>&#233; &#10006;</p>"


def test_nested_values_are_told_apart_at_once() -> None:
    """What names a value grows with it, and not with two to the power of its depth."""
    one, other = (read(f"a: {'[{a: ' * 15}{leaf}{'}]' * 15}".encode())["a"].identity for leaf in "12")
    assert one != other and len(one) == len(other) < 1000

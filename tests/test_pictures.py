"""Pictures in the documentation show what really happens."""

from __future__ import annotations

import re
import struct
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import pytest

from codat_zoho.testing import CLIENT_SECRET
from tests.real_engine import ROOT
from tools import screenshots, terminal_svg
from tools.stage import normalised

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()


def _shown(svg: str) -> str:
    """The lines of a drawn terminal, each put together from its pieces of one colour."""
    lines: dict[str, str] = defaultdict(str)
    for piece in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        if "clip-path" in piece.attrib:
            lines[piece.attrib["clip-path"]] += (piece.text or "").replace("\xa0", " ").strip("\n")
    return "\n".join(lines.values())


@pytest.mark.engine
def test_the_picture_of_drift_is_what_drift_prints() -> None:
    """Nobody typed it: run again today, `codat-zoho drift` says the same, times aside. Else: tools/terminal_svg.py."""
    text, code = terminal_svg.perform()
    assert code == 7
    drawn, now = terminal_svg.PICTURE.read_text(), terminal_svg.svg(text, code)
    assert normalised(_shown(drawn)) == normalised(_shown(now))
    assert CLIENT_SECRET not in drawn


def test_the_picture_of_review_is_what_review_prints() -> None:
    """As above, of a change that is dangerous in one environment and not in the other. It needs no engine."""
    text, code = terminal_svg.perform_review()
    assert code == 7
    drawn, now = terminal_svg.OF_REVIEW.read_text(), terminal_svg.svg(text, code, terminal_svg.REVIEW)
    assert normalised(_shown(drawn)) == normalised(_shown(now))


def test_lines_break_as_on_a_terminal() -> None:
    """A long line loses nothing, keeps its colour, and what is special in XML stays text."""
    line = f"\x1b[33m{'x' * 120}<&>\x1b[0m end"
    svg = terminal_svg.svg(line, 0)
    shown = _shown(svg).splitlines()
    assert shown[1:3] == ["x" * 110, "x" * 10 + "<&> end"]
    (yellow,) = re.findall(r"\.(drift-r\d) \{ fill: #d0b344", svg)
    assert svg.count(f'<text class="{yellow}"') == 2
    assert "url(http" not in svg and "@font-face" not in svg
    assert shown[-2:] == ["$ echo $?", "0"]


@pytest.mark.engine
@pytest.mark.skipif(not screenshots.browser(), reason="no chromium, chrome, edge or firefox here")
def test_the_picture_of_the_report_shows_what_drift_writes(tmp_path: Path) -> None:
    """A browser opens the report of a real run, and the committed picture shows the same one. Else: make pictures."""
    html, by, target = screenshots.report(), screenshots.browser(), tmp_path / "taken.png"
    assert by and CLIENT_SECRET not in html
    screenshots.photograph(html, by, target)
    for picture in (target, screenshots.PICTURE):
        png = picture.read_bytes()
        assert png.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", png[16:24]) == screenshots.SIZE
        assert screenshots.remembered(picture) == screenshots.shown(html), "run: make pictures"
        assert 20_000 < len(png) < 150_000
    assert b"drift-report.png" in (ROOT / "docs/drift.md").read_bytes()


def test_without_a_browser_the_picture_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The site builds on a machine without a browser, and one line says that the committed picture is used."""
    before = screenshots.PICTURE.read_bytes()
    monkeypatch.setenv("PATH", "")
    assert screenshots.main() == 0
    assert capsys.readouterr().out == (
        "No browser here (chromium, chrome, edge, firefox): drift-report.png stays as committed.\n"
    )
    assert screenshots.PICTURE.read_bytes() == before


def test_without_an_engine_the_picture_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Building the site builds no engine."""
    browser = tmp_path / "bin" / "firefox"
    browser.parent.mkdir()
    browser.write_text("#!/bin/sh\nexit 1\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(browser.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert screenshots.main() == 0
    assert capsys.readouterr().out == "No pulumi engine here: drift-report.png stays as committed.\n"


def test_the_readme_shows_them() -> None:
    """The first screen of the README has a picture of a drift and one of a review."""
    start = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    for picture in (terminal_svg.PICTURE, terminal_svg.OF_REVIEW):
        assert str(picture.relative_to(ROOT)) in start


def _diagrams() -> list[str]:
    return re.findall(r"(?ms)^```mermaid\n(.*?)^```$", ARCHITECTURE)


def test_the_parts_are_the_layers_that_the_linter_holds() -> None:
    """The picture has one box for each layer of import-linter's contract, from the top down; arrows say no more."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    parts = _diagrams()[0]
    assert re.findall(r'(?m)^ *\w+\["(.*?)(?:<br>.*)?"\]$', parts) == layers
    assert re.findall(r"\w+ --> \w+(?: --> \w+)*", parts) == [" --> ".join(re.findall(r"(?m)^ *(\w+)\[", parts))]


def test_the_way_of_the_data_names_what_exists() -> None:
    """No box stands for a part that was renamed or removed."""
    named = re.findall(r"<b>(\w+)</b>", _diagrams()[1])
    assert len(named) > 4
    for part in named:
        assert (ROOT / "codat_zoho" / part).is_dir(), part


def test_the_page_of_the_architecture_names_what_exists() -> None:
    """Files, folders and targets that contributors are sent to are there."""
    named = re.findall(r"`([\w./*-]+(?:\.py|\.toml|/))`", ARCHITECTURE)
    assert len(named) > 8
    for path in named:
        assert [*ROOT.glob(path), *(ROOT / "codat_zoho").rglob(path)], path
    targets = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([\w-]+)`", ARCHITECTURE):
        assert f"\n{target}:" in targets, target

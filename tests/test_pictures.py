"""Pictures in the documentation show what really happens."""

from __future__ import annotations

import re
import struct
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import grimp
import pytest
import yaml

from codat_zoho.testing import CLIENT_SECRET
from tests.real_engine import ROOT
from tools import pictures, screenshots, terminal_svg

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def _shown(svg: str) -> str:
    lines = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return "\n".join("".join(line.itertext()) for line in lines)


@pytest.mark.engine
def test_the_picture_of_drift_is_what_drift_prints() -> None:
    """Nobody typed it: run again today, `codat-zoho drift` says the same, times aside. Else: tools/terminal_svg.py."""
    text, code = terminal_svg.perform()
    assert code == 7
    drawn, now = terminal_svg.PICTURE.read_text(), terminal_svg.svg(text, code)
    assert terminal_svg.normalised(_shown(drawn)) == terminal_svg.normalised(_shown(now))
    assert CLIENT_SECRET not in drawn


def test_lines_break_as_on_a_terminal() -> None:
    """A long line loses nothing, keeps its colour, and what is special in XML stays text."""
    line = f"\x1b[33m{'x' * 120}<&>\x1b[0m end"
    svg = terminal_svg.svg(line, 0)
    shown = _shown(svg).splitlines()
    assert shown[1:3] == ["x" * 110, "x" * 10 + "<&> end"]
    assert svg.count('fill="#daaa3f"') == 2
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


def test_the_readme_shows_it() -> None:
    """The first screens of the README have the picture."""
    start = "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
    assert str(terminal_svg.PICTURE.relative_to(ROOT)) in start


def _boxes(name: str) -> dict[str, dict[str, str]]:
    given: dict[str, dict[str, str]] = yaml.safe_load((pictures.FOLDER / name).read_text())["boxes"]
    return given


def _arrows(name: str) -> set[tuple[str, str]]:
    given = yaml.safe_load((pictures.FOLDER / name).read_text())["arrows"]
    return {(arrow.start, arrow.end) for arrow in map(pictures.Arrow.parse, given)}


def _modules(box: dict[str, str]) -> set[str]:
    return set(box.get("modules", "").split())


@pytest.fixture(scope="module")
def imports() -> set[tuple[str, str]]:
    """Who imports whom: modules and folders directly in codat_zoho, and packages from outside."""
    graph = grimp.build_graph("codat_zoho", include_external_packages=True, cache_dir=None)

    def short(module: str) -> str:
        package, _, rest = module.partition(".")
        return rest.partition(".")[0] if package == "codat_zoho" else package

    found = {
        (short(module), short(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return {(one, other) for one, other in found if one and other and one != other}


@pytest.mark.parametrize("name", ["parts.yaml", "flow.yaml"])
def test_the_drawn_picture_is_its_text(name: str) -> None:
    """Who changes the text draws it again; `make check` asks the same."""
    source = pictures.FOLDER / name
    assert source.with_suffix(".svg").read_text() == pictures.svg(source.read_text()), "run: make reference"


@pytest.mark.parametrize("name", ["parts.yaml", "flow.yaml"])
def test_pictures_name_what_exists(name: str) -> None:
    """No box stands for a module that was renamed or removed."""
    for box in _boxes(name).values():
        for module in _modules(box):
            assert (ROOT / "codat_zoho" / module).is_dir() or (ROOT / f"codat_zoho/{module}.py").is_file(), module


def test_the_parts_import_each_other_as_drawn(imports: set[tuple[str, str]]) -> None:
    """Each module is in one box, and the arrows are the imports between boxes: none is missing, none is made up."""
    boxes = _boxes("parts.yaml")
    names = [module for box in boxes.values() for module in _modules(box)]
    there = {
        path.stem for path in (ROOT / "codat_zoho").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert sorted(names) == sorted(there - {"__init__"})
    box_of = {module: name for name, box in boxes.items() for module in _modules(box)}
    free = {name for name, box in boxes.items() if box.get("imported by") == "any"}
    frees = {name for name, box in boxes.items() if box.get("imports") == "any"}
    real = {(box_of[one], box_of[other]) for one, other in imports if one in box_of and other in box_of}
    assert {(one, other) for one, other in real if one != other and other not in free and one not in frees} == _arrows(
        "parts.yaml"
    )


def test_the_parts_use_from_outside_what_is_said(imports: set[tuple[str, str]]) -> None:
    """Which part knows pulumi, httpx and pydantic is as the picture says, in its data and in its words."""
    outside = {"httpx", "pulumi", "pulumi_policy", "pydantic", "pytest"}
    for name, box in _boxes("parts.yaml").items():
        used = {other for one, other in imports if one in _modules(box)} & outside
        assert used == set(box.get("uses", "").split()), name
        if "pulumi" in used and name != "testing":
            assert "uses pulumi" in box["text"], name


def test_the_parts_contradict_no_contract() -> None:
    """No arrow is drawn where a contract of import-linter forbids the import."""
    boxes = _boxes("parts.yaml")
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert len(contracts) >= 6

    def short(modules: list[str]) -> set[str]:
        return {module.removeprefix("codat_zoho.").partition(".")[0] for module in modules}

    for contract in contracts:
        sources, forbidden = short(contract["source_modules"]), short(contract["forbidden_modules"])
        for start, end in _arrows("parts.yaml"):
            assert not (_modules(boxes[start]) & sources and _modules(boxes[end]) & forbidden), contract["name"]
        for name, box in boxes.items():
            if _modules(box) <= sources:
                assert not set(box.get("uses", "").split()) & forbidden, f"{contract['name']}: {name}"


@pytest.mark.parametrize(
    ("boxes", "arrow", "why"),
    [
        ({"a": (0, "0-3"), "b": (1, "0-5"), "c": (2, "0-3")}, "a -> c", "no straight way: a -> c"),
        ({"a": (0, "0-3"), "c": (1, "5-8")}, "a -> c", "no straight way"),
        ({"a" * 30: (0, "0-3"), "c": (1, "0-3")}, "c -> c", "too wide for its box"),
        ({"a": (0, "0-3"), "c": (1, "0-3")}, "a -> c: " + "word " * 9, "too wide for the picture"),
    ],
)
def test_a_picture_that_could_not_be_read_is_refused(boxes: dict[str, tuple[int, str]], arrow: str, why: str) -> None:
    """An arrow through a box, or text beyond its place, is an error and not a bad picture."""
    drawn = {name: {"row": row, "columns": columns, "text": name} for name, (row, columns) in boxes.items()}
    with pytest.raises(ValueError, match=why):
        pictures.svg(yaml.safe_dump({"title": "t", "boxes": drawn, "arrows": [arrow]}))


def test_an_arrow_goes_round_what_stands_between() -> None:
    """It finds the free column beside a box, and what is special in XML stays text."""
    drawn = pictures.svg(
        "title: a <b>\nboxes:\n  a: {row: 0, columns: 0-5, text: a}\n  b: {row: 1, columns: 0-3, text: b}\n"
        "  c: {row: 2, columns: 0-5, text: c | '<c>'}\narrows: [a -> c]\n"
    )
    picture = ET.fromstring(drawn)
    (line,) = picture.iter("{http://www.w3.org/2000/svg}path")
    assert int(line.attrib["d"].split()[0][1:]) > pictures.EDGE + 4 * pictures.UNIT
    assert "'<c>'" in "".join(picture.itertext())


def test_the_page_of_the_architecture_names_what_exists() -> None:
    """Files, folders and targets that contributors are sent to are there."""
    text = (ROOT / "docs/architecture.md").read_text()
    for path in re.findall(r"`((?:tests|codat_zoho|pyproject)[\w/.*]+)`", text):
        assert path.startswith("codat_zoho._") or list(ROOT.glob(path)), path
    targets = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([\w-]+)`", text):
        assert f"\n{target}:" in targets, target

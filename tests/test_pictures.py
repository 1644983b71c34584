"""Pictures in the documentation show what really happens."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from codat_zoho.testing import CLIENT_SECRET
from tests.real_engine import ROOT
from tools import terminal_svg


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


def test_the_readme_shows_it() -> None:
    """The first screens of the README have the picture."""
    start = "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
    assert str(terminal_svg.PICTURE.relative_to(ROOT)) in start

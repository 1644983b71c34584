"""How the tests' and the demo's engine is found, and what is said while one is got."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest

from tools import engine


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def without_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with neither an engine nor anything to get one with."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CODAT_ZOHO_ENGINE", "build")


@pytest.mark.usefixtures("without_engine")
def test_what_it_takes_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    """How long it takes, and what could be installed instead; before anything is tried, and once."""
    assert engine.main(["notice"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("pulumi: there is no engine here.")
    assert "about 4 minutes" in said and engine.INSTALL_PAGE in said and engine.MINIMUM in said
    assert engine.main([]) == 1
    assert capsys.readouterr().err.startswith(f"{said}pulumi: built with Go: no `go` on PATH")


def test_nothing_is_said_where_there_is_an_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine on PATH needs no word."""
    for name, text in {"pulumi": "echo v3.259.0", "pulumi-language-python": ""}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.main(["notice"]) == 0
    assert capsys.readouterr().err == ""


def test_one_line_moves_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passing line makes way for the next, however long; a lasting one stays."""
    monkeypatch.setattr(sys, "stderr", shown := Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    engine.show("building, 1 s, and much more than fits" + engine.PASSING)
    engine.show("done")
    assert shown.getvalue() == "\r\033[Kbuilding, 1 s, and \r\033[Kdone\n"


def test_elsewhere_each_line_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A log gets plain lines, whole."""
    engine.show("building, 1 s" + engine.PASSING)
    engine.show("done")
    assert capsys.readouterr().err == "building, 1 s\ndone\n"

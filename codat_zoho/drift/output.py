"""Where reports go, and in which format."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codat_zoho.drift.report import Report

FORMATS = ("text", "json", "markdown", "junit", "html")
"""Each is a module of its own in ``formats``, imported when it is asked for."""


@dataclass(frozen=True)
class Output:
    """One report to write; without a path it is printed."""

    format: str
    path: Path | None = None
    color: bool = False

    def write(self, report: Report) -> None:
        """Draw the report and write it, at once or not at all."""
        options = {"color": self.color} if self.format == "text" else {}
        text = import_module(f"codat_zoho.drift.formats.{self.format}").draw(report, **options)
        if self.path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        elif self.path.exists() and not self.path.is_file():
            self.path.write_text(text, encoding="utf-8")  # A pipe or a device cannot be replaced.
        else:
            _replace(self.path, text)


def _replace(path: Path, text: str) -> None:
    # What reads it meanwhile, and a run that is killed, never meet half a report.
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        new.touch(exist_ok=False)
        if path.exists():
            shutil.copymode(path, new)
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def output(text: str) -> Output:
    """Read what ``--report`` is given."""
    name, _, path = text.partition("=")
    if name not in FORMATS or not path:
        raise ArgumentTypeError(f"{text!r} is not like json=drift.json; the formats are {', '.join(FORMATS)}")
    return Output(name, writable(path))


def writable(text: str) -> Path:
    """Refuse a file that cannot be written, before anything runs."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path} cannot be written: it is a folder")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path} cannot be written: its folder does not exist")
    return path


def outputs(arguments: argparse.Namespace) -> list[Output]:
    """The reports to write: what is printed, or written instead, and further ones."""
    return [Output(arguments.format, arguments.output, _color(arguments)), *arguments.report]


def _color(arguments: argparse.Namespace) -> bool:
    if arguments.no_color or os.environ.get("NO_COLOR") or arguments.output:
        return False
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

"""Runs what the documentation tells a reader to type.

A fenced block says in its info string how it is checked: ``sh session=NAME`` runs each line in a shell, with
``terminal=NAME`` in another one that stays open, and with ``typed=TEXT`` given to what asks. A comment ``exit 7`` is
what the line must exit with, else 0.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"(?ms)^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$")
_END = "--end-of-line--"


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    how: dict[str, str]
    text: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    content, found = page.read_text(encoding="utf-8"), []
    for match in _FENCE.finditer(content):
        language, *words = shlex.split(match["info"]) or [""]
        how = {word.partition("=")[0]: word.partition("=")[2] for word in words}
        found.append(Block(page, content.count("\n", 0, match.start()) + 1, language, how, match["text"]))
    return found


def exit_code(line: str) -> int:
    """What the page says that a line exits with."""
    said = re.search(r"#.*\bexit (\d+)", line)
    return int(said[1]) if said else 0


class Terminal:
    """A shell that keeps what is exported, as a reader's does."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, line: str, typed: str = "") -> tuple[int, str]:
        """Run a line and return its exit code and what it printed."""
        source = f"<<<{shlex.quote(typed)}" if typed else "</dev/null"
        self._send(f"{{ {line}\n}} {source}; echo {_END}$?")
        said = ""
        for printed in self._lines():
            before, end, code = printed.partition(_END)
            said += before
            if end:
                return int(code), said
        raise AssertionError(f"the shell ended at: {line}\n{said}")

    def start(self, line: str, until: str) -> str:
        """Start something that stays, and return the line that has ``until``."""
        self._send(line)
        return next(printed for printed in self._lines() if until in printed)

    def close(self) -> None:
        """End the shell and all that it started."""
        assert self._shell.stdin and self._shell.stdout
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, 9)
        self._shell.wait()
        self._shell.stdin.close()
        self._shell.stdout.close()

    def _send(self, text: str) -> None:
        assert self._shell.stdin
        self._shell.stdin.write(text + "\n")
        self._shell.stdin.flush()

    def _lines(self) -> Iterable[str]:
        assert self._shell.stdout
        return self._shell.stdout

"""Runs what the documentation shows: every fenced block says in its info string how it is checked.

``sh session=NAME``
    Typed line by line, in the page's order. A comment ``exit 7`` is what the line exits with, else 0. Further words:
    ``terminal=NAME`` types in another shell, ``typed=TEXT`` answers what asks, ``given=NAME`` is what somebody did
    before, ``then=NAME`` what has to be so afterwards.
``text session=NAME``
    What the line before printed. ``...`` stands for what is left out; times, ids and ports may be others. Nobody types
    these: ``UPDATE_GOLDEN=1`` writes what is printed today.
``LANGUAGE session=NAME save=FILE``
    Written to this file of the session's folder, for the lines that follow.
``LANGUAGE same-as=FILE``
    These lines stand in this file of the repository.
``LANGUAGE tested=FILE::TEST``
    That test takes the block from the page.

A session begins where its function in ``docs_sessions`` puts the reader.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

from tools.stage import normalised

_FENCE = re.compile(r"(?ms)^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$")
_END = "--end-of-line--"
_SECONDS = 300
_BASE = "http://127.0.0.1:8765"
"""Where a simulator is by default; in a test it takes any free port."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    how: dict[str, str]
    text: str

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.page.name}:{self.line}"

    def lines(self) -> list[str]:
        """What is typed; a line that ends with a backslash goes on."""
        return self.text.replace("\\\n", "").splitlines()

    def becomes(self, text: str) -> None:
        """Write another text into the page."""
        lines = self.page.read_text(encoding="utf-8").splitlines(keepends=True)
        at = next(
            at for at, line in enumerate(lines) if at >= self.line - 1 and "".join(lines[at:]).startswith(self.text)
        )
        lines[at : at + self.text.count("\n")] = [text.strip("\n") + "\n"]
        self.page.write_text("".join(lines), encoding="utf-8")


def blocks(page: Path, session: str = "") -> list[Block]:
    """All fenced blocks of a page, or those of a session, in order."""
    content, found = page.read_text(encoding="utf-8"), []
    for match in _FENCE.finditer(content):
        language, *words = shlex.split(match["info"]) or [""]
        how = {word.partition("=")[0]: word.partition("=")[2] for word in words}
        if not session or how.get("session") == session:
            found.append(Block(page, content.count("\n", 0, match.start()) + 1, language, how, match["text"]))
    return found


def outside(page: Path) -> str:
    """The page without its fenced blocks, so that what looks like one and is none can be found."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def exit_code(line: str) -> int:
    """What the page says that a line exits with."""
    said = re.search(r"#.*\bexit (\d+)", line)
    return int(said[1]) if said else 0


def shows(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed, but for ``...`` and what differs in each run."""
    parts = re.split(r"(?m)^\.\.\.$\n?|\.\.\.", _steady(shown))
    return re.fullmatch(".*".join(map(re.escape, parts)), _steady(printed), re.DOTALL) is not None


def _steady(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>", normalised(text))
    text = re.sub(r"\([0-9a-f]{8}\)", "(<commit>)", text)
    return re.sub(r"(?<=127\.0\.0\.1:)\d+", "<port>", text).strip("\n") + "\n"


@dataclass
class Reader:
    """Somebody who reads a page: where, with which settings, and what the page leaves to them.

    Args:
        folder: where the first line is typed.
        environment: of the shells.
        filled_in: what stands on the page for something of the reader's own, and what they type instead.
        events: what the words ``given`` and ``then`` name.
    """

    folder: Path
    environment: Mapping[str, str]
    filled_in: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    said: str = ""

    def reads(self, page: Path, session: str) -> None:
        """Do what a session of a page says, and compare with what it shows."""
        with _Terminals(self.folder, self.environment) as terminals:
            base, printed = _BASE, ""
            for block in blocks(page, session):
                self._happens(block.how.get("given"))
                if "save" in block.how:
                    (self.folder / block.how["save"]).write_text(block.text)
                elif block.language == "text":
                    if os.environ.get("UPDATE_GOLDEN") and not shows(block.text, printed):
                        block.becomes(printed)
                    else:
                        assert shows(block.text, printed), f"{block.where} shows not what is printed:\n{printed}"
                else:
                    terminal = terminals.named(block.how.get("terminal", ""))
                    for line in filter(None, block.lines()):
                        command = self.types(line).replace(_BASE, base)
                        if not command:
                            continue  # a comment
                        if re.match(r"\S*codat-zoho simulate\b", command):
                            base = terminal.start(f"{command} --port 0", r"export CODAT_URL=(\S+)/codat\b")
                            continue
                        code, printed = terminal.run(command, self._filled(block.how.get("typed", "")))
                        self.said += printed
                        assert code == exit_code(line), f"{block.where}: {line}\nexit {code}: {printed}"
                self._happens(block.how.get("then"))

    def types(self, line: str) -> str:
        """The line as this reader types it, who says yes."""
        command = self._filled(re.sub(r"(^|\s+)# .*", "", line))
        asks = re.match(r"(\w+=\S+ )*(pulumi (up|destroy)|codat-zoho adopt .*--run)\b", command)
        return f"{command} --yes" if asks else command

    def _filled(self, text: str) -> str:
        for shown, own in self.filled_in.items():
            text = text.replace(shown, own)
        return text

    def _happens(self, name: str | None) -> None:
        if name:
            self.events[name]()


class Terminal:
    """A shell that keeps what is exported, as a reader's does."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, line: str, typed: str = "") -> tuple[int, str]:
        """Run a line and return its exit code and what it printed."""
        source = f"<<<{shlex.quote(typed)}" if typed else "</dev/null"
        return self._until(f"{{ {line}\n}} {source}; echo {_END}$?")

    def start(self, line: str, shows: str) -> str:
        """Start something that stays, and return what it shows: the first group of the expression."""
        self._send(line)
        for printed in self._lines():
            if found := re.search(shows, printed):
                return found[1]
        raise AssertionError(f"the shell ended at: {line}")

    def close(self) -> None:
        """End the shell and all that it started."""
        assert self._shell.stdin and self._shell.stdout
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, 9)
        self._shell.wait()
        self._shell.stdin.close()
        self._shell.stdout.close()

    def _until(self, line: str) -> tuple[int, str]:
        said, limit = "", Timer(_SECONDS, os.killpg, (self._shell.pid, 9))
        limit.start()
        try:
            self._send(line)
            for printed in self._lines():
                before, end, code = printed.partition(_END)
                said += before
                if end:
                    return int(code), said
        finally:
            limit.cancel()
        raise AssertionError(f"the shell ended, or the line took over {_SECONDS} s: {line}\n{said}")

    def _send(self, text: str) -> None:
        assert self._shell.stdin
        self._shell.stdin.write(text + "\n")
        self._shell.stdin.flush()

    def _lines(self) -> Iterable[str]:
        assert self._shell.stdout
        return self._shell.stdout


class _Terminals:
    """The shells of a session, by name; all are closed in the end."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._open: dict[str, Terminal] = {}

    def __enter__(self) -> _Terminals:
        return self

    def __exit__(self, *_: object) -> None:
        for terminal in self._open.values():
            terminal.close()

    def named(self, name: str) -> Terminal:
        """The shell of this name."""
        if name not in self._open:
            self._open[name] = Terminal(self._folder, self._environment)
        return self._open[name]

"""What the commands share at a terminal: what they print, questions, remarks, files that are not overwritten."""

from __future__ import annotations

import argparse
import errno
import getpass
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.redact import redact, register


class Parser(argparse.ArgumentParser):
    """Describes a command. Help and errors are printed as all else is: an error quotes what was typed."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stderr:
            say(message, end="")
        else:
            publish(message)


def at_terminal(stream: IO[str] | None) -> bool:
    """Tell whether a standard stream is a terminal; one that is closed is not there at all."""
    return stream is not None and stream.isatty()


def interactive() -> bool:
    """Tell whether somebody can be asked."""
    return at_terminal(sys.stdin)


def given(variable: str, question: str = "", *, secret: bool = False) -> str | None:
    """Find a value in the environment, or ask the question, if any, where somebody can be asked."""
    value = os.environ.get(variable)
    if not value and question and interactive():
        value = (getpass.getpass(f"{question} (not shown): ") if secret else ask(f"{question}: ")).strip()
    if secret:
        register(value)
    return value or None


def ask(question: str) -> str:
    """Ask, and go on at the end of input as if nothing had been said. A result that is piped holds no question."""
    if not at_terminal(sys.stdout):
        say(question, end="")
        question = ""
    try:
        return input(harmless(question)).strip()
    except EOFError:
        show()
        return ""


def confirmed(question: str) -> bool:
    """Ask for a yes; refuses where nobody can be asked."""
    if not interactive():
        raise ConfigurationError("There is no terminal to ask at; nothing was changed.", "Use --yes to go on unasked.")
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")


def say(text: str, end: str = "\n") -> None:
    """Narrate on stderr, so that the result on stdout can be piped. What nobody can read is not worth an error."""
    if sys.stderr is None:
        return
    try:
        print(harmless(redact(text)), end=end, file=sys.stderr, flush=True)
    except OSError:
        give_up(sys.stderr)


def remark(text: str) -> None:
    """Say on stderr what the result does not, and who says so."""
    say(f"codat-zoho: {text}")


def animated() -> bool:
    """Tell whether stderr shows a line that changes in its place, as a CI system's log does not."""
    return at_terminal(sys.stderr) and not os.environ.get("CI")


def redraw(line: str) -> None:
    """Put a line in the place of the one before it, on a terminal."""
    try:
        print(f"\r\x1b[K{harmless(redact(line))}", end="", file=sys.stderr, flush=True)
    except OSError:  # The terminal is gone.
        give_up(sys.stderr)


def reveal(text: str = "") -> bool:
    """Show lines that belong into no log on the terminal itself, wherever stdout and stderr lead; False without one.

    What a CI system gives its jobs for a terminal is a log.
    """
    if os.environ.get("CI"):
        return False
    try:
        with Path("CONOUT$" if os.name == "nt" else "/dev/tty").open("w", encoding="utf-8") as terminal:
            terminal.write(f"{harmless(text)}\n" if text else "")
    except OSError:
        return False
    return True


@contextmanager
def aside() -> Iterator[None]:
    """Have a program that is started meanwhile write to the terminal, or nowhere: it may say what it was given."""
    saved: dict[int, int] = {}
    with suppress(OSError):
        terminal = os.open("/dev/tty" if reveal() and os.name != "nt" else os.devnull, os.O_WRONLY)
        for number in (1, 2):
            with suppress(OSError):  # It is closed.
                saved[number] = os.dup(number)
                os.dup2(terminal, number)
        os.close(terminal)
    try:
        yield
    finally:
        for number, before in saved.items():
            os.dup2(before, number)
            os.close(before)


def show(text: str = "", *, coloured: bool = False) -> None:
    """Print one or more lines of a result."""
    publish(f"{redact(text)}\n", coloured=coloured)


def publish(text: str, form: str = "text", file: Path | None = None, *, coloured: bool = False) -> None:
    """Write a result to a file, at once or not at all, or else to stdout; for the rest, see :func:`harmless`.

    Raises:
        ConfigurationError: it cannot be written.
        BrokenPipeError: whoever read stdout went away.
    """
    text = harmless(text, form, coloured=coloured)
    try:
        if file is None:
            _print(text, form)
        elif file.exists() and not file.is_file():
            file.write_text(text, encoding="utf-8")  # A pipe or a device cannot be replaced.
        else:
            _replace(Path(os.path.realpath(file)), text)  # A link stays, and leads to the new text.
    except OSError as problem:
        if file is None:
            give_up(sys.stdout)
        if isinstance(problem, BrokenPipeError):
            raise
        raise ConfigurationError(
            f"{file or 'Standard output'} cannot be written: {problem.strerror or problem}."
        ) from None


def _print(text: str, form: str) -> None:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    if form in ("html", "junit") and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        text = text.encode("ascii", "xmlcharrefreplace").decode()  # They say that they are UTF-8.
    sys.stdout.write(text)
    sys.stdout.flush()


def give_up(stream: IO[str] | None) -> None:
    """Let a stream that cannot be written swallow what is left in it, which Python would complain of at its end."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


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


def refuse_unwritable(*files: Path) -> None:
    """Refuse to overwrite any of these files, and what cannot be made; call it before anything is done."""
    there = [file.name for file in files if file.exists()]
    if there:
        raise ConfigurationError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already, and nothing is overwritten.",
            "Move what is there away.",
        )
    for file in files:
        write_new(file, "")
        file.unlink()


def write_new(file: Path, text: str) -> None:
    """Write a new file for its owner's eyes: whoever else may read it is for the owner to say."""
    opened = None
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        if opened is not None:  # Half of it is no use, and may be half a secret.
            file.unlink(missing_ok=True)
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.", "Name a file that can be.") from None

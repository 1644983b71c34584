"""What the commands share at a terminal: questions, remarks, files that are not overwritten."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import redact, register


def interactive() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty()


def given(variable: str, question: str = "", *, secret: bool = False) -> str | None:
    """Find a value in the environment, or ask the question, if any, where somebody can be asked."""
    value = os.environ.get(variable)
    if not value and question and interactive():
        value = (getpass.getpass(f"{question} (not shown): ") if secret else ask(f"{question}: ")).strip()
    if secret:
        register(value)
    return value or None


def ask(question: str) -> str:
    """Ask, and go on at the end of input as if nothing had been said."""
    try:
        return input(question).strip()
    except EOFError:
        print()
        return ""


def confirmed(question: str) -> bool:
    """Ask for a yes; refuses where nobody can be asked."""
    if not interactive():
        raise ConfigurationError("There is no terminal to ask at; nothing was changed.", "Use --yes to go on unasked.")
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")


def say(text: str) -> None:
    """Narrate on stderr, so that the result on stdout can be piped. Nobody may listen: what is begun is still ended."""
    try:
        print(redact(text), file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def remark(text: str) -> None:
    """Say on stderr what the result does not, and who says so."""
    say(f"codat-zoho: {text}")


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
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.", "Name a file that can be.") from None

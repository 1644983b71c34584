"""What commands share: an HTTP client with the debug log, and questions to a person."""

from __future__ import annotations

import atexit
import getpass
import os
import sys

from codat_zoho.errors import ConfigurationError
from codat_zoho.remote.http import Http
from codat_zoho.terminal.output import remark
from codat_zoho.texts.debug_flags import counting, debugging
from codat_zoho.texts.redact import register


def http(client: Http | None = None) -> Http:
    """Let a client log and count its calls as ``CODAT_ZOHO_DEBUG`` and ``CODAT_ZOHO_CALLS`` ask it to."""
    client = client or Http()
    client.budget.say = remark
    if counting():
        atexit.register(lambda: remark(client.budget.summary()))
    if debugging():
        client.log = remark
    return client


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

"""What commands share: an HTTP client with the debug log, and questions to a person."""

from __future__ import annotations

import atexit
import getpass
import os
import sys

from codat_zoho.errors import ConfigurationError
from codat_zoho.remote.http import Http
from codat_zoho.texts.debug_flags import counting, debugging
from codat_zoho.texts.redact import redact, register


def http(client: Http | None = None) -> Http:
    """Make an HTTP client, or make one do what users can ask of it.

    With ``CODAT_ZOHO_DEBUG=1`` it logs each exchange to stderr, redacted; with ``CODAT_ZOHO_CALLS=1`` it says how many
    calls were made when the program ends.
    """
    client = client or Http()
    client.budget.say = _say
    if counting():
        atexit.register(lambda: _say(client.budget.summary()))
    if debugging():
        client.log = _say
    return client


def _say(line: str) -> None:
    print(redact(f"codat-zoho: {line}"), file=sys.stderr, flush=True)


def interactive() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty()


def given(variable: str, question: str = "", *, secret: bool = False) -> str | None:
    """Find a value in the environment, or ask for it where somebody can be asked. Never on a command line.

    Args:
        variable: the environment variable.
        question: to ask where the variable is not set; empty asks nothing.
        secret: do not show what is typed, and keep it out of all texts from now on.
    """
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
    """Ask for a yes.

    Raises:
        ConfigurationError: nobody can be asked.
    """
    if not interactive():
        raise ConfigurationError("Nobody can be asked here, and nothing was changed.", "Say --yes to go on.")
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")

"""What one provider process knows: the stack's configuration and one HTTP client, shared by all resources."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import pulumi

from codat_zoho._http import Http
from codat_zoho._provider.verdicts import shared
from codat_zoho._redact import redact
from codat_zoho.codat import Codat
from codat_zoho.environment import Environment
from codat_zoho.errors import CodatZohoError
from codat_zoho.plan import ProbeResult
from codat_zoho.settings import fingerprint
from codat_zoho.zoho import probe

__all__ = ["CONTEXT", "Context", "clean", "debugging", "say"]

P = ParamSpec("P")
R = TypeVar("R")


def debugging() -> bool:
    """``CODAT_ZOHO_DEBUG=1`` asks for tracebacks and a request log, both redacted, on stderr."""
    return os.environ.get("CODAT_ZOHO_DEBUG", "") not in ("", "0")


def say(text: str) -> None:
    """Print a line for the user; the engine shows what the provider process prints."""
    print(redact(f"codat-zoho: {text}"), file=sys.stderr, flush=True)


class Context:
    """The process's one HTTP client, its settings (:class:`Environment`), and the answers that Zoho gave already."""

    def __init__(self, http: Http | None = None) -> None:
        self.environment = Environment()
        self.http = http or Http()
        self._verdicts: dict[tuple[str, str], ProbeResult] = {}
        self._asking = Lock()
        self.checked: set[str] = set()
        """Connections whose inputs were checked in this process, see ``integration.diff``."""

    def configure(self, get: Callable[[str], Any]) -> None:
        """Take the stack's configuration."""
        self.environment = Environment.of(get)
        if debugging():
            self.http.log = say

    def codat(self, connection: str) -> Codat:
        """Start an operation on the Codat client of a connection."""
        return self.environment.codat(self.http, connection)

    def ask_zoho(self, code: str, client_id: str, client_secret: str) -> ProbeResult:
        """Ask a data centre whether it accepts id and secret, at most once per process: Zoho counts every request."""
        question = code, fingerprint(client_id, client_secret)
        url = self.environment.zoho_url()
        with self._asking:
            if question not in self._verdicts:
                self._verdicts[question] = shared(
                    (*question, url or ""), lambda: probe(self.http, code, client_id, client_secret, url=url)
                )
            return self._verdicts[question]

    def verify(self, declared: str) -> str:
        """When to ask Zoho: as declared, unless ``CODAT_ZOHO_VERIFY`` says otherwise."""
        return self.environment.verify(declared)


CONTEXT = Context()


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let nothing but a one-line error out of a provider method.

    The SDK shows a whole traceback of whatever a method raises, with its text as it is, and hangs for ever on what is
    no ``Exception``. A class that claims to be a builtin, raised from nothing, is shown as ``Name: text``.
    """

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001
            name, text = _shown(error)
        raise type(name, (Exception,), {"__module__": "builtins"})(text)

    return call


def _shown(error: BaseException) -> tuple[str, str]:
    if debugging():
        say("".join(traceback.format_exception(error)))
    if isinstance(error, CodatZohoError):
        return type(error).__name__, redact(str(error))
    if not isinstance(error, Exception):
        return "Interrupted", "The operation was interrupted. Nothing is lost: run it again."
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    # The text of a foreign exception may quote anything, so it stays out.
    return (
        "InternalError",
        f"{type(error).__name__}{where}: a bug in codat-zoho. Run it again with CODAT_ZOHO_DEBUG=1 "
        "and report what it prints.",
    )


def unknown_fields(values: Mapping[str, Any]) -> frozenset[str]:
    """Which values a preview does not know yet."""
    return frozenset(name for name, value in values.items() if pulumi.contains_unknowns(value))

"""What one provider process knows: the stack's configuration and one HTTP client, shared by all resources."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import pulumi

from codat_zoho._http import Http, checked_address
from codat_zoho._provider.verdicts import shared
from codat_zoho._redact import redact, register
from codat_zoho.codat import DEFAULT_PATHS, DEFAULT_URL, ApiKey, Codat, Paths
from codat_zoho.errors import CodatZohoError, ConfigurationError
from codat_zoho.plan import ProbeResult
from codat_zoho.settings import fingerprint
from codat_zoho.zoho import probe

__all__ = ["CONTEXT", "Context", "clean", "debugging", "say"]

NAMESPACE = "codat-zoho"
P = ParamSpec("P")
R = TypeVar("R")


def debugging() -> bool:
    """``CODAT_ZOHO_DEBUG=1`` asks for tracebacks and a request log, both redacted, on stderr."""
    return os.environ.get("CODAT_ZOHO_DEBUG", "") not in ("", "0")


def say(text: str) -> None:
    """Print a line for the user; the engine shows what the provider process prints."""
    print(redact(f"codat-zoho: {text}"), file=sys.stderr, flush=True)


class Context:
    """Finds settings: the environment first, then stack configuration (in refresh and destroy the last up's)."""

    def __init__(self, http: Http | None = None) -> None:
        self._config: Mapping[str, Any] = {}
        self.http = http or Http()
        self._verdicts: dict[tuple[str, str], ProbeResult] = {}
        self._asking = Lock()
        self.checked: set[str] = set()
        """Connections whose inputs were checked in this process, see ``integration.diff``."""

    def configure(self, get: Callable[[str], Any]) -> None:
        """Take the stack's configuration."""
        keys = ("apiKey", "apiKeys", "codatUrl", "zohoUrl", "codatEnabledPath", "codatCredentialsPath")
        self._config = {key: value for key in keys if (value := get(f"{NAMESPACE}:{key}")) is not None}
        if debugging():
            self.http.log = say

    def _setting(self, variable: str, key: str) -> tuple[str, str] | None:
        """Return (value, where it came from)."""
        if value := os.environ.get(variable):
            return value, variable
        if value := self._config.get(key):
            return str(value), f"{NAMESPACE}:{key}"
        return None

    def api_key(self, connection: str) -> ApiKey:
        """Find the API key of a connection. It comes from outside and never enters a resource.

        Raises:
            ConfigurationError: when there is none, naming where to put it, or when it is malformed.
        """
        variable, key = "CODAT_API_KEY", "apiKey"
        if connection != "default":
            # Never fall back to the default key: it belongs to another Codat client.
            variable, key = f"CODAT_API_KEY_{connection.upper().replace('-', '_')}", f"apiKeys.{connection}"
        found = self._setting(variable, key)
        if found is None:
            named = self._named_keys()
            if isinstance(value := named.get(connection), str) and value:
                found = value, f"{NAMESPACE}:apiKeys.{connection}"
        if found is None:
            path = "--path " if connection != "default" else ""
            raise ConfigurationError(
                f"No Codat API key for connection {connection!r}.",
                f"Set the environment variable {variable}, or run: pulumi config set --secret {path}{NAMESPACE}:{key}",
            )
        return ApiKey.parse(*found)

    def _named_keys(self) -> Mapping[str, Any]:
        named = self._config.get("apiKeys") or {}
        if isinstance(named, str):
            register(named)
            try:
                named = json.loads(named)
            except ValueError:
                named = None
        if not isinstance(named, Mapping):
            raise ConfigurationError(
                f"{NAMESPACE}:apiKeys is not a map from connection names to API keys.",
                f"Set each: pulumi config set --secret --path {NAMESPACE}:apiKeys.<connection>",
            )
        return named

    def codat(self, connection: str) -> Codat:
        """Start an operation on the Codat client of a connection."""
        url, source = self._setting("CODAT_URL", "codatUrl") or (DEFAULT_URL, "")
        enabled, credentials = (
            self._path(self._setting(*names), default)
            for names, default in (
                (("CODAT_ENABLED_PATH", "codatEnabledPath"), DEFAULT_PATHS.enabled),
                (("CODAT_CREDENTIALS_PATH", "codatCredentialsPath"), DEFAULT_PATHS.credentials),
            )
        )
        return Codat(
            self.http, self.api_key(connection), url=checked_address(url, source), paths=Paths(enabled, credentials)
        )

    @staticmethod
    def _path(found: tuple[str, str] | None, default: str) -> str:
        if found is None:
            return default
        path, source = found
        rest = path.replace("{key}", "")
        if not path.startswith("/") or not rest.isascii() or set("{}?# \\") & set(rest) or not rest.isprintable():
            raise ConfigurationError(f"{source} is no path like {default}.")
        return path

    def zoho_url(self) -> str | None:
        """The loopback address that stands in for Zoho, or None for Zoho itself."""
        found = self._setting("ZOHO_URL", "zohoUrl")
        return checked_address(*found, loopback_only=True) if found else None

    def ask_zoho(self, code: str, client_id: str, client_secret: str) -> ProbeResult:
        """Ask a data centre whether it accepts id and secret, at most once per process: Zoho counts every request."""
        question = code, fingerprint(client_id, client_secret)
        url = self.zoho_url()
        with self._asking:
            if question not in self._verdicts:
                self._verdicts[question] = shared(
                    (*question, url or ""), lambda: probe(self.http, code, client_id, client_secret, url=url)
                )
            return self._verdicts[question]

    def verify(self, declared: str) -> str:
        """When to ask Zoho: as declared, unless ``CODAT_ZOHO_VERIFY`` says otherwise."""
        asked = os.environ.get("CODAT_ZOHO_VERIFY") or declared
        if asked not in ("on-change", "always", "off"):
            raise ConfigurationError("CODAT_ZOHO_VERIFY must be on-change, always or off.")
        return asked


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

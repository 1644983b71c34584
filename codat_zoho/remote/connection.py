"""Finds what is needed to reach Codat and Zoho: the environment first, then stack configuration.

The provider process and the command line find it alike, so this module knows nothing of Pulumi: stack configuration
comes in as a mapping.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE
from codat_zoho.declare.settings import SECRET_KEYS
from codat_zoho.errors import ConfigurationError
from codat_zoho.remote.answers import ID
from codat_zoho.remote.budget import Certificate
from codat_zoho.remote.codat import DEFAULT_PATHS, DEFAULT_URL, OPERATION_SECONDS, ApiKey, Codat, Paths
from codat_zoho.remote.http import Http
from codat_zoho.texts.redact import one_line, register


def api_key_names(connection: str, variable: str = "CODAT_API_KEY", key: str = "apiKey") -> tuple[str, str]:
    """Return the environment variable and the configuration key that hold a connection's API key, or another value."""
    if connection == "default":
        return variable, key
    # Never fall back to the default key: it belongs to another Codat client.
    return f"{variable}_{connection.upper().replace('-', '_')}", f"{key}s.{connection}"


@dataclass(frozen=True, slots=True)
class Environment:
    """Settings that are no inputs of a resource: from ``environ``, then ``config``, then ``variables``."""

    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Stack configuration without its namespace, decrypted. In refresh and destroy it is the last up's."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that ESC environments give, for who runs no command that sets them."""
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    """Stands in for this process's environment variables."""
    explicit: bool = False
    """``config`` is what a program declares of an explicit provider. Its API keys come first then: they say which Codat
    client is meant, and the environment's may be another provider's."""

    @classmethod
    def of(cls, get: Callable[[str], Any], *, explicit: bool = False) -> Environment:
        """Take what is known here from stack configuration; ``get`` finds ``codat-zoho:<key>``, or gives None."""
        config = {key: value for key in CONFIG_KEYS if (value := get(f"{NAMESPACE}:{key}")) is not None}
        return cls(config, explicit=explicit)

    def _variable(self, name: str) -> str | None:
        return (os.environ if self.environ is None else self.environ).get(name)

    def setting(self, variable: str, key: str) -> tuple[str, str] | None:
        """Return (value, where it came from)."""
        if value := self._variable(variable):
            return value, variable
        if value := self.config.get(key):
            return str(value), f"{NAMESPACE}:{key}"
        if value := self.variables.get(variable):
            return value, f"{variable} (of ESC)"
        return None

    def api_key(self, connection: str) -> ApiKey:
        """Find the API key of a connection, or raise ConfigurationError naming where to put it."""
        found = self.found_api_key(connection)
        if found is None:
            variable, key = api_key_names(connection)
            path = "--path " if connection != "default" else ""
            raise ConfigurationError(
                f"No Codat API key for connection {connection!r}.",
                f"Set the environment variable {variable}, or run: pulumi config set --secret {path}{NAMESPACE}:{key}",
            )
        client, where = self._of_connection(connection, "CODAT_CLIENT_ID", "codatClientId") or ("", "")
        if client and not ID.fullmatch(client := client.strip()):
            raise ConfigurationError(f"{where} is no id as Codat gives them.", "Copy it again, or unset it.")
        return replace(ApiKey.parse(*found), client=client, certificate=self.certificate())

    def certificate(self) -> Certificate | None:
        """The client certificate, for an account that demands one."""
        file = self.setting("CODAT_CLIENT_CERT", "")
        key = self.setting("CODAT_CLIENT_KEY", "")
        if key and not file:
            raise ConfigurationError("CODAT_CLIENT_KEY is set without CODAT_CLIENT_CERT.", "Set both, or neither.")
        return Certificate(file[0], key[0] if key else None) if file else None

    def found_api_key(self, connection: str) -> tuple[str, str] | None:
        """The API key of a connection as it was given, and where; None where there is none."""
        return self._of_connection(connection, "CODAT_API_KEY", "apiKey")

    def _of_connection(self, connection: str, variable: str, key: str) -> tuple[str, str] | None:
        several = f"{key}s"
        variable, key = api_key_names(connection, variable, key)
        if self.explicit and (value := self.config.get(key)):
            return str(value), f"{NAMESPACE}:{key}"
        if (self.explicit or not self._variable(variable)) and not self.config.get(key):
            named = self._named(several).get(connection)
            if isinstance(named, str) and named:
                return named, f"{NAMESPACE}:{several}.{connection}"
        return self.setting(variable, key)

    def _named(self, key: str) -> Mapping[str, Any]:
        named = self.config.get(key) or {}
        if isinstance(named, str):
            if key in SECRET_KEYS:
                register(named)
            try:
                named = json.loads(named)
            except (ValueError, RecursionError):
                named = None
        if not isinstance(named, Mapping):
            secret = "--secret " if key in SECRET_KEYS else ""
            raise ConfigurationError(
                f"{NAMESPACE}:{key} is not a map by names of connections.",
                f"Set each: pulumi config set {secret}--path {NAMESPACE}:{key}.<connection>",
            )
        return named

    def codat(self, http: Http, connection: str, seconds: float = OPERATION_SECONDS) -> Codat:
        """Start an operation on the Codat client of a connection."""
        return Codat(http, self.api_key(connection), url=self.codat_url(), paths=self.paths(), seconds=seconds)

    def codat_url(self) -> str:
        """Codat's address: https, except for this machine."""
        return checked_address(*(self.setting("CODAT_URL", "codatUrl") or (DEFAULT_URL, "")))

    def paths(self) -> Paths:
        """The paths that are in no published OpenAPI file, unless others are set."""
        return Paths(
            _path(self.setting("CODAT_ENABLED_PATH", "codatEnabledPath"), DEFAULT_PATHS.enabled),
            _path(self.setting("CODAT_CREDENTIALS_PATH", "codatCredentialsPath"), DEFAULT_PATHS.credentials),
        )

    def zoho_url(self) -> str | None:
        """The loopback address that stands in for Zoho, or None for Zoho itself."""
        found = self.setting("ZOHO_URL", "zohoUrl")
        return checked_address(*found, loopback_only=True) if found else None

    def verify(self, declared: str) -> str:
        """When to ask Zoho: as declared, unless ``CODAT_ZOHO_VERIFY`` says otherwise."""
        asked = self._variable("CODAT_ZOHO_VERIFY") or declared
        if asked not in ("on-change", "always", "off"):
            raise ConfigurationError("CODAT_ZOHO_VERIFY must be on-change, always or off.")
        return asked


def _path(found: tuple[str, str] | None, default: str) -> str:
    if found is None:
        return default
    path, source = found
    rest = path.replace("{key}", "")
    if not path.startswith("/") or not rest.isascii() or set("{}?# \\") & set(rest) or not rest.isprintable():
        raise ConfigurationError(f"{source} is not a path like {default}.")
    return path


def checked_address(url: str, setting: str, *, loopback_only: bool = False) -> str:
    """Return a base address without its trailing slash; refuse http beyond loopback, a user, query or fragment."""
    bare = url.strip()
    try:
        parts = urlsplit(bare)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid or not bare.isascii() or not bare.isprintable() or set(bare) & set(" @?#\\"):
        # A key in the wrong variable, or a password in the address, must not be shown.
        raise ConfigurationError(
            f"{setting} is not a valid address (its value is not shown).",
            "Give one like https://api.codat.io, without user, query and fragment.",
        )
    loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
    shown = one_line(f"{parts.scheme}://{parts.netloc}")
    if loopback_only and not loopback:
        raise ConfigurationError(
            f"{setting} is {shown}, but only a loopback address (the simulator) may stand in for Zoho.",
            "Unset it: Zoho's own addresses are built in.",
        )
    if parts.scheme == "http" and not loopback:
        raise ConfigurationError(
            f"{setting} is {shown}: the API key would travel in clear.", "Use https (only loopback may be http)."
        )
    return bare.rstrip("/")

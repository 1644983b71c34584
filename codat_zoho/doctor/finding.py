"""What a check found, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE
from codat_zoho.declare.rules import fingerprint, is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT, declared
from codat_zoho.errors import CodatZohoError
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project
from codat_zoho.workspace.state import Deployed

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, what was found, and what to do where something is to be done.

    It fails where a deployment cannot work, and warns where it may not, or where something cannot be told.
    """

    verdict: Verdict
    topic: str
    what: str
    next_step: str = ""


ok, warn, fail = partial(Finding, "ok"), partial(Finding, "warn"), partial(Finding, "fail")


def trouble(topic: str, error: CodatZohoError) -> Finding:
    """An error of this package as a finding: it tells the next step itself."""
    return fail(topic, error.what, error.next_step)


@dataclass
class Situation:
    """Everything that checks look at; what one finds out, the later ones use."""

    project: Project | None
    pulumi: Pulumi | None
    http: Http  # keeps the answers, whose headers say what the typed calls leave out
    stack: str | None = None  # None for the selected one, and then where there is none to look at
    config: Mapping[str, str | None] = field(default_factory=dict, repr=False)  # by full key, decrypted
    connection: str = ""  # which API key; "" for the configured one
    deployed: Sequence[Deployed] = ()  # what a program of its own declared when it was last deployed

    @property
    def environment(self) -> Environment:
        """Keys and addresses, as the provider would find them."""
        return Environment.of(self.config.get)

    @property
    def ready_to_use(self) -> bool:
        """The project is the one that comes with this package."""
        return self.project is not None and self.project.ready_to_use

    @property
    def connections(self) -> list[tuple[str, str, Environment]]:
        """The Codat clients to look at, as asked for, configured, or deployed: connection, explicit provider, settings.

        An explicit provider of the plugin has settings of its own and no stack configuration.
        """
        configured = self.config.get(f"{NAMESPACE}:connection") if self.ready_to_use else None
        named = self.connection or configured
        found = {
            (one.connection, one.explicit_provider): Environment(one.config, explicit=True)
            if one.explicit_provider
            else None
            for one in self.deployed
            if one.kind == INTEGRATION and named in ("", None, one.connection)
        }
        found = found or {(named or "default", ""): None}
        return [(*whose, environment or self.environment) for whose, environment in sorted(found.items())]

    @property
    def clients(self) -> list[Mapping[str, Any]]:
        """The Zoho clients that are declared, as raw settings."""
        if self.ready_to_use:
            return [declared(self.config).client]
        return [one.inputs for one in self.deployed if one.kind == CLIENT]

    def secret_fingerprint(self, connection: str) -> str | None:
        """The fingerprint of the secret that an integration has, as declared; None where it is not known."""
        given: Mapping[str, Any] = {}
        if self.ready_to_use:
            given = declared(self.config).integration
            known = given.get("client_id"), given.get("client_secret")
            return fingerprint(*map(str, known)) if all(known) else None
        books = [one for one in self.deployed if (one.kind, one.connection) == (INTEGRATION, connection)]
        named = books[0].inputs.get(FINGERPRINT) if books else None
        return named if is_fingerprint(named) else None

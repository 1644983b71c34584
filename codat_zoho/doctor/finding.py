"""What a check found, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from codat_zoho.errors import CodatZohoError
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project

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

    @property
    def environment(self) -> Environment:
        """Keys and addresses, as the provider would find them."""
        return Environment.of(self.config.get)

    @property
    def ready_to_use(self) -> bool:
        """The project is the one that comes with this package."""
        return self.project is not None and self.project.ready_to_use

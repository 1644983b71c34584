"""What a check found, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from codat_zoho.errors import CodatZohoError
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Args:
        verdict: ``fail`` where a deployment cannot work, ``warn`` where it may not, or where something cannot be told.
        topic: what was looked at.
        what: what was found.
        next_step: what to do; empty where nothing is to be done.
    """

    verdict: Verdict
    topic: str
    what: str
    next_step: str = ""


def ok(topic: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding("ok", topic, what)


def warn(topic: str, what: str, next_step: str = "") -> Finding:
    """It may go wrong, or cannot be told."""
    return Finding("warn", topic, what, next_step)


def fail(topic: str, what: str, next_step: str) -> Finding:
    """It cannot work."""
    return Finding("fail", topic, what, next_step)


def trouble(topic: str, error: CodatZohoError) -> Finding:
    """An error of this package as a finding: it tells the next step itself."""
    return Finding("fail", topic, error.what, error.next_step)


@dataclass
class Observed(Http):
    """Keeps the answers, whose headers say what the typed calls leave out; oldest first."""

    record: bool = True


@dataclass
class Situation:
    """Everything that checks look at; what one finds out, the later ones use.

    Args:
        project: the Pulumi project, where there is one.
        pulumi: the pulumi command, where there is one.
        http: sends, and keeps the answers.
        stack: the stack to look at; None for the selected one, and where there is none to look at.
        config: the stack's configuration by full key, decrypted; the project's defaults where it cannot be read.
        connection: which API key.
    """

    project: Project | None
    pulumi: Pulumi | None
    http: Observed
    stack: str | None = None
    config: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    connection: str = "default"

    @property
    def environment(self) -> Environment:
        """Keys and addresses, as the provider would find them."""
        return Environment.of(self.config.get)

    @property
    def ready_to_use(self) -> bool:
        """The project is the one that comes with this package."""
        return self.project is not None and self.project.ready_to_use

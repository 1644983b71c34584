"""Which stack takes over which connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codat_zoho.adopt.decide import Takeover
from codat_zoho.declare.settings import IntegrationSettings, load
from codat_zoho.errors import ConfigurationError
from codat_zoho.workspace.command import is_listed
from codat_zoho.workspace.pulumi_yaml import Project


@dataclass
class Target:
    """One stack, its decrypted configuration, and the connections that it takes over."""

    stack: str
    connections: list[str]
    exists: bool
    config: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    takeovers: list[Takeover] = field(default_factory=list)


def targets(
    connections: Sequence[str], stack: str | None, project: Project | None, stacks: Mapping[str, bool]
) -> list[Target]:
    """Say where each connection goes. The ready-to-use project holds one connection in a stack, other programs many.

    ``connections`` are ``NAME`` or ``NAME=STACK``; ``stacks`` tells of each of the project's whether it is selected.
    """
    named = [one.partition("=")[::2] for one in connections or ["default"]]
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise ConfigurationError("--connection names a connection twice.")
    for name in names:
        load(IntegrationSettings, {"connection": name})
    own = project is None or not project.ready_to_use
    if own and any(behind for _, behind in named):
        raise ConfigurationError(
            "--connection NAME=STACK is for the ready-to-use project, which holds one connection in a stack.",
            "Leave =STACK out: in a program of your own one stack holds all.",
        )
    if own or len(named) == 1:
        behind = named[0][1]
        if stack and behind not in ("", stack):
            raise ConfigurationError("--stack and --connection name different stacks.")
        chosen = behind or stack or next((name for name, selected in stacks.items() if selected), None)
        if not chosen:
            raise ConfigurationError("No stack is selected.", "Name one with --stack; --run makes it where it is new.")
        return [Target(chosen, names, is_listed(chosen, stacks))]
    if stack:
        raise ConfigurationError(
            "--stack names one stack, but in the ready-to-use project each connection has a stack of its own.",
            "Name it behind the connection: --connection NAME=STACK",
        )
    return [Target(behind or name, [name], is_listed(behind or name, stacks)) for name, behind in named]

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
class Place:
    """One stack, and the connections that it takes over.

    Args:
        stack: its name.
        connections: names of API keys.
        exists: it is there already.
        config: its configuration, decrypted.
        takeovers: what was decided, one per connection.
    """

    stack: str
    connections: list[str]
    exists: bool
    config: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    takeovers: list[Takeover] = field(default_factory=list)


def places(
    connections: Sequence[str], stack: str | None, project: Project | None, stacks: Mapping[str, bool]
) -> list[Place]:
    """Say where each connection goes. The ready-to-use project holds one connection in a stack, other programs many.

    Args:
        connections: as given: ``NAME`` or ``NAME=STACK``.
        stack: the stack, where it was named.
        project: the project.
        stacks: its stacks, and whether each is selected.

    Raises:
        ConfigurationError: that cannot be said.
    """
    named = [one.partition("=")[::2] for one in connections or ["default"]]
    if len({name for name, _ in named}) < len(named):
        raise ConfigurationError("--connection names one twice.")
    for name, _ in named:
        load(IntegrationSettings, {"connection": name})
    selected = stack or next((name for name, current in stacks.items() if current), None)
    own = project is None or not project.ready_to_use
    if own and any(stack for _, stack in named):
        raise ConfigurationError(
            "--connection NAME=STACK is for the ready-to-use project, which holds one connection in a stack.",
            "Leave =STACK out: in a program of your own one stack holds all.",
        )
    if own or len(named) == 1:
        if stack and named[0][1] not in ("", stack):
            raise ConfigurationError("--stack and --connection name different stacks.")
        stack = named[0][1] or selected
        if not stack:
            raise ConfigurationError("No stack is selected.", "Name one with --stack; --run makes it where it is new.")
        return [Place(stack, [name for name, _ in named], is_listed(stack, stacks))]
    if stack:
        raise ConfigurationError(
            "--stack names one stack, but in the ready-to-use project each connection has a stack of its own.",
            "Name it behind the connection: --connection NAME=STACK",
        )
    return [Place(stack or name, [name], is_listed(stack or name, stacks)) for name, stack in named]

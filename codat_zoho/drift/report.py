"""What a drift check found, as plain data: the one thing that every report format draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from codat_zoho._version import __version__
from codat_zoho.core.plan import How, Value
from codat_zoho.workspace.failures import AUTHENTICATION as AUTHENTICATION
from codat_zoho.workspace.failures import Failure as Failure

HOW = {
    How.READ: "read at Codat",
    How.MASK: "from Codat's mask",
    How.PROBE: "asked at Zoho",
    How.DECLARED: "declared",
}
"""How a finding is known, in words."""


class State(str, Enum):
    """How a setting, a resource or a stack stands; the worse comes first."""

    ERROR = "error"
    DRIFT = "drift"
    CANNOT_TELL = "cannot tell"
    NOT_DEPLOYED = "not deployed"
    AS_DECLARED = "as declared"
    NOTHING = "nothing to check"


def worst(states: Iterable[State]) -> State:
    """The worst of some states; nothing at all is as declared."""
    order = list(State)
    return min(states, key=order.index, default=State.AS_DECLARED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One declared setting and how it stands.

    Args:
        field: ``enabled``, ``client_id``, ``client_secret``, ``regions.uk``; ``integration`` where all of it is gone.
        state: how it stands.
        declared: what the last deployment declared; a secret as its fingerprint.
        actual: what is there now, or None where that cannot be told; a secret as "ends in c0de".
        how: how that is known: read, from a mask, or by asking Zoho.
        why: what cannot be told and why, or what qualifies the finding.
        where: the page or tab where a person sees and changes it.
        todo: what to do.
        command: the command that restores what is declared, where there is one.
        since: when this drift was first reported, UTC.
    """

    field: str
    state: State
    declared: Value
    actual: Value
    how: How
    why: str = ""
    where: str = ""
    todo: str = ""
    command: str = ""
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of this package in a stack.

    Args:
        name: Pulumi's name of it.
        kind: ``ZohoBooksIntegration`` or ``ZohoClientCredentials``.
        urn: Pulumi's full name of it.
        findings: its declared settings.
        notes: what could not be told about anything that is not declared.
        failure: why it could not be read.
        linked_companies: how many are linked, ``unknown``, or None where that is no property of it.
        verified_at: when Zoho was last asked, UTC.
        declared_at: when a deployment last changed it, UTC, where that is recorded.
        codat_client: Codat's id of the client whose integration it is, where Codat tells.
        codat_client_name: and its name, where that is recorded.
    """

    name: str
    kind: str
    urn: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    linked_companies: int | str | None = None
    verified_at: str | None = None
    declared_at: str | None = None
    codat_client: str | None = None
    codat_client_name: str | None = None

    @property
    def state(self) -> State:
        """The worst of its findings."""
        return State.ERROR if self.failure else worst(finding.state for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Pending:
    """A change in the code that is not deployed yet: not drift, and named apart from it."""

    resource: str
    operation: str
    fields: tuple[tuple[str, Value, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Remediation:
    """What ``--remediate`` came to: ``done``, ``failed``, ``declined``, ``by hand`` or ``incomplete``."""

    outcome: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack.

    Args:
        project: name of the project, or its folder where the name cannot be read.
        name: of the stack.
        directory: of the project, as given.
        resources: those of this package.
        failure: why the stack could not be checked as a whole.
        seconds: how long it took.
        deployed_at: when a deployment last changed one of these resources, UTC, where that is recorded.
        pending: undeployed changes, or None where nobody asked.
        pending_failure: why these could not be found out.
        remediation: what was done about the drift.
        configured: the last deployment was given configuration of this package.
        undeclared: for one of its resources, an older version of this package did not record what was declared.
        notes: what else is to be said of it.
    """

    project: str
    name: str
    directory: str
    resources: tuple[Resource, ...] = ()
    failure: Failure | None = None
    seconds: float = 0.0
    deployed_at: str | None = None
    pending: tuple[Pending, ...] | None = None
    pending_failure: Failure | None = None
    remediation: Remediation | None = None
    configured: bool = False
    undeclared: bool = False
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The worst of its resources; what the code declares and no deployment has made is not as declared."""
        if self.failure:
            return State.ERROR
        states = [resource.state for resource in self.resources]
        operations = [change.operation for change in self.pending or ()]
        if operations.count("create") > operations.count("delete"):  # Else it is a new name for what is there.
            states.append(State.NOT_DEPLOYED)
        return worst(states) if states else State.NOTHING

    @property
    def empty(self) -> bool:
        """It could be read, and nothing of this package is deployed in it."""
        return self.state is State.NOTHING

    @property
    def codat_clients(self) -> list[str]:
        """The Codat clients that it manages, as far as Codat tells."""
        return list(dict.fromkeys(one.codat_client for one in self.resources if one.codat_client))

    @property
    def title(self) -> str:
        """``project/stack``."""
        return f"{self.project}/{self.name}"

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All failures in it."""
        own = (self.failure,) if self.failure else ()
        return own + tuple(resource.failure for resource in self.resources if resource.failure)

    def findings(self, state: State) -> list[tuple[Resource, Finding]]:
        """All findings of one state, with their resources."""
        return [(resource, one) for resource in self.resources for one in resource.findings if one.state is state]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run.

    Args:
        stacks: in the order they were asked for.
        started: UTC.
        seconds: wall time.
        verified: whether Zoho was to be asked.
        strict: whether what cannot be told counts as drift.
        notes: about the run, for example that a shard is empty.
    """

    stacks: tuple[Stack, ...]
    started: str
    seconds: float = 0.0
    verified: bool = True
    strict: bool = False
    notes: tuple[str, ...] = ()
    version: str = field(default=__version__)

    def count(self, state: State) -> int:
        """How many stacks are in a state."""
        return sum(stack.state is state for stack in self.stacks)

    @property
    def exit_code(self) -> int:
        """0 no drift, 7 drift, 3 authentication, 1 any other error. The worst wins: 1, then 3, then 7."""
        kinds = [failure.kind for stack in self.stacks for failure in stack.failures]
        kinds += [stack.pending_failure.kind for stack in self.stacks if stack.pending_failure]
        if any(kind != AUTHENTICATION for kind in kinds):
            return 1
        remediations = [stack.remediation.outcome for stack in self.stacks if stack.remediation]
        if "failed" in remediations:
            return 1
        if kinds:
            return 3
        drifted = any(self._counts_as_drift(stack) for stack in self.stacks)
        return 7 if drifted else 0

    def _counts_as_drift(self, stack: Stack) -> bool:
        if stack.remediation and stack.remediation.outcome == "done":
            return False
        untold = stack.findings(State.CANNOT_TELL) if self.strict else []
        # Who switched verification off does not ask for its verdict.
        asked = any(self.verified or finding.how is not How.PROBE for _, finding in untold)
        return stack.state is State.DRIFT or asked

    @property
    def zoho(self) -> str:
        """Whether Zoho was asked, in words: not where a stack failed before that, or declares nothing of it."""
        resources = (resource for stack in self.stacks for resource in stack.resources)
        found = [one.state for resource in resources for one in resource.findings if one.how is How.PROBE]
        if not self.verified or not found:
            return "Zoho was not asked"
        told = State.AS_DECLARED in found or State.DRIFT in found
        return "Zoho was asked" if told else "no answer from Zoho"

    def to_words(self) -> str:
        """Say in one line what was found."""
        words = {
            State.ERROR: "{} could not be checked",
            State.DRIFT: "{} with drift",
            State.CANNOT_TELL: "{} where something cannot be told",
            State.NOT_DEPLOYED: "{} not deployed",
            State.AS_DECLARED: "{} as declared",
            State.NOTHING: "{} with nothing of codat-zoho",
        }
        parts = [text.format(count) for state, text in words.items() if (count := self.count(state))]
        checked = f"{len(self.stacks)} stack{'' if len(self.stacks) == 1 else 's'}"
        return f"{checked}: {', '.join(parts)}" if parts else f"{checked} to check"


def said(value: Value) -> str:
    """Put a value into words."""
    if isinstance(value, bool):
        return str(value).lower()
    return "unknown" if value is None else value


def about(resource: Resource) -> str:
    """What kind of resource it is, and how many companies are linked through it."""
    if resource.linked_companies is None:
        return resource.kind
    return f"{resource.kind}, linked companies: {resource.linked_companies}"


def by_severity(report: Report) -> list[Stack]:
    """The stacks, worst first, else in the order they were asked for."""
    order = list(State)
    return sorted(report.stacks, key=lambda stack: order.index(stack.state))


def nothing(stack: Stack) -> str:
    """What is said of a stack that has nothing to check."""
    more = ", though it is configured: did 'pulumi up' fail?" if stack.configured else ""
    return f"nothing of codat-zoho is deployed{more}"


def fields_of(report: Report) -> list[str]:
    """All settings in a report, in the order people read them: the integration, its keys, data centres."""
    found = {one.field for stack in report.stacks for resource in stack.resources for one in resource.findings}
    known = ["integration", "enabled", "client_id", "client_secret"]
    return [name for name in known if name in found] + sorted(found - set(known))


Key = tuple[str, str, str, str, Value]


def since_before(report: Report, before: Mapping[Key, str]) -> Report:
    """Date each drift: from an earlier report where it was there already, else from this run.

    Args:
        report: of this run.
        before: when each drift was first reported, by project, stack, URN, field and actual value.
    """

    def dated(stack: Stack, resource: Resource, found: Finding) -> Finding:
        if found.state is not State.DRIFT:
            return found
        key = (stack.project, stack.name, resource.urn, found.field, found.actual)
        return replace(found, since=before.get(key, report.started))

    stacks = []
    for stack in report.stacks:
        resources = [
            replace(resource, findings=tuple(dated(stack, resource, one) for one in resource.findings))
            for resource in stack.resources
        ]
        stacks.append(replace(stack, resources=tuple(resources)))
    return replace(report, stacks=tuple(stacks))

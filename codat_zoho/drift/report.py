"""What a drift check found, as data, and what every format says of it in the same words.

What each field means says the JSON Schema in ``formats``: programs read the same fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from codat_zoho._version import __version__
from codat_zoho.core.plan import How, Value
from codat_zoho.workspace.failures import AUTHENTICATION, Failure

_HOW = {How.READ: "read at Codat", How.MASK: "from Codat's mask", How.PROBE: "asked at Zoho", How.DECLARED: "declared"}


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
    found = set(states)
    return next((state for state in State if state in found), State.AS_DECLARED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One declared setting and how it stands."""

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

    @property
    def values(self) -> str:
        """Both values in words."""
        return f"declared {in_words(self.declared)}, now {in_words(self.actual)}"

    @property
    def source(self) -> str:
        """How it is known, and what qualifies that."""
        return "; ".join(filter(None, [_HOW[self.how], self.why]))

    @property
    def advice(self) -> list[str]:
        """Since when it is known, where a person sees it, and what to do."""
        since = f"known since {self.since}" if self.since else ""
        return [line for line in (since, self.where, self.todo) if line]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of this package in a stack."""

    name: str
    kind: str
    urn: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    linked_companies: int | Literal["unknown"] | None = None
    verified_at: str | None = None
    declared_at: str | None = None
    codat_client: str | None = None
    codat_client_name: str | None = None

    @property
    def state(self) -> State:
        """The worst of its findings."""
        return State.ERROR if self.failure else worst(finding.state for finding in self.findings)

    @property
    def described(self) -> str:
        """Its name, its kind, and how many companies are linked through it."""
        linked = "" if self.linked_companies is None else f", linked companies: {self.linked_companies}"
        return f"{self.name} ({self.kind}{linked})"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a change that is not deployed yet."""

    field: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Pending:
    """A change in the code that is not deployed yet: not drift, and named apart from it."""

    resource: str
    operation: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Remediation:
    """What --remediate did."""

    outcome: Literal["done", "failed", "declined", "by hand", "incomplete"]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack."""

    project: str
    stack: str
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
        """The worst of its resources; not deployed: the code declares more of them; nothing to check: it has none."""
        if self.failure:
            return State.ERROR
        states = [resource.state for resource in self.resources]
        operations = [change.operation for change in self.pending or ()]
        if operations.count("create") > operations.count("delete"):  # Else it is a new name for what is there.
            states.append(State.NOT_DEPLOYED)
        return worst(states) if states else State.NOTHING

    @property
    def codat_clients(self) -> dict[str, str | None]:
        """The names of the Codat clients that it manages, by id, as far as Codat tells."""
        return {one.codat_client: one.codat_client_name for one in self.resources if one.codat_client}

    @property
    def title(self) -> str:
        """``project/stack``."""
        return f"{self.project}/{self.stack}"

    @property
    def failures(self) -> tuple[Failure, ...]:
        """All failures in it."""
        found = [self.failure, *(resource.failure for resource in self.resources)]
        return tuple(failure for failure in found if failure)

    def findings(self, state: State) -> list[tuple[Resource, Finding]]:
        """All findings of one state, with their resources."""
        return [(resource, one) for resource in self.resources for one in resource.findings if one.state is state]

    @property
    def drifted(self) -> list[str]:
        """The settings with drift."""
        return [found.field for _, found in self.findings(State.DRIFT)]

    @property
    def quiet(self) -> bool:
        """There is nothing to say but how it stands."""
        fine = self.state in (State.AS_DECLARED, State.NOTHING)
        return fine and not any(self.remarks()) and not any(resource.notes for resource in self.resources)

    @property
    def in_short(self) -> str:
        """How it stands, in words."""
        if self.state is not State.NOTHING:
            return str(self.state.value)
        more = ", though it is configured: did 'pulumi up' fail?" if self.configured else ""
        return f"nothing of codat-zoho is deployed{more}"

    def remarks(self) -> Iterator[str]:
        """What is said of it beside its resources."""
        if self.remediation:
            yield f"Remediation {self.remediation.outcome}: {self.remediation.text}".rstrip(": ")
        for change in self.pending or ():
            fields = [f"{one.field}: {in_words(one.before)} -> {in_words(one.after)}" for one in change.fields]
            differing = f" ({'; '.join(fields)})" if fields else ""
            yield f"Not deployed yet: {change.resource}: {change.operation}{differing}"
        if self.pending_failure:
            yield f"Undeployed changes cannot be told: {self.pending_failure.text}"
        for note in self.notes:
            yield f"Note: {note}"


_COUNTED = {
    State.ERROR: "could not be checked",
    State.DRIFT: "with drift",
    State.CANNOT_TELL: "where something cannot be told",
    State.NOTHING: "with nothing of codat-zoho",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run of codat-zoho drift. Secrets appear only as fingerprints or as "ends in c0de"."""

    stacks: tuple[Stack, ...]
    started: str
    seconds: float = 0.0
    verified: bool = True
    strict: bool = False
    notes: tuple[str, ...] = ()
    tool: str = f"codat-zoho {__version__}"

    @property
    def summary(self) -> dict[str, int]:
        """How many stacks are in each state."""
        return {state.value: sum(stack.state is state for stack in self.stacks) for state in State}

    @property
    def exit_code(self) -> Literal[0, 1, 3, 7]:
        """0 no drift, 7 drift, 3 authentication, 1 any other error."""
        kinds = [failure.kind for stack in self.stacks for failure in stack.failures]
        kinds += [stack.pending_failure.kind for stack in self.stacks if stack.pending_failure]
        failed = any(stack.remediation and stack.remediation.outcome == "failed" for stack in self.stacks)
        if failed or any(kind != AUTHENTICATION for kind in kinds):
            return 1
        if kinds:
            return 3
        return 7 if any(map(self._counts_as_drift, self.stacks)) else 0

    def _counts_as_drift(self, stack: Stack) -> bool:
        if stack.remediation and stack.remediation.outcome == "done":
            return False
        # Who switched verification off does not ask for its verdict.
        untold = [one for _, one in stack.findings(State.CANNOT_TELL) if self.verified or one.how is not How.PROBE]
        return stack.state is State.DRIFT or (self.strict and bool(untold))

    @property
    def by_severity(self) -> list[Stack]:
        """The stacks, worst first, else in the order they were asked for."""
        return [stack for state in State for stack in self.stacks if stack.state is state]

    @property
    def fields(self) -> list[str]:
        """All settings in it, in the order people read them: the integration, its keys, data centres."""
        found = {one.field for stack in self.stacks for resource in stack.resources for one in resource.findings}
        known = [name for name in ("integration", "enabled", "client_id", "client_secret") if name in found]
        return known + sorted(found.difference(known))

    @property
    def zoho(self) -> str:
        """Whether Zoho was asked, in words: not where a stack failed before that, or declares nothing of it."""
        resources = (resource for stack in self.stacks for resource in stack.resources)
        found = {one.state for resource in resources for one in resource.findings if one.how is How.PROBE}
        if not self.verified or not found:
            return "Zoho was not asked"
        return "Zoho was asked" if found & {State.AS_DECLARED, State.DRIFT} else "no verdict from Zoho"

    @property
    def headline(self) -> str:
        """What was found, in one line."""
        parts = [f"{count} {_COUNTED.get(State(state), state)}" for state, count in self.summary.items() if count]
        stacks = f"{len(self.stacks)} stack{'' if len(self.stacks) == 1 else 's'}"
        return f"{stacks}: {', '.join(parts)}" if parts else f"{stacks} to check"


def in_words(value: Value) -> str:
    """Put a value into words."""
    if isinstance(value, bool):
        return str(value).lower()
    return "unknown" if value is None else value

"""What a review says, as data. The modules in ``formats`` draw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

Status = Literal["added", "broken", "changed", "deleted", "renamed", "unchanged"]
Origin = Literal["change", "drift"]
StepKind = Literal["ask", "delete keys", "disable", "enable", "forget", "refuse", "save keys"]


class Level(Enum):
    """How bad a finding is."""

    DANGER = "danger"
    CAUTION = "caution"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a side cannot be read, and where."""

    text: str
    file: str
    line: int | None = None
    side: Literal["base", "head", ""] = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one resource that differs. A secret is never shown; None stands for a field that is not set.

    Args:
        resource: its name in the program, or ``provider`` for what reaches Codat and Zoho but is no resource's field.
        field: the field as the engine names it.
        before: how it was, in words.
        after: how it will be.
        certain: False where it cannot be known whether it differs: two encrypted values.
        origin: whether the program asks for another value, or somebody changed it behind its back.
        file: where the new value (a removed one: the old value) stands.
        line: its line.
    """

    resource: str
    field: str
    before: str | None
    after: str | None
    certain: bool = True
    origin: Origin = "change"
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that ``pulumi up`` does.

    Args:
        kind: what it is.
        text: the same in words.
        regions: of ``ask``: the Zoho data centres that are asked.
        condition: what it depends on, empty where it is certain.
    """

    kind: StepKind
    text: str
    regions: tuple[str, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reviewer should see.

    Args:
        rule: its name, the same as in the policy pack where that has it.
        level: how bad it is.
        text: what it means, as full sentences.
        file: where.
        line: its line.
        new: False where it was so before this change, too.
    """

    rule: str
    level: Level
    text: str
    file: str = ""
    line: int | None = None
    new: bool = True


@dataclass(frozen=True, slots=True)
class Environment:
    """One stack of one project.

    Args:
        project: the project's name.
        stack: the stack's name.
        file: its stack-config file, or the preview that it was read from.
        status: what happened to it.
        changes: the fields that differ, per resource.
        steps: what ``pulumi up`` does, in order.
        by_hand: what a person has to do in Zoho's console, in Codat's Portal or with Pulumi.
        findings: what a reviewer should see.
        cannot_know: what this review cannot know.
        problems: why a side is broken.
        touched: its files differ, whether or not a setting does.
    """

    project: str
    stack: str
    file: str
    status: Status
    changes: tuple[FieldChange, ...] = ()
    steps: tuple[Step, ...] = ()
    by_hand: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    cannot_know: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    touched: bool = False

    @property
    def title(self) -> str:
        """Project and stack."""
        return f"{self.project}/{self.stack}" if self.project else self.stack

    @property
    def names(self) -> frozenset[str]:
        """What a user may call it."""
        return frozenset({self.stack, f"{self.project}/{self.stack}"})

    @property
    def dangerous(self) -> bool:
        """Something in it is dangerous; what was so before does not count, except for a secret in clear."""
        return any(f.level is Level.DANGER and (f.new or f.rule == "secret-in-clear") for f in self.findings)

    @property
    def changes_something(self) -> bool:
        """It does or may do something other than before."""
        return bool(self.changes or self.steps) or self.status not in ("unchanged", "broken")

    @property
    def only_in_state(self) -> bool:
        """A change of the code reaches neither Codat nor Zoho."""
        declared = any(one.origin == "change" and one.resource != "provider" for one in self.changes)
        return declared and not self.steps and not self.problems

    @property
    def quiet(self) -> bool:
        """There is nothing to say of it."""
        return not (self.changes_something or self.problems or self.findings)

    @property
    def verdict(self) -> str:
        """One word for its headline."""
        if self.problems:
            return "broken"
        if self.dangerous:
            return "danger"
        if self.status == "unchanged" and self.changes_something:
            return "changed"
        return self.status


_ORDER = ("broken", "danger", "deleted", "added", "renamed", "changed", "unchanged")


@dataclass(frozen=True, slots=True)
class Review:
    """A whole review.

    Args:
        base: what is compared with, in words.
        head: what is reviewed, in words.
        environments: every one that was looked at.
        cannot_know: what holds for all of them.
        offline: it was made from files alone, not from a preview of the engine.
        other_stacks: how many stack files were skipped because they have no settings of this package.
    """

    base: str
    head: str
    environments: tuple[Environment, ...] = ()
    cannot_know: tuple[str, ...] = ()
    offline: bool = True
    other_stacks: int = 0

    @property
    def sorted(self) -> tuple[Environment, ...]:
        """The environments, what matters most first."""
        return tuple(sorted(self.environments, key=lambda e: (_ORDER.index(e.verdict), e.quiet, e.file, e.stack)))

    def of(self, names: Collection[str]) -> Review:
        """The same of some environments alone."""
        return replace(self, environments=tuple(e for e in self.environments if e.names & set(names)))

    def only(self, rule: str) -> Review:
        """The findings of one rule alone, without what changes; broken sides stay, since nobody could look there."""
        kept = []
        for one in self.environments:
            found = tuple(finding for finding in one.findings if finding.rule == rule)
            status: Status = "broken" if one.problems else "unchanged"
            kept.append(Environment(one.project, one.stack, one.file, status, findings=found, problems=one.problems))
        return replace(self, environments=tuple(kept), cannot_know=())

    @property
    def broken(self) -> bool:
        """A side of an environment cannot be read."""
        return any(environment.problems for environment in self.environments)

    @property
    def dangerous(self) -> bool:
        """An environment is dangerous."""
        return any(environment.dangerous for environment in self.environments)

    @property
    def changes_something(self) -> bool:
        """An environment changes."""
        return any(environment.changes_something for environment in self.environments)

    @property
    def headline(self) -> str:
        """The sum, in one sentence.

        >>> Review("a", "b").headline
        'No stack configuration of codat-zoho found.'
        """
        if not self.environments:
            return "No stack configuration of codat-zoho found."
        counts = Counter(word for one in self.environments for word in _counted_as(one))
        said = [f"{counts[word]} {word}" for word in ("broken", "dangerous", "changed", "unchanged") if counts[word]]
        total = len(self.environments)
        return f"{total} environment{'' if total == 1 else 's'}: {', '.join(said)}."


def _counted_as(one: Environment) -> list[str]:
    loud = [word for word, holds in (("broken", one.problems), ("dangerous", one.dangerous)) if holds]
    return loud or ["changed" if one.changes_something else "unchanged"]


def dangers_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of a report."""
    return tuple(sorted(findings, key=lambda finding: finding.level is not Level.DANGER))


def grouped(changes: Iterable[FieldChange]) -> list[tuple[FieldChange, str]]:
    """The same change of several resources as one, with the names of all: both hold the client id, for example.

    The fingerprint of a secret that nobody may decrypt is left out: the secret's own line says as much.
    """
    resources: dict[FieldChange, list[str]] = {}
    for change in changes:
        if change.certain or change.before != change.after:
            resources.setdefault(replace(change, resource=""), []).append(change.resource)
    return [(change, ", ".join(dict.fromkeys(names))) for change, names in resources.items()]

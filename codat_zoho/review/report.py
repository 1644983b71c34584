"""What a review says, as data. The modules in ``formats`` draw it; the JSON Schema there says what each field means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from codat_zoho.declare.settings import Spelling

Level = Literal["caution", "danger"]
Status = Literal["added", "broken", "changed", "deleted", "renamed", "unchanged"]
Origin = Literal["change", "drift"]
NOT_REVIEWED = "not-reviewed"
StepKind = Literal["ask", "delete keys", "disable", "enable", "forget", "refuse", "save keys"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a side cannot be read, and where."""

    text: str
    file: str
    line: int | None = None
    side: Literal["base", "head", ""] = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one resource that differs, in words; None where it is not set. A secret is never shown.

    What reaches Codat and Zoho but is no resource's field has the resource ``provider``. Between two encrypted values
    it is not certain that there is a difference.
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
    """One thing that ``pulumi up`` does: to the data centres ``regions``, and only under the ``condition``, if any."""

    kind: StepKind
    text: str
    regions: tuple[str, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reviewer should see; it is not new where it was so before the change, too."""

    rule: str
    level: Level
    text: str
    file: str = ""
    line: int | None = None
    new: bool = True


@dataclass(frozen=True, slots=True)
class Environment:
    """One stack of one project; ``touched`` says that its files differ, whether or not a setting does.

    They are ``laid_out`` where nothing but white space, comments, order or the file's mode differs.
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
    laid_out: bool = False

    @property
    def title(self) -> str:
        """Project and stack."""
        return "/".join(filter(None, (self.project, self.stack)))

    @property
    def dangerous(self) -> bool:
        """Something in it is dangerous; what was so before does not count, except for a secret in clear."""
        return any(f.level == "danger" and (f.new or f.rule == "secret-in-clear") for f in self.findings)

    @property
    def broken_before(self) -> bool:
        """Both sides are broken in the same way, and the change has nothing to do with it, nor with the program."""
        base, head = ({replace(one, side="") for one in self.problems if one.side == side} for side in ("base", "head"))
        return bool(base) and base == head and not (self.touched or self.not_reviewed)

    @property
    def changes_something(self) -> bool:
        """It does or may do something other than before."""
        return bool(self.changes or self.steps or self.not_reviewed) or self.status not in ("unchanged", "broken")

    @property
    def not_reviewed(self) -> bool:
        """What changes in it cannot be reviewed from files."""
        return any(finding.rule == NOT_REVIEWED and finding.new for finding in self.findings)

    @property
    def only_in_state(self) -> bool:
        """A change of the code reaches neither Codat nor Zoho: said only where nothing hidden or odd takes part."""
        declared = any(one.origin == "change" and one.resource != "provider" for one in self.changes)
        proved = all(one.certain for one in self.changes) and not self.cannot_know
        return declared and proved and not (self.steps or self.problems or self.findings)

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
        if self.not_reviewed:
            return "not reviewed"
        if self.status == "unchanged" and self.changes_something:
            return "changed"
        return self.status


_ORDER = ("broken", "danger", "not reviewed", "deleted", "added", "renamed", "changed", "unchanged")


@dataclass(frozen=True, slots=True)
class Review:
    """A whole review. Offline, it was made from files alone, and ``other_stacks`` have no settings of this package."""

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

    @property
    def broken(self) -> bool:
        """A side of an environment cannot be read, and that is not as before."""
        return any(environment.problems and not environment.broken_before for environment in self.environments)

    @property
    def dangerous(self) -> bool:
        """An environment is dangerous."""
        return any(environment.dangerous for environment in self.environments)

    @property
    def not_reviewed(self) -> bool:
        """What changes in an environment cannot be reviewed from files."""
        return any(environment.not_reviewed for environment in self.environments)

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
        counts = Counter[str]()
        for one in self.environments:
            counts["broken"] += bool(one.problems)
            counts["dangerous"] += one.dangerous
            if not one.problems and not one.dangerous:
                changed = "not reviewed" if one.not_reviewed else "changed"
                counts[changed if one.changes_something else "unchanged"] += 1
        words = ("broken", "dangerous", "not reviewed", "changed", "unchanged")
        said = [f"{counts[word]} {word}" for word in words if counts[word]]
        total = len(self.environments)
        return f"{total} environment{'' if total == 1 else 's'}: {', '.join(said)}."


def spelled(one: Environment) -> Environment:
    """The same with settings named as YAML and TypeScript do, and the engine in the states of the plugin."""
    of = Spelling.PROPERTY.text
    return replace(
        one,
        changes=tuple(replace(change, field=of(change.field)) for change in one.changes),
        steps=tuple(replace(step, text=of(step.text), condition=of(step.condition)) for step in one.steps),
        by_hand=tuple(map(of, one.by_hand)),
        findings=tuple(replace(finding, text=of(finding.text)) for finding in one.findings),
        cannot_know=tuple(map(of, one.cannot_know)),
        problems=tuple(replace(problem, text=of(problem.text)) for problem in one.problems),
    )


def grouped(changes: Iterable[FieldChange]) -> list[tuple[FieldChange, str]]:
    """The same change of several resources as one, with the names of all: both hold the client id, for example.

    The fingerprint of a secret that nobody may decrypt is left out: the secret's own line says as much.
    """
    resources: dict[FieldChange, list[str]] = {}
    for change in changes:
        if change.certain or change.before != change.after:
            resources.setdefault(replace(change, resource=""), []).append(change.resource)
    return [(change, ", ".join(dict.fromkeys(names))) for change, names in resources.items()]

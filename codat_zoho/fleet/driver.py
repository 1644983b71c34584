"""Checks stacks, and restores what they declare.

Checking takes the drift-only path (``refresh --preview-only``): the program is not run, nothing is written, and no lock
is taken. State backends, secrets providers and ESC environments work as they do for the user.
"""

from __future__ import annotations

import json
import re
import shlex
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pulumi import automation as auto

from codat_zoho.fleet.ahead import Ahead
from codat_zoho.fleet.children import Children
from codat_zoho.fleet.engine import Command, EngineFailed, Events, Failed, Workspace, checked
from codat_zoho.fleet.pace import Pace
from codat_zoho.reports import failures, findings
from codat_zoho.reports.drift import Failure, Remediation, Resource, Stack, State

__all__ = ["Failed", "Fleet", "Listed", "Options", "Project"]

_OURS = f"urn:pulumi:**::{findings.TOKEN_PREFIX}*::**"
_REQUESTS = 2  # what reading one integration takes
_UP_SECONDS = 3600.0
_GRACE, _UP_GRACE = 3.0, 120.0  # An update has a lock to give back, and must be let to.


@dataclass(frozen=True)
class Options:
    """How to check.

    Args:
        environment: for the engine, on top of this process's own.
        seconds: that one stack may take.
        verified: whether Zoho is asked.
        pending: whether undeployed changes are asked for.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 300.0
    verified: bool = True
    pending: bool = False


@dataclass(frozen=True)
class Project:
    """A Pulumi project on disk; ``given`` is its folder as the user wrote it."""

    given: str
    directory: Path
    name: str


@dataclass(frozen=True)
class Listed:
    """A stack as the backend lists it."""

    name: str
    selected: bool = False
    deployed_at: str | None = None


class Fleet:
    """Checks stacks, each with an engine of its own. Threads share it.

    Args:
        children: runs the engines, and stops them.
        ahead: has asked pulumi for its version and for the stacks.
        options: how to check.

    Raises:
        ConfigurationError: there is no usable pulumi.
    """

    def __init__(self, children: Children, ahead: Ahead, options: Options) -> None:
        # An event that the SDK cannot read is only warned of; ``_refresh`` counts what arrived instead.
        warnings.filterwarnings("ignore", message="Failed to parse engine event|Error in event stream")
        self._children = children
        self._options = options
        self._ahead = ahead
        self._version = checked(ahead.version())
        self._pace = Pace(children.stopping.wait)

    def project(self, given: str) -> Project:
        """Find the project of a folder as pulumi does: there or in a folder above.

        Raises:
            Failed: there is none, or it cannot be read.
        """
        start = Path(given).absolute()
        if not start.is_dir():
            raise Failed(Failure("project", f"There is no folder {given}."))
        for folder in (start, *start.parents):
            if any((folder / f"Pulumi.{end}").is_file() for end in ("yaml", "yml", "json")):
                break
        else:
            raise Failed(Failure("project", f"There is no Pulumi project in {given}, nor in a folder above."))
        try:
            name = self._workspace(folder).project_settings().name
        except Exception as problem:  # noqa: BLE001 - whatever the reader of YAML raises
            text = "it has no name" if isinstance(problem, (KeyError, TypeError)) else str(problem)
            raise Failed(failures.unreadable_project(text)) from None
        if not isinstance(name, str) or not name:
            raise Failed(failures.unreadable_project("it has no name"))
        return Project(given, folder, name)

    def stacks(self, project: Project) -> list[Listed]:
        """List the stacks of a project: one call of the engine.

        Raises:
            Failed: the backend cannot be reached, or the project cannot be read.
        """
        with Events():
            code, out, err = self._ahead.listing(project.given)
            if code:
                raise EngineFailed(code, out, err)
            return [
                Listed(one["name"], bool(one.get("current")), _moment(one.get("lastUpdate"))) for one in json.loads(out)
            ]

    def check(self, project: Project, listed: Listed) -> Stack:
        """Check one stack. What goes wrong is in the result.

        Raises:
            Stopped: the run was interrupted.
        """
        began = time.monotonic()
        stack = Stack(project.name, listed.name, project.given, deployed_at=listed.deployed_at)
        self._pace.take(_REQUESTS)
        try:
            stack = replace(stack, resources=self._refresh(project, listed.name))
            if self._options.pending:
                stack = self._with_pending(project, stack)
        except Failed as failed:
            stack = replace(stack, failure=failed.failure)
        integrations = sum(resource.kind == findings.INTEGRATION for resource in stack.resources)
        self._pace.note(_REQUESTS * (integrations - 1))
        return replace(stack, seconds=time.monotonic() - began)

    def _refresh(self, project: Project, name: str) -> tuple[Resource, ...]:
        expected = 0
        with Events() as events:
            try:
                result = self._stack(project, name).preview_refresh(
                    # Other resources of the program are none of this package's business, and may need other logins.
                    target=[_OURS],
                    on_event=events.note,
                    color="never",
                )
                expected = sum(result.change_summary.values())
            except EngineFailed:
                if not events.partial:
                    raise
        if events.results < expected:
            text = f"The engine reported on {expected} resources, and only {events.results} of its reports can be read."
            raise Failed(Failure("pulumi", f"{text} Update the Python package pulumi."))
        up, verified = _up(project, name), self._options.verified
        return tuple(
            findings.resource(seen, up=up, verified=verified, failure=events.failure_of(seen))
            for seen in sorted(events.ours.values(), key=lambda seen: seen.urn)  # They arrive in any order.
        )

    def _with_pending(self, project: Project, stack: Stack) -> Stack:
        try:
            with Events() as events:
                self._stack(project, stack.name).preview(on_event=events.note, color="never")
        except Failed as failed:
            return replace(stack, pending_failure=failed.failure)
        changed = [seen for seen in events.ours.values() if seen.operation != "same"]
        return replace(stack, pending=tuple(findings.pending(seen, events.news[seen.urn]) for seen in changed))

    def remediate(self, project: Project, stack: Stack) -> Remediation:
        """Run ``pulumi up --refresh`` on a stack with drift, unless no command can change it.

        Raises:
            Stopped: the run was interrupted.
        """
        drifted = [found.field for _, found in stack.findings(State.DRIFT)]
        by_hand = [name for name in drifted if name.startswith("regions.")]
        left = f"What only a person can change in Zoho's console is left: {', '.join(by_hand)}."
        if by_hand == drifted:
            return Remediation("by hand", left)
        try:
            with Events() as events:
                target = self._stack(project, stack.name, deploying=True)
                target.up(refresh=True, on_event=events.note, color="never")
        except Failed as failed:
            return Remediation("failed", failed.failure.text)
        if by_hand:
            return Remediation("by hand", f"The rest is restored. {left}")
        return Remediation("done", "pulumi up --refresh has restored what is declared.")

    def _stack(self, project: Project, name: str, *, deploying: bool = False) -> auto.Stack:
        if deploying:
            # With the user's own settings: asking Zoho always would let a rejected data centre stop the rest.
            workspace = self._workspace(project.directory, seconds=_UP_SECONDS, grace=_UP_GRACE)
        else:
            environment = self._options.environment
            workspace = self._workspace(project.directory, environment, seconds=self._options.seconds)
        return auto.Stack.select(name, workspace)

    def _workspace(
        self, folder: Path, environment: Mapping[str, str] | None = None, *, seconds: float = 60, grace: float = _GRACE
    ) -> Workspace:
        command = Command(self._children, self._version, seconds=seconds, grace=grace)
        return Workspace(work_dir=str(folder), env_vars=environment, pulumi_command=command)


def _moment(text: object) -> str | None:
    """A time as the backend tells it, to the second."""
    found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text) if isinstance(text, str) else None
    return f"{found[0]}Z" if found else None


def _up(project: Project, stack: str) -> str:
    """The command that restores what a stack declares."""
    where = [] if project.given == "." else ["--cwd", project.given]
    return shlex.join(["pulumi", "up", "--refresh", "--stack", stack, *where])

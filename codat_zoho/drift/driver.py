"""Checks stacks for drift, and restores what they declare.

A check reads the stack's exported state, then asks Codat and Zoho. So no program is run, no plugin is started, nothing
is written and no lock is taken. State backends and secrets providers work as they do for the user, whose own ``pulumi``
exports.
"""

from __future__ import annotations

import errno
import shlex
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Semaphore

from codat_zoho.drift.compare import Comparison
from codat_zoho.drift.remote import Remote
from codat_zoho.drift.report import Failure, Finding, Pending, Remediation, Stack, State
from codat_zoho.remote.budget import Deadline
from codat_zoho.remote.concurrency import Workers
from codat_zoho.remote.http import Http
from codat_zoho.workspace import state as exported
from codat_zoho.workspace.children import Children
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.esc import Esc, Given
from codat_zoho.workspace.failures import Failed, from_output
from codat_zoho.workspace.pulumi_yaml import Project, environments, find_project

READERS = 16
"""Integrations and Zoho clients that are looked at, at the same time."""


@dataclass(frozen=True)
class Options:
    """How to check.

    Args:
        seconds: that one stack may take.
        verified: whether Zoho is asked.
        pending: whether undeployed changes are asked for.
        jobs: commands at a time.
    """

    seconds: float = 300.0
    verified: bool = True
    pending: bool = False
    jobs: int = 1


class Fleet:
    """Checks stacks. Threads share it.

    Args:
        children: runs commands, and stops them.
        http: sends everything.
        options: how to check.
    """

    def __init__(self, children: Children, http: Http, options: Options) -> None:
        self._http, self._options = http, options
        self._children = children
        self._slots = Semaphore(options.jobs)
        self._readers = Workers(READERS)
        self._remote = Remote(http)
        self._esc = Esc(lambda name, folder: Pulumi(folder, children).environment(name, options.seconds))

    def close(self) -> None:
        """Let its threads end, and close its connections."""
        self._readers.close()
        self._http.close()

    def project(self, given: str) -> Project:
        """Find the project of a folder.

        Raises:
            Failed: there is none, or it cannot be read.
        """
        if not Path(given).is_dir():
            raise Failed(Failure("project", f"There is no folder {given}."))
        project = find_project(Path(given))
        if project is None:
            raise Failed(Failure("project", f"There is no Pulumi project in {given}, nor in a folder above."))
        return replace(project, given=given)

    def _pulumi(self, project: Project) -> Pulumi:
        return Pulumi(project.folder, self._children)

    def stacks(self, project: Project) -> dict[str, bool]:
        """List the stacks of a project, and whether each is the selected one.

        Raises:
            Failed: the backend cannot be reached, or the project cannot be read.
        """
        with self._slots:
            return self._pulumi(project).stacks()

    def check(self, project: Project, name: str) -> Stack:
        """Check one stack. What goes wrong is in the result.

        Raises:
            Stopped: the run was interrupted.
            ConfigurationError: there is no usable pulumi.
        """
        stack = self._checked(project, name)
        if not self._options.pending or stack.failure:
            return stack
        return self._with_pending(project, stack)

    def _checked(self, project: Project, name: str) -> Stack:
        stack = Stack(project.name, name, project.given)
        with self._slots:
            began, deadline = time.monotonic(), self._http.deadline(self._options.seconds)
            try:
                state = _read(self._pulumi(project).export(name, deadline.left()))
            except Failed as failed:
                return replace(stack, failure=failed.failure, seconds=time.monotonic() - began)
        if state.names and state.names[0] != project.name:
            text = f"Stack {name!r} belongs to the project {state.names[0]!r}, and this folder's is {project.name!r}."
            return replace(stack, failure=Failure("project", text))
        stack = self._compared(stack, state, project, deadline)
        return replace(stack, seconds=time.monotonic() - began)

    def check_file(self, file: str) -> Stack:
        """Check a state that was exported to a file; ``-`` is standard input. What goes wrong is in the result."""
        shown = "standard input" if file == "-" else file
        began, deadline = time.monotonic(), self._http.deadline(self._options.seconds)
        stack = Stack(shown, "*", shown)
        try:
            if file == "-" and sys.stdin is None:
                raise OSError(errno.EBADF, "it is closed")
            state = _read(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
        except OSError as problem:
            return replace(stack, failure=Failure("state", f"{shown} cannot be read: {problem.strerror}."))
        except Failed as failed:
            return replace(stack, failure=failed.failure)
        if state.names:
            stack = Stack(*state.names, shown)
        stack = self._compared(stack, state, None, deadline)
        return replace(stack, seconds=time.monotonic() - began)

    def _compared(self, stack: Stack, state: exported.Exported, project: Project | None, deadline: Deadline) -> Stack:
        def given() -> Given:
            names = environments(project.settings_of(stack.name)) if project else ()
            if not (project and names):
                return Given()
            with self._slots:
                return self._esc.given(names, project.folder)

        try:
            environment = Comparison.environment_of(state, given)
        except Failed as failed:
            return replace(stack, failure=failed.failure)
        comparison = Comparison(self._remote, state, environment, deadline, _up(stack, project), self._options.verified)
        running = [self._readers.submit(partial(comparison.resource, one)) for one in state.resources]
        resources = tuple(one.result() for one in running)
        at = max((one.declared_at for one in resources if one.declared_at), default=None)
        return replace(
            stack,
            resources=resources,
            deployed_at=at,
            configured=bool(state.config),
            undeclared=any(one.undeclared for one in state.resources),
        )

    def _with_pending(self, project: Project, stack: Stack) -> Stack:
        from codat_zoho.workspace import preview as preview_json  # Loads pydantic, which nothing else of a check needs.

        try:
            with self._slots:
                text = self._pulumi(project).preview(stack.name, self._options.seconds)
            preview = preview_json.read(text)
        except Failed as failed:
            return replace(stack, pending_failure=failed.failure)
        except preview_json.Unreadable:
            return replace(
                stack, pending_failure=Failure("pulumi", "'pulumi preview --json' does not print a preview.")
            )
        if preview.errors:
            return replace(stack, pending_failure=from_output("", "", preview.errors))
        changed = (one for one in preview.resources if one.operation != "same")
        pending = (Pending(f"{one.name} ({one.kind})", one.operation, tuple(one.changes())) for one in changed)
        return replace(stack, pending=tuple(pending))

    def remediate(self, project: Project, stack: Stack) -> Remediation:
        """Run ``pulumi up --refresh`` on a stack with drift, unless no command can change it, and look again.

        Raises:
            Stopped: the run was interrupted.
        """
        by_hand = [name for name in _drifted(stack) if name.startswith("regions.")]
        left = f"What only a person can change in Zoho's console is left: {', '.join(by_hand)}."
        if by_hand == _drifted(stack):
            return Remediation("by hand", left)
        try:
            with self._slots:
                self._pulumi(project).up(stack.name)
        except Failed as failed:
            return Remediation("failed", failed.failure.text)
        self._remote.forget()
        after = self._checked(project, stack.name)
        if after.failures:
            text = f"pulumi up --refresh ran, and what came of it cannot be told: {after.failures[0].text}"
            return Remediation("failed", text)
        # Where the program ignores changes, the engine takes what is there for declared: nothing differs then, and
        # nothing was restored.
        now = {(resource.urn, one.field): one for resource in after.resources for one in resource.findings}
        was = stack.findings(State.DRIFT)
        left_alone = {one.field for resource, one in was if _same(now.get((resource.urn, one.field)), one)}
        still = [name for name in _drifted(stack) if name in {*_drifted(after), *left_alone} - {*by_hand}]
        if still:
            text = (
                f"pulumi up --refresh ran, and this still differs: {', '.join(still)}. Does the program ignore changes "
                "of it (ignore_changes), or does somebody else keep changing it?"
            )
            return Remediation("incomplete", text)
        if by_hand:
            return Remediation("by hand", f"The rest is restored. {left}")
        return Remediation("done", "pulumi up --refresh has restored what is declared.")


def _up(stack: Stack, project: Project | None) -> str:
    """The command that restores what a stack declares, as a person types it."""
    where = [] if project is None or project.given == "." else ["--cwd", project.given]
    return shlex.join(["pulumi", "up", "--refresh", "--stack", stack.name, *where])


def _drifted(stack: Stack) -> list[str]:
    return [found.field for _, found in stack.findings(State.DRIFT)]


def _same(now: Finding | None, before: Finding) -> bool:
    return now is not None and now.actual == before.actual


def _read(text: str | bytes) -> exported.Exported:
    try:
        return exported.read(text)
    except exported.Unreadable as problem:
        text = f"The stack's state cannot be read: {problem} Look at it with: pulumi stack export"
        raise Failed(Failure("state", text)) from None

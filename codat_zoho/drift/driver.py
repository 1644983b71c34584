"""Checks stacks for drift, and restores what they declare.

A check reads the stack's exported state, then asks Codat and Zoho. So no program is run, no plugin is started, nothing
is written and no lock is taken.
"""

from __future__ import annotations

import errno
import shlex
import sys
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as TimedOut
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Semaphore

from codat_zoho.core.plan import How
from codat_zoho.declare.platform import CLIENT
from codat_zoho.drift import findings
from codat_zoho.drift.compare import Comparison, Remote, environments_of
from codat_zoho.drift.report import FieldChange, Finding, Pending, Remediation, Stack, State
from codat_zoho.errors import ConfigurationError
from codat_zoho.link import record
from codat_zoho.remote.concurrency import Workers, start
from codat_zoho.remote.http import Http
from codat_zoho.workspace import preview as preview_json
from codat_zoho.workspace import state as exported
from codat_zoho.workspace.command import TOO_LONG, Children, Pulumi
from codat_zoho.workspace.esc import Esc, Given
from codat_zoho.workspace.failures import Failed, Failure, from_output
from codat_zoho.workspace.pulumi_yaml import Project, environments, find_project, plain_name

_LONELY = Finding(
    "integration",
    State.CANNOT_TELL,
    None,
    None,
    How.DECLARED,
    "only the Zoho client is deployed, and a state does not say whether the program declares an integration, too: "
    "if it does, did 'pulumi up' fail? In the project's folder, --pending tells.",
)
READERS = 16
"""Integrations and Zoho clients that are looked at, at the same time."""


class Fleet:
    """Checks stacks, with at most ``jobs`` commands at a time and ``seconds`` for a stack. Threads share it."""

    def __init__(self, children: Children, http: Http, jobs: int, seconds: float, *, verified: bool = True) -> None:
        self._http, self._seconds, self._verified = http, seconds, verified
        self._children = children
        self._slots = Semaphore(jobs)
        self._readers = Workers(READERS)
        self._remote = Remote(http)
        self._esc = Esc(lambda name, folder: Pulumi(folder, children).environment(name, seconds))

    def close(self) -> None:
        """Let its threads end, and close its connections."""
        self._readers.close()
        self._http.close()

    def project(self, given: str) -> Project:
        """Find the project of a folder as pulumi does, there or in a folder above, or raise ``Failed``."""
        if not Path(given).is_dir():
            raise Failed(Failure("project", f"There is no folder {given}."))
        project = find_project(Path(given))
        if project is None:
            raise Failed(Failure("project", f"There is no Pulumi project in {given}, nor in a folder above."))
        return replace(project, given=given)

    def _pulumi(self, project: Project) -> Pulumi:
        return Pulumi(project.folder, self._children)

    def stacks(self, project: Project) -> dict[str, bool]:
        """List the stacks of a project, and whether each is the selected one, or raise ``Failed``."""
        with self._slots:
            return self._pulumi(project).stacks()

    def check(self, project: Project, name: str) -> Stack:
        """Check one stack. What goes wrong is in the result."""
        stack = Stack(project.name, name, project.given)
        return self._checked(stack, partial(self._pulumi(project).export, name), project)

    def check_file(self, file: str) -> Stack:
        """Check a state that was exported to a file; ``-`` is standard input. What goes wrong is in the result."""
        shown = "standard input" if file == "-" else file

        def read(seconds: float) -> bytes:
            try:
                return start(partial(_content, file)).result(seconds)
            except TimedOut:  # A pipe that nobody writes to, or that does not end.
                raise Failed(TOO_LONG) from None
            except OSError as problem:
                raise Failed(Failure("state", f"{shown} cannot be read: {problem.strerror}.")) from None

        return self._checked(Stack(shown, "*", shown), read)

    def _checked(self, stack: Stack, read: Callable[[float], str | bytes], project: Project | None = None) -> Stack:
        try:
            with self._slots:
                began, deadline = time.monotonic(), self._http.deadline(self._seconds)
                state = exported.read(read(deadline.left()))
            if project is None and state.names:
                stack = Stack(*state.names, stack.directory)
            elif project and state.names and state.names[0] != project.name:
                belongs = f"Stack {stack.stack!r} belongs to the project {state.names[0]!r}"
                raise Failed(Failure("project", f"{belongs}, and this folder's is {project.name!r}."))
            environments = environments_of(state, partial(self._given, project, stack.stack))
        except Failed as failed:
            return replace(stack, failure=failed.failure, seconds=time.monotonic() - began)
        except exported.Unreadable as problem:
            text = f"The stack's state cannot be read: {problem} Look at it with: pulumi stack export"
            return replace(stack, failure=Failure("state", text), seconds=time.monotonic() - began)
        comparison = Comparison(self._remote, environments, deadline, _up(stack, project), self._verified)
        running = [self._readers.submit(partial(comparison.resource, one)) for one in state.resources]
        resources = tuple(one.result() for one in running)
        if {one.kind for one in state.resources} == {CLIENT}:
            first, *rest = resources
            resources = (replace(first, findings=(*first.findings, _LONELY)), *rest)
        notes: tuple[str, ...] = ()
        try:
            tests = record.load(project.folder) if project else None
        except ConfigurationError as problem:
            notes, tests = (str(problem),), None
        if tests is not None:
            resources = tuple(findings.proved(one, state, tests, plain_name(stack.stack)) for one in resources)
        return replace(
            stack,
            resources=resources,
            deployed_at=max((one.declared_at for one in resources if one.declared_at), default=None),
            configured=state.configured,
            undeclared=any(one.undeclared for one in state.resources),
            notes=notes,
            seconds=time.monotonic() - began,
        )

    def _given(self, project: Project | None, stack: str) -> Given:
        """What the ESC environments give that the stack's settings file imports."""
        names = environments(project, stack) if project else ()
        if not (project and names):
            return Given()
        with self._slots:
            return self._esc.given(names, project.folder)

    def with_pending(self, project: Project, stack: Stack) -> Stack:
        """Name the changes of the code that are not deployed yet. What goes wrong is in the result."""
        try:
            with self._slots:
                text = self._pulumi(project).preview(stack.stack, self._seconds)
            preview = preview_json.read(text)
        except Failed as failed:
            return replace(stack, pending_failure=failed.failure)
        except preview_json.Unreadable:
            unreadable = Failure("pulumi", "'pulumi preview --json' does not print a preview.")
            return replace(stack, pending_failure=unreadable)
        if preview.errors:
            return replace(stack, pending_failure=from_output("", "", preview.errors))
        pending = [
            Pending(f"{one.name} ({one.kind})", one.operation, tuple(FieldChange(*change) for change in one.changes()))
            for one in preview.resources
            if one.operation != "same"
        ]
        told = (replace(one, findings=tuple(it for it in one.findings if it is not _LONELY)) for one in stack.resources)
        return replace(stack, pending=tuple(pending), resources=tuple(told))

    def remediate(self, project: Project, stack: Stack) -> Remediation:
        """Run ``pulumi up --refresh`` on a stack with drift, unless no command can change it, and look again."""
        by_hand = [name for name in stack.drifted if name.startswith("regions.")]
        left = f"What only a person can change in Zoho's console is left: {', '.join(by_hand)}."
        if by_hand == stack.drifted:
            return Remediation("by hand", left)
        try:
            with self._slots:
                self._pulumi(project).up(stack.stack)
        except Failed as failed:
            return Remediation("failed", failed.failure.text)
        self._remote.forget()
        after = self.check(project, stack.stack)
        if after.failures:
            text = f"pulumi up --refresh ran, and what came of it cannot be told: {after.failures[0].text}"
            return Remediation("failed", text)
        if still := [name for name in _not_restored(stack, after) if name not in by_hand]:
            text = (
                f"pulumi up --refresh ran, and this still differs: {', '.join(still)}. Does the program ignore changes "
                "of it (ignore_changes), or does somebody else keep changing it?"
            )
            return Remediation("incomplete", text)
        if by_hand:
            return Remediation("by hand", f"The rest is restored. {left}")
        return Remediation("done", "pulumi up --refresh has restored what is declared.")


def _content(file: str) -> bytes:
    if file != "-":
        return Path(file).read_bytes()
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    # Not through its buffer, which a thread that still waits here would keep Python from closing.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as unbuffered:
        return unbuffered.readall()


def _up(stack: Stack, project: Project | None) -> str:
    """The command that restores what a stack declares, as a person types it."""
    where = [] if project is None or project.given == "." else ["--cwd", project.given]
    return shlex.join(["pulumi", "up", "--refresh", "--stack", stack.stack, *where])


def _not_restored(before: Stack, after: Stack) -> list[str]:
    """The settings that still drift, or still have the value that drifted.

    Where the program ignores changes, the engine takes what is there for declared: nothing differs then, and nothing
    was restored.
    """
    now = {(resource.urn, one.field, one.actual) for resource in after.resources for one in resource.findings}
    return [
        one.field
        for resource, one in before.findings(State.DRIFT)
        if one.field in after.drifted or (resource.urn, one.field, one.actual) in now
    ]

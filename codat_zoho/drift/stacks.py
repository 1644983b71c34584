"""Which stacks ``codat-zoho drift`` checks, some at a time, and which of them it restores."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import sys
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from codat_zoho.drift.driver import READERS, Fleet
from codat_zoho.drift.report import Remediation, Report, Stack, State
from codat_zoho.remote.concurrency import Workers
from codat_zoho.terminal.console import animated, redraw, say
from codat_zoho.workspace.failures import Failed, Failure
from codat_zoho.workspace.pulumi_yaml import Project, plain_name

_NO_STACKS = Failure(
    "no stacks",
    "It has no stacks here, so nothing was checked. Is this the right backend? Look: pulumi whoami --verbose",
)


@dataclass(frozen=True)
class _Target:
    """A stack, and how to check it; None where that cannot be."""

    stack: Stack
    check: Callable[[], Stack] | None = None


class Checks:
    """Checks the stacks that the arguments name."""

    def __init__(self, fleet: Fleet, arguments: argparse.Namespace) -> None:
        self._fleet, self._arguments = fleet, arguments
        self.notes: list[str] = []

    def run(self) -> tuple[Stack, ...]:
        """Find the stacks and check them."""
        # More at a time than commands run: who waits for Codat leaves its place to the next command.
        workers = Workers(self._arguments.jobs + READERS)
        shown = animated() and not self._arguments.quiet
        try:
            if self._arguments.state:
                found = self._files()
            else:
                projects = self._projects()
                listing = [workers.submit(partial(self._targets, project)) for project in projects]
                found = [target for one in listing for target in one.result()] or [
                    _failed(one.name, one.given, _NO_STACKS) for one in projects if isinstance(one, Project)
                ]
            todo = self._of_this_shard(found)
            results = [target.stack for target in todo]
            running = {workers.submit(one.check): at for at, one in enumerate(todo) if one.check}
            wrong = 0
            for done, future in enumerate(as_completed(running), 1):
                results[running[future]] = stack = future.result()
                wrong += stack.state in (State.DRIFT, State.ERROR)
                if shown:
                    redraw(f"{done} of {len(running)} stacks checked, {wrong} with drift or errors")
        finally:
            workers.close()
            if shown:
                redraw("")
        return self._with_notes(results)

    def _files(self) -> list[_Target]:
        files = _each_once(self._arguments.state, lambda name: name if name == "-" else Path(name).resolve())
        return [_Target(Stack(file, "*", file), partial(self._fleet.check_file, file)) for file in files]

    def _projects(self) -> list[Project | _Target]:
        """The projects, each once, or why a folder has none."""
        found: dict[Path, Project | _Target] = {}
        for given in self._arguments.project:
            try:
                project = self._fleet.project(given)
                found.setdefault(project.file, project)
            except Failed as failed:  # noqa: PERF203
                found.setdefault(Path(given).resolve(), _failed(given, given, failed.failure))
        return list(found.values())

    def _targets(self, project: Project | _Target) -> list[_Target]:
        if isinstance(project, _Target):
            return [project]
        everything, names = self._arguments.all_stacks, self._arguments.stack
        if not names:
            try:
                listed = self._fleet.stacks(project)
            except Failed as failed:
                return [_failed(project.name, project.given, failed.failure)]
            names = [name for name, selected in listed.items() if everything or selected]
            if not names and not everything:
                text = f"No stack is selected: give --stack NAME or --all-stacks.{_there_are(listed)}"
                return [_failed(project.name, project.given, Failure("unknown stack", text))]
            if not names:
                self.notes.append(f"{project.name} has no stacks.")
        return [
            _Target(Stack(project.name, name, project.given), partial(self._check, project, name))
            for name in _each_once(names, plain_name)
        ]

    def _of_this_shard(self, found: list[_Target]) -> list[_Target]:
        shard = self._arguments.shard
        if shard is None:
            return found
        # What could not be listed is told by every shard: none can know whose it would have been.
        mine = [one for one in found if one.check is None or belongs(one.stack.title, *shard)]
        self.notes.append(f"Shard {shard[0]} of {shard[1]}: {len(mine)} of {len(found)} stacks.")
        return mine

    def _check(self, project: Project, name: str) -> Stack:
        stack = self._fleet.check(project, name)
        if not stack.failure:
            return self._fleet.with_pending(project, stack) if self._arguments.pending else stack
        if stack.failure.kind != "unknown stack":
            return stack
        try:
            listed = self._fleet.stacks(project)
        except Failed:
            return stack
        close = difflib.get_close_matches(name, listed, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else _there_are(listed)
        return replace(stack, failure=Failure("unknown stack", f"There is no stack {name!r} in {stack.project}.{hint}"))

    def _with_notes(self, stacks: list[Stack]) -> tuple[Stack, ...]:
        """Say which stacks manage the same Codat client, and where drift may not be seen."""
        managing: dict[str, dict[str, None]] = {}
        for stack in stacks:
            for client in stack.codat_clients:
                managing.setdefault(client, {})[stack.title] = None
        notes: dict[str, list[str]] = {}
        for client, titles in managing.items():
            if len(titles) > 1:
                self.notes.append(f"Several stacks manage the Codat client {client}: {', '.join(titles)}.")
                for title in titles:
                    others = ", ".join(other for other in titles if other != title)
                    managed = f"The Codat client {client} is managed by {others} too"
                    note = f"{managed}: destroying one takes the integration from the other."
                    notes.setdefault(title, []).append(note)
        if old := [stack.title for stack in stacks if stack.undeclared]:
            self.notes.append(
                f"An older version of codat-zoho did not record what was declared in {_some(old, 3)}: drift that a "
                "plain 'pulumi refresh' took over into the state is not seen there, until a deployment changes "
                "something."
            )
        return tuple(replace(stack, notes=(*stack.notes, *notes.get(stack.title, ()))) for stack in stacks)

    def remediate(self, report: Report, *, ask: bool) -> Report:
        """Restore what drifted, stack by stack, and note in the report what came of it."""
        drifted = [stack for stack in report.stacks if stack.drifted]
        if not drifted:
            return report
        for stack in drifted:
            say(f"{stack.title}: drift in {', '.join(stack.drifted)}")
        agreed = not ask or _agreed(len(drifted))
        stacks = []
        for stack in report.stacks:
            outcome = None
            if stack.drifted and not agreed:
                outcome = Remediation("declined")
            elif stack.drifted:
                say(f"{stack.title}: pulumi up --refresh …")
                outcome = self._fleet.remediate(self._fleet.project(stack.directory), stack)
            stacks.append(replace(stack, remediation=outcome))
        return replace(report, stacks=tuple(stacks))


def _failed(project: str, folder: str, failure: Failure) -> _Target:
    return _Target(Stack(project, "*", folder, failure=failure))


def _there_are(listed: Iterable[str]) -> str:
    return f" There are {_some([*listed], 8)}." if listed else " There are none."


def _some(names: list[str], count: int) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return f"{', '.join(names[:count])}{more}"


def _each_once(names: Iterable[str], same: Callable[[str], Hashable]) -> list[str]:
    """The names in their order, without those that stand for what an earlier one stands for."""
    found: dict[Hashable, str] = {}
    for name in names:
        found.setdefault(same(name), name)
    return list(found.values())


def belongs(title: str, index: int, count: int) -> bool:
    """Tell whether a stack belongs to the ``index``-th of ``count`` parts. Other stacks have no say in it."""
    return int(hashlib.sha256(title.encode("utf-8", "surrogateescape")).hexdigest(), 16) % count == index - 1


def _agreed(count: int) -> bool:
    stacks = "this stack" if count == 1 else f"these {count} stacks"
    question = f"Run pulumi up --refresh on {stacks}? It also deploys what else has changed in the code. [y/N] "
    say(question, end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")

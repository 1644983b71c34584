"""Which stacks ``codat-zoho drift`` checks, some at a time."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import os
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from codat_zoho.drift.driver import READERS, Fleet
from codat_zoho.drift.report import Failure, Remediation, Report, Stack, State
from codat_zoho.remote.concurrency import Workers
from codat_zoho.workspace.failures import Failed
from codat_zoho.workspace.pulumi_yaml import Project, plain_name


@dataclass(frozen=True)
class _Target:
    """A stack, and how to check it; None where it is known already that it cannot be."""

    stack: Stack
    check: Callable[[], Stack] | None = None


class Checks:
    """Checks the stacks that the arguments name.

    Args:
        fleet: does it.
        arguments: of the command.
    """

    def __init__(self, fleet: Fleet, arguments: argparse.Namespace) -> None:
        self._fleet = fleet
        self._arguments = arguments
        self._projects: dict[str, Project] = {}
        self._files: dict[Path, str] = {}
        self.notes: list[str] = []

    def run(self) -> tuple[Stack, ...]:
        """Find the stacks and check them."""
        # More at a time than commands run: who waits for Codat leaves its place to the next command.
        workers = Workers(self._arguments.jobs + READERS)
        try:
            listing = [workers.submit(partial(self._targets, given)) for given in self._given()]
            found = [target for some in listing for target in some.result()]
            todo = self._of_this_shard(found)
            results = [target.stack for target in todo]
            running = {workers.submit(one.check): at for at, one in enumerate(todo) if one.check}
            with _Progress(len(running), shown=_on_terminal() and not self._arguments.quiet) as progress:
                for future in as_completed(running):
                    results[running[future]] = future.result()
                    progress.step(future.result())
        finally:
            workers.close()
        shared = _shared_clients(results)
        self.notes += _notes(results, shared)
        return tuple(_noting(stack, shared) for stack in results)

    def _given(self) -> list[str]:
        """What is to be checked, each once, however it is written."""
        if self._arguments.state:
            return _each_once(self._arguments.state, lambda name: name if name == "-" else Path(name).resolve())
        return _each_once(self._arguments.project, lambda given: Path(given).resolve())

    def _targets(self, given: str) -> list[_Target]:
        if self._arguments.state:
            return [_Target(Stack(given, "*", given), partial(self._fleet.check_file, given))]
        try:
            project = self._projects[given] = self._fleet.project(given)
        except Failed as failed:
            return [_Target(Stack(given, "*", given, failure=failed.failure))]
        if self._files.setdefault(project.file, given) != given:
            return []  # Another folder of the same project.
        if wanted := self._arguments.stack:
            return [self._target(project, name) for name in _each_once(wanted, plain_name)]
        try:
            listed = self._fleet.stacks(project)
        except Failed as failed:
            return [_Target(Stack(project.name, "*", given, failure=failed.failure))]
        chosen = [name for name, selected in listed.items() if self._arguments.all_stacks or selected]
        if not chosen and not self._arguments.all_stacks:
            text = f"No stack is selected: give --stack NAME or --all-stacks.{_there_are(listed)}"
            return [_Target(Stack(project.name, "*", given, failure=Failure("unknown stack", text)))]
        if not chosen:
            self.notes.append(f"{project.name} has no stacks.")
        return [self._target(project, name) for name in chosen]

    def _target(self, project: Project, name: str) -> _Target:
        return _Target(Stack(project.name, name, project.given), partial(self._check, project, name))

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
        if not stack.failure or stack.failure.kind != "unknown stack":
            return stack
        try:
            listed = self._fleet.stacks(project)
        except Failed:
            return stack
        close = difflib.get_close_matches(name, listed, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else _there_are(listed)
        return replace(stack, failure=Failure("unknown stack", f"There is no stack {name!r} in {stack.project}.{hint}"))

    def remediate(self, report: Report, *, ask: bool) -> Report:
        """Restore what drifted, stack by stack, and note in the report what came of it."""
        drifted = [stack for stack in report.stacks if stack.findings(State.DRIFT)]
        if not drifted:
            return report
        for stack in drifted:
            fields = ", ".join(finding.field for _, finding in stack.findings(State.DRIFT))
            print(f"{stack.title}: drift in {fields}", file=sys.stderr)
        agreed = not ask or _agreed(len(drifted))
        done = {}
        for stack in drifted:
            if agreed:
                print(f"{stack.title}: pulumi up --refresh …", file=sys.stderr)
                result = self._fleet.remediate(self._projects[stack.directory], stack)
            else:
                result = Remediation("declined")
            done[id(stack)] = replace(stack, remediation=result)
        return replace(report, stacks=tuple(done.get(id(stack), stack) for stack in report.stacks))


def _there_are(listed: Iterable[str]) -> str:
    names = list(listed)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f" There are {', '.join(names[:8])}{more}." if names else " There are none."


def _each_once(names: Iterable[str], same: Callable[[str], Hashable]) -> list[str]:
    """The names in their order, without those that stand for what an earlier one stands for."""
    found: dict[Hashable, str] = {}
    for name in names:
        found.setdefault(same(name), name)
    return list(found.values())


def _shared_clients(stacks: list[Stack]) -> dict[str, list[str]]:
    """The Codat clients that several stacks manage, with the stacks' titles."""
    titles: dict[str, list[str]] = {}
    for stack in stacks:
        for client in stack.codat_clients:
            titles.setdefault(client, []).append(stack.title)
    return {client: found for client, found in titles.items() if len(found) > 1}


def _noting(stack: Stack, shared: Mapping[str, list[str]]) -> Stack:
    """Name to a stack the others that manage its Codat client."""
    notes = [
        f"The Codat client {client} is managed by {others} too: destroying one takes the integration from the other."
        for client in stack.codat_clients
        if (others := ", ".join(title for title in shared.get(client, ()) if title != stack.title))
    ]
    return replace(stack, notes=(*stack.notes, *notes))


def _notes(stacks: list[Stack], shared: Mapping[str, list[str]]) -> Iterator[str]:
    """What is said of the whole run."""
    for client, titles in shared.items():
        yield f"Several stacks manage the Codat client {client}: {', '.join(titles)}."
    if old := [stack.title for stack in stacks if stack.undeclared]:
        more = f" and {len(old) - 3} more" if len(old) > 3 else ""
        yield (
            f"An older version of codat-zoho did not record what was declared in {', '.join(old[:3])}{more}: drift "
            "that a plain 'pulumi refresh' took over into the state is not seen there, until a deployment changes "
            "something."
        )


def belongs(title: str, index: int, count: int) -> bool:
    """Tell whether a stack belongs to the ``index``-th of ``count`` parts. Other stacks have no say in it."""
    return int(hashlib.sha256(title.encode()).hexdigest(), 16) % count == index - 1


def _agreed(count: int) -> bool:
    stacks = "this stack" if count == 1 else f"these {count} stacks"
    print(
        f"Run pulumi up --refresh on {stacks}? It also deploys what else has changed in the code. [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _on_terminal() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI")


class _Progress:
    """One line on a terminal that says how far the run is, and goes away at the end."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._total, self._shown = total, shown and total > 0
        self._done = self._wrong = 0

    def __enter__(self) -> _Progress:
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def step(self, stack: Stack) -> None:
        """Count a stack that is done."""
        self._done += 1
        self._wrong += stack.state in (State.DRIFT, State.ERROR)
        self._draw()

    def _draw(self) -> None:
        if self._shown:
            sys.stderr.write(
                f"\r\x1b[K{self._done} of {self._total} stacks checked, {self._wrong} with drift or errors"
            )
            sys.stderr.flush()

"""Which stacks ``codat-zoho drift`` checks, some at a time."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from codat_zoho.fleet.driver import Failed, Fleet, Listed, Project
from codat_zoho.reports.drift import Failure, Remediation, Report, Stack, State

__all__ = ["Checks", "belongs"]


@dataclass(frozen=True)
class _Target:
    """A stack to check, or one of which is known already that it cannot be."""

    project: Project
    listed: Listed
    failure: Failure | None = None

    @property
    def stack(self) -> Stack:
        return Stack(self.project.name, self.listed.name, self.project.given, failure=self.failure)


class Checks:
    """Checks the stacks that the arguments name."""

    def __init__(self, fleet: Fleet, arguments: argparse.Namespace) -> None:
        self._fleet = fleet
        self._arguments = arguments
        self._projects: dict[str, Project] = {}
        self._names: dict[str, list[str]] = {}
        self.notes: list[str] = []

    def run(self) -> tuple[Stack, ...]:
        """Find the stacks and check them."""
        pool = ThreadPoolExecutor(self._arguments.jobs)
        try:
            projects = dict.fromkeys(self._arguments.project)
            found = [target for some in pool.map(self._targets, projects) for target in some]
            todo = self._of_this_shard(found)
            results = [target.stack for target in todo]
            futures = {pool.submit(self._check, todo[at]): at for at in range(len(todo)) if not todo[at].failure}
            with _Progress(len(futures), shown=_on_terminal() and not self._arguments.quiet) as progress:
                for future in as_completed(futures):
                    results[futures[future]] = future.result()
                    progress.step(future.result())
            return tuple(results)
        finally:
            # After an interruption the threads end as soon as their children have.
            pool.shutdown(wait=False, cancel_futures=True)

    def _targets(self, given: str) -> Iterable[_Target]:
        try:
            project = self._projects[given] = self._fleet.project(given)
        except Failed as failed:
            return [_Target(Project(given, Path(given), given), Listed("*"), failed.failure)]
        wanted = self._arguments.stack
        try:
            listed = self._fleet.stacks(project)
        except Failed as failed:
            if wanted:  # Their own checks tell what is wrong.
                return [_Target(project, Listed(name)) for name in wanted]
            return [_Target(project, Listed("*"), failed.failure)]
        self._names[given] = [one.name for one in listed]
        if wanted:
            known = {one.name: one for one in listed}
            return [_Target(project, known.get(name, Listed(name))) for name in wanted]
        chosen = [one for one in listed if self._arguments.all_stacks or one.selected]
        if not chosen and not self._arguments.all_stacks:
            text = f"No stack is selected: give --stack NAME or --all-stacks.{self._there_are(given)}"
            return [_Target(project, Listed("*"), Failure("unknown stack", text))]
        if not chosen:
            self.notes.append(f"{project.name} has no stacks.")
        return [_Target(project, one) for one in chosen]

    def _there_are(self, given: str) -> str:
        names = self._names.get(given) or []
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        return f" There are {', '.join(names[:8])}{more}." if names else " There are none."

    def _of_this_shard(self, found: list[_Target]) -> list[_Target]:
        shard = self._arguments.shard
        if shard is None:
            return found
        # What could not be listed is told by every shard: none can know whose it would have been.
        mine = [one for one in found if one.failure or belongs(f"{one.project.name}/{one.listed.name}", *shard)]
        self.notes.append(f"Shard {shard[0]} of {shard[1]}: {len(mine)} of {len(found)} stacks.")
        return mine

    def _check(self, target: _Target) -> Stack:
        stack = self._fleet.check(target.project, target.listed)
        if stack.failure and stack.failure.kind == "unknown stack" and target.project.given in self._names:
            close = difflib.get_close_matches(stack.name, self._names[target.project.given], n=1)
            hint = f" Did you mean {close[0]!r}?" if close else self._there_are(target.project.given)
            text = f"There is no stack {stack.name!r} in {stack.project}.{hint}"
            stack = replace(stack, failure=Failure("unknown stack", text))
        return stack

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

"""What ``codat-zoho drift`` costs beside bare ``pulumi refresh --preview-only`` over the same stacks.

And beside bare ``pulumi stack export``, which is what each further stack needs of pulumi.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Bar, in_turn, slope
from codat_zoho.simulator import Fault, Simulator
from tests.drift_fleet import Place, Scratch, scratch
from tools.engine import Engine

LATENCY = 0.2
SLOW = 4
"""The number of stacks over which latency is measured too."""
BARS = {1: 0.65, 4: 0.40, 64: 0.30}
ONE_MORE = 1.25


def measure(
    root: Path, engine: Engine, base: str, simulator: Simulator, counts: tuple[int, ...]
) -> tuple[dict[str, Any], list[Bar]]:
    """A project for each number of stacks; both sides verify Zoho, and both run ``jobs`` commands at once."""
    jobs = len(os.sched_getaffinity(0))
    fleet = scratch(root, engine, f"{base}/zoho")
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    exported: dict[int, float] = {}
    checked: dict[int, float] = {}
    for count in counts:
        project = f"fleet{count}"
        stacks = [f"s{number}" for number in range(count)]
        fleet.deploy([Place(project, stack, base) for stack in stacks], {base: simulator})
        ours = partial(_ours, fleet, project, jobs)
        refresh = partial(_bare, fleet, project, stacks, jobs, "refresh", "--preview-only", "--expect-no-changes")
        export = partial(_bare, fleet, project, stacks, jobs, "stack", "export", "--show-secrets")
        name = f"drift, {count} {'stack' if count == 1 else 'stacks'}"
        # Few stacks are measured more often; many take long, and are many runs by themselves.
        pairs = 3 if count <= SLOW else 1
        taken = in_turn(refresh, ours, pairs, warm=count != counts[0])
        figures[f"{name}, s"] = taken.figures()
        if count in BARS:
            bars.append(Bar(name, taken.ratio.median, BARS[count]))
        beside = in_turn(export, ours, pairs, warm=True).figures()
        exported[count], checked[count] = beside["floor"], beside["ours"]
        if count == SLOW:
            # Every call to Codat takes this long on both sides: the bare commands make the same calls.
            simulator.fail(Fault(path="/codat/", delay=LATENCY, times=-1))
            figures[f"{name}, {LATENCY:g} s a Codat call, s"] = in_turn(refresh, ours, 2, warm=True).figures()
            simulator.faults.clear()
    if len(counts) > 1:
        floor, mine = slope(exported), slope(checked)
        figures["drift, slope, s a stack; the floor is stack export"] = {
            "floor": floor,
            "ours": mine,
            "ratio": mine / floor,
        }
        bars.append(Bar("drift, one more stack beside one more export", mine / floor, ONE_MORE))
    return figures, bars


def _bare(fleet: Scratch, project: str, stacks: list[str], jobs: int, *words: str) -> float:
    def run(stack: str) -> None:
        fleet.engine(*words, "--stack", stack, project=project, CODAT_ZOHO_VERIFY="always")

    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, stacks))
    return time.perf_counter() - began


def _ours(fleet: Scratch, project: str, jobs: int) -> float:
    began = time.perf_counter()
    done = fleet.drift(project, "--all-stacks", "--jobs", str(jobs), "--quiet")
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return time.perf_counter() - began

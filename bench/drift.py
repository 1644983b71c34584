"""What ``codat-zoho drift`` costs beside bare ``pulumi refresh --preview-only`` over the same stacks."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Bar, in_turn
from codat_zoho.simulator import Fault, Simulator
from tests.drift_fleet import Place, Scratch, scratch
from tools.engine import Engine

LATENCY = 0.2
SLOW = 4
"""The number of stacks over which latency is measured too."""


def measure(
    root: Path, engine: Engine, base: str, simulator: Simulator, counts: tuple[int, ...]
) -> tuple[dict[str, Any], list[Bar]]:
    """A project for each number of stacks; both sides verify Zoho, and both run ``jobs`` engines at once."""
    jobs = len(os.sched_getaffinity(0))
    fleet = scratch(root, engine, f"{base}/zoho")
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    for count in counts:
        project = f"fleet{count}"
        stacks = [f"s{number}" for number in range(count)]
        fleet.deploy([Place(project, stack, base) for stack in stacks], {base: simulator})
        bare, ours = partial(_bare, fleet, project, stacks, jobs), partial(_ours, fleet, project, jobs)
        name = f"drift, {count} {'stack' if count == 1 else 'stacks'}"
        # Few stacks are measured more often; many take long, and are many runs by themselves.
        taken = in_turn(bare, ours, 3 if count <= SLOW else 1, warm=count != counts[0])
        figures[f"{name}, s"] = taken.figures()
        if count == max(counts):
            bars.append(Bar(f"drift over {count} stacks", taken.ratio.median, 1.10))
        if count == SLOW:
            # Every call to Codat takes this long on both sides: the bare commands make the same calls.
            simulator.fail(Fault(path="/codat/", delay=LATENCY, times=-1))
            figures[f"{name}, {LATENCY:g} s a Codat call, s"] = in_turn(bare, ours, 2, warm=True).figures()
            simulator.faults.clear()
    return figures, bars


def _bare(fleet: Scratch, project: str, stacks: list[str], jobs: int) -> float:
    def refresh(stack: str) -> None:
        words = ("refresh", "--preview-only", "--expect-no-changes", "--stack", stack)
        fleet.engine(*words, project=project, CODAT_ZOHO_VERIFY="always")

    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(refresh, stacks))
    return time.perf_counter() - began


def _ours(fleet: Scratch, project: str, jobs: int) -> float:
    began = time.perf_counter()
    done = fleet.drift(project, "--all-stacks", "--jobs", str(jobs), "--quiet")
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return time.perf_counter() - began

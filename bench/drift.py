"""What `codat-zoho drift` costs beside bare `pulumi refresh --preview-only`, measured side by side in one run.

The bar: n stacks take at most 1.15 x (n x one bare refresh) / min(jobs, cores) plus 0.6 s. Bare and drift ask Zoho
alike, and alternate. On a machine that is busy with something else the fixed part and the second core are not to be
had, so the CPU seconds are printed too: they say what the work costs, whoever else is running.

    python bench/drift.py [--stacks 12] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from codat_zoho.simulator import Simulator, serve
from tests.drift_fleet import Place, scratch
from tools.engine import find_or_build

FACTOR, CONSTANT = 1.15, 0.6


def main() -> int:
    """Measure, print, and tell by the exit code whether the bar holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    simulator, cores = Simulator(), len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, serve(simulator) as base:
        place = scratch(Path(folder, "work"), find_or_build(), f"{base}/zoho")
        stacks = [f"s{number}" for number in range(arguments.stacks)]
        place.deploy([Place("bench", stack, base) for stack in stacks], {base: simulator})
        bare: list[float] = []
        spent: dict[str, list[float]] = {"bare": [], "drift": []}
        runs: dict[int, list[float]] = {1: [], cores: []}
        for _ in range(arguments.rounds):
            for stack in stacks[:2]:
                began, used = time.perf_counter(), _cpu()
                words = ("refresh", "--preview-only", "--stack", stack)
                place.engine(*words, project="bench", CODAT_ZOHO_VERIFY="always")
                bare.append(time.perf_counter() - began)
                spent["bare"].append(_cpu() - used)
            for jobs, taken in runs.items():
                began, used = time.perf_counter(), _cpu()
                done = place.drift("bench", "--all-stacks", "--jobs", str(jobs), "--quiet")
                taken.append(time.perf_counter() - began)
                spent["drift"].append(_cpu() - used)
                assert done.returncode == 0, done.stdout + done.stderr
    one = statistics.median(bare)
    print(f"one bare refresh --preview-only: {one:.2f} s (median of {len(bare)}); {cores} cores")
    cpu = {name: statistics.median(found) for name, found in spent.items()}
    print(f"CPU: {cpu['bare']:.2f} s a bare refresh, {cpu['drift'] / arguments.stacks:.2f} s a stack of drift")
    holds = True
    for jobs, taken in runs.items():
        bar = FACTOR * arguments.stacks * one / min(jobs, cores) + CONSTANT
        median = statistics.median(taken)
        holds = holds and median <= bar
        print(f"drift over {arguments.stacks} stacks, --jobs {jobs}: {median:.2f} s; the bar is {bar:.2f} s")
    print("the bar holds" if holds else "the bar does NOT hold")
    return 0 if holds else 1


def _cpu() -> float:
    """CPU seconds of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())

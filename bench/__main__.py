"""``python -m bench``: measure everything in pairs, print the bars, write ``bench/results/`` and the documentation."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import by_hand, calls, drift, imports, many, operations, overhead, plugin, report, whose
from bench.harness import Bar, machine
from bench.place import ROOT, Place
from codat_zoho.simulator import Simulator, serve
from tools.engine import find_or_build

RESULTS, DOCUMENT = ROOT / "bench" / "results", ROOT / "docs" / "performance.md"


def main() -> int:
    """Measure and write; the exit code tells of bars only with ``--strict``."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pairs and small sizes, to see that it runs")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is not met")
    arguments = parser.parse_args()
    quick = arguments.quick
    sizes = {1: 3} if quick else {1: 9, 10: 2, 100: 2}
    engine, simulator = find_or_build(), Simulator()
    for package in ("codat_zoho", "bench"):
        # As pip leaves what it installs; where PYTHONDONTWRITEBYTECODE is set, each run would compile it again.
        compileall.compile_dir(ROOT / package, quiet=1)
    figures: dict[str, Any] = {}
    bars: list[Bar] = []

    def add(found: tuple[dict[str, Any], list[Bar]]) -> None:
        figures.update(found[0])
        bars.extend(found[1])
        for bar in found[1]:
            print(bar.line(), flush=True)

    with tempfile.TemporaryDirectory() as folder, serve(simulator) as base:
        place = Place.made(Path(folder, "pairs"), engine, base, simulator, max(sizes))
        said = subprocess.run(["pulumi", "version"], env=place.environment, capture_output=True, text=True, check=True)
        about = machine(said.stdout.strip())
        add(imports.measure(quick))
        add(operations.measure(place, tuple(sizes), sizes))
        without = figures["refresh --preview-only, n=1, s"]["added"]["median"]
        add(operations.latency(place, simulator, 0.2, 2 if quick else 5, without))
        add(plugin.measure(place, 2 if quick else 9))
        add(overhead.measure(base, simulator, 100 if quick else 1000))
        state = operations.state(place, 1)
        scripts, counted_by_hand = by_hand.measure(place, base, simulator, 2)
        figures.update(scripts)
        add(drift.measure(Path(folder, "fleet"), engine, base, simulator, (1,) if quick else (1, 4, 16, 64)))
        add(many.measure(Path(folder, "many"), 100 if quick else 1000))
        parts = whose.measure(base, simulator, 5 if quick else 11)
        counted, call_bars = calls.measure(place, simulator)
        add(({}, call_bars))
    about["load_after"] = round(os.getloadavg()[0], 2)
    result = {
        "quick": quick,
        "machine": about,
        "bars": [asdict(bar) | {"met": bar.met} for bar in bars],
        "figures": figures,
        "calls": counted | counted_by_hand,
        "state": state,
        "whose": parts,
    }
    text = report.table(result)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (RESULTS / "results.txt").write_text(text + "\n")
    (RESULTS / "ratios.svg").write_text(report.picture(result))
    DOCUMENT.write_text(report.into(DOCUMENT.read_text(), text))
    print(f"\n{text}")
    return 1 if arguments.strict and not all(bar.met for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())

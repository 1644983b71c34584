"""Time and memory of ``import codat_zoho`` and of ``codat-zoho --help``, beside what they stand on."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from bench.harness import Bar, in_turn

FLOOR = "import pulumi, pulumi.dynamic, httpx, pydantic"
OURS = f"{FLOOR}; import codat_zoho; codat_zoho.ZohoBooksIntegration"
# Not ru_maxrss: that starts from the memory of the process that started this one.
PEAK = "; print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')))"


def _seconds(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _mebibytes(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code + PEAK], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024  # Linux counts in KiB; elsewhere there is no such file.


def measure(quick: bool) -> tuple[dict[str, Any], list[Bar]]:
    """Milliseconds are differences of pairs in one run."""
    pairs = 5 if quick else 15
    taken = in_turn(lambda: _seconds("-c", FLOOR), lambda: _seconds("-c", OURS), pairs)
    memory = in_turn(lambda: _mebibytes(FLOOR), lambda: _mebibytes(OURS), pairs)
    help_ = in_turn(lambda: _seconds("-c", "pass"), lambda: _seconds("-m", "codat_zoho", "--help"), pairs)
    figures = {
        "import, s": taken.figures(),
        "memory of import, peak MiB": memory.figures(),
        "codat-zoho --help, s": help_.figures(),
    }
    bars = [
        Bar("import over pulumi, httpx, pydantic", taken.added.median * 1000, 30, "ms"),
        Bar("memory over pulumi, httpx, pydantic", memory.added.median, 6, "MiB"),
        Bar("codat-zoho --help over a bare interpreter", help_.added.median * 1000, 120, "ms"),
    ]
    return figures, bars

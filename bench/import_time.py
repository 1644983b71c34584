"""What importing the package adds to importing pulumi, httpx and pydantic: pairs of runs in turn, median of ratios.

python bench/import_time.py [pairs]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

FLOOR = "import pulumi, pulumi.dynamic, httpx, pydantic"
OURS = f"{FLOOR}; import codat_zoho.resources"


def seconds(code: str) -> float:
    """How long a fresh interpreter takes for ``code``."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def main() -> int:
    """Measure and print."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    seconds(OURS)
    runs = [(seconds(FLOOR), seconds(OURS)) for _ in range(pairs)]
    ratios = [ours / floor for floor, ours in runs]
    added = [ours - floor for floor, ours in runs]
    low, _, high = statistics.quantiles(ratios, n=4)
    print(f"{pairs} pairs: {statistics.median(ratios):.3f} x the floor (quartiles {low:.3f} to {high:.3f}),")
    floor = statistics.median(floor for floor, _ in runs)
    print(f"that is {statistics.median(added) * 1000:+.0f} ms on a floor of {floor * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())

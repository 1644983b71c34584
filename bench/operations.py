"""No-op ``up``, ``preview`` and both refreshes at 1, 10, 100 pairs of resources; the state beside the floor's."""

from __future__ import annotations

import json
from typing import Any

from bench.harness import Bar, Pairs, in_turn, slope
from bench.place import PROGRAMS, Place
from codat_zoho.simulator import Fault, Simulator

OPERATIONS = {
    "up": ("up", "--yes", "--skip-preview"),
    "preview": ("preview",),
    "preview --refresh": ("preview", "--refresh"),
    "refresh --preview-only": ("refresh", "--preview-only"),
}
SIDES = ("floor", "ours")
LIMITS = {"up": 1.05, "preview": 1.05, "refresh --preview-only": 1.10}


def _both(place: Place, name: str, size: int, pairs: int, *, floor: str = "floor") -> Pairs:
    # Both were deployed a moment ago, so all that they load is warm.
    words = OPERATIONS[name]
    return in_turn(
        lambda: place.seconds(floor, size, *words), lambda: place.seconds("ours", size, *words), pairs, warm=True
    )


def measure(place: Place, sizes: tuple[int, ...], pairs: dict[int, int]) -> tuple[dict[str, Any], list[Bar]]:
    """Every size is deployed once; then each operation runs on both in turn."""
    found: dict[str, dict[int, Pairs]] = {name: {} for name in OPERATIONS}
    for size in sizes:
        for project in PROGRAMS if size == max(sizes) > 1 else SIDES:
            place.deploy(project, size)
        for name in OPERATIONS:
            # Where there is no bar, fewer pairs will do.
            times = pairs[size] if name in LIMITS else min(pairs[size], 3)
            found[name][size] = _both(place, name, size, times)
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    if (most := max(sizes)) > 1:
        # Whose cost is whose: this floor has as many properties as ours, and nothing to check or compare in them.
        for name in ("up", "preview"):
            taken = _both(place, name, most, pairs[most], floor="shaped")
            figures[f"{name}, n={most}; the floor has as many properties, s"] = taken.figures()
    for name, by_size in found.items():
        for size, taken in by_size.items():
            figures[f"{name}, n={size}, s"] = taken.figures()
        if name in LIMITS and 1 in by_size:
            bars.append(Bar(f"{name}, 1 pair of resources", by_size[1].ratio.median, LIMITS[name]))
        if len(by_size) > 1:
            sides = [slope({size: taken.figures()[side] for size, taken in by_size.items()}) for side in SIDES]
            figures[f"{name}, slope, s a pair"] = {"floor": sides[0], "ours": sides[1], "ratio": sides[1] / sides[0]}
            if name in ("up", "preview"):
                bars.append(Bar(f"{name}, slope", sides[1] / sides[0], 1.10))
    return figures, bars


def state(place: Place, size: int) -> dict[str, Any]:
    """Bytes of the exported state and encrypted values, a pair of resources."""
    sides = {}
    for project in SIDES:
        resources = place.exported(project, size)["deployment"]["resources"]
        text = json.dumps([one for one in resources if one["type"].startswith("pulumi-python:")])
        sides[project] = {"bytes": len(text) // size, "encrypted": text.count('"ciphertext"') / size}
    return sides


def latency(
    place: Place, simulator: Simulator, seconds: float, pairs: int, without: float
) -> tuple[dict[str, Any], list[Bar]]:
    """A refresh of one pair of resources while each call to Codat takes ``seconds``: how many of those it waits for.

    ``without`` is what a refresh adds to its floor when no call takes any time. Latencies are counted to a tenth: that
    is what two runs of the same thing differ by.
    """
    simulator.fail(Fault(path="/codat/", delay=seconds, times=-1))
    slow = _both(place, "refresh --preview-only", 1, pairs)
    simulator.faults.clear()
    waits = round((slow.added.median - without) / seconds, 1)
    return (
        {f"refresh --preview-only, {seconds:g} s a Codat call, s": slow.figures()},
        [Bar("latencies a refresh waits for, beyond the floor", waits, 1.0, "latencies")],
    )

"""Pairs of runs in turn, and what is said of them: the median of the paired ratios, its quartiles, a slope."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any


@dataclass(frozen=True)
class Spread:
    """A median and its quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Quartiles include the smallest and the largest value; one value is its own spread."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, statistics.median(values), high)


@dataclass(frozen=True)
class Pairs:
    """Floor and ours, measured in turn."""

    floor: tuple[float, ...]
    ours: tuple[float, ...]

    @property
    def ratio(self) -> Spread:
        """Ours as a multiple of the floor."""
        return Spread.of([ours / floor for floor, ours in zip(self.floor, self.ours, strict=True)])

    @property
    def added(self) -> Spread:
        """What ours takes more."""
        return Spread.of([ours - floor for floor, ours in zip(self.floor, self.ours, strict=True)])

    def figures(self) -> dict[str, Any]:
        """Everything that is said of them, for JSON."""
        return {
            "pairs": len(self.floor),
            "floor": statistics.median(self.floor),
            "ours": statistics.median(self.ours),
            "ratio": asdict(self.ratio),
            "added": asdict(self.added),
        }


def in_turn(floor: Callable[[], float], ours: Callable[[], float], pairs: int, *, warm: bool = False) -> Pairs:
    """Measure A B A B; unless all is ``warm``, what was first to run, and warmed what both share, is thrown away."""
    if not warm:
        floor(), ours()
    found = [(floor(), ours()) for _ in range(pairs)]
    return Pairs(tuple(one for one, _ in found), tuple(other for _, other in found))


def slope(points: Mapping[int, float]) -> float:
    """Seconds for one more, by least squares."""
    return statistics.linear_regression(list(points), list(points.values())).slope


def machine(pulumi: str) -> dict[str, Any]:
    """The machine without a name or a path; the load tells whether it was idle."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "pulumi": pulumi,
        "sdk": version("pulumi"),
        "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 2),
    }


@dataclass(frozen=True)
class Bar:
    """What a figure must not exceed."""

    name: str
    found: float
    limit: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Equal is met."""
        return self.found <= self.limit

    def line(self) -> str:
        """What is printed."""
        verdict = "met" if self.met else "NOT met"
        return f"{self.name}: {self.found:.2f} {self.unit}, bar {self.limit:g} {self.unit}: {verdict}"

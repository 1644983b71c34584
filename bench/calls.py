"""How many calls to Codat and Zoho each operation makes, from the simulator's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from bench.place import Place
from codat_zoho.simulator import Simulator

UP = ("up", "--yes", "--skip-preview")


def counted(simulator: Simulator, act: Callable[[], object]) -> dict[str, int]:
    """What is called while something is done."""
    simulator.calls.clear()
    act()
    return dict(sorted(Counter(f"{call.service} {call.kind}" for call in simulator.calls).items()))


def measure(place: Place, simulator: Simulator) -> dict[str, dict[str, int]]:
    """One pair of resources, from nothing to nothing."""
    size, found = 1, {}

    def count(name: str, act: Callable[[], object]) -> None:
        found[name] = counted(simulator, act)

    def run(*words: str) -> Callable[[], object]:
        return lambda: place.run("ours", size, *words)

    # The stack exists: what it made is destroyed first, so that create is counted too.
    count("destroy", run("destroy", "--yes", "--skip-preview"))
    count("create", run(*UP))
    count("up, no change", run(*UP))
    count("preview", run("preview"))
    count("preview --refresh", run("preview", "--refresh"))
    count("refresh --preview-only", run("refresh", "--preview-only"))
    place.environment["CODAT_ZOHO_VERIFY"] = "always"
    count("refresh --preview-only, verifying", run("refresh", "--preview-only"))
    del place.environment["CODAT_ZOHO_VERIFY"]
    other = "b" * 42
    next(iter(simulator.zoho.values())).secret = other
    place.configure("ours", size, secret=other)
    count("rotate the secret", run(*UP))
    place.configure("ours", size, enabled="false")
    count("disable", run(*UP))
    place.configure("ours", size, enabled="true")
    count("enable", run(*UP))
    return found

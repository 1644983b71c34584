"""How many calls to Codat and Zoho each operation makes, from the simulator's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from bench.harness import Bar
from bench.place import Place
from codat_zoho.simulator import Simulator
from tests.support import ID, SECRET

UP = ("up", "--yes", "--skip-preview")
# Two calls an integration, and one for each API key.
LIMITS = {"up, no change": 0, "preview": 0, "refresh --preview-only": 3}


def counted(simulator: Simulator, act: Callable[[], object]) -> dict[str, int]:
    """What is called while something is done."""
    simulator.calls.clear()
    act()
    return dict(sorted(Counter(f"{call.service} {call.kind}" for call in simulator.calls).items()))


def measure(place: Place, simulator: Simulator) -> tuple[dict[str, dict[str, int]], list[Bar]]:
    """Each operation on one pair of resources."""
    found: dict[str, dict[str, int]] = {}

    def count(name: str, act: Callable[[], object]) -> None:
        found[name] = counted(simulator, act)

    def run(*words: str) -> Callable[[], object]:
        return lambda: place.run("ours", 1, *words)

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
    simulator.zoho[ID].secret = other
    place.configure("ours", 1, secret=other)
    count("rotate the secret", run(*UP))
    place.configure("ours", 1, enabled="false")
    count("disable", run(*UP))
    place.configure("ours", 1, enabled="true")
    count("enable", run(*UP))
    simulator.zoho[ID].secret = SECRET
    return found, [Bar(f"calls: {name}", sum(found[name].values()), limit, "calls") for name, limit in LIMITS.items()]

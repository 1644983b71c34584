"""Assertions about what was sent."""

from __future__ import annotations

from collections.abc import Iterable

from codat_zoho.simulator import Call, Simulator
from codat_zoho.testing._running import SimulatedCodat


def assert_no_writes(seen: SimulatedCodat | Simulator) -> None:
    """Fail when Codat was sent a change since the log was last emptied, and name what was sent.

    Args:
        seen: the simulator that received the requests.

    Raises:
        AssertionError: something was written.

    >>> from codat_zoho.simulator import Simulator
    >>> assert_no_writes(Simulator())
    """
    with (seen.simulator if isinstance(seen, SimulatedCodat) else seen).lock:
        writes = list(seen.writes)
    if writes:
        raise AssertionError(f"Codat was sent {_count(writes, 'write')}, and none was expected:{listed(writes)}")


def listed(calls: Iterable[Call]) -> str:
    """The calls, one a line."""
    return "".join(f"\n  {call}" for call in calls)


def _count(calls: list[Call], noun: str) -> str:
    return f"{len(calls)} {noun}{'' if len(calls) == 1 else 's'}"

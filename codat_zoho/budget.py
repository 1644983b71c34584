"""Counts the calls of a run and keeps them below Codat's limits. Facts: docs/facts.md, section Codat.

Codat allows 1,000 calls a minute from one address, whatever the key, and each Codat client a number of calls a day
(1,000 for the client and 1,000 for each active connected company, reset at 00:00 UTC), of which every answer says what
is left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from codat_zoho.run_folder import rewrite, shared_file

__all__ = ["MINUTE_LIMIT", "Account", "Budget"]

MINUTE_LIMIT = 900
"""Calls that one run sends within 60 seconds. Codat allows an address 1,000, and others may share the address."""
LOW = 0.1
"""The share of a day's calls below which a warning is due."""
_FILE = "budget"
_MINUTE = 60
_DAY = 24 * 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class Account:
    """Whose daily budget a call is on: one API key, known by a hash and by where it was found."""

    digest: str
    source: str


@dataclass(eq=False)
class Budget:
    """The calls of this process or, where the run has a folder, of all its processes.

    Args:
        now: the time, in seconds since 1970.
        say: receives warnings, one line each.
    """

    now: Callable[[], float] = time.time
    say: Callable[[str], None] = lambda text: None
    _own: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def spend(self, service: str) -> float:
        """Count a call that is about to be sent, or return how many seconds to wait first.

        Args:
            service: ``Codat``, whose limit a minute is kept, or ``Zoho``.
        """
        with self._state() as state:
            if service == "Codat":
                second = int(self.now())
                recent = {at: n for at, n in state.get("recent", {}).items() if second - _MINUTE < int(at) <= second}
                state["recent"] = recent
                if sum(recent.values()) >= MINUTE_LIMIT:
                    if not state.get("slowed"):
                        state["slowed"] = True
                        self.say(f"{MINUTE_LIMIT} calls within a minute: going slower, to stay below Codat's limit.")
                    return float(min(map(int, recent)) + _MINUTE - second)
                recent[str(second)] = recent.get(str(second), 0) + 1
            calls = state.setdefault("calls", {})
            calls[service] = calls.get(service, 0) + 1
            return 0.0

    def note(self, account: Account, headers: Mapping[str, str]) -> None:
        """Remember what an answer of Codat says is left of the day, and warn once where that is little."""
        left, limit = (_number(headers.get(f"x-rate-limit-{name}")) for name in ("remaining", "limit"))
        if left is None or not limit:
            return
        with self._state() as state:
            seen = state.setdefault("left", {}).setdefault(account.digest, {})
            warned = seen.get("warned", False)
            # Answers to calls sent at the same time arrive in any order: within a day, what is left never grows.
            since = [int(self.now()) // _DAY, limit]
            left = min(left, seen["left"]) if seen.get("since") == since else left
            low = left < LOW * limit
            seen.update(source=account.source, left=left, limit=limit, since=since, warned=warned or low)
        if low and not warned:
            self.say(f"{_left(account.source, left, limit)}: less than a tenth.")

    def summary(self) -> str:
        """How many calls were made, and what the client that has the least has left."""
        with self._state() as state:
            calls, left = dict(state.get("calls", {})), list(state.get("left", {}).values())
        text = " and ".join(f"{calls.get(service, 0)} calls to {service}" for service in ("Codat", "Zoho"))
        if not left:
            return f"{text}; Codat did not say how many are left today."
        least = min(left, key=lambda seen: seen["left"] / seen["limit"])
        text += f"; {_left(least['source'], least['left'], least['limit'])}"
        return f"{text}, and more in {len(left) - 1} other Codat clients." if len(left) > 1 else f"{text}."

    def low(self) -> list[str]:
        """What the run has to say of Codat clients with little left."""
        with self._state() as state:
            left = list(state.get("left", {}).values())
        return [f"{_left(seen['source'], seen['left'], seen['limit'])}." for seen in left if seen.get("warned")]

    @contextmanager
    def _state(self) -> Iterator[dict[str, Any]]:
        with self._lock, shared_file(_FILE) as file:
            state = self._own if file is None else _parsed(file.read())
            yield state
            if file is not None:
                rewrite(file, json.dumps(state))


def _parsed(text: str) -> dict[str, Any]:
    try:
        state = json.loads(text)
    except ValueError:
        return {}  # Empty, or half written by a process that was killed.
    return state if isinstance(state, dict) else {}


def _left(source: str, left: int, limit: int) -> str:
    return f"{left:,} of {limit:,} calls are left today for the Codat API key from {source} (reset at 00:00 UTC)"


def _number(text: str | None) -> int | None:
    return int(text) if text and len(text) < 12 and text.isascii() and text.isdigit() else None

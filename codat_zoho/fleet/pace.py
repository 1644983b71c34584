"""Keeps a run over many stacks below Codat's limit of requests."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

__all__ = ["REQUESTS_A_MINUTE", "Pace"]

REQUESTS_A_MINUTE = 900
"""Codat allows 1,000 requests a minute from an address (Codat's rate limits); the rest is left for repeats."""


class Pace:
    """Counts requests in a sliding minute. Threads share it.

    Args:
        wait: waits for some seconds; returns true when waiting is over for good.
        limit: requests in 60 seconds.
        clock: seconds.
    """

    def __init__(
        self,
        wait: Callable[[float], bool],
        *,
        limit: int = REQUESTS_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait, self._limit, self._clock = wait, limit, clock
        self._turn = Lock()
        self._taken: deque[tuple[float, int]] = deque()

    def take(self, requests: int) -> None:
        """Wait until so many requests may be sent, and count them."""
        with self._turn:  # Who comes next waits behind who waits already.
            while True:
                now = self._clock()
                while self._taken and self._taken[0][0] <= now - 60:
                    self._taken.popleft()
                if not self._taken or sum(count for _, count in self._taken) + requests <= self._limit:
                    break
                # Never for nothing: rounding could leave a remainder that no waiting uses up.
                if self._wait(max(0.01, self._taken[0][0] + 60 - now)):
                    return
            self._taken.append((now, requests))

    def note(self, requests: int) -> None:
        """Count requests that were sent besides; a negative number gives some back."""
        if requests:
            self._taken.append((self._clock(), requests))

"""What may be used up: the time of an operation, and the calls of a process. Facts: docs/facts.md, section Codat.

Codat allows 1,000 calls a minute from one address, whatever the key, and each Codat client a number of calls a day
that grows with its companies (reset at 00:00 UTC). Every answer says what is left of the day.
"""

from __future__ import annotations

import math
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import one_line

MINUTE_LIMIT = 900
"""Calls that one process sends within 60 seconds. Codat allows an address 1,000, and others may share the address."""
_LOW = 0.1
"""The share of a day's calls below which a warning is due."""
_MINUTE = 60
_DAY = 24 * 60 * _MINUTE
_SLOWER = f"{MINUTE_LIMIT} calls within a minute: going slower, to stay below Codat's limit."


class Deadline:
    """The seconds that an operation may take over all its calls and waits, ``within`` those of what it is part of."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, within: Deadline | None = None
    ) -> None:
        self.seconds: float = seconds if within is None else min(seconds, within.seconds)
        self._clock, self._within = clock, within
        self._end = clock() + seconds
        self._excused = 0.0

    def left(self) -> float:
        """Seconds left, never negative."""
        left = max(0.0, self._end - self._clock())
        return left if self._within is None else min(left, self._within.left())

    def excuse(self, seconds: float) -> None:
        """Do not count the next seconds: a limit is waited for. Calls that wait at the same time wait once."""
        now = self._clock()
        self._end += max(0.0, now + seconds - max(now, self._excused))
        self._excused = max(self._excused, now + seconds)
        if self._within is not None:
            self._within.excuse(seconds)


class Stop(Deadline):
    """What every operation of a process is within: there is time until somebody calls it off, and none from then on."""

    def __init__(self) -> None:
        super().__init__(math.inf)
        self._called: Future[None] = Future()

    def call(self) -> None:
        """Call it off; whoever waits by ``sleep`` or ``patience`` stops waiting."""
        if not self.called:
            self._called.set_result(None)

    @property
    def called(self) -> bool:
        """Whether it was called off."""
        return self._called.done()

    def left(self) -> float:
        """All the time there is, or none."""
        return 0.0 if self.called else math.inf

    def sleep(self, seconds: float) -> None:
        """Sleep, unless it is called off."""
        wait([self._called], seconds)

    def patience(self, futures: list[Future[Any]], seconds: float) -> None:
        """Wait for one of the futures, unless it is called off."""
        wait([*futures, self._called], seconds, FIRST_COMPLETED)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose daily budget a call is on: one API key, known by a hash, whatever it was found in."""

    digest: str
    source: str = field(compare=False)


class Certificate(NamedTuple):
    """What an account may demand beside the key: PEM files of a client certificate and its key, which may be one."""

    file: str
    key: str | None = None

    def beside(self, trust: ssl.SSLContext) -> ssl.SSLContext:
        """Add it to what is trusted."""
        try:
            trust.load_cert_chain(*self, password="")  # Without one, OpenSSL would ask at the terminal.
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The client certificate {one_line(self.file)} cannot be used: {one_line(str(error)).rstrip('.')}.",
                "Set CODAT_CLIENT_CERT and CODAT_CLIENT_KEY to PEM files that belong together, without a passphrase.",
            ) from None
        return trust


@dataclass(slots=True)
class _Day:
    """What a Codat client has left of a day."""

    source: str
    left: int
    limit: int
    day: int
    warned: bool = False

    def __str__(self) -> str:
        calls = f"{self.left:,} of {self.limit:,} calls are left today"
        return f"{calls} for the Codat API key from {self.source} (reset at 00:00 UTC)"


@dataclass(eq=False)
class Budget:
    """The calls of this process, shared by its threads; ``say`` receives warnings, one line each."""

    now: Callable[[], float] = time.time
    say: Callable[[str], None] = lambda text: None
    _calls: Counter[str] = field(default_factory=Counter, repr=False)
    _recent: deque[float] = field(default_factory=deque, repr=False)
    _days: dict[Account, _Day] = field(default_factory=dict, repr=False)
    _slowed: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)

    def spend(self, service: str) -> float:
        """Count a call to ``Codat`` or ``Zoho`` that is about to be sent, or return the seconds to wait first."""
        with self._lock:
            now = self.now()
            while self._recent and not 0 <= now - self._recent[0] < _MINUTE:
                self._recent.popleft()
            if service == "Codat" and len(self._recent) >= MINUTE_LIMIT:
                if not self._slowed:
                    self._slowed = True
                    self.say(_SLOWER)
                return self._recent[0] + _MINUTE - now
            if service == "Codat":
                self._recent.append(now)
            self._calls[service] += 1
            return 0.0

    def note(self, account: Account, headers: Mapping[str, str]) -> None:
        """Remember what an answer of Codat says is left of the day, and warn once where that is little."""
        left, limit = (_number(headers.get(f"x-rate-limit-{name}")) for name in ("remaining", "limit"))
        if left is None or not limit:
            return
        with self._lock:
            day = int(self.now()) // _DAY
            seen = self._days.setdefault(account, _Day(account.source, left, limit, day))
            # Answers to calls sent at the same time arrive in any order: within a day, what is left never grows.
            seen.left = min(left, seen.left) if (seen.day, seen.limit) == (day, limit) else left
            seen.day, seen.limit = day, limit
            low = seen.left < _LOW * limit
            warn = low and not seen.warned
            seen.warned = seen.warned or low
            text = f"{seen}: less than a tenth."
        if warn:
            self.say(text)

    def summary(self) -> str:
        """How many calls were made, and what the client that has the least has left."""
        with self._lock:
            text = f"{self._calls['Codat']} calls to Codat and {self._calls['Zoho']} calls to Zoho"
            if not self._days:
                return f"{text}; Codat did not say how many are left today."
            least = min(self._days.values(), key=lambda seen: seen.left / seen.limit)
            others = len(self._days) - 1
            return f"{text}; {least}" + (f", and more in {others} other Codat clients." if others else ".")

    def notes(self) -> list[str]:
        """What was warned of, as it stands now."""
        with self._lock:
            low = [f"{seen}." for seen in self._days.values() if seen.warned]
            return [_SLOWER, *low] if self._slowed else low


def _number(text: str | None) -> int | None:
    return int(text) if text and len(text) < 12 and text.isascii() and text.isdigit() else None

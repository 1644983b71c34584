"""A network that fails on demand, in front of a simulator in this process, on a clock that only moves when told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

import httpx

from codat_zoho.remote.http import Http
from codat_zoho.simulator import Simulator
from tests.support import Clock, InProcess

INTEGRATION = "/codat/integrations/rwuv"
KEYS = "/codat/integrations/credentials/rwuv"
NOW = 1_000_000.0
"""What the calendar says when a case begins, in seconds since 1970."""

Mode = Literal["once", "same call", "everything"]
Act = Callable[["Network", httpx.Request], httpx.Response]


@dataclass(frozen=True)
class Call:
    """One call that an operation makes, as the request log of a run without faults has it.

    Args:
        place: method and path.
        nth: which call to this place. Calls may go out together, so their order among other places says nothing.
    """

    place: str
    nth: int

    @property
    def probes(self) -> bool:
        return "/zoho/" in self.place

    @property
    def writes(self) -> bool:
        return not self.probes and not self.place.startswith("GET")


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Args:
        name: in words.
        act: answers the request in the network's place, or raises what httpx would.
        heals: struck once on a call to Codat, repeating gets over it.
        at: which calls it can strike.
        modes: how long it lasts.
    """

    name: str
    act: Act
    heals: bool = False
    at: Literal["any", "write"] = "any"
    modes: tuple[Mode, ...] = ("once", "same call", "everything")


@dataclass
class Strike:
    """A fault, and when it strikes."""

    fault: Fault
    call: Call
    mode: Mode
    begun: bool = False

    def hits(self, call: Call) -> bool:
        if call == self.call:
            self.begun = True
            return True
        return self.begun and (
            self.mode == "everything" or (self.mode == "same call" and call.place == self.call.place)
        )


@dataclass
class _Shown:
    """What reading shows instead of what is there."""

    looks: int
    status: int
    content: bytes


@dataclass
class Network(httpx.BaseTransport):
    """Hands requests to the simulator, except those that a fault strikes. Other hosts have a recorder of their own."""

    simulator: Simulator
    strike: Strike | None = None
    calls: list[Call] = field(default_factory=list)
    elsewhere: list[httpx.Request] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    struck: list[Call] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)
    """What Codat held after each call, for one run without faults."""
    watch: Callable[[], Any] = lambda: None
    _shown: dict[str, _Shown] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._inside = InProcess(self.simulator)

    def http(self) -> Http:
        """A client of this network."""
        clock = self.clock
        return Http(self, clock=clock, sleep=clock.sleep, now=lambda: NOW + clock.time, jitter=lambda: 1.0)

    def mend(self) -> None:
        """Let nothing go wrong any more, and begin a new request log."""
        self.strike = None
        self.calls.clear()
        self._shown.clear()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "127.0.0.1":
            self.elsewhere.append(request)
            return httpx.Response(200, json={"enabled": True, "error": "invalid_code"})
        self._must_not_leak(request)
        place = f"{request.method} {request.url.raw_path.decode()}"
        with self._lock:
            call = Call(place, sum(one.place == place for one in self.calls) + 1)
            self.calls.append(call)
            struck = self.strike is not None and self.strike.hits(call)
            if struck:
                self.struck.append(call)
        if self.strike is not None and struck:
            return self.strike.fault.act(self, request)
        return self.deliver(request)

    def deliver(self, request: httpx.Request) -> httpx.Response:
        """What happens without a fault."""
        shown = self._shown.get(request.url.path)
        if request.method == "GET" and shown is not None and shown.looks:
            shown.looks -= 1
            return httpx.Response(shown.status, content=shown.content, headers={"Content-Type": "application/json"})
        answer = self._inside.handle_request(request)
        self.states.append(self.watch())
        return answer

    def show(self, path: str, looks: int, body: Any = None, status: int = 200) -> None:
        """From now on, show this instead of what is there, for a number of looks."""
        self._shown[path] = _Shown(looks, status, b"" if body is None else json.dumps(body).encode())

    def look(self, path: str, request: httpx.Request) -> httpx.Response:
        """Read on the side what is there now."""
        headers = {"Authorization": request.headers["Authorization"]}
        answer = self._inside.handle_request(httpx.Request("GET", f"http://127.0.0.1{path}", headers=headers))
        answer.read()
        return answer

    @staticmethod
    def _must_not_leak(request: httpx.Request) -> None:
        if "/zoho/" in request.url.path:
            assert "authorization" not in request.headers, "Codat's API key was sent to Zoho"
            assert not request.url.query, "a secret in an address ends up in logs"
        assert "cookie" not in request.headers


class Dripping(httpx.SyncByteStream):
    """A body that comes so slowly that no deadline holds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(1000):
            self._clock.time += 7.0
            yield b" "
        raise AssertionError("nobody looked at the clock")


class Cut(httpx.SyncByteStream):
    """A body that ends in the middle of the connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

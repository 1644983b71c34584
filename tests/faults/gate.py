"""Holds one call of a real run at the door until the run has been killed. Events only: nothing sleeps."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Lock, Thread
from typing import Literal

from codat_zoho.simulator import Simulator
from codat_zoho.simulator.messages import Request
from codat_zoho.simulator.server import App, Response, make_server
from codat_zoho.simulator.world import Dropped

When = Literal["before", "after"]
PATIENCE = 100.0
"""Seconds after which a run that neither comes nor ends is a failure."""


@dataclass
class Gate:
    """An application before the simulator's.

    Args:
        app: the simulator's.
        holds: method and end of the path of the call to hold, and which one of these calls it is; None lets all pass.
        when: hold it before it is taken, or when it is done but not answered.
    """

    app: App
    holds: tuple[str, int] | None = None
    when: When = "before"
    reached: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)
    named: Callable[[str], str] = lambda place: place
    """Names a call, for one whose ids are not known beforehand."""
    drops: bool = False
    """Whoever asked is gone: what was held before it was taken never is."""
    _seen: int = 0
    _answered: int = 0
    _lock: Lock = field(default_factory=Lock)
    _changed: Condition = field(default_factory=Condition)

    def rests_after(self, calls: int) -> bool:
        """Wait until so many calls were answered."""
        with self._changed:
            return self._changed.wait_for(lambda: self._answered >= calls, PATIENCE)

    def __call__(self, request: Request) -> Response:
        """Let a call in, and count it when it is answered."""
        try:
            return self._pass(request)
        finally:
            with self._changed:
                self._answered += 1
                self._changed.notify_all()

    def _pass(self, request: Request) -> Response:
        if not self._is_held(f"{request.method} {request.path}"):
            return self.app(request)
        if self.when == "before":
            self._wait()
            if self.drops:
                raise Dropped
            return self.app(request)
        response = self.app(request)
        self._wait()
        return response

    def _is_held(self, place: str) -> bool:
        with self._lock:
            if self.holds is None or self.named(place) != self.holds[0]:
                return False
            self._seen += 1
            return self._seen == self.holds[1]

    def _wait(self) -> None:
        self.reached.set()
        assert self.released.wait(PATIENCE), "nobody killed the run"


@contextmanager
def gated(simulator: Simulator) -> Iterator[tuple[str, Gate]]:
    """Serve the simulator behind a gate."""
    server = make_server(simulator)
    gate = Gate(server.app)
    server.app = gate
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", gate
    finally:
        gate.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Process:
    """One process of a run."""

    pid: int
    parent: int
    command: str

    @property
    def provider(self) -> bool:
        return "dynamic" in self.command or "pulumi-resource" in self.command


def family(root: int) -> list[Process]:
    """A process and all that it started, the oldest first."""
    everything = list(_from_proc() if Path("/proc/self/stat").exists() else _from_ps())
    found = [one for one in everything if one.pid == root]
    for one in found:
        found += [other for other in everything if other.parent == one.pid]
    return found


def _from_proc() -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It ended meanwhile.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            yield Process(int(folder.name), parent, command)


def _from_ps() -> Iterator[Process]:
    columns = ["-o", "pid=", "-o", "ppid=", "-o", "args="]
    listing = subprocess.run(["ps", "-A", *columns], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        pid, parent, command = line.split(maxsplit=2)
        yield Process(int(pid), int(parent), command)


def send(processes: Iterable[Process], number: signal.Signals) -> None:
    """Send a signal to these processes; one that has ended meanwhile is no matter."""
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one.pid, number)

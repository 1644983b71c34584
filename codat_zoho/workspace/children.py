"""Runs commands that can be stopped, with all that they started.

An engine starts provider processes in process groups of their own, so a signal to the engine's group does not reach
them, and they outlive an engine that is killed. All of them stay in the session of the engine, though.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Lock


class Stopped(Exception):
    """The run was interrupted."""


class TimedOut(Exception):
    """The command took too long."""


class Children:
    """The commands of one run. Threads share it."""

    def __init__(self) -> None:
        self.stopping = Event()
        self._running: dict[subprocess.Popen[str], float] = {}
        self._lock = Lock()

    def run(
        self,
        command: Sequence[str],
        cwd: str | Path,
        env: Mapping[str, str],
        *,
        seconds: float,
        grace: float,
        given: str = "",
    ) -> tuple[int, str, str]:
        """Run a command to its end and return its exit code, output and error output.

        After ``seconds`` it is told to end, is killed ``grace`` seconds later, and this raises ``TimedOut``. ``given``
        is what it reads on standard input: any user of the machine could read a secret on a command line.
        """
        with self._lock:
            if self.stopping.is_set():
                raise Stopped
            child = subprocess.Popen(  # noqa: S603 - a list of words, no shell
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                # A Ctrl-C at the terminal must not reach it twice, and its session finds all that it starts.
                start_new_session=True,
            )
            self._running[child] = grace
        try:
            out, err = child.communicate(given or None, timeout=seconds)
        except subprocess.TimeoutExpired:
            _signal(child)
            _end(child, grace)
            _kill_session(child.pid)  # What it left behind may hold its output open.
            child.communicate()
            self._ended(child)
            raise TimedOut from None
        # Where this thread is interrupted itself, it stays among those that run, for ``stop`` to end.
        self._ended(child)
        if self.stopping.is_set():
            raise Stopped
        return child.returncode, out, err

    def _ended(self, child: subprocess.Popen[str]) -> None:
        with self._lock:
            del self._running[child]

    def wait(self, seconds: float) -> None:
        """Wait, as long as the run goes on; once it is stopped, this raises ``Stopped``."""
        if self.stopping.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """End everything that runs and start nothing any more. Called again, it kills what does not end by itself."""
        again = self.stopping.is_set()
        self.stopping.set()
        with self._lock:
            running = dict(self._running)
        for child in running:
            _signal(child)
        for child, grace in running.items():
            _end(child, 0.0 if again else grace)


def _signal(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)


def _end(child: subprocess.Popen[str], grace: float) -> None:
    """Wait for a child that was told to end; kill it, and all that it started, where that is not soon enough."""
    try:
        if grace:
            child.wait(grace)
            return
    except subprocess.TimeoutExpired:
        pass
    _kill_session(child.pid)


def _kill_session(leader: int) -> None:
    for pid in _processes():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


def _processes() -> list[int]:
    if Path("/proc/self/stat").exists():
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False)  # noqa: S607
    return [int(word) for word in listed.stdout.split()]

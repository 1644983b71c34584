"""What a run that starts children owes to its surroundings: it ends them, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Protocol


class _Stoppable(Protocol):
    def stop(self) -> None: ...


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, as CI systems send it, and SIGHUP end the run as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever said ``nohup`` wants it to go on.
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def stopping(children: _Stoppable) -> Iterator[None]:
    """End all children when the block ends with an exception; a second interruption does not wait for them."""
    try:
        yield
    except BaseException:
        try:
            children.stop()
        except KeyboardInterrupt:
            children.stop()
        raise

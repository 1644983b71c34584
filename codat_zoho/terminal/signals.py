"""The signals that end a process: noted until what was begun is put in order."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


class Stops(list[int]):
    """The signals that were noted."""

    _waiting = False

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Let a signal, also one that was noted before, end this as Ctrl-C would: for waits, when nothing is sent."""
        self._waiting = True
        try:
            if self:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False

    def note(self, number: int, _: object) -> None:
        """Handle one."""
        self.append(number)
        if self._waiting:
            raise KeyboardInterrupt


@contextlib.contextmanager
def deferred() -> Iterator[Stops]:
    """Note the signals that end a process instead: a call that is abandoned may arrive after all has been put back."""
    noted = Stops()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever said ``nohup`` wants it to go on.
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, noted.note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

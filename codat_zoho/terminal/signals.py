"""The signals that end a process: as Ctrl-C does, or noted until what was begun is put in order."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


class Stops(list[int]):
    """The signals that were noted."""

    _waiting = False

    def end(self) -> None:
        """End what runs, as Ctrl-C would, if a signal was noted."""
        if self:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Let a signal, also one that was noted before, end this as Ctrl-C would: for waits, when nothing is sent."""
        self._waiting = True
        try:
            self.end()
            yield
        finally:
            self._waiting = False

    def note(self, number: int, _: object) -> None:
        """Handle one."""
        self.append(number)
        if self._waiting:
            raise KeyboardInterrupt


@contextlib.contextmanager
def handling(handle: Callable[[int, object], None], *names: str) -> Iterator[None]:
    """Handle these signals in this way, as far as the system has them and nobody said that they be ignored."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # Whoever said ``nohup`` wants it to go on.
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def deferred() -> Iterator[Stops]:
    """Note the signals that end a process instead: a call that is abandoned may arrive after all has been put back."""
    noted = Stops()
    with handling(noted.note, *ENDING):
        yield noted


def interrupt(_number: int, _frame: object) -> None:
    """End what runs as Ctrl-C does."""
    raise KeyboardInterrupt

"""Asks each question once, however many threads want the answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

_T = TypeVar("_T")


class Once:
    """Answers by question. Whoever asks while somebody else is asking waits for that answer, or for its error.

    Args:
        keep: whether an answer stands for good. An error never does.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._answers: dict[Hashable, Future[Any]] = {}
        self._lock = Lock()

    def get(self, question: Hashable, ask: Callable[[], _T]) -> _T:
        """Return the answer to a question; ``ask`` finds it where nobody has, and nobody is about to."""
        with self._lock:
            running: Future[_T] | None = self._answers.get(question)
            if running is None:
                mine: Future[_T] = Future()
                self._answers[question] = mine
        if running is not None:
            return running.result()
        try:
            mine.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - whoever waits has to be told, and so has the caller, below
            mine.set_exception(error)
        if not self._keep or mine.exception() is not None:
            with self._lock:
                del self._answers[question]
        return mine.result()

    def known(self, question: Hashable) -> Any:
        """Return the answer that is there already; None where there is none yet."""
        with self._lock:
            found = self._answers.get(question)
        return found.result() if found is not None and found.done() and not found.exception() else None

"""Asking each question once, and threads that never keep a process from ending."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

_T = TypeVar("_T")


class Once:
    """Answers by question, which stand for good unless ``keep`` is false. An error never does.

    Whoever asks while somebody else is asking waits for that answer, or for its error.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._answers: dict[Hashable, Future[Any]] = {}
        self._lock = Lock()

    def get(self, question: Hashable, ask: Callable[[], _T]) -> _T:
        """Return the answer to a question; ``ask`` finds it where nobody has, and nobody is about to."""
        mine: Future[_T] = Future()
        with self._lock:
            answer: Future[_T] = self._answers.setdefault(question, mine)
        if answer is mine:
            _do(mine, ask)
            if not self._keep or mine.exception() is not None:
                with self._lock:
                    del self._answers[question]
        return answer.result()

    def known(self, question: Hashable) -> Any:
        """Return the answer that is there already; None where there is none yet."""
        with self._lock:
            found = self._answers.get(question)
        return found.result() if found is not None and found.done() and not found.exception() else None


def start(work: Callable[[], _T]) -> Future[_T]:
    """Do something in a thread of its own, in the context of whoever starts it."""
    future: Future[_T] = Future()
    Thread(target=copy_context().run, args=(_do, future, work), daemon=True).start()
    return future


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
        future.set_exception(error)


class Workers:
    """Does work in the order it comes in, ``count`` pieces at a time."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._threads = 0
        self._lock = Lock()
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Have something done."""
        future: Future[_T] = Future()
        self._work.put((future, work))
        with self._lock:
            if self._threads < self._count:
                self._threads += 1
                Thread(target=self._run, daemon=True).start()
        return future

    def close(self) -> None:
        """Let the threads end once all that was submitted is done."""
        with self._lock:
            for _ in range(self._threads):
                self._work.put(None)

    def _run(self) -> None:
        while piece := self._work.get():
            _do(*piece)

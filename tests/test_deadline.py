"""The deadline of an operation, against a server that drips: each drop comes in time for httpx, which bounds one read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from threading import Event, Semaphore, Thread
from typing import Any

import pytest

from codat_zoho.errors import Unreachable
from codat_zoho.remote.http import Answer, Http
from tests.support import Clock

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_DROPS = 3


class Dripping:
    """Accepts one connection, sends ``first``, and then ``drop`` whenever it is told to."""

    def __init__(self, first: bytes, drop: bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.received = b""
        self.ended = Event()
        self._told, self._sent = Semaphore(0), Semaphore(0)
        self._first, self._drop, self._over = first, drop, False
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with self._listening, self._listening.accept()[0] as connection:
            self.received = connection.recv(65536)
            connection.sendall(self._first)
            while self._told.acquire() and not self._over:
                connection.sendall(self._drop)
                self._sent.release()
        self.ended.set()

    def drip(self) -> None:
        for _ in range(_DROPS):
            self._told.release()
            assert self._sent.acquire(timeout=30)

    def end(self) -> None:
        self._over = True
        self._told.release()
        self._thread.join(30)


Serve = Callable[[bytes, bytes], Dripping]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Make servers, and end them."""
    made: list[Dripping] = []

    def make(first: bytes, drop: bytes) -> Dripping:
        made.append(Dripping(first, drop))
        return made[-1]

    yield make
    for server in made:
        server.end()


@pytest.mark.parametrize(
    ("scheme", "first", "drop"),
    [
        ("https", b"\x16\x03\x03\x40\x00", b"\x02"),
        ("http", b"", b"H"),
        ("http", _OK, b"X"),
        ("http", _OK, b"X-More: x\r\n"),
        ("http", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        ("http", _OK + b"Content-Length: 1000\r\n\r\n", b" "),
        ("http", _CHUNKED, b"0"),
        ("http", _CHUNKED, b"1\r\n \r\n"),
        ("http", _CHUNKED + b"0\r\n", b"X: x\r\n"),
    ],
    ids=["TLS", "status line", "header", "headers", "103", "body", "chunk size", "chunks", "trailer"],
)
def test_whatever_drips_ends_with_the_deadline(serve: Serve, scheme: str, first: bytes, drop: bytes) -> None:
    """Connecting, headers, provisional answers and bodies alike: more drops after the deadline prolong nothing."""
    clock, server, asked = Clock(), serve(first, drop), []

    def patience(waited_for: list[Future[Answer]], seconds: float) -> None:
        asked.append(seconds)
        server.drip()
        assert not waited_for[0].done()
        clock.time += seconds

    http = Http(clock=clock, sleep=clock.sleep, patience=patience)
    with pytest.raises(Unreachable, match="the answer was not complete within 60 s"):
        http.send("GET", f"{scheme}://127.0.0.1:{server.port}/", deadline=http.deadline(60))
    assert asked == [60.0] and not server.ended.is_set()


def test_looking_up_a_name_counts_too_and_nothing_is_sent_afterwards(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that never answers holds nobody, and what was reported as not sent is not sent once it answers."""
    clock, server, looked_up = Clock(), serve(b"", b""), Event()
    given_up: list[Future[Answer]] = []
    real = socket.getaddrinfo

    def getaddrinfo(*args: Any, **more: Any) -> Any:
        assert looked_up.wait(30)
        return real(*args, **more)

    def patience(waited_for: list[Future[Answer]], seconds: float) -> None:
        given_up.extend(waited_for)
        clock.time += seconds

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    http = Http(clock=clock, sleep=clock.sleep, patience=patience)
    with pytest.raises(Unreachable, match="not complete within 60 s"):
        http.send("PUT", f"http://127.0.0.1:{server.port}/", deadline=http.deadline(60), json_body={"enabled": False})
    looked_up.set()
    wait(given_up, 30)
    assert "used up" in str(given_up[0].exception())
    server.end()
    assert server.received == b""


def test_what_was_given_up_does_not_use_up_connections(serve: Serve) -> None:
    """The next operation connects anew."""
    clock, dripping = Clock(), serve(b"", b"H")

    def patience(waited_for: list[Future[Answer]], seconds: float) -> None:
        if len(tried) == 1:
            clock.time += seconds
        else:
            wait(waited_for, 30)

    http, tried = Http(clock=clock, sleep=clock.sleep, patience=patience, connections=1), ["dripping"]
    with pytest.raises(Unreachable):
        http.send("GET", f"http://127.0.0.1:{dripping.port}/", deadline=http.deadline(60))
    tried.append("answering")
    answering = serve(_OK + b"Content-Length: 0\r\n\r\n", b"")
    answer = http.send("GET", f"http://127.0.0.1:{answering.port}/", deadline=http.deadline(60))
    assert answer.status == 200
    http.close()

"""Bodies that are too slow, too large or packed: bounded in time and memory, whatever the other side does."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest

from codat_zoho.errors import UnexpectedAnswer, Unreachable
from codat_zoho.remote.http import MAX_BODY, Http
from codat_zoho.simulator import Simulator
from tests.faults.catalogue import bomb
from tests.faults.network import Dripping
from tests.support import Clock, answering, codat_of

URL = "https://api.example/x"


def get(http: Http, seconds: float = 120.0) -> bytes:
    return http.send("GET", URL, deadline=http.deadline(seconds), retry=False).body


def packed(content: bytes, encoding: str) -> Http:
    return answering(
        lambda _: httpx.Response(200, stream=httpx.ByteStream(content), headers={"Content-Encoding": encoding})
    )


def test_a_body_that_drips_ends_with_the_deadline() -> None:
    """A byte every seven seconds is stopped at the deadline, not when the body is complete."""
    clock = Clock()
    http = answering(lambda _: httpx.Response(200, stream=Dripping(clock)), clock=clock, sleep=clock.sleep)
    with pytest.raises(Unreachable, match="not complete within 120 s"):
        get(http)
    assert clock.time < 130


def test_an_endless_body_is_cut_at_the_limit() -> None:
    """A fast body without an end is not read on and on until the deadline: no more is taken than the limit."""
    taken = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal taken
            while taken <= 2 * MAX_BODY:
                taken += 65536
                yield b" " * 65536

    with pytest.raises(UnexpectedAnswer, match="more than 4 MiB"):
        get(answering(lambda _: httpx.Response(200, stream=Endless())))
    assert taken <= MAX_BODY + 65536


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_a_bomb_is_never_unpacked_whole(encoding: str) -> None:
    """64 MiB of nothing, packed, cost no more memory than the largest answer that is taken."""
    content = bomb(encoding.count("gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedAnswer, match=r"api\.example sent (more than 4 MiB|something packed)"):
            get(packed(content, encoding))
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BODY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("", bytes)],
)
def test_what_a_proxy_packs_is_read_all_the_same(encoding: str, pack: object) -> None:
    """Plain was asked for; an answer that comes packed is unpacked."""
    assert callable(pack)
    assert get(packed(pack(b'{"enabled": true}'), encoding)) == b'{"enabled": true}'
    assert get(packed(b"", encoding)) == b""


@pytest.mark.parametrize(("content", "encoding"), [(b"\x1f\x8b no gzip", "gzip"), (b"x", "br"), (b"x", "gzip, br")])
def test_what_cannot_be_unpacked_is_said(content: bytes, encoding: str) -> None:
    """One line, no exception of a library."""
    with pytest.raises(UnexpectedAnswer, match="something packed that cannot be unpacked in answer to GET"):
        get(packed(content, encoding))


def test_a_404_of_a_proxy_does_not_say_that_no_keys_are_stored(simulator: Simulator) -> None:
    """Else drift would be told that is none, and destroying would leave the keys behind."""
    from codat_zoho.simulator import Fault

    simulator.fail(Fault(path="/credentials", status=404, body=b"<html>no such page</html>", content_type="text/html"))
    with pytest.raises(UnexpectedAnswer, match="404, and not in Codat's words, when reading the stored keys"):
        codat_of(simulator).keys()
    simulator.fail(Fault(path="/credentials", status=404, body=b""))
    assert codat_of(simulator).keys() is None

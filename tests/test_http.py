"""Requests: timeouts, retries, deadlines, bounds, proxies and addresses."""

from __future__ import annotations

import datetime
import gzip
from collections.abc import Callable, Iterator
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho import _http
from codat_zoho._http import Answer, Deadline, Http, checked_address, retry_after
from codat_zoho.errors import ConfigurationError, UnexpectedAnswer, Unreachable
from codat_zoho.simulator import Simulator, serve
from tests.support import Clock, answering

URL = "http://127.0.0.1/x"


def sequence(
    *answers: int | httpx.Response | Exception,
) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    """A handler that gives these answers in turn, the last one for ever, and the requests it got."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        answer = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else answer

    return handle, seen


def send(http: Http, seconds: float = 120, **options: object) -> Answer:
    """Send a request with a deadline."""
    return http.send("PUT", URL, deadline=http.deadline(seconds), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "first", [408, 429, 500, 502, 503, httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("")]
)
def test_what_passes_by_itself_is_tried_again(first: int | Exception) -> None:
    """A busy or restarting Codat fails no deployment."""
    handle, seen = sequence(first, 200)
    assert send(answering(handle)).status == 200
    assert len(seen) == 2


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 402, 403, 404, 405, 409, 418])
def test_the_rest_is_not(status: int) -> None:
    """A no stays a no."""
    handle, seen = sequence(status)
    assert send(answering(handle)).status == status
    assert len(seen) == 1


def test_retries_are_bounded_and_grow() -> None:
    """Five tries with growing waits, as Codat's own clients do; then the last answer is handed over."""
    clock = Clock()
    handle, seen = sequence(503)
    assert send(answering(handle, clock=clock, sleep=clock.sleep)).status == 503
    assert len(seen) == 5
    assert clock.waits == sorted(clock.waits) == [0.5, 0.75, 1.125, 1.6875]


def test_jitter_halves_at_most() -> None:
    """Many runs that fail together do not come back together."""
    clock = Clock()
    handle, _ = sequence(503, 200)
    send(answering(handle, clock=clock, sleep=clock.sleep, jitter=lambda: 0.0))
    assert clock.waits == [0.25]


def test_without_retry_one_try() -> None:
    """A probe at Zoho is never repeated."""
    handle, seen = sequence(503, 200)
    assert send(answering(handle), retry=False).status == 503
    handle, seen = sequence(httpx.ConnectError("refused"), 200)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 could not be reached: refused\. Check"):
        send(answering(handle), retry=False)
    assert len(seen) == 1


@pytest.mark.parametrize(("header", "waits"), [("7", [7.0]), ("0", [0.0]), ("soon", [0.5]), ("-5", [0.5]), ("", [0.5])])
def test_retry_after_is_honoured(header: str, waits: list[float]) -> None:
    """Codat's own word counts; nonsense is as good as none."""
    clock = Clock()
    handle, _ = sequence(httpx.Response(429, headers={"Retry-After": header}), 200)
    assert send(answering(handle, clock=clock, sleep=clock.sleep)).status == 200
    assert clock.waits == waits


def test_a_long_retry_after_is_not_waited_for() -> None:
    """Hours are the caller's to name, not to sleep through."""
    clock = Clock()
    handle, seen = sequence(httpx.Response(429, headers={"Retry-After": "3600"}), 200)
    assert send(answering(handle, clock=clock, sleep=clock.sleep)).status == 429
    assert (len(seen), clock.waits) == (1, [])


def test_retry_after_as_a_date() -> None:
    """The other documented form."""
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    later = format_datetime(now + datetime.timedelta(seconds=12), usegmt=True)
    assert retry_after({"retry-after": later}, now.timestamp()) == 12.0
    assert retry_after({"retry-after": format_datetime(now, usegmt=True)}, now.timestamp() + 99) == 0.0


@given(st.text(max_size=40))
def test_any_retry_after_is_read(text: str) -> None:
    """Whatever the header holds, it gives seconds or nothing."""
    wait = retry_after({"retry-after": text}, 0.0)
    assert wait is None or wait >= 0


def test_the_deadline_bounds_the_whole_operation() -> None:
    """A wait that would pass the deadline is not begun, and nothing is sent after it."""
    clock = Clock()
    handle, seen = sequence(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match=r"tried 2 times"):
        send(answering(handle, clock=clock, sleep=clock.sleep), seconds=1.0)
    assert clock.time < 1.0
    late = Deadline(5, clock)
    clock.time += 6
    http = answering(handle, clock=clock, sleep=clock.sleep)
    with pytest.raises(Unreachable, match=r"the 5 s for the whole operation are used up"):
        http.send("GET", URL, deadline=late)
    assert len(seen) == 2


def test_a_body_that_drips_ends_with_the_deadline() -> None:
    """Each chunk comes in time, but the whole does not."""
    clock = Clock()

    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                clock.time += 15
                yield b" "

    handle, _ = sequence(httpx.Response(200, stream=Drip()))
    http = answering(handle, clock=clock, sleep=clock.sleep)
    with pytest.raises(Unreachable, match="not complete within 60 s"):
        send(http, seconds=60, retry=False)


def test_a_body_is_bounded() -> None:
    """Neither a large body nor a small one that unpacks to a large one fills the memory."""
    bomb = gzip.compress(b"\0" * (_http.MAX_BODY * 4))
    for response in (
        httpx.Response(200, content=b"x" * (_http.MAX_BODY + 1)),
        httpx.Response(200, content=bomb, headers={"Content-Encoding": "gzip"}),
    ):
        handle, _ = sequence(response)
        with pytest.raises(UnexpectedAnswer, match=r"more than 4 MiB"):
            send(answering(handle))


def test_a_redirect_is_not_followed() -> None:
    """The API key goes to the address that was set and nowhere else."""
    handle, seen = sequence(httpx.Response(302, headers={"Location": "https://elsewhere.example/"}))
    assert send(answering(handle), headers={"Authorization": "Basic x"}).status == 302
    assert len(seen) == 1


def test_what_is_sent_says_who_sends_it() -> None:
    """Codat can tell this package's requests from others."""
    handle, seen = sequence(200)
    send(answering(handle))
    assert seen[0].headers["User-Agent"].startswith("codat-zoho/")
    assert seen[0].headers["Accept"] == "application/json"


def test_a_proxy_never_sees_loopback(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a proxy in the environment, requests to the simulator still go straight to it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serve(simulator) as base:
        http = Http()
        for host in ("127.0.0.1", "localhost"):
            url = base.replace("127.0.0.1", host)
            assert http.send("GET", f"{url}/_control/calls", deadline=http.deadline(5), retry=False).status == 200


def test_the_log_is_one_line_without_query_or_keys() -> None:
    """The debug log names calls and outcomes, nothing that could be secret."""
    said: list[str] = []
    handle, _ = sequence(200, httpx.ConnectError("x"))
    http = answering(handle, log=said.append)
    http.send("GET", f"{URL}?secret=1", deadline=http.deadline(5), headers={"Authorization": "Basic x"})
    with pytest.raises(Unreachable):
        http.send("GET", URL, deadline=http.deadline(5), retry=False)
    assert said[0] == "GET 127.0.0.1/x -> 200 (0.000 s)"
    assert said[1] == "GET 127.0.0.1/x -> ConnectError (0.000 s)"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.example", "the API key would travel in clear"),
        ("ftp://api.example", "no usable address"),
        ("api.example", "no usable address"),
        ("https://", "no usable address"),
        ("https://user:secret@api.example", "no usable address"),
        ("https://api.example/?q=1", "no usable address"),
        ("https://api.example:port", "no usable address"),
        ("http://127.0.0.1.example", "the API key would travel in clear"),
        ("http://[::1", "no usable address"),
    ],
)
def test_addresses_that_are_refused(url: str, why: str) -> None:
    """A key is sent over https, or to this machine; nothing else will do, and the text shows no password."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        checked_address(url, "CODAT_URL")
    assert str(caught.value).startswith("CODAT_URL ")
    assert "user:secret" not in str(caught.value)


def test_addresses_that_are_taken() -> None:
    """Https anywhere, http on loopback; a slash at the end makes no difference."""
    assert checked_address("https://api.example/", "x") == "https://api.example"
    for host in ("127.0.0.1:8", "localhost", "[::1]:9"):
        assert checked_address(f"http://{host}/codat", "x", loopback_only=True) == f"http://{host}/codat"
    with pytest.raises(ConfigurationError, match="only a loopback address"):
        checked_address("https://accounts.example", "ZOHO_URL", loopback_only=True)

"""Every fault of the matrix."""

from __future__ import annotations

import functools
import gzip
from email.utils import formatdate

import httpx

from tests.faults.network import INTEGRATION, KEYS, NOW, Act, Cut, Dripping, Fault, Mode, Network

ELSEWHERE = "https://elsewhere.example"
HTML = b"<html><title>Log in</title><body>Please log in.</body></html>"
FOREIGN = {"clientId": "X" * 31 + "F0RE", "clientSecret": "X" * 38 + "f0re"}
"""Keys that are neither what was there nor what is declared, as Codat shows them."""


def _raises(error: Exception, *, seconds: float = 0.0, taken: bool = False) -> Act:
    """The connection fails, before or after the request was taken."""

    def act(network: Network, request: httpx.Request) -> httpx.Response:
        if taken:
            network.deliver(request)
        network.clock.time += seconds
        raise error

    return act


def _answers(status: int, *, taken: bool = False, **headers: str) -> Act:
    """Codat answers with a status of its own, in its own words."""

    def act(network: Network, request: httpx.Request) -> httpx.Response:
        if taken:
            network.deliver(request)
        body = {"statusCode": 200, "error": "An injected fault.", "correlationId": "0af7651916cd43dd8448eb211c80319c"}
        return httpx.Response(status, json=body, headers={name.replace("_", "-"): v for name, v in headers.items()})

    return act


def _body(content: bytes, status: int = 200, **headers: str) -> Act:
    """Something answers in Codat's place."""

    def act(_: Network, request: httpx.Request) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        # Given as a stream, so that it is decoded by whoever reads it and not by this line.
        return httpx.Response(status, stream=_Whole(content), headers=sent)

    return act


class _Whole(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield self._content


@functools.cache
def bomb(times: int) -> bytes:
    """64 MiB of nothing, packed so many times."""
    content = bytes(64 << 20)
    for _ in range(times):
        content = gzip.compress(content, 1 if len(content) > 1 << 20 else 9)
    return content


def _bomb(encoding: str) -> Act:
    return lambda network, request: _body(bomb(encoding.count("gzip")), Content_Encoding=encoding)(network, request)


def _slow(network: Network, request: httpx.Request) -> httpx.Response:
    network.deliver(request)
    return httpx.Response(200, stream=Dripping(network.clock))


def _cut(network: Network, request: httpx.Request) -> httpx.Response:
    answer = network.deliver(request)
    return httpx.Response(answer.status_code, stream=Cut(answer.read()), headers={"Content-Type": "application/json"})


def _half_json(network: Network, request: httpx.Request) -> httpx.Response:
    answer = network.deliver(request)
    return httpx.Response(answer.status_code, content=answer.read()[:-1][: len(answer.content) // 2])


def _mislabelled(network: Network, request: httpx.Request) -> httpx.Response:
    answer = network.deliver(request)
    return httpx.Response(answer.status_code, content=answer.read(), headers={"Content-Type": "text/html"})


def _packed(network: Network, request: httpx.Request) -> httpx.Response:
    """Packed although it was asked for plain, as some proxies do: still to be understood."""
    answer = network.deliver(request)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return httpx.Response(answer.status_code, stream=_Whole(gzip.compress(answer.read())), headers=headers)


def _old_value(looks: int) -> Act:
    """The write is done, and reading shows the old value for a while: an eventually consistent store."""

    def act(network: Network, request: httpx.Request) -> httpx.Response:
        before = {path: network.look(path, request) for path in (INTEGRATION, KEYS)}
        answer = network.deliver(request)
        for path, old in before.items():
            network.show(path, looks, old.json() if old.content else None, old.status_code)
        return answer

    return act


def _third_value(looks: int) -> Act:
    """The write is done, and reading shows what nobody wrote here."""

    def act(network: Network, request: httpx.Request) -> httpx.Response:
        answer = network.deliver(request)
        if request.url.path == KEYS:
            network.show(KEYS, looks, FOREIGN)
        else:
            network.show(INTEGRATION, looks, network.look(INTEGRATION, request).json() | {"enabled": None})
        return answer

    return act


_HERE: tuple[Mode, ...] = ("once", "same call")
"""How long an answer of its own lasts that only one call can get; an outage strikes everything, too."""
_RESET = httpx.ReadError("Connection reset by peer")
_ONE, _UNTIL_MENDED = 1, 10_000

FAULTS = (
    Fault("connection refused", _raises(httpx.ConnectError("Connection refused")), heals=True),
    Fault("no connection in time", _raises(httpx.ConnectTimeout(""), seconds=5), heals=True),
    Fault("name unknown", _raises(httpx.ConnectError("Name or service not known")), heals=True, modes=_HERE),
    Fault("reset before it was taken", _raises(_RESET), heals=True),
    Fault("reset after it was taken", _raises(_RESET, taken=True), heals=True),
    Fault("no answer in time, not taken", _raises(httpx.ReadTimeout(""), seconds=20), heals=True),
    Fault("no answer in time, taken", _raises(httpx.ReadTimeout(""), seconds=20, taken=True), heals=True),
    Fault("closed without an answer", _raises(httpx.RemoteProtocolError("Server disconnected")), heals=True),
    Fault("cut in the middle of the body", _cut, heals=True),
    Fault("slow body", _slow),
    Fault("truncated JSON", _half_json, modes=_HERE),
    Fault("HTML", _body(HTML, Content_Type="text/html")),
    Fault("wrong content type", _mislabelled, heals=True, modes=_HERE),
    Fault("packed", _packed, heals=True, modes=_HERE),
    Fault("gzip bomb", _bomb("gzip"), modes=_HERE),
    Fault("gzip bomb in a gzip bomb", _bomb("gzip, gzip"), modes=_HERE),
    Fault("broken gzip", _body(b"\x1f\x8b no gzip", Content_Encoding="gzip"), modes=_HERE),
    Fault("empty body", _body(b""), modes=_HERE),
    Fault("no object", _body(b'["a", 1]', Content_Type="application/json"), modes=_HERE),
    Fault("nested beyond reason", _body(b"[" * 100_000, Content_Type="application/json"), modes=_HERE),
    Fault("a number beyond reason", _body(b"1" * 100_000, Content_Type="application/json"), modes=_HERE),
    Fault("no text", _body(b"\xff\xfe\xfd", Content_Type="application/json"), modes=_HERE),
    Fault("redirect 302", _answers(302, Location=f"{ELSEWHERE}/login")),
    Fault("redirect 307", _answers(307, Location=f"{ELSEWHERE}/x"), modes=_HERE),
    Fault("redirect 308", _answers(308, Location="//elsewhere.example/x"), modes=_HERE),
    Fault("400", _answers(400), modes=_HERE),
    Fault("401", _answers(401)),
    Fault("402", _answers(402)),
    Fault("403", _answers(403)),
    Fault("404", _answers(404), modes=_HERE),
    Fault("404 of something else", _body(HTML, 404, Content_Type="text/html"), modes=_HERE),
    Fault("405", _answers(405), modes=_HERE),
    Fault("408", _answers(408), heals=True, modes=_HERE),
    Fault("409", _answers(409), modes=_HERE),
    Fault("409 although it was done", _answers(409, taken=True), modes=_HERE),
    Fault("429", _answers(429), heals=True),
    Fault("429, at once", _answers(429, Retry_After="0"), heals=True, modes=_HERE),
    Fault("429, soon", _answers(429, Retry_After="2"), heals=True),
    Fault("429, tomorrow", _answers(429, Retry_After="86400")),
    Fault("429, in ages", _answers(429, Retry_After="9" * 40), modes=_HERE),
    Fault("429, until soon", _answers(429, Retry_After=formatdate(NOW + 3, usegmt=True)), heals=True),
    Fault("429, until next week", _answers(429, Retry_After=formatdate(NOW + 604_800, usegmt=True)), modes=_HERE),
    Fault("429, unreadable", _answers(429, Retry_After="when it suits"), heals=True),
    Fault("500", _answers(500), heals=True),
    Fault("500 although it was done", _answers(500, taken=True), heals=True, modes=_HERE),
    Fault("503", _answers(503), heals=True),
    Fault("503 in HTML", _body(HTML, 503, Content_Type="text/html", Retry_After="5"), heals=True),
    Fault("the old value for 1 look", _old_value(_ONE), heals=True, at="write", modes=("once",)),
    Fault("the old value for 4 looks", _old_value(4), heals=True, at="write", modes=("once",)),
    Fault("the old value until mended", _old_value(_UNTIL_MENDED), at="write", modes=("once",)),
    Fault("a third value for 1 look", _third_value(_ONE), at="write", modes=("once",)),
    Fault("a third value until mended", _third_value(_UNTIL_MENDED), at="write", modes=("once",)),
)

"""Sending: retries, waits, deadlines, bodies, proxies and addresses, on a clock that only moves when somebody waits."""

from __future__ import annotations

import email.utils
import logging
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.errors import ConfigurationError, UnexpectedAnswer, Unreachable
from codat_zoho.remote.budget import Certificate
from codat_zoho.remote.connection import Environment, checked_address
from codat_zoho.remote.http import ATTEMPTS, MAX_BODY, RETRY_AFTER_CAP, Answer, Http, retry_after
from codat_zoho.remote.zoho import probe
from codat_zoho.simulator import Simulator
from codat_zoho.simulator.messages import Request
from codat_zoho.simulator.server import Response, make_server
from codat_zoho.texts.redact import register
from tests.support import API_KEY, ID, SECRET, Clock, answering, new_secret

URL = "https://api.example/x"


def sent(answers: list[httpx.Response | Exception], *, seconds: float = 120.0, retry: bool = True, **parts: Any) -> Any:
    """Send one request; the last answer repeats. Returns the answer or the error, how many were sent, and the waits."""
    clock, count = Clock(), 0

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal count
        answer = answers[min(count, len(answers) - 1)]
        count += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    http = answering(handle, **{"clock": clock, "sleep": clock.sleep, "now": lambda: 1_000_000.0} | parts)
    try:
        result: Any = http.send("GET", URL, deadline=http.deadline(seconds), retry=retry)
    except (Unreachable, UnexpectedAnswer) as error:
        result = error
    return result, count, clock.waits


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(status: int) -> None:
    """A busy service is asked again, each time after a longer wait."""
    answer, count, waits = sent([httpx.Response(status), httpx.Response(status), httpx.Response(200)])
    assert (answer.status, count, waits) == (200, 3, [0.5, 0.75])
    assert answer.tries == 3


@pytest.mark.parametrize("status", [200, 204, 301, 307, 400, 401, 402, 403, 404, 405, 409])
def test_what_does_not_pass_is_not_tried_again(status: int) -> None:
    """An answer that would be the same again comes back at once, and a redirect is never followed."""
    headers = {"Location": "https://evil.example/"}
    answer, count, waits = sent([httpx.Response(status, headers=headers)])
    assert (answer.status, count, waits) == (status, 1, [])


def test_it_gives_up() -> None:
    """After the last attempt the answer, or the reason why there is none, comes back."""
    answer, count, waits = sent([httpx.Response(503)])
    assert (answer.status, count, len(waits)) == (503, ATTEMPTS, ATTEMPTS - 1)
    error, count, _ = sent([httpx.ConnectError("refused")])
    assert count == ATTEMPTS and "api.example could not be reached: refused (tried 5 times)." in str(error)


def test_no_retry() -> None:
    """A probe is sent once, whatever comes back."""
    assert sent([httpx.Response(429, headers={"Retry-After": "1"})], retry=False)[1:] == (1, [])
    error, count, _ = sent([httpx.ReadTimeout("")], retry=False)
    assert count == 1 and "no answer within 20 s." in str(error)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-signed certificate of this machine and its key: server, client and trust alike."""
    folder = tmp_path_factory.mktemp("tls")
    files = Certificate(str(folder / "cert.pem"), str(folder / "key.pem"))
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*new, *names, "-out", files.file, "-keyout", str(files.key)], check=True, capture_output=True)
    return files


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make certificates with")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_and_its_header(
    certificate: Certificate, version: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the account demands client certificates, each call to Codat has certificate and header, and none to Zoho."""
    monkeypatch.setattr("codat_zoho.remote.http.ATTEMPTS", 1)
    monkeypatch.setenv("SSL_CERT_FILE", certificate.file)
    simulator = Simulator()
    simulator.add_codat_client(API_KEY)
    server = make_server(simulator)
    app, seen = server.app, []

    def look(request: Request) -> Response:
        seen.append(request.headers.get("x-codat-client"))
        return app(request)

    server.app = look
    demanding = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate.file)
    demanding.verify_mode, demanding.minimum_version, demanding.maximum_version = ssl.CERT_REQUIRED, version, version
    demanding.load_cert_chain(*certificate)
    server.socket = demanding.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}"
    config = {"apiKey": API_KEY, "codatUrl": f"{url}/codat", "codatClientId": "d4f67286-d428-58b4-a307-af00b57e9f40"}
    environment = Environment(config)
    try:
        with pytest.raises(Unreachable):
            environment.codat(Http(), "default").actual()
        monkeypatch.setenv("CODAT_CLIENT_CERT", certificate.file)
        monkeypatch.setenv("CODAT_CLIENT_KEY", str(certificate.key))
        http = Http()
        assert not environment.codat(http, "default").actual().enabled
        assert "could not be reached" in probe(http, "us", ID, SECRET, url=f"{url}/zoho").why
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert seen and set(seen) == {config["codatClientId"]}


def test_a_client_certificate_that_is_none(tmp_path: Path) -> None:
    """A file that is missing, or no certificate, is one line that names it and the variables."""
    (file := tmp_path / "cert.pem").write_text("none")
    for certificate in (Certificate(str(file)), Certificate(str(tmp_path / "missing.pem"))):
        with pytest.raises(ConfigurationError, match=r"client certificate .*pem cannot be used: .*CODAT_CLIENT_CERT"):
            Http()._client("https", certificate)


@given(st.floats(0, 1, exclude_max=True))
def test_jitter_spreads_the_waits(chance: float) -> None:
    """Many clients that failed together do not come back together: half the wait is chance."""
    _, _, waits = sent([httpx.Response(503)], jitter=lambda: chance)
    for number, wait in enumerate(waits):
        assert 0.25 * 1.5**number <= wait <= 0.5 * 1.5**number


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        (email.utils.formatdate(1_000_012, usegmt=True), 12.0),
        (email.utils.formatdate(999_000, usegmt=True), 0.0),
        ("9" * 5000, 31_536_000.0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 31_536_000.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(text: str, wait: float | None) -> None:
    """Seconds or a date; what cannot be read counts as not said."""
    assert retry_after({"retry-after": text}, 1_000_000.0) == wait


@given(st.text(max_size=60))
def test_retry_after_is_anything(text: str) -> None:
    """Whatever stands there, reading it never fails and never gives a negative wait."""
    wait = retry_after({"retry-after": text}, 0.0)
    assert wait is None or 0 <= wait <= 31_536_000


def test_the_wait_that_is_asked_for_is_kept() -> None:
    """A short one is waited for; one that is too long, or longer than the operation may take, is not."""
    told = httpx.Response(429, headers={"Retry-After": "7"})
    assert sent([told, httpx.Response(200)])[1:] == (2, [7.0])
    too_long = httpx.Response(429, headers={"Retry-After": str(int(RETRY_AFTER_CAP) + 1)})
    assert sent([too_long])[1:] == (1, [])
    assert sent([told], seconds=7.0)[1:] == (1, [])


def test_the_deadline_covers_everything() -> None:
    """Waits never go beyond it, and nothing is sent after it."""
    error, count, waits = sent([httpx.ConnectTimeout("")], seconds=1.0)
    assert count == 2 and sum(waits) < 1.0
    assert "no connection within 5 s (tried 2 times)." in str(error)
    error, count, _ = sent([httpx.Response(200)], seconds=0.0)
    assert count == 0 and "the 0 s for the whole operation are used up" in str(error)


def test_a_body_that_trickles_in_ends_with_the_deadline() -> None:
    """A service that sends one byte at a time does not hold a deployment for ever."""
    clock = Clock()

    def trickle() -> Iterator[bytes]:
        while True:
            clock.time += 10.0
            yield b"x" * 65536

    error, _, _ = sent([httpx.Response(200, content=trickle())], seconds=30.0, clock=clock, sleep=clock.sleep)
    assert "the answer was not complete within 30 s" in str(error)


def test_a_huge_body_is_not_read() -> None:
    """Memory is bounded, and the answer is not retried."""
    error, count, _ = sent([httpx.Response(200, content=b"x" * (MAX_BODY + 1))])
    assert isinstance(error, UnexpectedAnswer) and count == 1
    assert "sent more than 4 MiB" in str(error)


def test_hostile_text_of_an_exception() -> None:
    """What a library says of a failure may quote the key or steer the terminal: neither is shown."""
    secret = new_secret()
    register(secret)
    error, _, _ = sent([httpx.ConnectError(f"\x1b[2J{secret}\nnot trusted")], retry=False)
    assert secret not in str(error) and str(error).isprintable() and "not trusted" in str(error)
    error, _, _ = sent([httpx.ConnectError("")], retry=False)
    assert "could not be reached: ConnectError." in str(error)


def test_the_log_has_no_query_and_no_header() -> None:
    """One line per exchange: method, host, path, outcome."""
    lines: list[str] = []
    http = answering(lambda _: httpx.Response(200), log=lines.append)
    http.send("GET", f"{URL}?token=abc", deadline=http.deadline(5), headers={"Authorization": "Basic abc"})
    assert lines == ["GET api.example/x -> 200 (0.000 s)"]


def test_the_log_is_redacted() -> None:
    """A key that got into a path is not written down."""
    lines: list[str] = []
    secret = new_secret()
    http = answering(lambda _: httpx.Response(200), log=lines.append)
    http.send("GET", f"https://api.example/{secret}", deadline=http.deadline(5))
    assert lines == ["GET api.example/[redacted] -> 200 (0.000 s)"]


def test_no_cookie_is_kept() -> None:
    """Several API keys share one client: a session must not wander from one to the other."""
    cookies: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        cookies.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "session=1; Path=/"})

    http = answering(handle)
    for _ in range(2):
        http.send("GET", URL, deadline=http.deadline(5))
    assert cookies == [None, None]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SSL_CERT_FILE", "/no/such/file.pem", "No such file or directory"),
        ("HTTPS_PROXY", "foo://user:hunter2@proxy.example", "Unknown scheme for proxy URL"),
        ("ALL_PROXY", "socks5://proxy.example:1080", "socksio"),
        ("HTTPS_PROXY", "http://[::1", ""),
    ],
)
def test_a_machine_that_is_set_up_wrongly(name: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad variable of the machine is named as what to check, and is no bug of this package."""
    monkeypatch.setenv(name, value)
    http = Http()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="No HTTP client can be set up") as caught:
            http.send("GET", "https://127.0.0.1:9/", deadline=http.deadline(5))
        assert why in str(caught.value) and name in caught.value.next_step
        assert "hunter2" not in str(caught.value)


def test_a_proxy_never_sees_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator's traffic stays on this machine, while the rest goes through the proxy that is set."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    client = Http()._client("https")
    direct = client._transport
    for url in ("http://127.0.0.1:8765/", "http://localhost/", "http://[::1]:1/"):
        assert client._transport_for_url(httpx.URL(url)) is direct
    assert client._transport_for_url(httpx.URL("https://api.codat.io/")) is not direct
    client.close()


def test_an_answer_that_is_not_json() -> None:
    """It is the caller who says what that means."""
    assert Answer(200, {}, b"<html>").json() is None and Answer(200, {}, b"[" * 100_000).json() is None
    assert Answer(200, {}, b"[1]").json() == [1] and Answer(200, {}, b"[1]").json_object() is None


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://api.codat.io/", "https://api.codat.io"),
        ("http://127.0.0.1:8765/codat/", "http://127.0.0.1:8765/codat"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("http://LOCALHOST:1", "http://LOCALHOST:1"),
        (" https://api.codat.io/ \n", "https://api.codat.io"),
    ],
)
def test_addresses_that_are_taken(url: str, taken: str) -> None:
    """Https anywhere; http on this machine only."""
    assert checked_address(url, "CODAT_URL") == taken


@pytest.mark.parametrize(
    "url",
    [
        "http://api.codat.io",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "https://user:hunter2@api.codat.io",
        "https://api.codat.io?x=1",
        "https://api.codat.io?key=hunter2",
        "https://api.codat.io?",
        "https://api.codat.io#",
        "https://api.codat.io#x",
        "https://@api.codat.io",
        "https://user:with/hunter2@api.codat.io",
        "https://api.codat.io/a b",
        "https://api.codat.io\n.evil.example",
        "http://127.0.0.1\\.evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://127.0.0.1%2eevil.example",
        "http://127.1",
        "http://\u24c1ocalhost",
        "https://\u0430pi.codat.io",
        "hunter2-an-api-key-in-the-wrong-variable",
        "https://api.codat.io:port",
        "https://[::1",
        "ftp://127.0.0.1",
        "api.codat.io",
        "https://",
        "",
        "\x1b[2J",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """The API key never travels in clear or to a place that only looks like this machine; passwords are not shown."""
    with pytest.raises(ConfigurationError) as caught:
        checked_address(url, "CODAT_URL")
    assert str(caught.value).startswith("CODAT_URL ") and str(caught.value).isprintable()
    assert "hunter2" not in str(caught.value)


def test_only_loopback_stands_in_for_zoho() -> None:
    """A secret is sent to Zoho's own hosts, or to this machine."""
    assert checked_address("http://127.0.0.1/zoho", "ZOHO_URL", loopback_only=True)
    with pytest.raises(ConfigurationError, match="only a loopback address"):
        checked_address("https://evil.example", "ZOHO_URL", loopback_only=True)


@pytest.mark.parametrize("logger", ["httpx", "httpcore.http11", "httpx2", "httpcore2.http11", "httpcore2.connection"])
def test_what_an_http_library_logs_holds_no_secret(logger: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever of the two stands behind the client: what it logs for whoever listens is redacted."""
    register(SECRET)
    http = answering(lambda request: httpx.Response(200))
    http.send("GET", URL, deadline=http.deadline(5))
    with caplog.at_level("DEBUG", logger):
        logging.getLogger(logger).debug("headers: %r", SECRET)
    assert caplog.messages == ["headers: '[redacted]'"]

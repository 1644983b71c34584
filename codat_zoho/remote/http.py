"""The only module that imports httpx: one client per process, timeouts, a deadline, retries, bounded bodies.

httpx itself is imported on the first request: previews make none, so they do not pay for it.
"""

from __future__ import annotations

import atexit
import json
import random
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from codat_zoho._version import __version__
from codat_zoho.errors import ConfigurationError, UnexpectedAnswer, Unreachable
from codat_zoho.remote.budget import Account, Budget, Certificate, Deadline
from codat_zoho.remote.concurrency import Once, start
from codat_zoho.texts.environment_variables import counting, debugging
from codat_zoho.texts.redact import one_line, redact, redact_logs

if TYPE_CHECKING:
    import httpx

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 20.0
RETRY_AFTER_CAP = 30.0
"""Seconds. A longer wait is not waited for: the caller fails and names the time instead."""
ATTEMPTS = 5
MAX_BODY = 4 * 1024 * 1024
MAX_CONNECTIONS = 4
_YEAR = 365 * 86_400.0
_BACKOFF_START, _BACKOFF_FACTOR = 0.5, 1.5  # as Codat's own clients do
_RETRIED = frozenset({408, 429, *range(500, 600)})
_NO_PROXY = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, already read; ``tries`` is how often it was asked for."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    tries: int = 1

    def json(self) -> Any:
        """The body; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def json_object(self) -> dict[str, Any] | None:
        """The body; None where it is not a JSON object."""
        body = self.json()
        return body if isinstance(body, dict) else None


class _NoAnswer(Exception):
    """Why there is no answer, in a few words."""


_TIMEOUTS = {
    "ConnectTimeout": f"no connection within {CONNECT_TIMEOUT:g} s",
    "ReadTimeout": f"no answer within {READ_TIMEOUT:g} s",
    "PoolTimeout": "too many calls at once",
}


@dataclass(eq=False)
class Http:
    """Sends requests. Threads share one; it builds its httpx client on first use."""

    transport: Any = None  # an httpx.BaseTransport instead of the network
    log: Callable[[str], None] | None = None  # receives one redacted line per exchange
    budget: Budget = field(default_factory=Budget)
    asked: Once = field(default_factory=Once)  # what is asked once only, by all operations together
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    patience: Callable[[list[Future[Answer]], float], object] = wait  # for an answer, at most so many seconds
    limit: Deadline | None = None  # of every operation, see within()
    connections: int = MAX_CONNECTIONS
    retry: bool = True
    record: bool = False  # keep answers, oldest first, and send nothing at the same time
    answers: list[Answer] = field(default_factory=list, repr=False)
    _clients: dict[tuple[str, Certificate | None], httpx.Client] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.budget.now = self.now

    def reporting(self, say: Callable[[str], None], *, at_exit: bool = True) -> Http:
        """Log and count calls as ``CODAT_ZOHO_DEBUG`` and ``CODAT_ZOHO_CALLS`` ask; a command is done ``at_exit``."""
        self.budget.say = say
        if at_exit and counting():
            atexit.register(lambda: say(self.budget.summary()))
        if debugging():
            self.log = say
        return self

    def deadline(self, seconds: float) -> Deadline:
        """Start the clock of an operation."""
        return Deadline(seconds, self.clock, self.limit)

    def within(self, limit: Deadline) -> Http:
        """Return the same client, whose operations end with ``limit`` at the latest."""
        return replace(self, limit=limit)

    def send(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        headers: Mapping[str, str] | None = None,
        json_body: object = None,
        form: Mapping[str, str] | None = None,
        account: Account | None = None,
        certificate: Certificate | None = None,
        retry: bool = True,
    ) -> Answer:
        """Send a request and return the answer, whatever its status; ``account`` is None for Zoho.

        It is repeated after 408, 429, 5xx and connection errors: everything this package asks Codat for is idempotent.
        A probe at Zoho never is (``retry=False``), since repeating extends a lockout.

        Raises:
            Unreachable: no answer came, or not in time.
            UnexpectedAnswer: the body is larger than any real one, or cannot be unpacked.
        """
        content = {"headers": headers, "json": json_body, "data": form}
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not (retry and self.retry)
            self._wait_for_budget("Codat" if account else "Zoho", deadline)
            try:
                answer = replace(self._exchange(method, url, deadline, content, certificate), tries=attempt)
            except _NoAnswer as error:
                wait = self._backoff(attempt)
                if last or wait >= deadline.left():
                    tried = f" (tried {attempt} times)" if attempt > 1 else ""
                    raise Unreachable(
                        f"{urlsplit(url).netloc} could not be reached: {error}{tried}.",
                        "Check the address, the network, proxies and TLS trust, then run it again.",
                    ) from None
            else:
                if account:
                    self.budget.note(account, answer.headers)
                asked = retry_after(answer.headers, self.now())
                wait = self._backoff(attempt) if asked is None else asked
                if last or answer.status not in _RETRIED or wait > RETRY_AFTER_CAP or wait >= deadline.left():
                    if self.record:
                        self.answers.append(answer)
                    return answer
            self.sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover

    def _wait_for_budget(self, service: str, deadline: Deadline) -> None:
        while (pause := self.budget.spend(service)) and deadline.left() > 0:
            deadline.excuse(pause)
            self.sleep(pause)

    def _backoff(self, attempt: int) -> float:
        return _BACKOFF_START * _BACKOFF_FACTOR ** (attempt - 1) * (0.5 + self.jitter() / 2)

    def _exchange(
        self, method: str, url: str, deadline: Deadline, content: Mapping[str, Any], certificate: Certificate | None
    ) -> Answer:
        """Send once, and wait no longer than the operation may take; what goes wrong on the way becomes ``_NoAnswer``.

        httpx bounds each read and each address that it connects to, and a name's look-up not at all: what drips or has
        many addresses outlasts that, so another thread waits for it.
        """
        used_up = f"the {deadline.seconds:g} s for the whole operation are used up"
        if deadline.left() <= 0:
            raise _NoAnswer(used_up)
        address, began, outcome, given_up = urlsplit(url), self.clock(), ["?"], Event()

        def check(event: str, _: object) -> None:
            # What is reported as not sent in time must not be sent later.
            if "send_request" in event and (given_up.is_set() or deadline.left() <= 0):
                raise _NoAnswer(used_up)

        client = self._client(address.scheme, certificate)
        sending = {**content, "extensions": {"trace": check}}
        exchange = start(lambda: _sent(client, method, url, deadline, sending, outcome))
        try:
            while not exchange.done() and (left := deadline.left()) > 0:
                self.patience([exchange], left)
            if exchange.done():
                return exchange.result()
            self._abandon((address.scheme, certificate), client)
            raise _late(deadline)
        finally:
            given_up.set()
            if self.log is not None:
                seconds = self.clock() - began
                self.log(redact(f"{method} {address.netloc}{address.path} -> {outcome[-1]} ({seconds:.3f} s)"))

    def _abandon(self, which: tuple[str, Certificate | None], client: httpx.Client) -> None:
        """Use a client for no more requests: what was given up still holds one of its connections."""
        with self._lock:
            if self._clients.get(which) is client:
                del self._clients[which]

    def together(self, first: Callable[[], _A], second: Callable[[], _B], third: Callable[[], _C]) -> tuple[_A, _B, _C]:
        """Do three things at the same time, and all to their end. Where several fail, the first is what is told."""
        if self.record:
            return first(), second(), third()
        one, another = start(second), start(third)
        try:
            return first(), one.result(), another.result()
        finally:
            wait([one])
            wait([another])

    @staticmethod
    def load() -> None:
        """Load what sending needs, while something else is waited for."""
        import httpx  # noqa: F401

    def close(self) -> None:
        """Close the connections. It can be used again; a provider process just ends."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()

    def _client(self, scheme: str, certificate: Certificate | None = None) -> httpx.Client:
        which = scheme, certificate
        with self._lock:
            if which not in self._clients:
                self._clients[which] = self._new_client(*which)
            return self._clients[which]

    def _new_client(self, scheme: str, certificate: Certificate | None) -> httpx.Client:
        import httpx

        redact_logs()
        try:
            return httpx.Client(
                transport=self.transport,
                # Plain http is for this machine only, and needs no trust store, which takes 30 ms to load: this one
                # trusts nobody.
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                if scheme == "http"
                else certificate.beside(httpx.create_ssl_context())
                if certificate
                else True,
                # A proxy from the environment must never see what is meant for this machine.
                mounts={} if self.transport else _NO_PROXY,
                follow_redirects=False,
                # All connections share this client: a cookie would carry one Codat client's session to another's key.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                limits=httpx.Limits(max_connections=self.connections, max_keepalive_connections=self.connections),
                headers={
                    "User-Agent": f"codat-zoho/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                },
            )
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"No HTTP client can be set up on this machine: {one_line(str(error)).rstrip('.')}.",
                "Check the environment variables SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY and ALL_PROXY.",
            ) from None


def _sent(
    client: httpx.Client, method: str, url: str, deadline: Deadline, content: Mapping[str, Any], outcome: list[str]
) -> Answer:
    """Send a request and read its answer; ``outcome`` is what the log says of it."""
    import httpx

    left = deadline.left()
    timeout = httpx.Timeout(min(READ_TIMEOUT, left), connect=min(CONNECT_TIMEOUT, left))
    try:
        with client.stream(method, url, timeout=timeout, **content) as response:
            outcome.append(str(response.status_code))
            body = _body(response, deadline)
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)
    except httpx.TimeoutException as error:
        outcome.append(type(error).__name__)
        raise _NoAnswer(_TIMEOUTS.get(outcome[-1], "it did not answer in time")) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        outcome.append(type(error).__name__)
        raise _NoAnswer(one_line(str(error)) or outcome[-1]) from None


def _late(deadline: Deadline) -> _NoAnswer:
    return _NoAnswer(f"the answer was not complete within {deadline.seconds:g} s")


def _body(response: httpx.Response, deadline: Deadline) -> bytes:
    """Read an answer to its end, or to the end of the time, or until there is more of it than of any real one."""
    body = bytearray()
    # As it comes: httpx's iter_bytes gathers and unpacks, and looks at neither clock nor size meanwhile.
    assert isinstance(response.stream, Iterable)
    for chunk in response.stream:
        body += chunk
        if len(body) > MAX_BODY:
            break
        if deadline.left() <= 0:
            raise _late(deadline)
    content = _unpacked(bytes(body), response.headers.get("content-encoding", "").strip().lower())
    if content is not None and len(content) <= MAX_BODY:
        return content
    what = "something packed that cannot be unpacked" if content is None else f"more than {MAX_BODY >> 20} MiB"
    raise UnexpectedAnswer(
        f"{response.url.netloc.decode()} sent {what} in answer to {response.request.method}.",
        "Check that the address is right.",
        status=response.status_code,
    )


def _unpacked(body: bytes, encoding: str) -> bytes | None:
    """Undo what a proxy packed although plain was asked for, but not a bomb; None where that cannot be done."""
    if encoding in ("", "identity") or not body:
        return body
    if encoding in ("gzip", "x-gzip", "deflate"):
        with suppress(zlib.error):
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MAX_BODY + 1)
    return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read ``Retry-After`` (seconds or an HTTP date) as seconds from ``now``; None where absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(_YEAR, float(text[:9]))
    try:
        return min(_YEAR, max(0.0, parsedate_to_datetime(text).timestamp() - now))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None

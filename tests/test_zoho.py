"""What a data centre's answer means, and where the secret goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from codat_zoho.core.observe import Probe, ProbeResult
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.remote.http import MAX_BODY, Http
from codat_zoho.remote.zoho import probe
from codat_zoho.simulator import Fault, Simulator
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET, answering, in_process

SIMULATED = "http://127.0.0.1/zoho"


def asked(handler: Callable[[httpx.Request], httpx.Response]) -> ProbeResult:
    return probe(answering(handler), "us", ID, SECRET)


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"error": "invalid_code"}, Probe.ACCEPTED),
        ({"error": "invalid_client_secret"}, Probe.WRONG_SECRET),
        ({"error": "invalid_client"}, Probe.UNKNOWN_CLIENT),
        ({"error": "invalid_client "}, Probe.INCONCLUSIVE),
        ({"error": "Invalid_Code"}, Probe.INCONCLUSIVE),
        ({"error": "invalid_client_secret_x"}, Probe.INCONCLUSIVE),
        ({"error": ["invalid_code"]}, Probe.INCONCLUSIVE),
        ({"access_token": "1000.x"}, Probe.INCONCLUSIVE),
        ({}, Probe.INCONCLUSIVE),
        ([], Probe.INCONCLUSIVE),
        ("invalid_code", Probe.INCONCLUSIVE),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_the_word_decides_and_not_the_status(body: Any, verdict: Probe, status: int) -> None:
    """Zoho sends errors with HTTP 200: only the exact word counts, and anything else is not a no."""
    assert asked(lambda _: httpx.Response(status, json=body)).probe is verdict


@pytest.mark.parametrize("word", ["invalid_code", "invalid_client", "invalid_client_secret"])
@pytest.mark.parametrize(
    ("status", "more"),
    [(status, {}) for status in (302, 403, 404, 408, 429, 500, 503)]
    + [(status, {"status": "failure"}) for status in (200, 400, 429)],
)
def test_a_word_beside_a_failure_is_inconclusive(status: int, more: dict[str, str], word: str) -> None:
    """An overloaded server, a wall in front of it, or a failure in Zoho's own words says neither yes nor no."""
    result = asked(lambda _: httpx.Response(status, json={"error": word, **more}))
    assert result.probe is Probe.INCONCLUSIVE
    assert result.throttled is (status == 429 or bool(more))


@pytest.mark.parametrize("status", [200, 400])
def test_throttling_is_inconclusive(status: int) -> None:
    """Too many requests says nothing of the client; the text may be in any language."""
    body = {"error_description": "Zu viele Anfragen", "error": "Access Denied", "status": "failure"}
    result = asked(lambda _: httpx.Response(status, json=body))
    assert result.probe is Probe.INCONCLUSIVE
    assert "throttling" in result.why and "Anfragen" not in result.why


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text=f"<html>{SECRET}</html>"),
        httpx.Response(200, text=f"\x1b[2J{SECRET}"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b"x" * (MAX_BODY + 1)),
        httpx.Response(302, headers={"Location": f"https://evil.example/{SECRET}"}),
        httpx.Response(429, json={"error": SECRET}, headers={"Retry-After": "1"}),
        httpx.Response(503, json={"status": SECRET}),
    ],
)
def test_what_cannot_be_read_is_inconclusive_and_asked_once(answer: httpx.Response) -> None:
    """A probe is never repeated, since repeating extends a lockout, never redirected, and echoes nothing."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    result = asked(handle)
    assert result.probe is Probe.INCONCLUSIVE and result.why
    assert len(seen) == 1
    assert SECRET not in repr(result) and "\x1b" not in result.why


def test_no_answer_is_inconclusive_and_asked_once(simulator: Simulator) -> None:
    """A connection that is cut fails nothing."""
    simulator.fail(Fault(path="/zoho/", drop=True, times=-1))
    result = probe(in_process(simulator), "us", ID, SECRET, url=SIMULATED)
    assert result.probe is Probe.INCONCLUSIVE and "could not be reached" in result.why
    assert len(simulator.probes) == 1


def test_a_machine_that_is_set_up_wrongly_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing of the client, so it fails nothing; the reason is told."""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    result = probe(Http(), "us", ID, SECRET)
    assert result.probe is Probe.INCONCLUSIVE and "No HTTP client can be set up" in result.why


@pytest.mark.parametrize("code", sorted(DATA_CENTRES))
def test_the_secret_goes_into_the_body_and_to_that_data_centre_only(code: str) -> None:
    """Not into the address or a header, which end up in logs, and to no host but the table's own, over TLS."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"error": "invalid_code"})

    assert probe(answering(handle), code, ID, SECRET).probe is Probe.ACCEPTED
    (request,) = seen
    assert str(request.url) == f"{DATA_CENTRES[code].accounts}/oauth/v2/token"
    assert request.url.scheme == "https" and not request.url.query
    assert SECRET not in str(request.headers) + str(request.url)
    form = parse_qs(request.content.decode())
    assert form["client_secret"] == [SECRET] and form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == [f"1000.{'0' * 32}.{'0' * 32}"]


def test_against_the_simulator(simulator: Simulator) -> None:
    """The console's switches as a person would turn them."""
    http = in_process(simulator)
    client = simulator.zoho[ID]

    def verdict(code: str = "uk", client_id: str = ID, secret: str = SECRET) -> Probe:
        return probe(http, code, client_id, secret, url=SIMULATED).probe

    assert verdict() is Probe.ACCEPTED
    assert verdict(secret=OTHER_SECRET) is Probe.WRONG_SECRET
    assert verdict(client_id=OTHER_ID) is Probe.UNKNOWN_CLIENT
    client.same_credentials = False
    assert (verdict("us"), verdict("uk")) == (Probe.ACCEPTED, Probe.WRONG_SECRET)
    client.enabled.discard("uk")
    assert verdict() is Probe.UNKNOWN_CLIENT
    client.throttled.add("us")
    assert verdict("us") is Probe.INCONCLUSIVE

"""Zoho: one question per data centre, to its own host only, and an exact reading of the answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.datacentres import DATA_CENTRES
from codat_zoho.plan import Probe
from codat_zoho.simulator import Simulator
from codat_zoho.zoho import probe
from tests.support import ID, OTHER_SECRET, SECRET, answering, in_process


def told(answer: httpx.Response) -> Any:
    """What a probe makes of an answer."""
    return probe(answering(lambda request: answer), "us", ID, SECRET, url="http://127.0.0.1/zoho")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ("invalid_code", Probe.ACCEPTED),
        ("invalid_client_secret", Probe.WRONG_SECRET),
        ("invalid_client", Probe.UNKNOWN_CLIENT),
        ("INVALID_CODE", Probe.INCONCLUSIVE),
        ("invalid_code ", Probe.INCONCLUSIVE),
        ("access_denied", Probe.INCONCLUSIVE),
        ("general_error", Probe.INCONCLUSIVE),
        (["invalid_client"], Probe.INCONCLUSIVE),
        (None, Probe.INCONCLUSIVE),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_error_is_read_exactly_and_the_status_never(error: object, verdict: Probe, status: int) -> None:
    """Zoho sends errors with 200; only the exact words count."""
    assert told(httpx.Response(status, json={"error": error})).probe is verdict


@pytest.mark.parametrize("status", [200, 400])
def test_throttling_is_inconclusive(status: int) -> None:
    """Whatever language its text is in, throttling is no verdict."""
    result = told(
        httpx.Response(status, json={"error": "Access Denied", "error_description": "zu viele", "status": "failure"})
    )
    assert result.probe is Probe.INCONCLUSIVE
    assert "throttling" in result.why


@given(st.binary(max_size=100), st.integers(200, 599).filter(lambda s: s not in (204, 304)))
def test_anything_else_is_inconclusive(body: bytes, status: int) -> None:
    """HTML, garbage, other keys: never a no, never an exception, and a reason that shows none of it."""
    result = told(httpx.Response(status, content=body))
    assert result.probe is Probe.INCONCLUSIVE
    assert result.why


def test_no_answer_is_inconclusive() -> None:
    """A host that is down fails no deployment, and is asked once."""
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectTimeout("slow")

    result = probe(answering(handle), "us", ID, SECRET)
    assert result.probe is Probe.INCONCLUSIVE
    assert "could not be reached" in result.why
    assert len(asked) == 1


@pytest.mark.parametrize("code", DATA_CENTRES)
def test_the_secret_goes_in_the_body_to_the_data_centres_own_host(code: str) -> None:
    """Never in the query string, which ends up in logs; never elsewhere; over TLS; and with a token that is none."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example"}, json={})

    probe(answering(handle), code, ID, SECRET)
    (request,) = asked
    assert f"{request.url.scheme}://{request.url.host}" == DATA_CENTRES[code].accounts
    assert request.url.scheme == "https"
    assert request.url.path == "/oauth/v2/token"
    assert not request.url.query
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert form == {
        "grant_type": "refresh_token",
        "refresh_token": f"1000.{'0' * 32}.{'0' * 32}",
        "client_id": ID,
        "client_secret": SECRET,
    }
    assert SECRET not in str(dict(request.headers))


def test_the_table_is_the_documented_one() -> None:
    """Hosts that a secret may be sent to are fixed; Canada's is not what one would guess, China's is not there."""
    assert {code: centre.accounts.removeprefix("https://accounts.") for code, centre in DATA_CENTRES.items()} == {
        "ae": "zoho.ae",
        "au": "zoho.com.au",
        "ca": "zohocloud.ca",
        "eu": "zoho.eu",
        "in": "zoho.in",
        "jp": "zoho.jp",
        "sa": "zoho.sa",
        "uk": "zoho.uk",
        "us": "zoho.com",
    }


def test_against_the_simulator(simulator: Simulator) -> None:
    """Accepted, not enabled there, another secret there, unknown, throttled."""
    http, url = in_process(simulator), "http://127.0.0.1/zoho"
    client = simulator.zoho[ID]
    assert probe(http, "us", ID, SECRET, url=url).probe is Probe.ACCEPTED
    assert probe(http, "us", ID, OTHER_SECRET, url=url).probe is Probe.WRONG_SECRET
    assert probe(http, "us", "1000.NOBODY", SECRET, url=url).probe is Probe.UNKNOWN_CLIENT
    client.enabled, client.same_credentials, client.throttled = {"us", "eu"}, False, {"in"}
    assert probe(http, "uk", ID, SECRET, url=url).probe is Probe.UNKNOWN_CLIENT
    assert probe(http, "eu", ID, SECRET, url=url).probe is Probe.WRONG_SECRET
    assert probe(http, "in", ID, SECRET, url=url).probe is Probe.INCONCLUSIVE
    assert not [call for call in simulator.calls if SECRET in str(call)]

"""Codat's limits: what is left is said, little of it is warned of, and a run stays below them."""

from __future__ import annotations

import datetime
from typing import Any

import httpx
import pytest

from codat_zoho import errors
from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.budget import MINUTE_LIMIT, Budget
from codat_zoho.remote.codat import ApiKey, Codat
from codat_zoho.remote.http import Http
from codat_zoho.simulator import Simulator
from tests.support import API_KEY, ID, SECRET, Clock, InProcess, codat_of, keys

MIDNIGHT = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc).timestamp()
BOOKS = {"client_id": ID, "client_secret": SECRET, "connection": "default", "enabled": True, "on_delete": "remove"}


def http_at(simulator: Simulator, clock: Clock, said: list[str]) -> Http:
    """An ``Http`` on the simulator's clock, as a process of its own would have it."""
    parts: dict[str, Any] = {"clock": clock, "now": clock, "sleep": clock.sleep, "jitter": lambda: 1.0}
    return Http(transport=InProcess(simulator), budget=Budget(say=said.append), **parts)


def reading(http: Http, key: str = API_KEY) -> Codat:
    """An operation of a Codat client."""
    return Codat(http, ApiKey.parse(key, "CODAT_API_KEY"), url="http://127.0.0.1/codat")


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    """The clock of the simulator and of all processes."""
    clock = Clock()
    simulator.clock = clock
    return clock


# --- what the stand-in enforces ---


def test_the_simulator_enforces_the_limit_a_minute(simulator: Simulator, clock: Clock) -> None:
    """The 1,001st call within 60 seconds is refused, whatever the key, and let through a minute later."""
    simulator.daily_limit = 10_000
    with httpx.Client(transport=InProcess(simulator), base_url="http://127.0.0.1/codat") as codat:
        statuses = [codat.get("/integrations", headers={"Authorization": "Basic bm8="}).status_code] + [
            codat.get("/integrations", headers={"Authorization": _header()}).status_code for _ in range(1000)
        ]
        assert statuses == [401, *[200] * 999, 429]
        refused = codat.get("/integrations", headers={"Authorization": _header()})
        assert refused.headers["Retry-After"] == "60"
        clock.time += 60
        assert codat.get("/integrations", headers={"Authorization": _header()}).status_code == 200


def test_the_simulator_enforces_the_daily_budget(simulator: Simulator, clock: Clock) -> None:
    """1,000 calls a day, and as many more for each company, per Codat client, from midnight UTC on."""
    clock.time = MIDNIGHT - 3600
    simulator.daily_limit, simulator.codat[API_KEY].linked = 2, 1
    other = simulator.add_codat_client("another-key-of-codat")
    with httpx.Client(transport=InProcess(simulator), base_url="http://127.0.0.1/codat") as codat:

        def ask(key: str) -> httpx.Response:
            return codat.get("/integrations", headers={"Authorization": ApiKey.parse(key, "K").header})

        assert [ask(API_KEY).headers["X-Rate-Limit-Remaining"] for _ in range(4)] == ["3", "2", "1", "0"]
        assert (ask(API_KEY).status_code, ask(API_KEY).headers["Retry-After"]) == (429, "3600")
        assert ask(other.api_key).status_code == 200
        clock.time = MIDNIGHT
        assert ask(API_KEY).status_code == 200


def _header() -> str:
    return ApiKey.parse(API_KEY, "CODAT_API_KEY").header


# --- what a run does about it ---


@pytest.mark.slow
def test_a_fleet_stays_below_the_limit_a_minute(simulator: Simulator, clock: Clock) -> None:
    """700 integrations are 1,400 calls: nobody is refused, and it is said once that it goes slower."""
    simulator.daily_limit = 10_000
    said: list[str] = []
    http = http_at(simulator, clock, said)
    for _ in range(700):
        reading(http).actual()
    assert {call.status for call in simulator.calls} == {200} and len(simulator.calls) >= 1400
    assert clock.waits == [60.0]
    assert [line for line in said if "slower" in line] == [
        f"{MINUTE_LIMIT} calls within a minute: going slower, to stay below Codat's limit."
    ]


def test_a_day_that_is_used_up_fails_naming_the_reset(simulator: Simulator, clock: Clock) -> None:
    """Hours are not waited for: one line says when to run it again, and it was not asked again."""
    clock.time = MIDNIGHT - 3600
    simulator.daily_limit = 0
    with pytest.raises(errors.RateLimited, match=r"resets at 2026-01-02 00:00 UTC"):
        reading(http_at(simulator, clock, [])).keys()
    assert clock.waits == [] and len(simulator.calls) == 1


def test_little_left_is_warned_of_once(simulator: Simulator, clock: Clock) -> None:
    """Below a tenth a warning says how much is left and of which key; at a tenth nothing is said."""
    said: list[str] = []
    http = http_at(simulator, clock, said)
    simulator.daily_limit = 20
    for _ in range(8):
        reading(http).actual()
    assert said == []
    reading(http).actual()
    assert said == [
        "1 of 20 calls are left today for the Codat API key from CODAT_API_KEY (reset at 00:00 UTC): less than a tenth."
    ]
    assert http.budget.notes() == [
        "1 of 20 calls are left today for the Codat API key from CODAT_API_KEY (reset at 00:00 UTC)."
    ]


@pytest.mark.parametrize("headers", [{}, {"X-Rate-Limit-Remaining": "-1", "X-Rate-Limit-Limit": "x"}])
def test_headers_that_say_nothing_are_no_warning(headers: dict[str, str]) -> None:
    """What is left is told, not guessed."""
    budget = Budget(say=lambda text: pytest.fail(text))
    http = Http(transport=httpx.MockTransport(lambda _: httpx.Response(204, headers=headers)), budget=budget)
    Codat(http, ApiKey.parse(API_KEY, "CODAT_API_KEY")).keys()
    assert budget.summary() == "1 calls to Codat and 0 calls to Zoho; Codat did not say how many are left today."


def test_calls_are_told_on_request(
    context: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``CODAT_ZOHO_CALLS=1``: each operation says how many calls were made so far and what is left; else nothing."""
    from codat_zoho.provider import Books, ZohoClient

    Books().create(dict(BOOKS))
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("CODAT_ZOHO_CALLS", "1")
    made = len(context.calls)
    ZohoClient().create({"client_id": ID, "client_secret": SECRET, "regions": ["us"], "verify": "on-change"})
    left = f"{1000 - made} of 1,000 calls are left today for the Codat API key from CODAT_API_KEY (reset at 00:00 UTC)"
    assert capsys.readouterr().err == f"codat-zoho: {made} calls to Codat and 1 calls to Zoho; {left}.\n"
    ZohoClient().delete(ID, {})
    assert "calls to" not in capsys.readouterr().err, "nothing new"
    assert CONTEXT.http.budget.notes() == []


def test_the_client_with_the_least_left_is_told(simulator: Simulator, clock: Clock) -> None:
    """Several Codat clients in one run: the scarcest is named, and by where its key was found."""
    simulator.daily_limit = 10
    simulator.add_codat_client("another-key-of-codat", linked=3, keys=keys())
    http = http_at(simulator, clock, [])
    reading(http).actual()
    reading(http, "another-key-of-codat").actual()
    left = 10 - len(simulator.calls) // 2
    assert http.budget.summary() == (
        f"{len(simulator.calls)} calls to Codat and 0 calls to Zoho; {left} of 10 calls are left today for the Codat "
        "API key from CODAT_API_KEY (reset at 00:00 UTC), and more in 1 other Codat clients."
    )


def test_a_total_that_is_too_low_ends_no_count(simulator: Simulator) -> None:
    """Counting less than there are would let a disruptive change through: a full page is never the last one."""
    simulator.codat[API_KEY].linked = 1200
    whole = codat_of(simulator).count_linked()

    class Low(InProcess):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            answer.read()
            return httpx.Response(200, json={**answer.json(), "totalResults": 1})

    http = Http(transport=Low(simulator))
    assert reading(http).count_linked() == whole == 1200

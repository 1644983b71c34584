"""A drift run asks Codat and Zoho each thing once, keeps Codat's limit a minute, and ends each stack in its time."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import httpx
import pytest

from codat_zoho import errors
from codat_zoho.core.observe import CodatClient, Probe
from codat_zoho.drift.compare import Remote
from codat_zoho.remote.budget import MINUTE_LIMIT, Deadline
from codat_zoho.remote.concurrency import Workers, start
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.simulator import Fault, Simulator
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET, Clock, InProcess, in_process

CODES = ("us", "uk", "eu")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The settings of a stack."""
    monkeypatch.setenv("ZOHO_URL", "http://127.0.0.1/zoho")
    return Environment({"apiKey": API_KEY, "codatUrl": "http://127.0.0.1/codat"})


def long(http: Http) -> Deadline:
    """Time enough."""
    return http.deadline(1000.0)


def test_zoho_is_asked_once_per_client_and_data_centre(simulator: Simulator, environment: Environment) -> None:
    """Zoho counts token requests: the second stack with the same client takes the first one's verdict."""
    simulator.zoho[ID].enabled.discard("uk")
    simulator.zoho[ID].throttled.add("eu")
    http = in_process(simulator)
    remote = Remote(http)
    first = remote.verdicts(environment, CODES, ID, SECRET, long(http))
    assert remote.verdicts(environment, CODES, ID, SECRET, long(http)) == first
    assert [first[code].probe for code in CODES] == [Probe.ACCEPTED, Probe.UNKNOWN_CLIENT, Probe.INCONCLUSIVE]
    assert "throttling" in first["eu"].why and len(simulator.probes) == 3
    other = remote.verdicts(environment, ["us"], ID, OTHER_SECRET, long(http))
    assert other["us"].probe is Probe.WRONG_SECRET, "a verdict on one secret says nothing of another"
    remote.forget()
    remote.verdicts(environment, CODES, ID, SECRET, long(http))
    assert len(simulator.probes) == 4, "what Zoho said stands"


def test_a_data_centre_of_a_newer_version(simulator: Simulator, environment: Environment) -> None:
    """A code that is not known here is asked nowhere, and is no refusal."""
    http = in_process(simulator)
    (verdict,) = Remote(http).verdicts(environment, ["zz"], ID, SECRET, long(http)).values()
    assert verdict.probe is Probe.INCONCLUSIVE and "does not know it" in verdict.why and not simulator.calls


def test_an_integration_is_read_once_per_api_key(
    simulator: Simulator, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stacks and connections that share an API key share one read; another key is another Codat client."""
    simulator.add_codat_client("another-key-of-codat").integration.enabled = True
    http = in_process(simulator)
    remote = Remote(http)
    one = remote.actual(environment, "default", CodatClient(), long(http))
    made = len(simulator.calls)
    monkeypatch.setenv("CODAT_API_KEY_EU", API_KEY)
    assert remote.actual(environment, "eu", CodatClient(), long(http)) is one and len(simulator.calls) == made
    monkeypatch.setenv("CODAT_API_KEY_EU", "another-key-of-codat")
    assert remote.actual(environment, "eu", CodatClient(), long(http)).enabled
    remote.forget()
    assert remote.actual(environment, "default", CodatClient(), long(http)) is not one


def test_who_comes_while_one_asks_waits_for_the_answer(environment: Environment) -> None:
    """Two stacks that start together still ask once."""
    asking, answered = threading.Event(), threading.Event()
    asked: list[str] = []

    def slow(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        asking.set()
        answered.wait(10)
        return httpx.Response(200, json={"error": "invalid_code"})

    http = Http(transport=httpx.MockTransport(slow))
    remote = Remote(http)
    first = start(lambda: remote.verdicts(environment, ["us"], ID, SECRET, long(http)))
    assert asking.wait(10)
    second = start(lambda: remote.verdicts(environment, ["us"], ID, SECRET, long(http)))
    answered.set()
    assert first.result() == second.result() and len(asked) == 1


@pytest.mark.parametrize("what", ["actual", "verdicts"])
def test_a_stack_whose_time_is_up_ends_no_other(environment: Environment, what: str) -> None:
    """Its question is asked again by the next, in that one's own time."""
    clock = Clock()
    late = threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        if not late.is_set():
            clock.time += 10.0
            raise httpx.ReadTimeout("late")
        if "oauth" in request.url.path:
            return httpx.Response(200, json={"error": "invalid_code"})
        return httpx.Response(200, json={"enabled": True, "clientId": "x"})

    http = Http(transport=httpx.MockTransport(answer), clock=clock, sleep=clock.sleep, now=clock)
    remote = Remote(http)

    def ask(seconds: float) -> object:
        deadline = http.deadline(seconds)
        if what == "actual":
            return remote.actual(environment, "default", CodatClient(), deadline).enabled
        return remote.verdicts(environment, ["us"], ID, SECRET, deadline)["us"].probe

    with pytest.raises(errors.Unreachable):
        ask(5.0)
    late.set()
    assert ask(5.0) in (True, Probe.ACCEPTED)


@pytest.mark.slow
def test_a_run_keeps_the_limit_and_no_stack_pays_for_the_wait(
    simulator: Simulator, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """700 integrations with 700 keys, 30 s for each stack: nobody is refused, nobody runs out of time."""
    simulator.daily_limit = 10_000
    clock = Clock()
    simulator.clock = clock
    http = Http(transport=InProcess(simulator), clock=clock, now=clock, sleep=clock.sleep)
    remote = Remote(http)
    for number in range(700):
        key = f"key-number-{number}"
        simulator.add_codat_client(key)
        monkeypatch.setenv("CODAT_API_KEY", key)
        deadline = http.deadline(30.0)
        remote.actual(environment, "default", CodatClient(), deadline)
        assert deadline.left() == 30.0
    assert {call.status for call in simulator.calls} == {200} and len(simulator.calls) >= 1400
    assert set(clock.waits) == {60.0}
    assert http.budget.notes()[0].startswith(f"{MINUTE_LIMIT} calls within a minute: going slower")


def test_calls_that_wait_at_the_same_time_wait_once() -> None:
    """What is waited for together is excused once, for the call, its operation and its stack alike."""
    clock = Clock()
    stack = Deadline(10.0, clock)
    operation = Deadline(120.0, clock, stack)
    assert operation.seconds == 10.0 and operation.left() == 10.0
    for _ in range(3):
        operation.excuse(60.0)
    clock.time = 60.0
    assert stack.left() == operation.left() == 10.0
    clock.time = 65.0
    operation.excuse(1.0)
    clock.time = 66.0
    assert stack.left() == operation.left() == 5.0


def test_an_interrupted_run_does_not_wait_for_the_limit(simulator: Simulator, environment: Environment) -> None:
    """What waits for the next minute is told, and ends."""

    class Interrupted(Exception):
        pass

    def wait(_seconds: float) -> None:
        raise Interrupted

    http = Http(transport=InProcess(simulator), sleep=wait)
    while not http.budget.spend("Codat"):
        pass
    with pytest.raises(Interrupted):
        Remote(http).actual(environment, "default", CodatClient(), long(http))


def test_a_failed_read_is_tried_by_the_next_stack(simulator: Simulator, environment: Environment) -> None:
    """An error is nobody's answer but whose who got it."""
    simulator.fail(Fault(status=403, path="/codat/", times=2))
    http = in_process(simulator)
    remote = Remote(http)
    with pytest.raises(errors.AccessDenied):
        remote.actual(environment, "default", CodatClient(), long(http))
    assert not remote.actual(environment, "default", CodatClient(), long(http)).enabled


@pytest.mark.parametrize("offered", [True, False])
def test_the_api_key_of_another_codat_client(simulator: Simulator, environment: Environment, offered: bool) -> None:
    """It is an error, never drift of the one that is meant; also where that other one has no Zoho Books."""
    simulator.codat[API_KEY].integration.offered = offered
    http = in_process(simulator)
    recorded = CodatClient("11111111-2222-4333-8444-555555555555", "Acme production")
    with pytest.raises(errors.WrongCodatClient, match="Acme production"):
        Remote(http).actual(environment, "default", recorded, long(http))


# --- the threads ---


def test_workers_do_all_and_never_more_at_a_time_than_allowed() -> None:
    """Results and errors come back to who submitted; the threads end."""
    busy = 0
    most = 0
    lock = threading.Lock()

    def work(number: int) -> int:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        if number == 7:
            raise ValueError(number)
        with lock:
            busy -= 1
        return number

    workers = Workers(3)
    futures: list[Future[int]] = [workers.submit(lambda n=number: work(n)) for number in range(20)]  # type: ignore[misc]
    workers.close()
    assert [future.result() for future in futures if future.exception() is None] == [*range(7), *range(8, 20)]
    assert most <= 4 and isinstance(futures[7].exception(), ValueError)


def test_no_thread_keeps_a_process_from_ending() -> None:
    """An answer that drips in is not waited for after Ctrl-C."""
    seen = start(threading.current_thread).result()
    assert seen.daemon and Workers(1).submit(threading.current_thread).result().daemon

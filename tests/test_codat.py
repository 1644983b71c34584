"""Codat: what is sent, what is read, and the error that each failure becomes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho import errors
from codat_zoho.codat import ApiKey, Codat
from codat_zoho.plan import Step, StepKind
from codat_zoho.simulator import Fault, Simulator
from tests.support import API_KEY, ID, SECRET, Clock, answering, codat_of, in_process, keys

INTEGRATION: dict[str, Any] = {"key": "rwuv", "name": "Zoho Books", "logoUrl": "https://x.example", "enabled": True}
CORRELATION = "0f3a9c7be21d4f6a8c5b7d9e01234567"


def client(handler: Any, **parts: Any) -> Codat:
    """A Codat client whose every request ``handler`` answers."""
    return Codat(answering(handler, **parts), ApiKey.parse(API_KEY, "CODAT_API_KEY"), url="http://127.0.0.1")


def always(status: int, body: Any = None, **headers: str) -> Any:
    """A handler that always gives this answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda request: httpx.Response(status, content=content, headers=headers)


# --- the API key ---


@pytest.mark.parametrize("pasted", [API_KEY, f"  {API_KEY}\n", f"Basic {base64.b64encode(API_KEY.encode()).decode()}"])
def test_a_key_is_taken_bare_or_ready(pasted: str) -> None:
    """Base64 of the bare key, without the colon of ordinary Basic authentication."""
    key = ApiKey.parse(pasted, "CODAT_API_KEY")
    scheme, _, encoded = key.header.partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(encoded) == API_KEY.encode()
    assert API_KEY not in repr(key)
    assert encoded not in repr(key)


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("Bearer abcdef", "starts with another word than 'Basic'"),
        ("my key", "holds white space"),
        ("Basic not base64!", "is not base64"),
        ("Basic /w==", "is not base64"),
        ("kéy", "characters that no API key has"),
        ("k\x07ey", "characters that no API key has"),
    ],
)
def test_a_key_that_cannot_be_one(pasted: str, why: str) -> None:
    """The text names the source and what to do, never the key."""
    with pytest.raises(errors.ConfigurationError, match=why) as caught:
        ApiKey.parse(pasted, "codat-zoho:apiKey")
    assert str(caught.value).startswith("codat-zoho:apiKey ")
    assert "Portal" in str(caught.value)
    assert not pasted.strip() or pasted.strip() not in str(caught.value)


# --- failures ---

FAILURES = [
    (401, errors.ApiKeyRefused, r"refused the API key from CODAT_API_KEY \(401\).*Portal"),
    (402, errors.AccountLimit, r"because of the account \(402\)"),
    (403, errors.AccessDenied, r"\(403\).*Administrator and Developer"),
    (404, errors.NotFound, r"\(404\).*right|belongs"),
    (409, errors.Conflict, r"\(409\).*run it again"),
    (400, errors.UnexpectedAnswer, r"answered 400"),
    (302, errors.UnexpectedAnswer, r"answered 302, a redirect, which is never followed with an API key"),
    (418, errors.UnexpectedAnswer, r"answered 418"),
    (500, errors.ServerFailed, r"failed .* \(500\).*run it again later"),
    (503, errors.ServerFailed, r"\(503\)"),
    (429, errors.RateLimited, r"rate limit is used up .* resets at 00:00 UTC"),
]


@pytest.mark.parametrize(("status", "kind", "text"), FAILURES)
def test_each_failure_has_its_error(status: int, kind: type[errors.RemoteError], text: str) -> None:
    """What, why, what to do, and Codat's correlation id, in one line; the status of the body is not trusted."""
    body = {"statusCode": 999, "error": "Something.", "correlationId": CORRELATION}
    with pytest.raises(kind, match=text) as caught:
        client(always(status, body)).actual()
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert str(caught.value).endswith(f"(Codat correlation id {CORRELATION})")
    assert "Codat says: Something." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rate_limit_past_the_cap_names_the_time() -> None:
    """Nobody waits for hours; the text says until when."""
    with pytest.raises(errors.RateLimited, match=r"resets at 1970-01-01 01:00 UTC\. Run it again then\."):
        client(always(429, {}, **{"Retry-After": "3600"}), now=lambda: 0.0).actual()
    with pytest.raises(errors.RateLimited, match=r"resets at 2026-01-02T00:00:00Z"):
        client(always(429, {}, **{"X-Rate-Limit-Reset": "2026-01-02T00:00:00Z"})).actual()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please log in</html>",
        b"",
        b'{"enabled": tr',
        b'"a string"',
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_no_object(body: bytes) -> None:
    """A login page or a proxy in between is said as such."""
    with pytest.raises(
        errors.UnexpectedAnswer, match=r"is not a JSON object \(text/html\)\. Check that the Codat address"
    ):
        client(always(200, body, **{"Content-Type": "text/html; charset=utf-8"})).actual()


@pytest.mark.parametrize("change", [{"enabled": "yes"}, {"enabled": None}, {"key": "gbol"}])
def test_an_answer_that_does_not_say_what_is_needed(change: dict[str, Any]) -> None:
    """Whether it is enabled is never guessed."""
    with pytest.raises(errors.UnexpectedAnswer, match="does not say whether it is enabled"):
        client(always(200, INTEGRATION | change)).actual()


@pytest.mark.parametrize("hostile", [SECRET, API_KEY, base64.b64encode(API_KEY.encode()).decode(), f"\x1b[31m{SECRET}"])
def test_a_remote_that_echoes_secrets(hostile: str) -> None:
    """Nothing of what the remote echoes reaches the text, nor the correlation id, nor a traceback."""
    body = {"error": f"no {hostile} here", "correlationId": hostile, "validation": hostile}
    codat = client(always(400, body, **{"X-Correlation-Id": hostile.replace("\x1b", "")}))
    with pytest.raises(errors.UnexpectedAnswer) as caught:
        codat.apply(Step(StepKind.SAVE_KEYS), ID, SECRET)
    for text in (str(caught.value), repr(caught.value)):
        assert SECRET not in text
        assert API_KEY not in text
        assert "\x1b" not in text


@given(st.binary(max_size=200), st.sampled_from([200, 400, 404, 429, 500]))
def test_any_answer_ends_in_a_value_or_a_typed_error(body: bytes, status: int) -> None:
    """Whatever comes, no other exception escapes."""
    try:
        client(always(status, body)).actual()
    except errors.RemoteError as error:
        assert "\n" not in str(error)


# --- reads ---


def test_optional_fields_may_be_missing_or_more() -> None:
    """Only `enabled` is needed; what nobody knows yet is ignored."""

    def handle(request: httpx.Request) -> httpx.Response:
        stored = {"clientId": "XXXX", "environment": "XXXX", "empty": "", "number": 5}
        return httpx.Response(200, json=stored if "credentials" in request.url.path else {"enabled": False, "new": [1]})

    actual = client(handle).actual()
    assert (actual.enabled, actual.linked, actual.integration_id, actual.name) == (False, None, None, "Zoho Books")
    assert actual.keys == {"clientId": "XXXX", "environment": "XXXX"}


@pytest.mark.parametrize("count", ["3", -1, True, None, 2.5])
def test_a_count_that_is_none(count: object) -> None:
    """A count that is no count is unknown, not zero."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={} if "credentials" in request.url.path else INTEGRATION | {"linkedConnectionsCount": count}
        )

    assert client(handle).actual().linked is None


@pytest.mark.parametrize("how", ["empty", "404", "204"])
def test_absent_keys_in_all_three_forms(simulator: Simulator, how: Any) -> None:
    """However Codat says it, nothing stored is nothing stored; empty values are nothing, too."""
    simulator.switches.absent_keys = how
    assert codat_of(simulator).actual().keys is None
    assert client(always(200, {"clientId": "", "clientSecret": ""})).keys() is None


def test_keys_that_cannot_be_read() -> None:
    """A path that is not offered is no silent "absent"."""
    with pytest.raises(errors.NotOffered, match=r"does not offer reading the stored keys .* leave client_id out"):
        client(always(405, {})).keys()


@pytest.mark.parametrize("linked", [0, 1, 7, 999, 1000, 1003])
def test_counting_linked_companies(simulator: Simulator, linked: int) -> None:
    """Page by page, by key and status; companies linked otherwise do not count."""
    simulator.codat[API_KEY].linked = linked
    assert codat_of(simulator).count_linked() == linked


def test_counting_by_integration_id() -> None:
    """A connection may carry the integration's id only."""
    company = {"dataConnections": [{"integrationId": "an-id", "status": "Linked"}, "odd"]}

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/companies":
            return httpx.Response(200, json={"results": [company, {"dataConnections": None}, "odd"], "totalResults": 3})
        return httpx.Response(
            200, json={} if "credentials" in request.url.path else INTEGRATION | {"integrationId": "an-id"}
        )

    codat = client(handle)
    codat.actual()
    assert codat.count_linked() == 1


def test_a_list_without_results_is_no_zero() -> None:
    """An unreadable list must not pass for "nobody is linked"."""
    with pytest.raises(errors.UnexpectedAnswer, match="has no results"):
        client(always(200, {"totalResults": 0})).count_linked()


def test_a_list_that_never_ends_ends() -> None:
    """Paging ends when a page is empty, whatever the total says."""
    pages: Iterator[list[object]] = iter([[{}], [{}], []])
    codat = client(lambda request: httpx.Response(200, json={"results": next(pages), "totalResults": 10**9}))
    assert codat.count_linked() == 0


# --- writes ---


def test_both_real_values_are_always_sent(simulator: Simulator) -> None:
    """Whether saving replaces or merges is unknown, so both are sent, and never a mask."""
    simulator.codat[API_KEY].integration.keys = {"environment": "live"}
    codat_of(simulator).apply(Step(StepKind.SAVE_KEYS), ID, SECRET)
    assert simulator.codat[API_KEY].integration.keys == keys()


def test_deleting_absent_keys_is_done(simulator: Simulator) -> None:
    """A 404 on delete means that there is nothing left to delete."""
    simulator.switches.absent_keys = "404"
    codat_of(simulator).apply(Step(StepKind.DELETE_KEYS))


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(
    ("step", "by_hand"),
    [
        (Step(StepKind.SAVE_KEYS), "enter the declared client id and secret"),
        (Step(StepKind.SET_ENABLED, enabled=True), "switch it on"),
        (Step(StepKind.SET_ENABLED, enabled=False), "switch it off"),
    ],
)
def test_a_path_that_is_not_offered_says_what_to_click(status: int, step: Step, by_hand: str) -> None:
    """Never a silent pass: the text names the call, the Portal page and the click."""
    with pytest.raises(
        errors.NotOffered, match=f"This Codat API does not offer .* Zoho Books and {by_hand}, then run this"
    ):
        client(always(status, {})).apply(step, ID, SECRET)


def test_a_write_whose_answer_is_lost_is_sent_again(simulator: Simulator) -> None:
    """All writes are idempotent, so a lost answer costs a repetition and nothing else."""
    simulator.fail(Fault(method="PUT", drop=True, after=True))
    codat_of(simulator).apply(Step(StepKind.SET_ENABLED, enabled=True))
    assert simulator.codat[API_KEY].integration.enabled
    assert len(simulator.writes) == 2


def test_waiting_stays_within_the_deadline(simulator: Simulator) -> None:
    """A wait is cut to what the operation has left."""
    clock = Clock()
    http = in_process(simulator, clock=clock, sleep=clock.sleep)
    Codat(http, ApiKey.parse(API_KEY, "x"), url="http://127.0.0.1/codat", seconds=3).wait(10)
    assert clock.waits == [3]

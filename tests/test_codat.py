"""Codat's answers, read and refused: every status, every odd body, and nothing of the key in any text."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from codat_zoho import errors
from codat_zoho.core.observe import ActualIntegration, CodatClient
from codat_zoho.core.plan import Step, StepKind
from codat_zoho.remote.codat import ApiKey, Codat
from codat_zoho.simulator import Simulator
from codat_zoho.texts.redact import one_line
from tests.support import API_KEY, ID, SECRET, answering, codat_of, keys, new_secret

_NEW_YEAR = 1_767_225_600
INTEGRATION = {"key": "rwuv", "logoUrl": "https://x", "name": "Zoho Books", "enabled": True}
HEADER = f"Basic {base64.b64encode(API_KEY.encode()).decode()}"


def codat(handler: Callable[[httpx.Request], httpx.Response]) -> Codat:
    return Codat(answering(handler, now=lambda: 1_000_000.0), ApiKey.parse(API_KEY, "CODAT_API_KEY"))


def always(status: int, **answer: Any) -> Codat:
    return codat(lambda _: httpx.Response(status, **answer))


def integration(body: Any, stored: Any = None) -> ActualIntegration:
    """What is read from these two bodies."""
    return codat(
        lambda request: httpx.Response(200, json=(stored or {}) if "credentials" in request.url.path else body)
    ).actual()


@pytest.mark.parametrize("text", [API_KEY, f" {API_KEY}\n", HEADER, f"  {HEADER} ", HEADER.replace("Basic", "basic")])
def test_a_key_as_people_paste_it(text: str) -> None:
    """Bare or as the ready header: what is sent is base64 of the bare key, without a colon."""
    key = ApiKey.parse(text, "CODAT_API_KEY")
    assert key.header == HEADER
    assert API_KEY not in repr(key) and HEADER not in repr(key)


@pytest.mark.parametrize("form", ["{}:", "Basic {}"])
def test_a_key_as_ordinary_basic_authentication_has_it(form: str) -> None:
    """``curl -u key:`` and Terraform's basic_auth put a colon behind it, which Codat's keys do not have."""
    encoded = base64.b64encode(f"{API_KEY}:".encode()).decode()
    assert ApiKey.parse(form.format(encoded if "Basic" in form else API_KEY), "CODAT_API_KEY").header == HEADER
    assert encoded not in one_line(f"Basic {encoded}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        (":", "is empty"),
        ("Basic Og==", "is not base64 of a key"),
        (" \n", "is empty"),
        ("Bearer abcdefgh12345", "another word than 'Basic'"),
        ("my-secret key", "white space"),
        ("Basic not*base64!", "is not base64 of a key"),
        ("Basic /////w==", "is not base64 of a key"),
        ("Basic", "is not base64 of a key"),
        ("basic  ", "is not base64 of a key"),
        ("Basic a b", "is not base64 of a key"),
        ("tab\tinside", "characters that no API key has"),
        ("nbsp\u00a0inside", "characters that no API key has"),
        ("no-text-\udcff-inside", "characters that no API key has"),
        ("key-with-é-inside", "characters that no API key has"),
        ("key\x00inside", "characters that no API key has"),
    ],
)
def test_a_key_that_is_none(text: str, why: str) -> None:
    """Refused before anything is sent, naming where it came from and not what it is."""
    with pytest.raises(errors.ConfigurationError, match=why) as caught:
        ApiKey.parse(text, "CODAT_API_KEY")
    assert "CODAT_API_KEY" in str(caught.value)
    assert text.strip() in ("", "Basic", "basic") or text.strip() not in str(caught.value)


@pytest.mark.parametrize("text", ["  {} \n", "Basic {}", "{}"])
def test_a_key_is_known_for_what_it_is_however_it_was_pasted(text: str) -> None:
    """The bare key is redacted too when it came with blanks around it, or as a header."""
    key = new_secret()
    encoded = base64.b64encode(key.encode()).decode()
    ApiKey.parse(text.format(encoded if text.startswith("Basic") else key), "CODAT_API_KEY")
    assert one_line(f"{key[:3]}x {key}") == f"{key[:3]}x [redacted]"
    assert one_line(encoded) == "[redacted]"


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (401, errors.ApiKeyRefused, "refused the API key from CODAT_API_KEY (401)"),
        (402, errors.AccountLimit, "because of the account (402)"),
        (403, errors.AccessDenied, "does not let the API key from CODAT_API_KEY do this (403)"),
        (404, errors.NotFound, "does not know what was asked for (404)"),
        (405, errors.UnexpectedAnswer, "Codat answered 405"),
        (409, errors.Conflict, "Somebody else is changing the same thing"),
        (429, errors.RateLimited, "rate limit is used up"),
        (500, errors.ServerFailed, "Codat failed"),
        (503, errors.ServerFailed, "(503), also when asked again"),
        (302, errors.UnexpectedAnswer, "a redirect, which is never followed with an API key"),
        (418, errors.UnexpectedAnswer, "Codat answered 418"),
    ],
)
def test_every_status_has_its_error(status: int, kind: type[errors.RemoteError], text: str) -> None:
    """Typed, with the status of the answer (never the one in the body), Codat's words and correlation id."""
    body = {"statusCode": 200, "error": "Told so.", "correlationId": "0af7651916cd43dd8448eb211c80319c"}
    with pytest.raises(errors.RemoteError) as caught:
        always(status, json=body, headers={"Location": "https://evil.example"}).actual()
    assert type(caught.value) is kind
    assert caught.value.status == status
    shown = str(caught.value)
    assert text in shown and "Codat says: Told so." in shown
    assert shown.endswith("(Codat correlation id 0af7651916cd43dd8448eb211c80319c)")
    assert caught.value.next_step


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_hostile_text_is_never_shown_as_it_is(status: int) -> None:
    """Echoed keys in any encoding, terminal escapes and endless text do not reach the screen."""
    text = f"\x1b[2J\r\n{API_KEY} {HEADER} {API_KEY.encode().hex()} {SECRET} " + "x" * 5000
    body = {"error": text, "correlationId": f"\x1b{API_KEY}"}
    with pytest.raises(errors.RemoteError) as caught:
        always(status, json=body).actual()
    shown = str(caught.value)
    assert shown.isprintable() and len(shown) < 700
    for secret in (API_KEY, HEADER[6:], API_KEY.encode().hex(), SECRET):
        assert secret not in shown
    assert caught.value.correlation_id is None


@pytest.mark.parametrize(
    ("body", "header", "shown"),
    [
        ("0af76519-16cd", None, "0af76519-16cd"),
        (None, "0af76519-16cd", "0af76519-16cd"),
        ({"a": 1}, "0af76519-16cd", "0af76519-16cd"),
        ("\x1b0af76519-16cd", None, None),
        ("0af76519-16cd\n", None, None),
        ("0af76519 16cd", None, None),
        (API_KEY, "0af76519-16cd", "0af76519-16cd"),
        ("x" * 65, None, None),
    ],
)
def test_the_correlation_id(body: Any, header: str | None, shown: str | None) -> None:
    """From the body, else from the header, and only what looks like one."""
    with pytest.raises(errors.UnexpectedAnswer) as caught:
        always(418, json={"correlationId": body}, headers={"X-Correlation-Id": header} if header else {}).actual()
    assert caught.value.correlation_id == shown


@pytest.mark.parametrize("words", ["", " ", "\x1b", ".", 7, None, ["x"]])
def test_codat_that_says_nothing_is_not_quoted(words: Any) -> None:
    """No empty quotation."""
    with pytest.raises(errors.UnexpectedAnswer) as caught:
        always(418, json={"error": words}).actual()
    assert "Codat says" not in str(caught.value)


@pytest.mark.parametrize(
    "stored",
    [
        {"clientId": 7, "clientSecret": 8},
        {"clientId": ID, "clientSecret": ["XXXX"]},
        {"clientId": None, "clientSecret": {"version": 1}},
        {"results": [{"clientId": ID}]},
        {"keys": {"clientId": ID, "clientSecret": "XXXXc0de"}},
        {"stored": True},
    ],
)
def test_keys_that_are_no_texts_cannot_be_told(stored: Any) -> None:
    """Something is stored there, so it is not "none stored", which would overwrite it or be reported as gone."""
    found = integration(INTEGRATION, stored)
    assert found.keys == {} and "in a form that this package does not know" in found.keys_untold


@pytest.mark.parametrize("answer", [{"text": "<html>not here</html>"}, {"content": b""}, {"json": ["not here"]}])
def test_a_404_that_is_not_codats_does_not_mean_gone(answer: dict[str, Any]) -> None:
    """A refresh takes NotFound for gone and drops the resource; a wrong address or a proxy must not do that."""
    with pytest.raises(errors.UnexpectedAnswer, match="not in Codat's words"):
        always(404, **answer).actual()


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "<html>login</html>", "headers": {"content-type": "text/html; charset=utf-8"}},
        {"content": b'{"enabled": tr'},
        {"content": b"\xff\xfe"},
        {"content": b""},
        {"json": ["enabled"]},
        {"json": None},
        {"content": b'{"a":' * 100_000},
    ],
)
def test_an_answer_that_cannot_be_read(answer: dict[str, Any]) -> None:
    """A login page or half an answer is an error of its own, not a crash and not a state."""
    with pytest.raises(errors.UnexpectedAnswer, match="is not a JSON object"):
        always(200, **answer).actual()


@pytest.mark.parametrize("body", [{}, {"enabled": "true"}, {"enabled": None}, {"enabled": True, "key": "gbol"}])
def test_an_integration_that_does_not_say_whether_it_is_enabled(body: dict[str, Any]) -> None:
    """Nothing is guessed, and another integration is not taken for this one."""
    with pytest.raises(errors.UnexpectedAnswer, match="does not say whether it is enabled"):
        integration(body)


def test_optional_fields() -> None:
    """Missing ones are unknown; extra and malformed ones do no harm."""
    unknown = CodatClient(why="Codat's answer does not say which client this API key opens")
    assert integration(INTEGRATION) == ActualIntegration(enabled=True, codat_client=unknown)
    full = INTEGRATION | {"integrationId": "i-1", "linkedConnectionsCount": 3, "name": "Zoho\x1b[2J", "new": [1]}
    found = integration(full)
    assert (found.linked, found.integration_id) == (3, "i-1") and found.name.isprintable()
    for odd in (True, -1, "3", 1.5, None):
        assert integration(INTEGRATION | {"linkedConnectionsCount": odd}).linked is None
    odd_ones = INTEGRATION | {"name": "", "integrationId": 7}
    assert integration(odd_ones) == ActualIntegration(enabled=True, codat_client=unknown)


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 204}, {"status": 200, "json": {}}])
def test_absent_keys_in_all_three_forms(answer: dict[str, Any]) -> None:
    """Nobody knows which one Codat uses; all mean that none are stored."""
    assert always(answer.pop("status"), **answer).keys() is None


def test_stored_keys() -> None:
    """Texts are kept, also under unknown names; empty and other values are not stored keys."""
    assert always(200, json={"clientId": "X", "environment": "live", "empty": "", "n": 1}).keys() == {
        "clientId": "X",
        "environment": "live",
    }
    with pytest.raises(errors.NotOffered, match="look at the keys there"):
        always(405).keys()


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("GET", lambda codat: codat.keys()),
        ("PUT", lambda codat: codat.apply(Step(StepKind.SAVE_KEYS), ID, SECRET)),
        ("DELETE", lambda codat: codat.apply(Step(StepKind.DELETE_KEYS))),
        ("PUT", lambda codat: codat.apply(Step(StepKind.SET_ENABLED, enabled=True))),
        ("GET", lambda codat: codat.actual()),
        ("GET", lambda codat: codat.count_linked()),
    ],
    ids=["read keys", "save keys", "delete keys", "enable", "read the integration", "count"],
)
def test_a_withdrawn_call_is_not_something_missing(method: str, call: Callable[[Codat], object]) -> None:
    """Codat's 404 for a call that it offers no more: never none stored, deleted or gone."""
    gone = {"statusCode": 404, "service": "PublicApi", "error": "NotFound", "correlationId": "c0ffee00-1", "detail": 0}
    with pytest.raises(errors.NotOffered, match=rf"does not offer .* \({method} /.*: 404\).* id c0ffee00-1"):
        call(always(404, json=gone))


def test_what_is_shown_of_stored_keys_steers_nothing() -> None:
    """Names and values may be shown to people: no escapes, no endless text, no API key, and blanks stay as they tell."""
    found = always(
        200,
        json={"clientId": f"XXXX {API_KEY}\x1b[2J ", "clientSecret": "XXXX\u00a09e4", "a\x1bb": "y" * 9999},
    ).keys()
    assert found == {"clientId": "XXXX [redacted]?[2J ", "clientSecret": "XXXX?9e4", "a b": "y" * 500}


def test_the_reset_time_is_named() -> None:
    """From Retry-After, else from the rate-limit header, else the documented midnight."""
    for headers, text in (
        ({"Retry-After": "7200"}, "it resets at 1970-01-12 15:46 UTC"),
        ({"X-Rate-Limit-Reset": "00:00 UTC\x1b"}, "it resets at 00:00 UTC"),
        ({"Retry-After": "9" * 30}, "it resets at 1971-01-12 13:46 UTC"),
        ({}, "it resets at 00:00 UTC"),
    ):
        with pytest.raises(errors.RateLimited, match=text):
            always(429, headers=headers).actual()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7200", "2026-01-01 02:00 UTC"),
        (str(_NEW_YEAR + 7200), "2026-01-01 02:00 UTC"),
        (f"{_NEW_YEAR + 7200}000", "2026-01-01 02:00 UTC"),
        ("Thu, 01 Jan 2026 02:00:00 GMT", "2026-01-01 02:00 UTC"),
        ("2026-01-01T02:00:00Z", "2026-01-01 02:00 UTC"),
        ("2026-01-01T04:00:00+02:00", "2026-01-01 02:00 UTC"),
        ("2026-01-01 02:00:00", "2026-01-01 02:00 UTC"),
        ("2026-01-02", "2026-01-02 00:00 UTC"),
        ("02:00 UTC", "02:00 UTC"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59-12:00"),
        ("9" * 300, "[redacted]"),
    ],
)
def test_the_reset_time_in_any_form(text: str, said: str) -> None:
    """Nobody has seen what Codat sends: a date, a timestamp and a number of seconds are understood, the rest quoted."""
    refused = httpx.Response(429, headers={"X-Rate-Limit-Reset": text})
    subject = Codat(answering(lambda _: refused, now=lambda: _NEW_YEAR), ApiKey.parse(API_KEY, "CODAT_API_KEY"))
    with pytest.raises(errors.RateLimited) as caught:
        subject.keys()
    assert f"it resets at {said}" in str(caught.value)


def test_a_server_that_fails_says_until_when() -> None:
    """What is asked for too late a time is not asked again, and that is not claimed; the time is named."""
    with pytest.raises(errors.ServerFailed) as caught:
        always(503, headers={"Retry-After": "7200"}).actual()
    assert "(503). Nothing is lost: run it again at 1970-01-12 15:46 UTC." in str(caught.value)
    with pytest.raises(errors.RateLimited, match="it resets at 1971-01-12 13:46 UTC"):
        always(429, headers={"Retry-After": "Fri, 31 Dec 9999 23:59:59 -1200"}).actual()


def connection(**fields: Any) -> dict[str, Any]:
    return {"dataConnections": [{"status": "Linked", **fields}]}


def test_linked_companies_are_counted_over_all_pages() -> None:
    """By the integration's key or id; what is not linked, or linked otherwise, does not count."""
    companies = [
        connection(integrationKey="rwuv"),
        connection(integrationId="i-1"),
        connection(integrationKey="rwuv", status="Deauthorized"),
        connection(integrationKey="gbol", integrationId="i-2"),
        {"dataConnections": None},
        {"dataConnections": []},
        {},
        connection(integrationKey="rwuv", status="linked"),
    ]
    pages: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/companies":
            pages.append(request.url.params["page"])
            at = int(request.url.params["page"]) * 3
            return httpx.Response(200, json={"results": companies[at - 3 : at], "totalResults": len(companies)})
        return httpx.Response(200, json=INTEGRATION | {"integrationId": "i-1"})

    subject = codat(handle)
    assert subject.count_linked() == 2
    subject.actual()
    pages.clear()
    assert subject.count_linked() == 3
    assert pages == ["1", "2", "3"]


def test_counting_ends() -> None:
    """Without a total it ends with an empty page; without results it is an error, never zero."""
    answers = iter([{"results": [connection(integrationKey="rwuv")]}, {"results": []}])
    assert codat(lambda _: httpx.Response(200, json=next(answers))).count_linked() == 1
    with pytest.raises(errors.UnexpectedAnswer, match="has no results"):
        always(200, json={"totalResults": 0}).count_linked()


@pytest.mark.parametrize(
    "company", [None, "x", {"dataConnections": 5}, {"dataConnections": "x"}, {"dataConnections": [None]}]
)
def test_a_company_that_cannot_be_read_is_not_counted_as_unlinked(company: Any) -> None:
    """A count that is too low would let a disruptive change through."""
    with pytest.raises(errors.UnexpectedAnswer, match="list of companies cannot be read"):
        always(200, json={"results": [company], "totalResults": 1}).count_linked()


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(
    ("step", "what"),
    [
        (Step(StepKind.SAVE_KEYS), "saving keys"),
        (Step(StepKind.SET_ENABLED, enabled=True), "switch it on"),
        (Step(StepKind.SET_ENABLED, enabled=False), "switch it off"),
        (Step(StepKind.DELETE_KEYS), "remove the keys"),
    ],
)
def test_a_path_that_is_not_offered(status: int, step: Step, what: str) -> None:
    """What to click instead, and that the next run passes; keys that are gone already are no error."""
    subject = always(status)
    if step.kind is StepKind.DELETE_KEYS and status == 404:
        subject.apply(step)
        return
    with pytest.raises(errors.NotOffered) as caught:
        subject.apply(step, ID, SECRET)
    assert "does not offer" in str(caught.value) and what in str(caught.value)
    assert "run this again" in str(caught.value) and SECRET not in str(caught.value)


def test_what_is_sent() -> None:
    """The key in one header, both real keys in the body, nothing secret in an address."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    codat(handle).apply(Step(StepKind.SAVE_KEYS), ID, SECRET)
    (request,) = seen
    assert (request.method, str(request.url)) == ("PUT", "https://api.codat.io/integrations/credentials/rwuv")
    assert request.headers["authorization"] == HEADER
    assert SECRET.encode() in request.content and ID.encode() in request.content


def test_against_the_simulator(simulator: Simulator) -> None:
    """Written, read back masked, and removed."""
    subject = codat_of(simulator)
    subject.apply(Step(StepKind.SAVE_KEYS), ID, SECRET)
    subject.apply(Step(StepKind.SET_ENABLED, enabled=True))
    found = subject.actual()
    assert found.enabled and found.client_secret == f"{'X' * 38}{SECRET[-4:]}"
    assert simulator.codat[API_KEY].integration.keys == keys()
    subject.apply(Step(StepKind.DELETE_KEYS))
    assert subject.keys() is None

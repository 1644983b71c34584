"""Which Codat client an API key opens: asked once, compared before anything is decided, and no key in any text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from codat_zoho import errors
from codat_zoho.core.observe import CodatClient
from codat_zoho.provider import Books
from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.codat import ApiKey, Codat
from codat_zoho.remote.concurrency import Once
from codat_zoho.simulator import Simulator
from tests.support import API_KEY, ID, SECRET, answering, codat_of, new_process

GUID = "367f7975-267b-439b-90c6-a6040ee680f3"
OTHER = "9cf0c2bb-1f1b-4f3c-8ef6-1f0dd4b0a6a1"
PROFILE_KEY = "sartANTjHAkLdbyDfaynoTQb7pkmj6hXHm"


def codat(sync_settings: httpx.Response, profile: httpx.Response | None = None) -> Codat:
    """A Codat client whose two questions are answered like this."""

    def answer(request: httpx.Request) -> httpx.Response:
        return sync_settings if request.url.path.endswith("syncSettings") else profile or httpx.Response(404)

    return Codat(answering(answer), ApiKey.parse(API_KEY, "CODAT_API_KEY"), url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(403, json={"error": "Forbidden"}), r"does not tell this API key .* \(403\)"),
        (httpx.Response(404, json={"error": "NotFound"}), r"does not tell this API key .* \(404\)"),
        (httpx.Response(204), r"does not tell this API key .* \(204\)"),
        (httpx.Response(200, json=[]), "does not say which client"),
        (httpx.Response(405), r"does not tell this API key .* \(405\)"),
        (httpx.Response(200, json={}), "does not say which client"),
        (httpx.Response(200, json={"clientId": 7}), "does not say which client"),
        (httpx.Response(200, json={"clientId": f"{GUID}\x1b[2J"}), "does not say which client"),
        (httpx.Response(200, json={"clientId": API_KEY}), "does not say which client"),
    ],
)
def test_what_cannot_be_told_refuses_nothing(answer: httpx.Response, why: str) -> None:
    """Codat may not tell, or something odd: then nothing is known and nothing is refused."""
    found = codat(answer)
    client = found.client()
    assert client.id is None
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(client.why)
    found.confirm(client, CodatClient(GUID))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), errors.ApiKeyRefused),
        (httpx.Response(402), errors.AccountLimit),
        (httpx.Response(500), errors.ServerFailed),
        (httpx.Response(200, html="<html>log in</html>"), errors.UnexpectedAnswer),
        (httpx.Response(403, html="<html>proxy</html>"), errors.AccessDenied),
        (httpx.Response(404, html="<html>proxy</html>"), errors.UnexpectedAnswer),
    ],
)
def test_what_fails_is_an_error(answer: httpx.Response, kind: type[errors.RemoteError]) -> None:
    """A failure is no answer: going on would pass over what may be the wrong client."""
    with pytest.raises(kind):
        codat(answer).client()


@pytest.mark.parametrize(("recorded", "refused"), [(None, False), (GUID, False), (GUID.upper(), False), (OTHER, True)])
def test_only_another_one_is_refused(recorded: str | None, refused: bool) -> None:
    """Nothing on record refuses nothing, and GUIDs have no case."""
    found = codat(httpx.Response(200, json={"clientId": GUID}))
    if refused:
        with pytest.raises(errors.WrongCodatClient, match=f"CODAT_API_KEY opens the Codat client {GUID}, and not 'Dev"):
            found.confirm(found.client(), CodatClient(recorded, "Dev"))
    else:
        found.confirm(found.client(), CodatClient(recorded))


@pytest.mark.parametrize(
    ("profile", "shown"),
    [
        ({"name": "Bob's Burgers", "apiKey": PROFILE_KEY}, f'"Bob\'s Burgers" ({GUID})'),
        ({"name": f"{PROFILE_KEY} Ltd", "apiKey": PROFILE_KEY}, f"'[redacted] Ltd' ({GUID})"),
        ({"name": f"{API_KEY} Ltd"}, f"'[redacted] Ltd' ({GUID})"),
        ({"name": ""}, GUID),
        ({"name": ["x"]}, GUID),
        ([], GUID),
    ],
)
def test_the_name_and_no_key(profile: Any, shown: str) -> None:
    """The profile holds a deprecated key in clear: it leaves the parser in no form, whatever echoes it."""
    found = codat(httpx.Response(200, json={"clientId": GUID}), httpx.Response(200, json=profile)).named_client()
    assert str(found) == shown
    assert PROFILE_KEY not in repr(found) and API_KEY not in repr(found)


@pytest.mark.parametrize("profile", [httpx.Response(403, json={"name": "x"}), httpx.Response(200, html="<p>")])
def test_without_a_name(profile: httpx.Response) -> None:
    """The name is for people; where Codat keeps it back, the id does."""
    assert codat(httpx.Response(200, json={"clientId": GUID}), profile).named_client() == CodatClient(GUID)


def test_it_is_asked_once_per_key_and_process(simulator: Simulator) -> None:
    """However many operations there are, and at the same time: one read tells all of them."""
    codat_ = codat_of(simulator)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: codat_.actual().codat_client.id, range(8)))) == 1
    assert sum(call.path == "/profile/syncSettings" for call in simulator.calls) == 1


def test_a_refresh_is_three_calls_and_later_ones_two(context: Simulator) -> None:
    """One latency: integration, keys and whose it is, at the same time."""
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    outs = dict(Books().create(inputs).outs or {})
    new_process()
    context.forget_calls()
    Books().read("default", outs)
    assert sorted(call.path for call in context.calls) == [
        "/integrations/credentials/rwuv",
        "/integrations/rwuv",
        "/profile/syncSettings",
    ]
    Books().read("default", outs)
    assert len(context.calls) == 5


def test_an_older_state_is_read_and_not_taken_for_another(context: Simulator) -> None:
    """What an older release recorded lacks all of it: read as ever; a refresh records nothing, an update does."""
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    new = dict(Books().create(inputs).outs or {})
    old = {name: value for name, value in new.items() if name not in ("declared", "codat_client", "codat_client_name")}
    read = Books().read("default", old)
    assert not {"declared", "codat_client"} & set(read.outs or {})
    assert read.inputs == inputs
    changed = dict(Books().update("default", old, inputs | {"on_delete": "keep"}).outs or {})
    assert changed["codat_client"] == new["codat_client"] and changed["declared"]["enabled"] is True
    assert "on_delete" not in changed["declared"]


def test_an_error_is_not_remembered() -> None:
    """Who asks again after a failure gets an answer of its own."""
    once, tries = Once(), iter([ValueError("first"), "second"])

    def ask() -> object:
        found = next(tries)
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(ValueError, match="first"):
        once.get("x", ask)
    assert (once.get("x", ask), once.get("x", ask)) == ("second", "second")


def test_renamed_with_the_api_key_of_another_client(context: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating has nothing on record to compare with; the old name, which has, says so before it ends."""
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    outs = dict(Books().create(inputs).outs or {})
    context.add_codat_client("an-api-key-of-another-client")
    monkeypatch.setenv("CODAT_API_KEY", "an-api-key-of-another-client")
    new_process()
    Books().check({}, inputs)
    Books().create(inputs)
    with pytest.raises(Exception, match="which stays as it is; the API key opens"):
        Books().delete("default", outs)
    assert context.codat[API_KEY].integration.enabled


def test_the_end_of_a_name_that_is_still_declared(context: Simulator) -> None:
    """Renamed: the program declares the connection under its new name, so the end of the old one sends nothing."""
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    outs = dict(Books().create(inputs).outs or {})
    new_process()
    Books().check({}, inputs)
    Books().create(inputs)
    context.forget_calls()
    Books().delete("default", outs)
    assert not context.writes


def test_a_refresh_leaves_what_was_declared_on_record(context: Simulator) -> None:
    """Whatever somebody changed in Codat, the record says what the last deployment declared."""
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    outs = dict(Books().create(inputs).outs or {})
    context.codat[API_KEY].integration.enabled = False
    new_process()
    read = Books().read("default", outs)
    assert (read.outs or {})["enabled"] is False
    assert (read.outs or {})["declared"] == outs["declared"]


def test_removing_one_of_two_that_share_a_codat_client(context: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two connections can open one client. While one of them is declared, the other's end touches nothing."""
    monkeypatch.setenv("CODAT_API_KEY_EU", API_KEY)
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    outs = dict(Books().create(inputs).outs or {})
    new_process()
    CONTEXT.configure(lambda key: None)
    Books().check({}, inputs | {"connection": "eu"})
    context.forget_calls()
    Books().delete("default", outs)
    assert not context.writes
    new_process()
    Books().delete("default", outs)
    assert [call.detail for call in context.writes] == ["disable", "delete keys"]

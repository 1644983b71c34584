"""Companies, connections, links and consent in the simulator: what it takes, refuses and shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jsonschema
import pytest

from codat_zoho import REDIRECT_URI
from codat_zoho.simulator import Simulator, serve
from codat_zoho.simulator.screens import OUTCOMES
from tests.support import API_KEY, HEADERS, ID, OTHER_ID, OTHER_SECRET, SECRET, keys
from tests.test_simulator import PLATFORM, control, needs_specs, schema_of

NOW = 1_790_000_000.0


@pytest.fixture
def base(simulator: Simulator) -> Iterator[str]:
    """The simulator behind a socket, enabled and with keys, at a time that stands still."""
    simulator.clock = lambda: NOW
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys = True, keys()
    with serve(simulator) as address:
        yield address


@pytest.fixture
def browser(base: str) -> Iterator[httpx.Client]:
    """What a browser sends, redirects followed; it has no API key."""
    with httpx.Client(follow_redirects=True) as client:
        yield client


def created(codat: httpx.Client, body: object = "rwuv") -> tuple[str, dict[str, Any]]:
    """A company with a connection: its path, and the connection."""
    company = codat.post("/companies", json={"name": "A test"}).json()
    path = f"/companies/{company['id']}"
    answer = codat.post(f"{path}/connections", json=body)
    assert answer.status_code == 200, answer.text
    return path, answer.json()


def through(browser: httpx.Client, link: str, location: str = "us", choice: str = "accept") -> httpx.Response:
    """Follow a link as a person does, as far as it goes."""
    page = browser.post(link) if browser.get(link).status_code == 200 else browser.get(link)
    if page.status_code == 200:
        page = browser.post(str(page.url), data={"location": location, "choice": choice})
    return page


# --- Codat's calls ---


@needs_specs
@pytest.mark.parametrize("ended", ["", "linked", "unlinked", "deauthorized", "error"])
@pytest.mark.parametrize("no_data", ["initial", "none"])
def test_answers_have_the_published_shape(
    simulator: Simulator, base: str, codat: httpx.Client, ended: str, no_data: str
) -> None:
    """Each answer about companies validates against Codat's schema, whatever became of the link."""
    control(base, "PUT", "/switches", {"no_data": no_data, "one_time_links": bool(ended)})
    path, connection = created(codat)
    one = f"{path}/connections/{connection['id']}"
    if ended:
        assert control(base, "POST", "/link", {"outcome": ended}).status_code == 200
    for schema, answer in (
        ("Company", codat.post("/companies", json={"name": "Another", "tags": {"a": "b"}, "description": "x"})),
        ("Company", codat.get(path)),
        ("Companies", codat.get("/companies")),
        ("Connection", codat.post(f"{path}/connections", json={"platformKey": "rwuv"})),
        ("Connection", codat.get(one)),
        ("Connections", codat.get(f"{path}/connections")),
        ("DataStatuses", codat.get(f"{path}/dataStatus")),
        ("Connection", codat.patch(one, json={"status": "Unlinked"})),
        ("ErrorMessage", codat.get("/companies/11111111-2222-4333-8444-555555555555")),
        ("ErrorMessage", codat.get(f"{path}/connections/11111111-2222-4333-8444-555555555555")),
    ):
        assert answer.status_code == (404 if schema == "ErrorMessage" else 200)
        jsonschema.validate(answer.json(), schema_of(PLATFORM, schema))


@pytest.mark.parametrize("body", ["rwuv", "RWUV", {"platformKey": "rwuv"}])
def test_both_spellings_make_a_connection(simulator: Simulator, codat: httpx.Client, body: object) -> None:
    """The key alone, as older clients send it, or an object, as the OpenAPI file says."""
    _, connection = created(codat, body)
    assert (connection["integrationKey"], connection["status"]) == ("rwuv", "PendingAuth")
    assert simulator.codat[API_KEY].linked == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {}, 400),
        ("", {"name": ""}, 400),
        ("", {"name": "[]"}, 400),
        ("", {"name": 5}, 400),
        ("", {"name": "x", "tags": ["a"]}, 400),
        ("", {"name": "x", "tags": {"a": "b" * 101}}, 400),
        ("", {"name": "x", "tags": {str(number): "b" for number in range(11)}}, 400),
        ("", {"name": "x", "description": 1}, 400),
        ("/{}/connections", {}, 400),
        ("/{}/connections", 7, 400),
        ("/{}/connections", "abcd", 404),
        ("/{}/nothing", {}, 404),
        ("/{}", {}, 405),
    ],
)
def test_what_codat_would_refuse_is_refused(codat: httpx.Client, path: str, body: object, status: int) -> None:
    """Wrong bodies, unknown platforms, unknown paths; nothing comes of them."""
    company, _ = created(codat)
    before = codat.get("/companies").json()
    assert codat.post("/companies" + path.format(company.rpartition("/")[2]), json=body).status_code == status
    assert codat.get("/companies").json() == before


def test_a_name_loses_what_is_not_allowed_in_it(codat: httpx.Client) -> None:
    """Silently, as Codat says."""
    assert codat.post("/companies", json={"name": "Test (delete) [1] & co."}).json()["name"] == "Test delete 1 & co."


def test_an_integration_that_is_not_enabled(simulator: Simulator, codat: httpx.Client) -> None:
    """Whether it can be connected is unknown; it cannot where Codat does not offer it."""
    path, _ = created(codat)
    integration = simulator.codat[API_KEY].integration
    integration.enabled, simulator.switches.connection_needs_enabled = False, True
    assert codat.post(f"{path}/connections", json="rwuv").status_code == 400
    integration.offered = False
    assert codat.post(f"{path}/connections", json="rwuv").status_code == 404
    assert codat.post(f"{path}/connections", json="gbol").json()["platformName"] == "Xero"


def test_what_is_deleted_is_gone(simulator: Simulator, base: str, codat: httpx.Client) -> None:
    """A connection, then its company; neither counts any more."""
    client = simulator.codat[API_KEY]
    client.linked = 2
    path, connection = created(codat)
    control(base, "POST", "/link", {"outcome": "linked"})
    assert codat.get("/integrations/rwuv").json()["linkedConnectionsCount"] == client.linked == 3
    assert codat.delete(f"{path}/connections/{connection['id']}").status_code == 200
    assert codat.get(f"{path}/connections/{connection['id']}").status_code == 404
    assert client.linked == 2
    gone = codat.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert codat.get(path).status_code == codat.delete(path).status_code == 404
    for company in codat.get("/companies").json()["results"]:
        assert codat.delete(f"/companies/{company['id']}").status_code == 204
    assert client.linked == 0


def test_the_number_of_linked_companies_can_be_set(simulator: Simulator, base: str, codat: httpx.Client) -> None:
    """Ready-made companies come and go; one that was created stays, unlinked where there are to be fewer."""
    client = simulator.codat[API_KEY]
    path, _ = created(codat)
    control(base, "POST", "/link", {"outcome": "linked"})
    for count in (4, 1, 3, 0, 2):
        client.linked = count
        assert client.linked == count
    assert codat.get(path).json()["dataConnections"][0]["status"] == "Unlinked"


def test_unlinking(simulator: Simulator, base: str, codat: httpx.Client) -> None:
    """PATCH takes Unlinked and nothing else."""
    path, connection = created(codat)
    one = f"{path}/connections/{connection['id']}"
    control(base, "POST", "/link", {"outcome": "linked"})
    others: list[object] = [{"status": "Linked"}, {"status": "Unlinked", "more": 1}, [], "Unlinked"]
    for wrong in others:
        assert codat.patch(one, json=wrong).status_code == 400
    assert codat.patch(one, json={"status": None}).json()["status"] == "Linked"
    assert codat.patch(one, json={"status": "Unlinked"}).json()["status"] == "Unlinked"


def test_data_arrives(simulator: Simulator, base: str, codat: httpx.Client) -> None:
    """One data type after the other once the company is linked, or as the control interface says."""
    path, connection = created(codat)
    statuses = codat.get(f"{path}/dataStatus").json()
    assert {one["currentStatus"] for one in statuses.values()} == {"Initial"}
    assert "never linked" in control(base, "POST", "/data", {}).json()["error"]
    control(base, "POST", "/link", {"outcome": "linked"})
    simulator.clock = lambda: NOW + 3
    shown = [one["currentStatus"] for one in codat.get(f"{path}/dataStatus").json().values()]
    assert shown == ["Complete", "Fetching"] + ["Queued"] * 6
    assert codat.get(f"{path}/connections/{connection['id']}").json()["lastSync"]
    simulator.switches.data_arrives = False
    assert codat.get(f"{path}/dataStatus").json()["company"]["currentStatus"] == "Queued"
    for status in ("FetchError", "Complete"):
        control(base, "POST", "/data", {"dataTypes": ["invoices"], "currentStatus": status})
        found = codat.get(f"{path}/dataStatus").json()["invoices"]
        assert (found["currentStatus"], "lastSuccessfulSync" in found) == (status, status == "Complete")


# --- links ---


@pytest.mark.parametrize("way", ["pages", "control"])
@pytest.mark.parametrize(
    ("outcome", "body"),
    [
        ("linked", {}),
        ("unknown_client", {"clientId": OTHER_ID}),
        ("redirect_uri", {"redirectUris": ["https://zohobooks.codat.io/oauth/callback/"]}),
        ("not_enabled", {"enabled": ["eu"]}),
        ("wrong_secret", {"secret": OTHER_SECRET}),
        ("throttled", {"throttled": ["us"]}),
        ("refused", {}),
    ],
)
def test_a_link_ends_as_zoho_decides(
    simulator: Simulator,
    base: str,
    codat: httpx.Client,
    browser: httpx.Client,
    way: str,
    outcome: str,
    body: dict[str, Any],
) -> None:
    """In pages and without; the connection is Linked or waits still, and nothing secret is on a page or in the log."""
    path, connection = created(codat)
    if "clientId" in body:
        simulator.zoho[OTHER_ID] = simulator.zoho.pop(ID)
    control(base, "PUT", "/zoho", {"clientId": ID if ID in simulator.zoho else OTHER_ID} | body)
    if way == "pages":
        page = through(browser, connection["linkUrl"], choice="reject" if outcome == "refused" else "accept")
        assert OUTCOMES[outcome].title in page.text
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Cache-Control"] == "no-store"
        shown = page.text + repr(simulator.calls) + control(base, "GET", "/calls").text
        assert not [one for one in (SECRET, OTHER_SECRET, API_KEY) if one in shown]
        assert {call.kind for call in simulator.calls if call.service == "link"} == {"page"}
    else:
        told = control(base, "POST", "/link", {"outcome": "refused" if outcome == "refused" else "consent"}).json()
        assert (told["outcome"], told["text"]) == (outcome, OUTCOMES[outcome].text)
    status = codat.get(f"{path}/connections/{connection['id']}").json()["status"]
    assert status == ("Linked" if outcome == "linked" else "PendingAuth")


def test_each_data_centre_has_its_own_secret(simulator: Simulator, codat: httpx.Client, browser: httpx.Client) -> None:
    """Unless the console says otherwise: then only the home data centre's customers can link."""
    simulator.zoho[ID].same_credentials = False
    link = created(codat)[1]["linkUrl"]
    assert OUTCOMES["wrong_secret"].title in through(browser, link, "eu").text
    assert OUTCOMES["linked"].title in through(browser, link, "us").text


@pytest.mark.parametrize("status", ["PendingAuth", "Unlinked", "Deauthorized"])
@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("choice", ["accept", "reject"])
def test_what_a_failed_link_leaves_is_unknown(
    simulator: Simulator, codat: httpx.Client, browser: httpx.Client, status: str, reports: bool, choice: str
) -> None:
    """So switches decide; a company that is linked already stays so, and linking clears the errors."""
    control_link = created(codat)
    path, connection = control_link
    simulator.switches.failed_link, simulator.switches.failed_link_error = status, reports  # type: ignore[assignment]
    simulator.zoho[ID].secret = OTHER_SECRET
    one = f"{path}/connections/{connection['id']}"
    through(browser, connection["linkUrl"], choice=choice)
    found = codat.get(one).json()
    assert (found["status"], bool(found.get("dataConnectionErrors"))) == (status, reports)
    simulator.zoho[ID].secret = SECRET
    through(browser, connection["linkUrl"])
    through(browser, connection["linkUrl"], choice="reject")
    found = codat.get(one).json()
    assert (found["status"], "dataConnectionErrors" in found) == ("Linked", False)


def test_the_control_interface_sets_what_codat_reports(base: str, codat: httpx.Client) -> None:
    """A status, or an error on the connection, in Codat's words or others."""
    path, connection = created(codat)
    created(codat)
    which = {"connectionId": connection["id"]}
    for outcome, status in (("linked", "Linked"), ("deauthorized", "Deauthorized"), ("unlinked", "Unlinked")):
        assert control(base, "POST", "/link", which | {"outcome": outcome}).json()["status"] == status
        assert codat.get(f"{path}/connections/{connection['id']}").json()["status"] == status
    control(base, "POST", "/link", which | {"outcome": "error", "error": "The books are locked."})
    (reported,) = codat.get(f"{path}/connections/{connection['id']}").json()["dataConnectionErrors"]
    assert (reported["errorMessage"], reported["erroredOnUtc"]) == ("The books are locked.", "2026-09-21T14:13:20Z")


@pytest.mark.parametrize("lifetime", ["day", "hour"])
@pytest.mark.parametrize("renewed", [True, False])
def test_one_time_links(
    simulator: Simulator, base: str, codat: httpx.Client, browser: httpx.Client, lifetime: str, renewed: bool
) -> None:
    """They work once and for a while; whether reading the connection gives a new one then is unknown."""
    control(base, "PUT", "/switches", {"one_time_links": True, "link_lifetime": lifetime, "link_renewed": renewed})
    path, connection = created(codat)
    one, link = f"{path}/connections/{connection['id']}", connection["linkUrl"]
    assert len(parse_qs(urlsplit(link).query)["otp"][0]) == 6
    assert codat.get(one).json()["linkUrl"] == link, "one that works is kept"
    assert OUTCOMES["unknown_link"].title in browser.get(link.partition("?")[0]).text
    assert browser.get(link).status_code == browser.get(link).status_code == 200, "looking does not use it"
    assert OUTCOMES["linked"].title in through(browser, link).text
    assert OUTCOMES["used_link"].title in browser.post(link).text
    assert (codat.get(one).json()["linkUrl"] == link) is not renewed
    other = created(codat)[1]["linkUrl"]
    simulator.clock = lambda: NOW + {"day": 86_400, "hour": 3_600}[lifetime]
    assert OUTCOMES["expired_link"].title in browser.post(other).text
    assert link.rpartition("=")[2] not in repr(simulator.calls) + repr(simulator.codat), "a link is a secret"


def test_a_consent_counts_once(codat: httpx.Client, browser: httpx.Client) -> None:
    """Sent again, it belongs to no link any more: a connection that was unlinked in between stays so."""
    path, connection = created(codat)
    page = browser.post(connection["linkUrl"])
    form = {"location": "us", "choice": "accept"}
    assert OUTCOMES["linked"].title in browser.post(str(page.url), data=form).text
    codat.patch(f"{path}/connections/{connection['id']}", json={"status": "Unlinked"})
    assert OUTCOMES["lost"].title in browser.post(str(page.url), data=form).text
    assert codat.get(f"{path}/connections/{connection['id']}").json()["status"] == "Unlinked"


def test_a_link_whose_company_is_gone(codat: httpx.Client, browser: httpx.Client) -> None:
    """It leads nowhere, and one that is under way ends there."""
    path, connection = created(codat)
    consent = browser.post(connection["linkUrl"])
    codat.delete(path)
    for page in (browser.get(connection["linkUrl"]), browser.post(connection["linkUrl"])):
        assert page.status_code == 404 and OUTCOMES["unknown_link"].title in page.text
    late = browser.post(str(consent.url), data={"location": "us", "choice": "accept"})
    assert OUTCOMES["lost"].title in late.text


def test_the_keys_count_that_codat_stores_when_zoho_answers(
    simulator: Simulator, codat: httpx.Client, browser: httpx.Client
) -> None:
    """A grant is for one client: with another one in between, the exchange fails."""
    _, connection = created(codat)
    consent = browser.post(connection["linkUrl"])
    simulator.add_zoho_client(OTHER_ID, OTHER_SECRET)
    simulator.codat[API_KEY].integration.keys = keys(OTHER_ID, OTHER_SECRET)
    page = browser.post(str(consent.url), data={"location": "us", "choice": "accept"})
    assert OUTCOMES["wrong_secret"].title in page.text


# --- no page but its own ---


def wrong_code(browser: httpx.Client, base: str, state: str) -> httpx.Response:
    """Consent, and take another code than Zoho's to the callback."""
    query = {"client_id": ID, "redirect_uri": REDIRECT_URI, "state": state}
    form = {"location": "us", "choice": "accept"}
    url = f"{base}/link/zoho/oauth/v2/auth"
    consented = browser.post(url, params=query, data=form, follow_redirects=False)
    assert "code=" in consented.headers["Location"]
    return browser.post(f"{base}/link/oauth/callback", params={"state": state, "code": "é"})


def test_only_post_changes_anything(
    simulator: Simulator, base: str, codat: httpx.Client, browser: httpx.Client
) -> None:
    """A link that a scanner or a preview opens is not followed; a callback with the wrong state or code is none."""
    path, connection = created(codat)
    state = parse_qs(urlsplit(str(browser.post(connection["linkUrl"]).url)).query)["state"][0]
    callback = f"{base}/link/oauth/callback"
    for answer in (
        browser.get(callback, params={"state": state, "code": "x"}),
        browser.post(callback, params={"state": "é", "code": "x"}),
        browser.post(callback, params={"state": "", "error": "access_denied"}),
        browser.post(f"{base}/link/zoho/oauth/v2/auth", params={"client_id": ID}, data={"location": "us"}),
        wrong_code(browser, base, state),
        browser.post(callback, params={"state": state, "code": "x"}),
        browser.put(connection["linkUrl"]),
        browser.get(f"{base}/link/finished", params={"outcome": "nonsense"}),
        browser.get(codat.get(path).json()["redirect"]),
    ):
        assert 200 <= answer.status_code < 600 and "<script" not in answer.text
    assert codat.get(f"{path}/connections/{connection['id']}").json()["status"] == "PendingAuth"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "{base}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({"Origin": "{base}", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_no_other_page_follows_a_link(
    simulator: Simulator, base: str, codat: httpx.Client, headers: dict[str, str], status: int
) -> None:
    """Only the simulator's own pages send their forms, and only to one another."""
    _, connection = created(codat)
    sent = {name: value.format(base=base) for name, value in headers.items()}
    assert httpx.get(connection["linkUrl"], headers=sent).status_code == status
    answer = httpx.post(connection["linkUrl"], headers=sent)
    assert answer.status_code == (303 if status == 200 else 403)
    for path in ("/_control/state", "/codat/companies"):
        told = httpx.get(base + path, headers=sent | HEADERS).status_code
        assert told == (200 if status == 200 and "Origin" not in headers else 403)


def test_a_page_holds_nothing_but_text(
    simulator: Simulator, codat: httpx.Client, browser: httpx.Client, base: str
) -> None:
    """Names are shown as they are, and a browser is told to run, load and frame nothing."""
    simulator.zoho[ID].name = "<script>alert(1)</script>"
    page = browser.post(created(codat)[1]["linkUrl"])
    assert "&lt;script&gt;" in page.text and "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "sandbox allow-forms"):
        assert part in policy
    assert "allow-scripts" not in policy and "unsafe" not in policy
    control(base, "POST", "/faults", {"path": "/link", "body": "<script>", "content_type": "text/html"})
    assert browser.get(str(page.url)).headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    for said in (json.dumps(control(base, "GET", "/state").json()), control(base, "GET", "/calls").text):
        assert SECRET not in said and "state=" not in said

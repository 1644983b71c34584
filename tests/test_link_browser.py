"""A person links in a real headless browser: Codat's link page, Zoho's consent screen, and each way in which it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from codat_zoho.simulator import CodatClient, Simulator, serve
from codat_zoho.simulator.companies import Company, Connection
from codat_zoho.simulator.screens import OUTCOMES
from tests.browser import Browser, needs_browser, started
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET, keys

pytestmark = [needs_browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser."""
    with started(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def _do_nothing(_: Simulator) -> None:
    """All is well."""


def _forget_the_client(simulator: Simulator) -> None:
    simulator.zoho.clear()


def _register_another_uri(simulator: Simulator) -> None:
    simulator.zoho[ID].redirect_uris = {"https://zohobooks.codat.io/oauth/callback/"}


def _enable_another_data_centre(simulator: Simulator) -> None:
    simulator.zoho[ID].enabled = {"us"}


def _change_the_secret(simulator: Simulator) -> None:
    simulator.zoho[ID].secret = OTHER_SECRET


def _disable(simulator: Simulator) -> None:
    simulator.codat[API_KEY].integration.enabled = False


def linking(simulator: Simulator) -> tuple[CodatClient, Connection, str]:
    """A client of which a company is to link, the connection, and the path of its link."""
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys = True, keys()
    company = Company("A <b>test</b> & more", simulator.clock())
    connection = Connection("rwuv", client.integration_id("rwuv"), simulator.clock())
    company.connections[connection.id] = connection
    client.companies[company.id] = company
    return client, connection, f"/link/companies/{company.id}/connections/{connection.id}/start"


@pytest.mark.parametrize(
    ("outcome", "breaking", "clicks"),
    [
        ("linked", _do_nothing, ["button", "option[value=uk]", "button[value=accept]"]),
        ("refused", _do_nothing, ["button", "button[value=reject]"]),
        ("unknown_client", _forget_the_client, ["button"]),
        ("redirect_uri", _register_another_uri, ["button"]),
        ("not_enabled", _enable_another_data_centre, ["button", "option[value=uk]", "button[value=accept]"]),
        ("wrong_secret", _change_the_secret, ["button", "button[value=accept]"]),
        ("not_offered", _disable, []),
    ],
)
def test_a_person_links_or_reads_why_not(
    simulator: Simulator, browser: Browser, outcome: str, breaking: Callable[[Simulator], None], clicks: list[str]
) -> None:
    """Consent links the company; each refusal is shown in words; no page loads a thing, complains, or holds a secret."""
    client, connection, path = linking(simulator)
    breaking(simulator)
    with serve(simulator) as base:
        browser.open(base + path)
        for selector in clicks:
            assert not browser.find("main b b, script"), "a name became markup"
            (browser.click if selector.startswith("option") else browser.follow)(selector)
        title, text = browser.text("h1"), browser.text("main p")
    assert (title, text) == (OUTCOMES[outcome].title, OUTCOMES[outcome].text)
    assert not [entry for entry in browser.log() if "Content Security" in entry["message"]]
    assert SECRET not in text and API_KEY not in text
    linked = outcome == "linked"
    assert (connection.status, client.linked) == (("Linked", 1) if linked else ("PendingAuth", 0))
    assert not simulator.writes and not simulator.probes


def test_a_one_time_link_works_once(simulator: Simulator, browser: Browser) -> None:
    """Opened, it still works; followed, it does so no longer, and says so."""
    simulator.switches.one_time_links = True
    _, connection, path = linking(simulator)
    connection.password, connection.password_at = "ABC123", simulator.clock()
    with serve(simulator) as base:
        for _ in range(2):
            browser.open(f"{base}{path}?otp=ABC123")
            assert browser.text("h1") == "Connect Zoho Books"
        browser.follow("button")
        browser.follow("button[value=accept]")
        assert browser.text("h1") == OUTCOMES["linked"].title
        browser.open(f"{base}{path}?otp=ABC123")
        assert browser.text("h1") == OUTCOMES["used_link"].title

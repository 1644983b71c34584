"""The whole of ``test-link``: the command waits while a person goes through the simulator's pages in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from codat_zoho.cli import main
from codat_zoho.core.linking import Outcome, is_test
from codat_zoho.link.advice import advice
from codat_zoho.remote.http import Http
from codat_zoho.simulator import Simulator, serve
from codat_zoho.simulator.screens import OUTCOMES
from tests import test_link_browser as ways
from tests.browser import Browser, needs_browser, started
from tests.support import API_KEY, SECRET, Clock, keys

pytestmark = [needs_browser, pytest.mark.slow]
ACCEPT, REJECT = ["button", "button[value=accept]"], ["button", "button[value=reject]"]
IN_UK = ["button", "option[value=uk]", "button[value=accept]"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser."""
    with started(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def walked(
    simulator: Simulator,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    breaking: Callable[[Simulator], None],
    clicks: list[str],
) -> tuple[int, str, str]:
    """Run the command, and go through the pages while it waits; return its exit code and the last page's words."""
    client, clock, link = simulator.codat[API_KEY], Clock(), folder / "link"
    client.integration.enabled, client.integration.keys = True, keys()
    seen: list[str] = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if seen:
            return
        breaking(simulator)
        browser.open(link.read_text().strip())
        for selector in clicks:
            (browser.click if selector.startswith("option") else browser.follow)(selector)
        seen.extend((browser.text("h1"), browser.text("main p")))

    monkeypatch.setattr("codat_zoho.link.command.Http", partial(Http, clock=clock, sleep=sleep))
    monkeypatch.setenv("CODAT_API_KEY", API_KEY)
    with serve(simulator) as base:
        monkeypatch.setenv("CODAT_URL", f"{base}/codat")
        code = main(["test-link", "--yes", "--link-file", str(link), "--wait", "60s"])
    assert not link.exists() and not [one for one in client.companies.values() if is_test(one.name)], (
        "it is still there"
    )
    return code, seen[0], seen[1]


def test_a_person_links(
    simulator: Simulator,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Consent given, the command ends with "Linked", and the company is gone."""
    simulator.switches.one_time_links = True
    code, title, _ = walked(simulator, browser, monkeypatch, tmp_path, ways._do_nothing, IN_UK)
    said = capsys.readouterr()
    assert (code, title) == (0, "Linked") and said.out.startswith("Linked: a person gave Codat access")
    assert "/start" not in said.out + said.err and SECRET not in said.out + said.err


@pytest.mark.parametrize("reported", [True, False])
@pytest.mark.parametrize(
    ("outcome", "breaking", "clicks"),
    [
        ("refused", ways._do_nothing, REJECT),
        ("unknown_client", ways._forget_the_client, ["button"]),
        ("redirect_uri", ways._register_another_uri, ["button"]),
        ("not_enabled", ways._enable_another_data_centre, IN_UK),
        ("wrong_secret", ways._change_the_secret, ACCEPT),
    ],
)
def test_a_person_cannot_link(
    simulator: Simulator,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    outcome: str,
    breaking: Callable[[Simulator], None],
    clicks: list[str],
    reported: bool,
) -> None:
    """Exit code 7, and the advice for what the person read: alone where Codat heard of it, else among what it may be."""
    simulator.switches.failed_link_error = reported
    code, title, text = walked(simulator, browser, monkeypatch, tmp_path, breaking, clicks)
    assert (title, text) == (OUTCOMES[outcome].title, OUTCOMES[outcome].text)
    out = capsys.readouterr().out
    (fitting, *_) = advice(Outcome.ERRORS, [f"{title}: {text}"])
    assert code == 7 and fitting.seen in out and fitting.cure in out
    heard = reported and OUTCOMES[outcome].heard
    assert ("Codat reports: " in out) is heard
    assert (out.count(" -> ") < len(advice(Outcome.NOBODY))) is heard

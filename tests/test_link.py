"""``codat-zoho test-link``: what it refuses, asks, shows and says, how often it looks, and that it leaves nothing."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import signal
import stat
import subprocess
import webbrowser
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codat_zoho.cli import main
from codat_zoho.core import linking
from codat_zoho.core.linking import Connection, Outcome
from codat_zoho.core.observe import ActualIntegration
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.declare.rules import fingerprint
from codat_zoho.errors import ConfigurationError
from codat_zoho.link.advice import ADVICE, advice
from codat_zoho.link.formats.json import FORM
from codat_zoho.link.record import LinkTest, read, standing, text
from codat_zoho.simulator import Fault, Simulator
from codat_zoho.simulator.companies import Company, View
from codat_zoho.simulator.companies import Connection as Connection_
from codat_zoho.simulator.consent import connections, report
from codat_zoho.simulator.screens import OUTCOMES
from codat_zoho.terminal import console
from tests.link_stage import Stage
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET

NAME = re.compile(r"'(Test company, codat-zoho link test \d{4}-\d\d-\d\d [0-9a-f]{8}, may be deleted)'")


@pytest.fixture
def stage(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stage:
    return Stage(simulator, monkeypatch, capsys)


# --- a link that works ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one_time", [True, False])
def test_somebody_links(stage: Stage, one_time: bool) -> None:
    """It says what that proves and what not, the company is named before it is created, and gone afterwards."""
    stage.simulator.switches.one_time_links = one_time
    others = set(stage.codat.companies)
    stage.acts = [lambda: None, stage.consent]
    code, out, said = stage.run()
    assert code == 0 and out.startswith("Linked: "), said
    assert "Proves: customers in the data centre of whoever linked" in out and "Does not prove: every other" in out
    (named,) = set(NAME.findall(said))
    assert said.index(named) < said.index("Creating") and "It is deleted." in said
    assert set(stage.codat.companies) == others and len(stage.links) == 1
    assert stage.looks == [5.0, 5.0 + 5.5]


def test_the_first_data(stage: Stage) -> None:
    """With --data it waits for the first data set, and says which came."""
    stage.acts = [stage.consent]
    code, out, _ = stage.run("--data")
    assert code == 0 and re.search("(?m)^Data that came first: .*company", out)
    assert not stage.tests


def test_no_data_comes(stage: Stage) -> None:
    """It linked, and that is said; that no data came is another matter, and exit code 7."""
    stage.simulator.switches.data_arrives = False
    stage.acts = [stage.consent]
    code, out, _ = stage.run("--data", "--wait", "60s")
    assert code == 7 and out.startswith("Linked: ") and "No data set came in time." in out


def test_data_that_codat_cannot_fetch(stage: Stage) -> None:
    """A data type that ends in an error is named beside what came."""

    def fetched() -> None:
        connections(stage.simulator)[-1].connection.data = {"invoices": "FetchError", "company": "Complete"}

    stage.simulator.switches.data_arrives = False
    stage.acts = [stage.consent, fetched]
    code, out, _ = stage.run("--data")
    assert code == 0 and "Data that came first: company." in out and "could not fetch: invoices." in out


def test_keeping_the_company(stage: Stage) -> None:
    """It stays, is named with its id and place, and a run without a terminal does not delete what is linked."""
    stage.acts = [stage.consent]
    code, out, _ = stage.run("--keep")
    (kept,) = stage.tests
    assert code == 0 and f"'{kept.name}' (id {kept.id}) is left in the Codat Portal, Companies: it is kept" in out
    stage.acts = [stage.consent]
    code, _, said = stage.run()
    assert code == 0 and "Not deleted unasked" in said and stage.tests == [kept]


def test_a_live_client_gets_a_caution(stage: Stage) -> None:
    """Where companies are linked, a company may be billed: that is said before the question."""
    stage.codat.linked = 3
    stage.answers = {"Create it?": False}
    code, _, said = stage.run(yes=False)
    assert code == 1 and "Caution: 3 companies are linked" in said and "billed" in said
    assert "Nothing was created." in said and not stage.simulator.writes


# --- a link that does not ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Deauthorized", "Unlinked"])
def test_what_happened_instead(stage: Stage, status: str) -> None:
    """Codat's word ends the wait, with what it most often means; exit code 7, and the company is gone."""
    stage.acts = [partial(stage.status, status)]
    code, out, _ = stage.run()
    assert code == 7 and out.startswith(f"Not linked: Codat says {status}.")
    assert "Proves: nothing." in out and "the 21st ends the oldest" in out and not stage.tests


def test_nobody_comes(stage: Stage) -> None:
    """--wait ends it, with the whole table of causes and cures."""
    code, out, _ = stage.run("--wait", "60s")
    assert code == 7 and "nobody finished in time; Codat's last word on the connection is PendingAuth" in out
    for one in ADVICE:
        assert (one.cure in out) == (Outcome.NOBODY in one.after)
    assert stage.clock.time <= 60 and not stage.tests


@pytest.mark.parametrize(
    ("outcome", "cure"), [("refused", "click Accept"), ("wrong_secret", "Copy the client secret again")]
)
def test_errors_that_codat_reports(stage: Stage, outcome: str, cure: str) -> None:
    """They end the wait, are quoted, and bring the advice that fits, and no other."""
    stage.simulator.switches.failed_link_error = True
    stage.acts = [partial(stage.settle, outcome)]
    code, out, _ = stage.run()
    assert code == 7 and "reports errors on the connection" in out and OUTCOMES[outcome].text in out
    assert cure in out and REDIRECT_URI not in out


def test_linked_with_errors_is_no_proof(stage: Stage) -> None:
    """What Codat complains of at the same time would make it an assurance beside a doubt."""

    def half() -> None:
        stage.consent()
        report(connections(stage.simulator)[-1].connection, 0.0, 500, "odd", "Something odd.")

    stage.acts = [half]
    code, out, _ = stage.run()
    assert code == 7 and out.startswith("Not proved: Codat says Linked, and reports errors") and "Something odd." in out


def test_looks_that_fail_are_repeated_at_their_time(stage: Stage) -> None:
    """An outage in between is no outcome; one to the end is "cannot be told", and no proof of anything."""
    stage.simulator.fail(Fault(path="/connections/", method="GET", status=503, times=3))
    stage.acts = [stage.consent]
    code, out, _ = stage.run()
    assert code == 0 and out.startswith("Linked: ")
    stage.simulator.fail(Fault(path="/connections/", method="GET", status=503, times=-1))
    code, out, said = stage.run("--wait", "60s")
    assert code == 1 and "cannot be told" in out and "Codat failed when looking at the connection (503)" in said
    assert "What the person saw" not in out and not stage.tests


# --- how often, and how long -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", [0, 2, 1000])
def test_at_most_one_look_in_five_seconds(stage: Stage, failing: int) -> None:
    """By the clock of the command, also where looks fail, and less and less often."""
    stage.simulator.fail(Fault(path="/connections/", method="GET", status=500, times=failing))
    stage.run("--wait", "15m")
    waits = [round(later - one, 6) for one, later in zip([0.0, *stage.looks], stage.looks, strict=False)]
    assert min(waits) >= 5.0 and waits == sorted(waits) and max(waits) == 20.0
    assert 40 < len(waits) < 60 and stage.clock.time <= 15 * 60


@pytest.mark.parametrize("given", ["", "5", "9s", "25h", "1d", "15 m", "-15m", "1.5h", "٣m", "99999999s"])
def test_times_that_are_none(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--wait takes 10s to 24h, and says so."""
    with pytest.raises(SystemExit) as ended:
        main(["test-link", f"--wait={given}"])
    assert ended.value.code == 2 and "from 10s to 24h: a link lasts a day" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["", " ", " a", "a ", "a  b", "-", "Büro", "z" * 61, "Test (new)", "a\nb", "a\n"])
def test_names_that_codat_would_change(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It drops characters without a word, and the company would not be found again."""
    with pytest.raises(SystemExit) as ended:
        main(["test-link", f"--company-name={given}"])
    assert ended.value.code == 2 and "since Codat drops others" in capsys.readouterr().err


def test_a_secret_is_no_name(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """What was pasted into the wrong option is neither sent nor shown."""
    for given in (API_KEY, f"Test {SECRET}", "5111a7ed5ec2e7" * 3):
        with pytest.raises(SystemExit) as ended:
            main(["test-link", f"--company-name={given}"])
        said = capsys.readouterr().err
        assert ended.value.code == 2 and "looks like a key" in said and given[-12:] not in said
    assert not stage.network.calls


def test_every_allowed_name_is_found_again(stage: Stage) -> None:
    """Codat keeps it as it is, and the next run knows it for its own."""
    stage.run("--company-name", "A-Z, 'x' & y@z. Who? Me!", "--keep", "--wait", "10s")
    assert [one.name.partition(", codat-zoho")[0] for one in stage.tests] == ["A-Z, 'x' & y@z. Who? Me!"]


# --- what is refused, and what is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "code", "said"),
    [
        (lambda s: setattr(s.codat.integration, "enabled", False), 1, "Zoho Books is disabled"),
        (lambda s: s.codat.integration.keys.clear(), 1, "No keys of a Zoho client are stored"),
        (lambda s: s.monkeypatch.delenv("CODAT_API_KEY"), 1, "No Codat API key for connection 'default'"),
        (lambda s: s.monkeypatch.setenv("CODAT_API_KEY", "another-key"), 3, "Codat refused the API key"),
    ],
)
def test_what_cannot_work_is_refused(stage: Stage, broken: Callable[[Stage], Any], code: int, said: str) -> None:
    """With the reason, in one line, before anything is created."""
    broken(stage)
    ended, out, told = stage.run()
    assert (
        (ended, out) == (code, "")
        and said in told.splitlines()[-1]
        and told.splitlines()[-1].startswith("codat-zoho: ")
    )
    assert not stage.simulator.writes and not stage.links


def test_keys_that_cannot_be_told_are_no_reason_to_refuse(stage: Stage) -> None:
    """It is said, and the test goes on: it is the test that tells."""
    stage.simulator.switches.keys_shown = False
    stage.acts = [stage.consent]
    code, _, said = stage.run()
    assert code == 0 and "whether keys are stored cannot be told" in said


def test_every_data_centre_refused() -> None:
    """Recorded verdicts count where all say no; one that accepts, or does not say, is worth a test."""
    actual = ActualIntegration(True, {"clientId": "x"})
    linking.refuse(actual, {})
    linking.refuse(actual, {"us": "unknown client", "eu": "accepted"})
    linking.refuse(actual, {"us": "unknown client", "eu": "inconclusive"})
    with pytest.raises(Exception, match=r"Every data centre of Zoho that was asked refuses the client \(eu, us\)"):
        linking.refuse(actual, {"us": "unknown client", "eu": "wrong secret"})


def test_without_a_terminal_nothing_is_created(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can be asked, or the link could be shown nowhere: each is one line that says what to do."""
    monkeypatch.setattr("codat_zoho.link.command.interactive", lambda: False)
    code, _, said = stage.run(yes=False)
    assert code == 1 and said.count("\n") == 1 and "Use --yes to go on unasked." in said
    monkeypatch.setattr("codat_zoho.link.command.reveal", lambda text="": False)
    code, _, said = stage.run()
    assert code == 1 and said.count("\n") == 1 and "--link-file FILE, or --open" in said
    monkeypatch.setattr(webbrowser, "get", lambda: (_ for _ in ()).throw(webbrowser.Error))
    code, _, said = stage.run("--open")
    assert code == 1 and said.count("\n") == 1 and "--open finds no browser" in said
    assert not stage.network.calls


def test_no_terminal_of_a_ci_system_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it gives its jobs for a terminal ends up in a log."""
    shown = io.StringIO()
    monkeypatch.setattr(Path, "open", lambda *_, **__: contextlib.nullcontext(shown))
    monkeypatch.setenv("CI", "true")
    assert not console.reveal("https://link.example/secret") and not shown.getvalue()
    monkeypatch.delenv("CI")
    assert console.reveal("https://link.example/secret") and shown.getvalue() == "https://link.example/secret\n"


def test_the_link_in_a_file(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For its owner only, never over another, and gone at the end."""
    monkeypatch.setattr("codat_zoho.link.command.reveal", lambda text="": False)
    file = tmp_path / "link"

    def come() -> None:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        stage.links.append(file.read_text().strip())
        stage.consent()

    stage.acts = [come]
    assert stage.run("--link-file", str(file))[0] == 0 and not file.exists() and stage.links[0].startswith("http")
    file.write_text("mine")
    code, _, said = stage.run("--link-file", str(file))
    assert code == 1 and "nothing is overwritten" in said and file.read_text() == "mine"


def test_the_browser_opens(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --open; where it does not, the terminal has the link; where there is none either, the test ends at once."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "get", lambda: None)
    monkeypatch.setattr(webbrowser, "open", lambda link: bool(opened.append(link)))  # type: ignore[func-returns-value]
    stage.acts = [stage.consent]
    assert stage.run("--open")[0] == 0 and opened == stage.links
    monkeypatch.setattr("codat_zoho.link.command.reveal", lambda text="": False)
    code, _, said = stage.run("--open")
    assert code == 1 and "The browser did not open" in said and not stage.tests


def test_what_a_browser_says(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Starters of browsers quote the link where they fail, and others chat: none of it gets into what is piped."""
    monkeypatch.setenv("CI", "true")
    with console.aside():
        subprocess.run(["sh", "-c", 'echo "$0"; echo "$0" >&2', "https://link.example/secret"], check=True)
    subprocess.run(["sh", "-c", "echo out; echo err >&2"], check=True)
    assert capfd.readouterr() == ("out\n", "err\n")


def test_a_terminal_that_is_gone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the start and the link: it does not wait for somebody who was shown nothing."""
    monkeypatch.setattr("codat_zoho.link.command.reveal", lambda text="": not text)
    code, _, said = stage.run()
    assert code == 1 and "There is no terminal to show the link on." in said and not (stage.tests or stage.looks)


def test_a_full_disk_keeps_no_half_of_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole is removed; what was there before is not."""
    file = tmp_path / "link"

    def full(opened: int, *_: object, **__: object) -> None:
        os.write(opened, b"https://link")
        os.close(opened)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        console.write_new(file, "https://link.example/secret")
    assert not file.exists()
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match="File exists"):
        console.write_new(file, "https://link.example/secret")
    assert file.read_text() == "mine"


# --- what earlier tests left -------------------------------------------------------------------------------------------


def test_what_an_earlier_test_left(stage: Stage) -> None:
    """It is found by its name, and deleted where that is wanted; nothing else ever is."""
    others = set(stage.codat.companies)
    stage.run("--keep", "--wait", "10s")
    stage.answers = {"Delete it": False, "Create it?": False}
    _, _, said = stage.run(yes=False)
    assert stage.asked[0] == "Delete it, although it is less than a day old and may be a test that is running?"
    assert "Left by an earlier test: 'Test company, codat-zoho" in said and len(stage.tests) == 1
    stage.answers = {"Delete it": True, "Create it?": False}
    _, _, said = stage.run(yes=False)
    assert "Deleted: 'Test company" in said and set(stage.codat.companies) == others


def test_unasked_only_what_nobody_needs(stage: Stage) -> None:
    """--yes deletes what is a day old and not linked: a younger one may be somebody else's test."""
    stage.run("--keep", "--wait", "10s")
    stage.run("--wait", "10s")
    assert len(stage.tests) == 1
    stage.clock.time += 24 * 60 * 60
    stage.run("--wait", "10s")
    assert not stage.tests


def test_what_may_be_deleted() -> None:
    """A company is its own by the whole of its name; times that are not known count as now."""
    name = linking.company_name("Test company", "2026-11-28", "0a1b2c3d")
    assert linking.is_test(name)
    for other in ("Test company", f"{name} Ltd", name.replace("0a1b2c3d", "x"), name.replace("may be", "must not be")):
        assert not linking.is_test(other)
    for created, linked, doubt in (
        ("2026-11-28T10:00:00.123Z", False, ""),
        ("2026-11-29T00:00:01Z", False, ""),
        ("2026-11-28T10:00:00Z", True, "linked"),
        ("2026-11-29T10:00:01", False, "less than a day old"),
        ("", False, "not known"),
        ("28/11/2026", False, "not known"),
        ("0001-01-01T00:00:00", False, "not created on the day"),
        ("2026-11-26T23:59:59Z", False, "not created on the day"),
    ):
        company = linking.Company("1", name, created, linked)
        why = linking.doubt(company, "2026-11-29T10:00:00")
        assert (doubt in why) if doubt else not why, (created, why)


@pytest.mark.parametrize(
    "more",
    [
        {"key": "gbol", "status": "Linked"},
        {"key": "gbol", "status": "PendingAuth"},
        {"key": "rwuv", "status": "Deauthorized"},
    ],
)
def test_a_customer_of_the_same_name(stage: Stage, more: dict[str, str]) -> None:
    """A company that somebody connected to something else, or twice, is no leftover, whatever its name: it is not even offered."""
    stage.run("--keep", "--wait", "10s")
    (company,) = stage.tests
    one = Connection_(more["key"], stage.codat.integration_id(more["key"]), 0.0, status=more["status"])  # type: ignore[arg-type]
    company.connections[one.id] = one
    stage.clock.time += 2 * 24 * 60 * 60
    for yes in (True, False):
        _, _, said = stage.run("--wait", "10s", yes=yes)
        assert "Left by" not in said and stage.tests == [company]


@pytest.mark.parametrize("shown", [{}, {"dataConnections": None}])
def test_connections_that_are_not_told(stage: Stage, monkeypatch: pytest.MonkeyPatch, shown: dict[str, None]) -> None:
    """Where Codat's list does not say what a company is connected to, it may be linked, and is not deleted unasked."""
    stage.run("--keep", "--wait", "10s")
    stage.clock.time += 2 * 24 * 60 * 60
    whole = Company.shown
    hidden = lambda one, view: {k: v for k, v in whole(one, view).items() if k != "dataConnections"} | shown  # noqa: E731
    monkeypatch.setattr(Company, "shown", hidden)
    _, _, said = stage.run("--wait", "10s")
    assert "Not deleted unasked, since it is linked, or may be." in said and len(stage.tests) == 1


def test_an_answer_about_another_company(stage: Stage) -> None:
    """What stands between gives a customer's company for the new one: it is named, and neither connected nor deleted."""
    customer = next(iter(stage.codat.companies.values()))
    body = json.dumps(customer.shown(View("", 0.0, stage.simulator.switches))).encode()
    for after in (True, False):
        stage.simulator.fail(Fault(method="POST", path="/companies", status=200, body=body, after=after))
        code, _, said = stage.run()
        assert code == 1 and f"is about another, '{customer.name}' (id {customer.id}): it is left alone" in said
        assert customer.id in stage.codat.companies and not stage.tests and len(customer.connections) == 1
        assert ("It is deleted." in said) is after and ("whether Codat created it" in said) is not after


# --- interrupted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_while_it_waits(stage: Stage, number: signal.Signals) -> None:
    """It ends at once, deletes the company, and exits with 130; a second signal does not hasten it."""
    stage.acts = [lambda: None, partial(os.kill, os.getpid(), number)]
    code, out, said = stage.run()
    assert (code, out) == (130, "") and "It is deleted." in said and not stage.tests
    assert len(stage.looks) == 1 and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("place", ["POST /codat/companies", "POST /codat/companies/.*/connections", "DELETE .*"])
def test_stopped_while_a_call_is_under_way(stage: Stage, place: str) -> None:
    """The call ends, so that what it creates is known, and then the company goes."""

    def strike() -> None:
        if re.fullmatch(place, stage.network.calls[-1].place):
            os.kill(os.getpid(), signal.SIGINT)

    stage.network.watch = strike
    stage.acts = [stage.consent]
    code, out, said = stage.run()
    assert (code, out) == (130, "") and "It is deleted." in said and not stage.tests
    assert bool(stage.links) is place.startswith("DELETE"), "nobody wants the link any more"


@pytest.mark.parametrize("found", [True, False])
def test_an_answer_that_is_lost(stage: Stage, found: bool) -> None:
    """What may have been created is not created again: it is found by its name, and deleted, or named."""
    stage.simulator.fail(Fault(method="POST", path="/companies", drop=True, after=found))
    code, out, said = stage.run()
    assert (code, out, stage.tests) == (1, "", [])
    assert sum(call.method == "POST" for call in stage.simulator.calls) == 1 and "could not be reached" in said
    assert ("It is deleted." in said) is found and (
        "may be left in the Codat Portal, Companies: whether Codat" in said
    ) is not found


@pytest.mark.parametrize("status", [400, 429])
@pytest.mark.parametrize("after", [True, False])
def test_a_refusal_to_create(stage: Stage, status: int, after: bool) -> None:
    """No company is said to be left that Codat refused and does not list; one that it lists is deleted all the same."""
    stage.simulator.fail(Fault(method="POST", path="/companies", status=status, after=after))
    code, _, said = stage.run()
    assert code == 1 and not stage.tests and "left in the Codat Portal" not in said
    assert ("It is deleted." in said) is after


def test_a_bug_leaves_no_company(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it strikes when the company has just been created: it is found by its name."""

    def bug(*_: object) -> None:
        raise TypeError

    with monkeypatch.context() as patch:
        patch.setattr("codat_zoho.remote.companies.Companies._company", bug)
        code, _, said = stage.run()
    assert code == 1 and "a bug in codat-zoho (TypeError)" in said and "It is deleted." in said and not stage.tests


def test_what_is_left_is_offered_before_a_refusal(stage: Stage) -> None:
    """A Codat client in which nobody can link any more can still be tidied up."""
    stage.run("--keep", "--wait", "10s")
    stage.codat.integration.enabled = False
    code, _, said = stage.run(yes=False)
    assert code == 1 and "Zoho Books is disabled" in said and not stage.tests


def test_a_broken_project_does_not_matter(stage: Stage, tmp_path: Path) -> None:
    """Without --stack nothing of it is read."""
    (tmp_path / "Pulumi.yaml").write_text("]")
    stage.acts = [stage.consent]
    assert stage.run("--cwd", str(tmp_path))[0] == 0


def test_codat_quotes_the_link(stage: Stage) -> None:
    """In an error, say: it is redacted there, too."""

    def quoting() -> None:
        report(connections(stage.simulator)[-1].connection, 0.0, 500, "odd", f"See {stage.links[0]} for more.")

    stage.acts = [quoting]
    code, out, _ = stage.run()
    assert code == 7 and "Codat reports: See [redacted] for more." in out


@pytest.mark.parametrize("slash", ["/", "\\/"])
def test_codat_quotes_a_link_that_was_never_seen(stage: Stage, slash: str) -> None:
    """An error in place of a connection may hold what would have been its link."""
    link = "https://link.example/companies/1/start?otp=123456".replace("/", slash)
    body = f'{{"error": "Failed after {link} was made."}}'.encode()
    stage.simulator.fail(Fault(method="POST", path="/connections", status=500, body=body))
    code, _, said = stage.run()
    assert code == 1 and "Failed after" in said and "otp" not in said and "link.example" not in said and not stage.tests


def test_what_cannot_be_deleted_is_named(stage: Stage) -> None:
    """With its id and place in the Portal, whether it linked or was stopped; exit code 1, or 130."""
    stage.simulator.fail(Fault(method="DELETE", status=500, times=-1))
    stage.acts = [stage.consent]
    code, out, _ = stage.run()
    (left,) = stage.tests
    assert code == 1 and out.startswith("Linked: ")
    assert f"'{left.name}' (id {left.id}) is left in the Codat Portal, Companies: it could not be deleted." in out
    stage.acts = [partial(os.kill, os.getpid(), signal.SIGTERM)]
    code, _, said = stage.run()
    assert code == 130 and f"(id {stage.tests[-1].id}) is left in the Codat Portal" in said


# --- formats, and what is kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("links", [True, False])
def test_json_and_junit(stage: Stage, links: bool) -> None:
    """Both hold the outcome and no link; the JSON follows its schema."""
    stage.acts = [stage.consent] * links
    code, out, _ = stage.run("--format", "json", "--wait", "60s")
    found = json.loads(out)
    jsonschema.validate(found, json.loads(FORM.schema.read_text()))
    assert found["exitCode"] == code == (0 if links else 7) and found["linked"] is links
    assert found["codatClient"] == stage.codat.id and bool(found["causes"]) is not links
    stage.acts = [stage.consent] * links
    code, out, _ = stage.run("--format", "junit", "--wait", "60s")
    root = ET.fromstring(out)
    assert root.get("failures") == ("0" if links else "1") and root.get("errors") == "0" and root.get("tests") == "2"
    assert not stage.tests


def test_nothing_is_logged(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CODAT_ZOHO_DEBUG the request log shows neither the link nor the id that it is made of."""
    monkeypatch.setenv("CODAT_ZOHO_DEBUG", "1")
    stage.acts = [stage.consent]
    code, _, said = stage.run()
    assert code == 0 and "/connections/[redacted] -> 200" in said


OLD, NEW = fingerprint(ID, OTHER_SECRET), fingerprint(ID, SECRET)


def _test(at: str, outcome: str = "linked", known: str | None = NEW, **more: Any) -> LinkTest:
    return LinkTest(
        **(
            {"at": f"2026-11-{at}T00:00:00Z", "connection": "default", "outcome": outcome}
            | {"fingerprint": known, "codat_client": "client-0001"}
            | more
        )
    )


@pytest.mark.parametrize(
    ("tests", "kind"),
    [
        ([], "never"),
        ([_test("01", "nobody came")], "never"),
        ([_test("01", codat_client="client-0002")], "never"),
        ([_test("01", codat_client=None)], "never"),
        ([_test("01", codat_client=None, stack="prod")], "proved"),
        ([_test("01", codat_client=None, stack="prod", connection="eu")], "never"),
        ([_test("01")], "proved"),
        ([_test("01"), _test("02", "errors")], "failed"),
        ([_test("01"), _test("02", "errors"), _test("03")], "proved"),
        ([_test("01"), _test("02", "errors", OLD)], "proved"),
        ([_test("01", known=OLD)], "changed"),
        ([_test("01"), _test("02", known=OLD)], "proved"),
        ([_test("01", known=None)], "untold"),
        ([_test("01", known=None), _test("02", known=OLD)], "untold"),
    ],
)
def test_what_the_record_says(tests: list[LinkTest], kind: str) -> None:
    """Proved only by a link with these keys in this client, and by no later failure; the rest is said as what it is."""
    found = standing(reversed(tests), stack="prod", codat_client="CLIENT-0001", fingerprint=NEW)
    assert (found.kind, found.proved) == (kind, kind == "proved")
    assert standing(tests, stack="prod", codat_client="client-0001").kind in ("never", "untold")


def test_a_record_is_read_back_as_it_was_written() -> None:
    """One test for each of what it is about and whether it linked, the newest."""
    first, second, failed = _test("01"), _test("02"), _test("03", "errors")
    assert read(text([first, failed], second).encode()) == (second, failed)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[" * 5000,
        '{"version": 2, "tests": []}',
        '{"version": 1}',
        '{"version": 1, "tests": [1]}',
        '{"version": 1, "tests": [{}]}',
        text([], _test("01")).replace("linked", "perhaps"),
        text([], _test("01")).replace(NEW, "secret"),
        text([], _test("01")).replace("default", "\\u001b[2J"),
        text([], _test("01")).replace('"default"', "null"),
    ],
)
def test_what_is_no_record(content: str) -> None:
    """Whoever edited it is told; nothing that steers a terminal, or is no fingerprint, comes out of it."""
    with pytest.raises(ValueError, match=r"^its? "):
        read(content.encode())


# --- what is told ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ({}, None),
        ({"apiDomain": "https://www.zohoapis.eu"}, "eu"),
        ({"accounts-server": "https://accounts.zoho.com.au"}, "au"),
        ({"server": "https://accounts.zoho.com"}, "us"),
        ({"server": "https://accounts.zohocloud.ca"}, "ca"),
        ({"location": "in"}, "in"),
        ({"location": ["us"], "region": {"us": 1}}, None),
        ({"location": "elsewhere", "number": 1, "none": None}, None),
        ({"one": "https://books.zoho.eu", "other": "https://books.zoho.uk"}, None),
        ({"one": "https://notzoho.eu", "two": "https://zoho.eu.example.com"}, None),
    ],
)
def test_which_data_centre_it_was(info: dict[str, Any], code: str | None) -> None:
    """Told where Codat's connectionInfo gives exactly one away, and never guessed."""
    assert linking.data_centre(info) == code


def test_every_data_centre_can_be_told() -> None:
    """By the address of its accounts server."""
    for code, one in DATA_CENTRES.items():
        assert linking.data_centre({"server": one.accounts}) == code


@pytest.mark.parametrize(
    "outcome", ["unknown_client", "redirect_uri", "not_enabled", "refused", "wrong_secret", "throttled"]
)
def test_every_refusal_has_its_advice(outcome: str) -> None:
    """What the simulator's screens say is found in the table; where Codat reports it, only that is shown."""
    told = OUTCOMES[outcome]
    shown = f"{told.title}: {told.text}"
    first = advice(Outcome.ERRORS, [shown])
    assert 0 < len(first) < len(advice(Outcome.NOBODY)), first
    assert len({one.cure for one in ADVICE}) == len(ADVICE)


@pytest.mark.parametrize("status", ["PendingAuth", "pendingauth", "Soon", ""])
def test_a_status_that_says_nothing_is_waited_out(status: str) -> None:
    """Only what Codat names ends the wait."""
    assert linking.outcome(Connection("id", status)) is None


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "http://link.codat.io/x", "https:///x", "https://a b", "https://x/\x1b[2J", 7, None, ""],
)
def test_what_is_no_link_goes_to_no_browser(stage: Stage, link: object) -> None:
    """Only https leads anywhere, or this machine's simulator; the company is deleted again."""
    answer = json.dumps({"id": "00000000-0000-0000-0000-000000000009", "status": "PendingAuth", "linkUrl": link})
    stage.simulator.fail(Fault(method="POST", path="/connections", status=200, body=answer.encode()))
    code, _, said = stage.run()
    assert code == 1 and "link" in said.splitlines()[-1] and not stage.links and not stage.tests
    assert "://" not in said

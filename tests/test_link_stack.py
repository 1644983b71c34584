"""What a stack adds to a link test, and where its record is read: ``--stack``, ``doctor``, ``drift``, ``review``, the guide."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.cli import main
from codat_zoho.core.zoho_client import PROVE
from codat_zoho.declare.platform import SECRET as SEALED
from codat_zoho.declare.platform import SIGNATURE, TOKEN_PREFIX
from codat_zoho.declare.rules import fingerprint
from codat_zoho.link.command import parser
from codat_zoho.link.record import FILE, LinkTest, load, text
from codat_zoho.simulator import Simulator, serve
from codat_zoho.simulator.messages import Request
from codat_zoho.simulator.server import respond
from tests.docs_runner import blocks, shows
from tests.link_stage import Stage
from tests.pulumi_stand_in import plugin_state
from tests.real_engine import ROOT
from tests.review_cases import PROD, PROJECT, STACK, Repo
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys

KNOWN = fingerprint(ID, SECRET)
_PYTHON = "pulumi:providers:pulumi-python"


def state(verdicts: dict[str, str] | None = None, **outputs: Any) -> str:
    """An exported state with a Zoho client and an integration."""

    def entry(kind: str, name: str, inputs: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        kind = f"{TOKEN_PREFIX}{kind}"
        urn = f"urn:pulumi:prod::shop::{kind}::{name}"
        return {"type": kind, "urn": urn, "id": name, "inputs": inputs, "outputs": {**inputs, **more}}

    secret = {SIGNATURE: SEALED, "plaintext": json.dumps(SECRET)}
    pair = {"client_id": ID, "client_secret": secret, "client_secret_fingerprint": KNOWN}
    at = {"verified_at": "2026-11-01T00:00:00Z"}
    books = {**pair, "enabled": True, "connection": "default", "on_delete": "remove", "allow_disruption": False}
    entries = [
        entry("ZohoClientCredentials", "app", {**pair, "regions": ["eu", "us"]}, {"verdicts": verdicts or {}, **at}),
        entry("ZohoBooksIntegration", "books", books, outputs),
        {"type": _PYTHON, "urn": f"urn:pulumi:prod::shop::{_PYTHON}::default", "id": "1", "inputs": {}},
    ]
    return json.dumps({"version": 3, "deployment": {"resources": entries}})


class Pulumi:
    """Stands in for the command."""

    exported = state({"eu": "accepted", "us": "unknown client"})
    stack = "acme/shop/prod"

    def config(self, stack: str) -> dict[str, str]:
        assert stack == self.stack
        return {"codat-zoho:apiKey": API_KEY}

    def export(self, stack: str) -> str:
        return self.exported


@pytest.fixture
def stage(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Stage:
    stage = Stage(simulator, monkeypatch, capsys)
    stage.acts = [stage.consent]
    monkeypatch.delenv("CODAT_API_KEY")
    monkeypatch.setattr("codat_zoho.link.look.Pulumi.find", lambda folder: Pulumi())
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    return stage


STACKED = ("--stack", "acme/shop/prod")


@pytest.mark.parametrize("through", [str, plugin_state], ids=["dynamic", "plugin"])
def test_a_stack_gives_key_verdicts_and_fingerprint(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: Callable[[str], str]
) -> None:
    """Its API key is used, what Zoho said is told, and the record names the deployed secret by its fingerprint."""
    monkeypatch.setattr(Pulumi, "exported", through(Pulumi.exported))
    code, out, said = stage.run(*STACKED, "--record")
    assert code == 0 and "API key from codat-zoho:apiKey" in said
    assert "when they were last asked (2026-11-01T00:00:00Z): eu accepted, us unknown client." in said
    assert "Caution: customers in us cannot link" in said
    assert f"can link with the keys last deployed (secret {KNOWN})" in out and SECRET not in said
    (kept,) = load(tmp_path) or ()
    assert (kept.stack, kept.fingerprint, kept.codat_client) == ("prod", KNOWN, stage.codat.id)


def test_the_record(stage: Stage, tmp_path: Path) -> None:
    """It keeps when, what, in which client and what came of it, newest for each outcome, and no secret."""
    for acts, outcome in (([stage.consent], 0), ([], 7), ([stage.consent], 0)):
        stage.acts = list(acts)
        code, _, said = stage.run(*STACKED, "--record", "--wait", "10s")
        assert code == outcome and f"Recorded in {tmp_path / FILE}" in said
    tests = load(tmp_path) or ()
    assert sorted(one.outcome for one in tests) == ["linked", "nobody came"]
    assert {(one.connection, one.codat_client) for one in tests} == {("default", stage.codat.id)}
    stage.secret((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text("{}")
    code, _, said = stage.run(*STACKED, "--record")
    assert code == 1 and "cannot be read" in said and not stage.tests


def test_a_record_of_another_test_meanwhile(stage: Stage, tmp_path: Path) -> None:
    """Both are kept: the record is read again when it is written."""
    other = LinkTest(at="2026-11-01T00:00:00Z", connection="other", outcome="linked")
    stage.acts = [lambda: (tmp_path / FILE).write_text(text((), other)), stage.consent]
    assert stage.run(*STACKED, "--record")[0] == 0
    assert [one.connection for one in load(tmp_path) or ()] == ["other", "default"]


def test_a_record_that_cannot_be_kept(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is printed all the same, and the exit code is 1; a folder that is known for it is refused at once."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("codat_zoho.terminal.console._replace", full)
    stage.acts = [stage.consent]
    code, out, said = stage.run(*STACKED, "--record")
    assert code == 1 and out.startswith("Linked: ") and f"{FILE} cannot be written: No space left" in said
    assert not stage.tests
    stage.simulator.forget_calls()
    monkeypatch.setattr(os, "access", lambda *_: False)
    code, out, said = stage.run(*STACKED, "--record")
    assert (code, out) == (1, "") and "--record cannot write into" in said and not stage.simulator.writes


def test_a_record_needs_a_stack_and_a_project(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else it would not say which keys were proved, or have no place; nothing is created."""
    with pytest.raises(SystemExit) as ended:
        stage.run("--record")
    assert ended.value.code == 2 and "--record needs --stack" in capsys.readouterr().err
    (tmp_path / "Pulumi.yaml").unlink()
    code, _, said = stage.run(*STACKED, "--record")
    assert code == 1 and "--record writes beside Pulumi.yaml" in said and not stage.network.calls


def test_every_data_centre_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can link then, so nothing is created."""
    monkeypatch.setattr(Pulumi, "exported", state({"eu": "wrong secret", "us": "unknown client"}))
    code, _, said = stage.run(*STACKED)
    assert code == 1 and "Every data centre of Zoho that was asked refuses" in said and not stage.simulator.writes


def test_another_codat_client(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API key of another Codat client than the stack's is refused: the result would be of somewhere else."""
    monkeypatch.setattr(Pulumi, "exported", state(codat_client="00000000-0000-0000-0000-000000000001"))
    code, _, said = stage.run(*STACKED)
    assert code == 1 and "opens the Codat client" in said and not stage.simulator.writes


def test_codat_holds_another_secret(stage: Stage, tmp_path: Path) -> None:
    """Then it is not the deployed one that is proved: a caution, and no fingerprint in the record."""
    stage.codat.integration.keys = keys(ID, OTHER_SECRET)
    stage.simulator.zoho[ID].secret = OTHER_SECRET
    code, _, said = stage.run(*STACKED, "--record")
    assert code == 0 and "Caution: Codat holds another client_secret than the stack deployed" in said
    assert [one.fingerprint for one in load(tmp_path) or ()] == [None]


@pytest.mark.parametrize("exported", ["", "{}", '{"version": 3, "deployment": {}}'])
def test_a_stack_without_the_integration(stage: Stage, monkeypatch: pytest.MonkeyPatch, exported: str) -> None:
    """A state that cannot be read is refused; one with nothing in it is told, and is no reason to stop."""
    monkeypatch.setattr(Pulumi, "exported", exported)
    code, _, said = stage.run(*STACKED)
    if "version" in exported:
        assert code == 0 and "has no integration of connection 'default' deployed" in said
    else:
        assert code == 1 and "The state of stack acme/shop/prod cannot be read" in said and not stage.network.calls


def test_without_pulumi(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """--stack needs the command."""
    monkeypatch.setattr("codat_zoho.link.look.Pulumi.find", lambda folder: None)
    code, _, said = stage.run(*STACKED)
    assert code == 1 and "--stack needs the pulumi command on PATH" in said


# --- the record is read back --------------------------------------------------------------------------------------------


def _test(secret: str = SECRET, **more: Any) -> LinkTest:
    return LinkTest(
        **{
            "at": "2026-11-02T09:00:00Z",
            "connection": "default",
            "outcome": "linked",
            "stack": "prod",
            "fingerprint": fingerprint(ID, secret),
            **more,
        }
    )


@pytest.fixture
def deployed(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project with a stack that is as declared, and a ``pulumi`` that exports it."""
    simulator.codat[API_KEY].integration.enabled, simulator.codat[API_KEY].integration.keys = True, keys()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "state.json").write_text(
        state(
            declared={
                "client_id": ID,
                "enabled": True,
                "client_secret_fingerprint": KNOWN,
                "at": "2026-11-01T00:00:00Z",
            }
        )
    )
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\ncat {tmp_path}/state.json\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("CODAT_API_KEY", API_KEY)
    with serve(simulator) as base:
        monkeypatch.setenv("CODAT_URL", f"{base}/codat")
        yield simulator.codat[API_KEY]


def test_drift_says_when_the_keys_changed(deployed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A note where a record is kept and no link is proved; never drift, and no word where it is proved."""

    def noted() -> str:
        assert main(["drift", str(tmp_path), "--stack", "prod", "--no-verify"]) == 0
        found = re.search(r"Note: (.*)", capsys.readouterr().out)
        return found[1] if found else ""

    assert noted() == ""
    (tmp_path / FILE).write_text(text([], _test()))
    assert noted() == ""
    (tmp_path / FILE).write_text(text([], _test(OTHER_SECRET, codat_client=deployed.id)))
    assert (
        noted()
        == f"the keys changed since a link was last proved (2026-11-02T09:00:00Z, data centre not known). {PROVE}"
    )
    (tmp_path / FILE).write_text(text([], _test(codat_client="another-client-0001")))
    assert noted().startswith("never proved that a customer can link. ")
    (tmp_path / FILE).write_text("no record")
    assert "cannot be read: it is no record of link tests" in noted()


def test_review_says_what_was_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the reminder, where keys change and the repository keeps a record; committing one is no change."""
    repo = Repo(tmp_path / "repo")
    base = repo.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    repo.write({FILE: text([], _test())})

    def reviewed() -> str:
        assert main(["review", "--base", base, "--directory", str(repo.folder)]) in (0, 7)
        return capsys.readouterr().out

    assert "test-link" not in reviewed() and "not reviewed" not in reviewed()
    repo.write({PROD: STACK.replace(ID, OTHER_ID)})
    said = reviewed()
    assert (
        f"{PROVE} So far, says {FILE}: a link was proved (2026-11-02T09:00:00Z, data centre not known); whether with these keys"
        in said
    )
    repo.write({FILE: text([], _test(stack="test"))})
    assert "never proved that a customer can link" in reviewed()
    repo.write({FILE: "[]"})
    assert f"{FILE} cannot be read: it is no record of link tests" in reviewed()
    repo.write({FILE: None})
    assert PROVE in reviewed() and "So far" not in reviewed()


# --- the guide ----------------------------------------------------------------------------------------------------------


def test_the_guide_names_options_that_are_there() -> None:
    """Its commands are understood, and the file that it names is the one that is written."""
    page = (ROOT / "docs/guides/before-you-send-links.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^codat-zoho test-link (.*)$", page)
    assert commands
    for line in commands:
        parser().parse_args(shlex.split(line, comments=True))
    assert FILE in page


def test_the_chapter_of_start(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of docs/start.md, and the call that stands in for a browser, give what the page shows."""
    page = ROOT / "docs/start.md"
    command, call, shown = (one for one in blocks(page) if one.how.get("tested", "").endswith("_chapter_of_start"))
    (words,) = (shlex.split(line, comments=True) for line in command.lines())
    url, body = re.search(r"8765(\S+) -d '(.*)'", call.text).groups()  # type: ignore[union-attr]
    headers = {"host": "127.0.0.1"}
    asked = Request("POST", url, "", headers, body.encode())
    stage.acts = [lambda: respond(stage.simulator, asked)]
    monkeypatch.setattr(Pulumi, "stack", "dev")
    code, out, said = stage.run(*words[2:], yes=False)
    told = said.removeprefix(out)
    assert code == 0 and shows(shown.text, told[told.index(shown.text.splitlines()[0]) :] + out)

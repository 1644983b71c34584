"""Review and deployment never disagree: the same changes, reviewed offline and run on the real engine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.cli import main
from codat_zoho.simulator import Simulator, serve
from tests.real_engine import ROOT, Project, summary
from tests.review_cases import Repo
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET
from tools.engine import Engine

pytestmark = pytest.mark.engine
START: dict[str, Any] = {"client_id": ID, "client_secret": SECRET, "regions": ["eu", "uk", "us"], "enabled": True}
CHANGES: tuple[dict[str, Any], ...] = (
    {"enabled": False},
    {"enabled": True, "regions": ["uk", "us"]},
    {"regions": ["au", "uk", "us"]},
    {"regions": ["us", "au", "uk"]},
    {"client_secret": OTHER_SECRET},
    {"client_id": OTHER_ID},
    {"verify": "always"},
    {"on_delete": "keep", "allow_disruption": True},
    {"connection": "second"},
)
"""One on top of the other; nobody is linked, so all of them can be deployed."""


@pytest.fixture
def project(engine: Engine, simulator: Simulator, tmp_path: Path) -> Iterator[Project]:
    """The repository's project, deployed, in a git repository of its own."""
    simulator.add_zoho_client(OTHER_ID, OTHER_SECRET)
    simulator.add_codat_client("test-api-key-second")
    with serve(simulator) as base:
        made = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        made.environment["CODAT_API_KEY_SECOND"] = "test-api-key-second"
        made.configure({"books": START})
        assert made.up().returncode == 0, made.said[-1]
        (made.folder / ".gitignore").write_text(".state\n")
        yield made


def test_review_and_up_agree(project: Project, simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The fields that the review lists are those of the engine's preview, and its steps are what is then sent."""
    repo = Repo(project.folder)
    declared = dict(START)
    for change in CHANGES:
        repo.commit()
        declared |= change
        if "client_secret" in change:
            simulator.zoho[ID].secret = OTHER_SECRET
        project.configure({"books": declared})
        main(["review", "--directory", str(project.folder), "--base", "HEAD", "--format", "json"])
        [offline] = json.loads(capsys.readouterr().out)["environments"]
        preview = project.folder / ".state" / "preview.json"
        preview.write_text(project.must("preview", "--json"))
        main(["review", "--preview", str(preview), "--format", "json"])
        [engines] = json.loads(capsys.readouterr().out)["environments"]
        shown = _engine_fields(json.loads(preview.read_text()))
        assert _fields(engines) == shown, change
        assert _fields(offline) >= shown, change
        assert _fields(offline) - shown <= _unsure(offline), change
        simulator.forget_calls()
        assert project.up().returncode == 0, project.said[-1]
        told = [(step["kind"], step["regions"]) for step in offline["steps"]]
        sent = [kind for kind, _ in told if kind not in ("ask", "forget")]
        assert sent == summary(simulator), change
        asked = [code for kind, regions in told if kind == "ask" for code in regions]
        assert len(simulator.probes) == len(asked), change
    project.assert_no_secret(SECRET, OTHER_SECRET)


def _engine_fields(preview: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (step["urn"].rpartition("::")[2], re.split(r"[.\[]", key)[0])
        for step in preview["steps"]
        for key in step.get("detailedDiff") or ()
    }


def _fields(environment: dict[str, Any]) -> set[tuple[str, str]]:
    return {(change["resource"], change["field"]) for change in environment["changes"]}


def _unsure(environment: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["resource"], one["field"]) for one in environment["changes"] if not one["certain"]}


def test_drift_is_told_apart(project: Project, simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """In a preview with --refresh, what somebody did behind Pulumi's back is drift, and what the code asks is not."""
    simulator.codat[API_KEY].integration.enabled = False
    project.configure({"books": START | {"on_delete": "keep"}})
    preview = project.folder / ".state" / "preview.json"
    preview.write_text(project.must("preview", "--json", "--refresh"))
    assert main(["review", "--preview", str(preview)]) == 0
    text = capsys.readouterr().out
    assert "zoho-books: enabled: false -> true (drift: changed outside Pulumi)\n" in text
    assert "zoho-books: on_delete: remove -> keep\n" in text
    assert "caution drift: Changed outside Pulumi since the last run, and put back by this one: enabled." in text


def test_a_failed_preview_is_no_review(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview that failed, or is none, is an error that names the file."""
    path = project.folder / "Pulumi.test.yaml"
    path.write_text(path.read_text().replace("- eu", "- gb"))
    preview = project.folder / ".state" / "preview.json"
    preview.write_text(project.run("preview", "--json").stdout)
    assert main(["review", "--preview", str(preview)]) == 1
    assert str(preview) in capsys.readouterr().out
    preview.write_text("error: no stack selected")
    assert main(["review", "--preview", str(preview)]) == 1
    assert "is no output of `pulumi preview --json`" in capsys.readouterr().out

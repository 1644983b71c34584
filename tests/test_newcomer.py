"""The first hour of somebody whose integration was clicked together, in the words of the page "From clicks to code"."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from codat_zoho.simulator import Simulator, serve
from tests.real_engine import ROOT, Project
from tests.support import API_KEY, ID, SECRET, keys
from tools.engine import Engine

pytestmark = pytest.mark.engine
PAGE = (ROOT / "docs" / "adopt.md").read_text()
(PATH,) = re.findall(r"(?ms)^## The path\n+```sh\n(.*?)^```", PAGE)
# What the page leaves to the reader, and the questions that a person answers with yes.
FILLED_IN = (("CODAT_API_KEY=…", f"CODAT_API_KEY={API_KEY}"), ("1000.…", ID), ("--run", "--run --yes"))


def _typed(line: str) -> str:
    for shown, meant in FILLED_IN:
        line = line.replace(shown, meant)
    command = line.partition("#")[0].strip()
    return f"{command} --yes --skip-preview" if command == "pulumi up" else command


def test_the_newcomers_path(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """doctor, adopt, an empty preview, a change, up, drift: every line of the page does what it says, in its order."""
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys, client.linked = True, keys(), 2
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        key = project.environment.pop("CODAT_API_KEY")

        def run(command: str) -> subprocess.CompletedProcess[str]:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=project.folder,
                env={**project.environment, "CODAT_API_KEY": key, "ZOHO_CLIENT_SECRET": SECRET},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=180,
            )
            project.said.append(f"{done.stdout}{done.stderr}")
            return done

        for line in PATH.splitlines():
            if line.startswith("export"):
                continue  # the environment of the lines below
            done = run(_typed(line))
            assert done.returncode == 0, (line, project.said[-1])
            if "preview --diff" in line:
                assert "on_delete" in done.stdout
            assert not simulator.writes, line
        client.integration.enabled = False  # somebody clicks
        drift = run("codat-zoho drift")
        assert drift.returncode == 7 and "enabled" in drift.stdout, project.said[-1]
        assert run("pulumi up --refresh --yes --skip-preview").returncode == 0, project.said[-1]
        assert client.integration.enabled
        assert run("codat-zoho drift").returncode == 0, project.said[-1]
    project.assert_no_secret(SECRET, API_KEY)


def test_the_page_leads_through_all_steps() -> None:
    """doctor, adopt, preview, a change, up and drift are all on the page, so none is tested only here."""
    words = ("doctor", "adopt", "preview --refresh", "config set", "pulumi up", "drift")
    places = [PATH.index(word) for word in words]
    assert places == sorted(places)

"""Drift of stacks of the plugin on the real engine: the report is that of the dynamic resources, whose key is whose."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.declare.platform import PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.simulator import Simulator, serve
from codat_zoho.workspace.values import kind_of
from tests.command_line import codat_zoho
from tests.pulumi_stand_in import plugin_state
from tests.real_engine import ROOT, Project
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys
from tools.engine import Engine

pytestmark = pytest.mark.engine
HEAD = f"runtime: yaml\nplugins: {{providers: [{{name: codat-zoho, path: {Path(sys.executable).parent}}}]}}\n"
PROGRAM = f"""\
name: codat-zoho
{HEAD}
config:
  zohoClientSecret: {{type: string, secret: true}}
resources:
  zoho-client:
    type: codat-zoho:ZohoClientCredentials
    properties: {{clientId: {ID}, clientSecret: "${{zohoClientSecret}}", regions: [us, uk, eu]}}
  zoho-books:
    type: codat-zoho:ZohoBooksIntegration
    properties: {{clientId: {ID}, clientSecret: "${{zohoClientSecret}}", enabled: true}}
"""
SEVERAL = f"""\
name: shop
{HEAD}
config:
  keyOfEu: {{type: string, secret: true}}
  keyOfUs: {{type: string, secret: true}}
  codat: {{type: string}}
resources:
  eu:
    type: pulumi:providers:codat-zoho
    properties: {{apiKey: "${{keyOfEu}}", codatUrl: "${{codat}}"}}
  us:
    type: pulumi:providers:codat-zoho
    properties: {{apiKeys: {{us: "${{keyOfUs}}"}}, codatUrl: "${{codat}}"}}
  books-eu:
    type: codat-zoho:ZohoBooksIntegration
    properties: {{enabled: true}}
    options: {{provider: "${{eu}}"}}
  books-us:
    type: codat-zoho:ZohoBooksIntegration
    properties: {{enabled: true, connection: us}}
    options: {{provider: "${{us}}"}}
"""


@pytest.fixture
def projects(yaml_engine: Engine, simulator: Simulator, tmp_path: Path) -> Iterator[dict[str, Project]]:
    """The ready-to-use project, and a YAML program of the same project, stack and names."""
    with serve(simulator) as base:
        found = {face: Project.copy_of(yaml_engine, ROOT, tmp_path / face, base) for face in ("dynamic", "plugin")}
        (found["plugin"].folder / "Pulumi.yaml").write_text(PROGRAM)
        yield found


def _report(project: Project, *words: str) -> dict[str, Any]:
    done = codat_zoho(project, "drift", "--stack", project.stack, "--format", "json", *words)
    (stack,) = json.loads(done.stdout)["stacks"]
    assert not stack["failure"], done.stdout
    return {"exit": done.returncode, **stack}


def _shown(project: Project) -> list[dict[str, Any]]:
    """The resources in the state, secrets in clear, by URN."""
    text = re.sub(r"20\d\d-[0-9T:-]+Z", "2026-01-01T00:00:00Z", project.must("stack", "export", "--show-secrets"))
    project.said.pop()
    return _resources(text)


def _resources(text: str) -> list[dict[str, Any]]:
    ours = [one for one in json.loads(text)["deployment"]["resources"] if kind_of(one["type"])]
    names = ("urn", "id", "type", "inputs", "outputs")
    return sorted(({name: one.get(name) for name in names} for one in ours), key=lambda one: str(one["urn"]))


def _plain(value: Any) -> Any:
    """Secrets as what they hold, since only their marks are in JSON; and words that name a property as in YAML."""
    if isinstance(value, dict):
        return (
            _plain(json.loads(value["plaintext"])) if "plaintext" in value else {n: _plain(v) for n, v in value.items()}
        )
    return [_plain(one) for one in value] if isinstance(value, list) else value


def test_both_faces_leave_the_same_state_and_give_the_same_report(
    projects: dict[str, Project], simulator: Simulator
) -> None:
    """The same deployment through both, over the same Codat client, then changed by hand."""
    for project in projects.values():
        project.must("stack", "init", "test")
        project.must("config", "set", "--secret", "zohoClientSecret", stdin=SECRET)
    projects["dynamic"].must("config", "set", "zohoClientId", ID)
    for project in projects.values():
        assert project.up().returncode == 0, project.said[-1]
    ours, theirs = (_shown(projects[face]) for face in ("dynamic", "plugin"))
    translated = plugin_state(projects["dynamic"].must("stack", "export", "--show-secrets"))
    projects["dynamic"].said.pop()
    translated = re.sub(r"20\d\d-[0-9T:-]+Z", "2026-01-01T00:00:00Z", translated)
    assert len(ours) == len(theirs) == 2
    assert _plain(_resources(translated)) == _plain(theirs)

    simulator.codat[API_KEY].integration.enabled = False
    simulator.codat[API_KEY].integration.keys = keys(OTHER_ID, OTHER_SECRET)
    simulator.codat[API_KEY].linked = 2
    reports = {face: _report(project) for face, project in projects.items()}
    assert reports["dynamic"]["exit"] == reports["plugin"]["exit"] == 7
    assert len([one for one in reports["plugin"]["resources"][0]["findings"] if one["state"] == "drift"]) == 3
    for report in reports.values():
        del report["seconds"], report["deployedAt"]
    text = re.sub(r"20\d\d-[0-9T:-]+Z", "", json.dumps(reports))
    spelled = {TOKEN_PREFIX: PLUGIN_PREFIX, "allow_disruption": "allowDisruption", "enabled=False": "enabled: false"}
    for python, yaml in spelled.items():
        text = text.replace(python, yaml)
    compared = json.loads(text)
    assert compared["dynamic"] == compared["plugin"]
    for project in projects.values():
        project.assert_no_secret(SECRET, OTHER_SECRET, API_KEY)


def test_explicit_providers(projects: dict[str, Project], simulator: Simulator) -> None:
    """Each integration is looked at with the key of its own provider, which nothing but the state holds."""
    project = projects["plugin"]
    base = project.base
    for name in ("CODAT_API_KEY", "CODAT_URL"):
        del project.environment[name]
    (project.folder / "Pulumi.yaml").write_text(SEVERAL)
    project.must("stack", "init", "test")
    project.must("config", "set", "codat", f"{base}/codat")
    found = {name: f"test-api-key-of-{name}-5d1f" for name in ("eu", "us")}
    for name, key in found.items():
        simulator.add_codat_client(key)
        project.must("config", "set", "--secret", f"keyOf{name.title()}", stdin=key)
    assert project.up().returncode == 0, project.said[-1]
    assert _report(project)["state"] == "as declared"
    simulator.codat[found["us"]].integration.enabled = False
    drifted = _report(project)
    assert {one["name"]: one["state"] for one in drifted["resources"]} == {
        "books-eu": "as declared",
        "books-us": "drift",
    }
    assert drifted["exit"] == 7
    program = project.folder / "Pulumi.yaml"
    program.write_text(SEVERAL.replace("{enabled: true}", "{enabled: true, allowDisruption: true}"))
    (change,) = _report(project, "--pending")["pending"]
    assert change["resource"] == "books-eu (ZohoBooksIntegration)" and change["operation"] == "update"
    assert change["fields"] == [{"field": "allow_disruption", "before": False, "after": True}]
    program.write_text(SEVERAL)
    done = codat_zoho(project, "drift", "--stack", "test", "--remediate", "--yes")
    assert done.returncode == 0 and "Remediation done" in done.stdout, done.stdout + done.stderr
    assert simulator.codat[found["us"]].integration.enabled
    program.write_text(SEVERAL.replace("codat-zoho:ZohoBooksIntegration", "codat-zoho:ZohoBooks"))
    failed = _report(project, "--pending")
    assert failed["exit"] == 1 and "codat-zoho:ZohoBooks" in failed["pendingFailure"]["text"], failed
    project.assert_no_secret(*found.values())

"""The real engine, end to end, on this repository's own project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from codat_zoho.simulator import Fault, Simulator, serve
from tests.command_line import codat_zoho
from tests.drift_parity import from_engine, from_report
from tests.ladder import LADDER, THIRD_SECRET, Step, World
from tests.real_engine import ROOT, Project, summary, without_interrupted_program
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET, keys
from tools.engine import Engine

pytestmark = pytest.mark.engine
SECRETS = (SECRET, OTHER_SECRET, THIRD_SECRET, API_KEY)


@pytest.fixture
def project(engine: Engine, simulator: Simulator, tmp_path: Path) -> Iterator[Project]:
    """A copy of the repository's project in front of a simulator."""
    with serve(simulator) as base:
        yield Project.copy_of(engine, ROOT, tmp_path / "project", base)


@pytest.fixture
def deployed(project: Project, simulator: Simulator) -> World:
    """A world in which the project is deployed."""
    world = World(simulator)
    world.declare()
    project.configure(world.program())
    assert project.up().returncode == 0, project.said[-1]
    simulator.forget_calls()
    return world


def test_the_ladder(project: Project, simulator: Simulator) -> None:
    """Each step converges on the real engine, the second run does nothing, and no secret is written in clear."""
    world = World(simulator)
    for step in (step for step in LADDER if step.engine):
        climb(world, project, step)
    project.assert_no_secret(*SECRETS)


def climb(world: World, project: Project, step: Step) -> None:
    """Take one step, and once more: the second time nothing is sent."""
    simulator = world.simulator
    simulator.forget_calls()
    step.act(world)
    writes = step.writes(world)
    if step.destroy:
        done = project.run("destroy", "--yes", "--skip-preview")
    else:
        project.configure(world.program())
        _agrees(project, step)
        if step.drift is not None:
            shown = project.run("refresh", "--preview-only", "--expect-no-changes", "--diff")
            expected = step.drift(world)
            assert shown.returncode == (7 if expected else 0), f"{step.name}: {project.said[-1]}"
            assert all(project.spelled(name) in shown.stdout for name in expected), f"{step.name}: {project.said[-1]}"
            assert not simulator.writes
        done = project.up(*(["--refresh"] if step.refresh else []))
    if step.error:
        assert done.returncode != 0, f"{step.name}: {project.said[-1]}"
        assert re.search(step.error, done.stdout + done.stderr), f"{step.name}: {project.said[-1]}"
        assert "Traceback" not in without_interrupted_program(project.said[-1])
        assert not simulator.writes, step.name
        return
    assert done.returncode == 0, f"{step.name}: {project.said[-1]}"
    assert summary(simulator) == writes, step.name
    simulator.forget_calls()
    if not step.destroy:
        second = project.up("--expect-no-changes")
        assert second.returncode == 0, f"{step.name}: the second run: {project.said[-1]}"
        assert not simulator.calls, f"{step.name}: the second run sent something"


def _agrees(project: Project, step: Step) -> None:
    """``codat-zoho drift`` finds what the engine's own refresh shows, setting by setting."""
    shown = project.run("refresh", "--preview-only", "--json", CODAT_ZOHO_VERIFY="always")
    found = codat_zoho(project, "drift", "--stack", project.stack, "--format", "json")
    if shown.returncode == 0:
        assert from_report(json.loads(found.stdout)) == from_engine(shown.stdout), f"{step.name}: {project.said[-1]}"
    else:
        assert found.returncode == 1, f"{step.name}: {project.said[-1]}"


@pytest.mark.parametrize("indent", ["", "    ", " +  pulumi:pulumi:Stack codat-zoho-test creating (2s) "])
def test_whose_traceback_it_is(indent: str) -> None:
    """The interrupted program's own traceback is told from one through this package, and from any other error."""
    host = ["Traceback (most recent call last):", '  File "/bin/pulumi-language-python-exec", line 9, in <module>']
    ours = [host[0], '  File "/site/codat_zoho/provider/books.py", line 9, in create', "    wait()"]
    lines = {name: "".join(f"{indent}{line}\n" for line in said) for name, said in (("host", host), ("ours", ours))}
    stopped, failed = f"{indent}KeyboardInterrupt\n", f"{indent}ValueError: x\n"
    said = f"before\n{lines['host']}{stopped}after\n"
    assert without_interrupted_program(said + said) == "before\nafter\n" * 2
    for kept in (lines["ours"] + stopped, lines["host"] + failed, lines["ours"] + failed):
        assert "Traceback" in without_interrupted_program(kept)


def test_preview_contacts_nobody(project: Project, deployed: World) -> None:
    """A preview is offline: neither Codat nor Zoho is asked anything, and the API key is not needed."""
    deployed.zoho.secret = OTHER_SECRET
    deployed.declare(client_secret=OTHER_SECRET, enabled=False)
    project.configure(deployed.program())
    shown = project.must("preview", "--diff", CODAT_API_KEY="")
    assert not deployed.simulator.calls
    assert "enabled                  : true => false" in shown
    assert re.search(r'client_secret_fingerprint: "[0-9a-f]{16}" => "[0-9a-f]{16}"', shown)
    project.assert_no_secret(*SECRETS)


def test_a_refresh_makes_three_calls(project: Project, deployed: World) -> None:
    """One look at the integration costs three calls to Codat, at the same time, and none to Zoho."""
    project.must("refresh", "--preview-only", "--expect-no-changes")
    assert [(call.kind, call.method) for call in deployed.simulator.calls] == [("read", "GET")] * 3


def test_what_is_encrypted_in_state(project: Project, deployed: World) -> None:
    """The client secret, and among the outputs what was declared; the provider is short and in clear."""
    for name in ("zoho-client", "zoho-books"):
        resource = project.resources()[name]
        for bag, secrets in (("inputs", ["client_secret"]), ("outputs", ["client_secret", "declared"])):
            values = resource[bag]
            encrypted = [key for key, value in values.items() if isinstance(value, dict) and "ciphertext" in value]
            assert encrypted == secrets
            assert len(values["__provider"]) <= 72


def test_a_client_id_that_is_secret(project: Project, simulator: Simulator) -> None:
    """Marked as secret in stack configuration, it stands nowhere in clear: not in an id, in state or in what is said."""
    world = World(simulator)
    world.declare()
    project.configure(world.program())
    project.must("config", "set", "--secret", "codat-zoho:zohoClientId", stdin=ID)
    assert project.up().returncode == 0, project.said[-1]
    simulator.forget_calls()
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert project.run("refresh", "--preview-only", "--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.writes and not simulator.probes
    project.must("destroy", "--yes", "--skip-preview")
    project.assert_no_secret(*SECRETS, ID)


def test_a_region_switched_off_is_found_when_asked(project: Project, deployed: World) -> None:
    """With CODAT_ZOHO_VERIFY=always a refresh asks Zoho, and `up` says which switch to turn."""
    deployed.zoho.enabled = {"eu", "us"}
    project.must("refresh", "--preview-only", "--expect-no-changes")
    found = project.run("refresh", "--preview-only", "--expect-no-changes", "--diff", CODAT_ZOHO_VERIFY="always")
    assert found.returncode == 7
    assert "refused by uk" in found.stdout + found.stderr
    done = project.up("--refresh", CODAT_ZOHO_VERIFY="always")
    assert done.returncode != 0
    assert "enable uk and turn on 'Use the same OAuth credentials for all data centers'" in done.stdout
    deployed.zoho.enabled.add("uk")
    assert project.up("--refresh", CODAT_ZOHO_VERIFY="always").returncode == 0
    assert project.up("--expect-no-changes").returncode == 0


@pytest.mark.parametrize(
    ("config", "environment", "fault", "line"),
    [
        (
            {},
            {"CODAT_API_KEY": "another-key"},
            None,
            r"ApiKeyRefused: Codat refused the API key from CODAT_API_KEY \(401\)",
        ),
        ({}, {"CODAT_API_KEY": ""}, None, r"ConfigurationError: No Codat API key for connection 'default'\. Set the"),
        ({"regions": ["gb", "us"]}, {}, None, r"regions: 'gb' is not a Zoho data centre, did you mean 'uk'"),
        (
            {"client_secret": f"{SECRET[:20]} {SECRET[20:]}"},
            {},
            None,
            r"client_secret: contains white space \(U\+0020 SPACE\)",
        ),
        ({}, {"CODAT_URL": "http://127.0.0.1:1/codat"}, None, r"Unreachable: 127\.0\.0\.1:1 could not be reached"),
        (
            {},
            {},
            Fault(body=b"<html>log in</html>", content_type="text/html", path="/codat", times=-1),
            r"not a JSON object",
        ),
        (
            {},
            {"CODAT_URL": "http://api.example"},
            None,
            r"ConfigurationError: CODAT_URL is http://api\.example: the API key",
        ),
    ],
    ids=["wrong key", "no key", "wrong region", "space in secret", "Codat down", "Codat answers HTML", "http address"],
)
def test_what_is_wrong_is_said_in_one_line(
    project: Project,
    simulator: Simulator,
    config: dict[str, object],
    environment: dict[str, str],
    fault: Fault | None,
    line: str,
) -> None:
    """Each mistake ends in one line that says what to do; nothing is sent, and state stays as it was."""
    world = World(simulator)
    world.declare(enabled=False)
    for program in (world.client, world.books):
        program.update({name: value for name, value in config.items() if name in program})
    project.configure(world.program())
    if fault:
        simulator.fail(fault)
    done = project.up(**environment)
    assert done.returncode not in (0, 7)
    said = done.stdout + done.stderr
    errors = [text for text in said.splitlines() if re.match(r"\s+error: (?!update failed)", text)]
    assert errors, said
    assert any(re.search(line, text) for text in said.splitlines()), said
    assert "Traceback" not in without_interrupted_program(said)
    assert not simulator.writes
    assert "zoho-books" not in project.resources()
    project.assert_no_secret(*SECRETS)


GETTER = """
import pulumi
import codat_zoho as cz

books = cz.ZohoBooksIntegration.get("books")
client = cz.ZohoClientCredentials.get("client", "1000.GFXJNB9VM0KE5C9C4CMSRQEX0CTDPH")
pulumi.export("enabled", books.enabled)
pulumi.export("linked", books.linked_companies)
pulumi.export("shown", books.client_id)
pulumi.export("redirect", client.redirect_uri)
"""


def test_get_reads_without_managing(project: Project, simulator: Simulator) -> None:
    """`.get()` shows what is there, manages nothing, and destroying sends nothing."""
    simulator.codat[API_KEY].integration.enabled = True
    simulator.codat[API_KEY].integration.keys = keys()
    simulator.codat[API_KEY].linked = 2
    (project.folder / "__main__.py").write_text(GETTER)
    (project.folder / "Pulumi.yaml").write_text(
        re.sub(r"(?ms)^config:.*", "", (project.folder / "Pulumi.yaml").read_text())
    )
    project.must("stack", "init", project.stack)
    assert project.up().returncode == 0, project.said[-1]
    outputs = json.loads(project.must("stack", "output", "--json"))
    assert outputs == {
        "enabled": True,
        "linked": 2,
        "shown": "X" * (len(ID) - 4) + ID[-4:],
        "redirect": "https://zohobooks.codat.io/oauth/callback",
    }
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    project.must("destroy", "--yes", "--skip-preview")
    assert not simulator.writes
    assert not simulator.probes

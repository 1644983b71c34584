"""``codat-zoho adopt`` on the real engine: every kind of start ends in an empty plan, and nothing is written."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codat_zoho.simulator import Simulator, serve
from tests.command_line import codat_zoho, must
from tests.docs_runner import blocks
from tests.real_engine import ROOT, Project
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys
from tools.engine import Engine

pytestmark = pytest.mark.engine
OTHER_KEY = "test-api-key-of-the-other-client-91d2"
FRESH = ("--yes", "--run", "--stack", "test")


@dataclass
class Start:
    """One kind of start."""

    enabled: bool = True
    keys: dict[str, str] | None = None
    linked: int = 0
    switches: dict[str, object] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


SAID = ("--client-id", ID)
HELD = {"ZOHO_CLIENT_SECRET": SECRET}
STARTS = {
    "nothing configured": Start(enabled=False),
    "enabled, no keys": Start(),
    "no keys, answered by 404": Start(switches={"absent_keys": "404"}),
    "no keys, answered by 204": Start(switches={"absent_keys": "204"}),
    "keys, secret unknown": Start(keys=keys(), arguments=SAID),
    "keys, secret at hand": Start(keys=keys(), arguments=SAID, environment=HELD),
    "disabled with keys": Start(enabled=False, keys=keys(), arguments=SAID, environment=HELD),
    "companies linked": Start(keys=keys(), linked=3, arguments=SAID),
    "companies linked, count absent": Start(keys=keys(), linked=3, switches={"linked_count": False}, arguments=SAID),
    "opaque mask": Start(keys=keys(), switches={"mask": "opaque"}, arguments=SAID),
    "opaque mask, secret at hand": Start(keys=keys(), switches={"mask": "opaque"}, arguments=SAID, environment=HELD),
    "client id in clear": Start(keys=keys(), switches={"mask_client_id": False}),
    "keys left unmanaged": Start(keys=keys(), arguments=("--leave-keys",)),
    "another key in the bag": Start(keys=keys() | {"environment": "live"}, arguments=SAID, environment=HELD),
    "writes not offered": Start(keys=keys(), switches={"writes_offered": False}, arguments=SAID),
}


@pytest.fixture
def project(engine: Engine, simulator: Simulator, tmp_path: Path) -> Iterator[Project]:
    """A copy of the ready-to-use project, with no stack, in front of a simulator."""
    with serve(simulator) as base:
        yield Project.copy_of(engine, ROOT, tmp_path / "project", base)


def _prepare(simulator: Simulator, start: Start) -> None:
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.linked = start.enabled, start.linked
    client.integration.keys = dict(start.keys or {})
    for name, value in start.switches.items():
        setattr(simulator.switches, name, value)


def _assert_taken_over(project: Project, simulator: Simulator) -> None:
    for command in (("preview",), ("preview", "--refresh"), ("refresh", "--preview-only")):
        project.must(*command, "--expect-no-changes")
    up = project.up("--refresh", "--expect-no-changes")
    assert up.returncode == 0, project.said[-1]
    assert not simulator.writes


@pytest.mark.parametrize("name", STARTS)
def test_every_start_ends_in_an_empty_plan(name: str, project: Project, simulator: Simulator) -> None:
    """After ``adopt --run`` previews, refreshed or not, are empty; nothing was written to Codat, no secret in clear."""
    start = STARTS[name]
    _prepare(simulator, start)
    said = must(project, ["adopt", *FRESH, *start.arguments], **start.environment)
    assert "Nothing differs, and nothing was written to Codat or Zoho." in said
    _assert_taken_over(project, simulator)
    assert not simulator.probes
    assert simulator.codat[API_KEY].integration.keys == (start.keys or {})
    project.assert_no_secret(SECRET, API_KEY)


def test_the_second_run_has_nothing_to_do(project: Project, simulator: Simulator) -> None:
    """Adopting what is adopted changes nothing and says so."""
    _prepare(simulator, STARTS["keys, secret at hand"])
    must(project, ["adopt", *FRESH, *SAID], **HELD)
    before = project.exported()
    said = must(project, ["adopt", *FRESH])
    assert "nothing to do: it manages this already" in said
    assert project.exported() == before


def test_the_secret_can_be_managed_later(project: Project, simulator: Simulator) -> None:
    """Adopted with the secret unknown, setting it is one visible change that saves it once."""
    _prepare(simulator, STARTS["companies linked"])
    must(project, ["adopt", *FRESH, *SAID])
    project.must("config", "set", "--secret", "zohoClientSecret", stdin=SECRET)
    shown = project.run("preview", "--diff", "--expect-no-changes")
    assert shown.returncode == 7 and "client_secret_fingerprint" in shown.stdout
    assert project.up().returncode == 0, project.said[-1]
    assert project.up("--expect-no-changes").returncode == 0
    project.assert_no_secret(SECRET, API_KEY)


def test_the_commands_do_what_run_does(project: Project, simulator: Simulator) -> None:
    """Without --run a file is written and commands are printed; they end in an empty plan, with no secret in clear."""
    _prepare(simulator, STARTS["companies linked"])
    project.must("stack", "init", "test")
    said = must(project, ["adopt", *SAID], **HELD)
    assert "Written to" in said
    assert [path.name for path in project.folder.glob("adopt-*")] == ["adopt-test.json"]
    project.assert_no_secret(SECRET, API_KEY)
    ran = subprocess.run(
        ["sh", "-eu", "-c", said.partition("commands in that folder:")[2]],
        cwd=project.folder,
        env=project.environment | HELD,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    project.said.append(ran.stdout + ran.stderr)
    _assert_taken_over(project, simulator)
    project.assert_no_secret(SECRET, API_KEY)


def _files(project: Project) -> dict[Path, bytes]:
    """All files but those of the engine's own home, where it keeps logs."""
    found = (path for path in project.folder.rglob("*") if path.is_file() and "home" not in path.parts)
    return {path: path.read_bytes() for path in found}


def test_nothing_is_overwritten_and_a_dry_run_writes_nothing(project: Project, simulator: Simulator) -> None:
    """--dry-run shows the file; a file that is there is never overwritten."""
    _prepare(simulator, STARTS["companies linked"])
    project.must("stack", "init", "test")
    before = _files(project)
    shown = must(project, ["adopt", "--dry-run", *SAID], **HELD)
    assert "--- adopt-test.json" in shown and "Nothing was written." in shown
    assert _files(project) == before
    (project.folder / "adopt-test.json").write_text("mine")
    refused = codat_zoho(project, "adopt", *SAID)
    assert refused.returncode == 1 and "nothing is overwritten" in refused.stderr
    assert (project.folder / "adopt-test.json").read_text() == "mine"
    project.assert_no_secret(SECRET, API_KEY)


def test_configuration_that_says_otherwise_is_not_overwritten(project: Project, simulator: Simulator) -> None:
    """A stack that is configured to disable a live integration is refused before anything changes."""
    _prepare(simulator, STARTS["companies linked"])
    project.must("stack", "init", "test")
    project.must("config", "set", "enabled", "false")
    before = (project.folder / "Pulumi.test.yaml").read_text()
    refused = codat_zoho(project, "adopt", *FRESH, *SAID)
    assert refused.returncode == 1 and "codat-zoho:enabled" in refused.stderr
    assert (project.folder / "Pulumi.test.yaml").read_text() == before
    assert set(project.resources()) <= {"codat-zoho-test"}


def test_several_clients_in_one_go(project: Project, simulator: Simulator) -> None:
    """Each --connection gets a stack of its own, and each ends in an empty plan."""
    _prepare(simulator, STARTS["companies linked"])
    simulator.add_codat_client(OTHER_KEY, enabled=False, keys=keys(OTHER_ID, OTHER_SECRET))
    environment = {"CODAT_API_KEY_OTHER": OTHER_KEY}
    project.environment |= environment
    ids = ("--client-id", f"default={ID}", "--client-id", f"other={OTHER_ID}")
    must(project, ["adopt", "--run", "--yes", "--connection", "default=test", "--connection", "other", *ids])
    for stack in ("test", "other"):
        project.must("preview", "--refresh", "--expect-no-changes", "--stack", stack)
    assert not simulator.writes


def test_regions_that_zoho_refuses_are_left_out(project: Project, simulator: Simulator) -> None:
    """--probe asks each data centre once and declares those that did not say no; previews stay empty."""
    _prepare(simulator, STARTS["keys, secret at hand"])
    simulator.zoho[ID].enabled.discard("uk")
    said = must(project, ["adopt", *FRESH, *SAID, "--probe"], **HELD)
    assert "refused by uk" in said
    assert len(simulator.probes) == 3
    _assert_taken_over(project, simulator)
    assert project.resources()["zoho-client"]["outputs"]["regions"] == ["eu", "us"]


DECLARES = """
import pulumi
import codat_zoho as cz

secret = pulumi.Config().get_secret("zohoSecret")
app = cz.ZohoClientCredentials("app", client_id={id!r}, client_secret=secret, regions=["us", "jp"], verify="off")
cz.ZohoBooksIntegration("link", credentials=app, enabled=True, on_delete="keep")
"""


def test_a_program_that_declares_them_already(project: Project, simulator: Simulator) -> None:
    """With --name they are taken over under the program's names and with its options; a wrong name changes nothing."""
    _prepare(simulator, STARTS["keys, secret at hand"])
    _own(project, DECLARES.format(id=ID))
    project.must("stack", "init", "prod")
    project.must("config", "set", "--secret", "zohoSecret", stdin=SECRET)
    [page] = [one for one in blocks(ROOT / "docs/adopt.md") if "declares_them_already" in one.how.get("tested", "")]
    arguments = [*shlex.split(page.lines()[0].replace("1000.…", ID))[1:], "--yes"]
    wrong = codat_zoho(project, *arguments, "--name", "client=app,books=app", **HELD)
    assert wrong.returncode == 1 and "declares no ZohoBooksIntegration named app" in wrong.stderr, wrong.stderr
    assert "link (ZohoBooksIntegration)" in wrong.stderr
    assert "app" not in project.resources()
    said = must(project, arguments, **HELD)
    assert "Nothing differs" in said and "import app (" in said and "Add these lines" not in said
    assert {"app", "link"} <= project.resources().keys() and "codat-zoho:" not in project.must("config")
    _assert_taken_over(project, simulator)
    assert not simulator.probes
    project.assert_no_secret(SECRET, API_KEY)


def test_what_a_component_declares_is_not_imported_beside_it(project: Project, simulator: Simulator) -> None:
    """A resource inside a component has another URN than an import gives it: refused before anything changes."""
    _prepare(simulator, STARTS["enabled, no keys"])
    inside = 'cz.ZohoBooksIntegration("link", enabled=True, opts=pulumi.ResourceOptions(parent=box))'
    _own(
        project,
        f"import pulumi\nimport codat_zoho as cz\nbox = pulumi.ComponentResource('my:mod:Box', 'box')\n{inside}",
    )
    project.must("stack", "init", "test")
    refused = codat_zoho(project, "adopt", *FRESH, "--name", "books=link")
    assert refused.returncode == 1 and "declared inside a component" in refused.stderr
    assert "link" not in project.resources()


def _own(project: Project, program: str) -> None:
    """Make it a project of another name, with this program."""
    venv = (project.folder / "Pulumi.yaml").read_text().partition("virtualenv: ")[2].partition("\n")[0]
    (project.folder / "Pulumi.yaml").write_text(PROGRAM_PROJECT.format(venv=venv))
    (project.folder / "__main__.py").write_text(program)


PROGRAM_PROJECT = "name: books\nruntime:\n  name: python\n  options:\n    toolchain: pip\n    virtualenv: {venv}\n"


def test_a_program_of_ones_own(project: Project, simulator: Simulator) -> None:
    """In another project both connections are imported, protected; with the printed lines its preview is empty."""
    _prepare(simulator, STARTS["keys, secret at hand"])
    simulator.add_codat_client(OTHER_KEY, enabled=True, keys=keys())
    project.environment |= {"CODAT_API_KEY_OTHER": OTHER_KEY}
    _own(project, "")
    both = ("--connection", "default", "--connection", "other")
    said = must(project, ["adopt", *FRESH, *both, *SAID], **HELD)
    lines = said[said.index("import pulumi") :]
    (project.folder / "__main__.py").write_text(lines)
    for command in (("preview",), ("preview", "--refresh")):
        # The engine counts taking off the protection of an import as no change.
        project.must(*command, "--expect-no-changes", "--diff")
    assert not simulator.writes
    assert set(project.resources()) >= {"zoho-client", "zoho-books", "zoho-books-other"}
    project.assert_no_secret(SECRET, API_KEY, OTHER_KEY)


@pytest.mark.usefixtures("yaml_engine")
@pytest.mark.parametrize("name", ["companies linked", "keys, secret at hand", "opaque mask, secret at hand"])
def test_a_yaml_program_takes_over(name: str, project: Project, simulator: Simulator) -> None:
    """The printed commands, then the printed lines, as they stand: an up that sends nothing, and then one without work."""
    start = STARTS[name]
    _prepare(simulator, start)
    file = project.folder / "Pulumi.yaml"
    plugin = f"plugins: {{providers: [{{name: codat-zoho, path: {Path(sys.executable).parent}}}]}}\n"
    file.write_text(f"name: shop\nruntime: yaml\n{plugin}")
    said = must(project, ["adopt", "--stack", "test", *start.arguments], **start.environment)
    commands = [line for line in said.splitlines() if line.startswith(("pulumi ", "printf "))]
    assert commands[-1].startswith("pulumi import codat-zoho:index:ZohoBooksIntegration zoho-books default ")
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=project.folder,
            env=project.environment | start.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        project.said.append(f"$ {command}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0, project.said[-1]
    assert project.up().returncode != 0, "what is imported is protected until it is declared"
    lines = said.partition("protected from deletion:\n")[2].partition("That up asks")[0]
    file.write_text(file.read_text() + lines)
    assert "+ 1 to create\n    ~ 1 to update\n" in project.must("preview")
    assert not simulator.writes and not simulator.probes
    assert project.up().returncode == 0, project.said[-1]
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.writes
    project.assert_no_secret(SECRET, API_KEY)

"""Where the readers of the documentation begin: a clone, a project of their own, an integration clicked together."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codat_zoho.drift.formats.json import FORM
from codat_zoho.simulator import CodatClient, Simulator, serve
from tests.docs_runner import Reader
from tests.drift_fleet import Place, codat_client, scratch
from tests.real_engine import PLUGIN, ROOT, Project, YamlProject
from tests.review_cases import Repo
from tests.support import API_KEY, ID, SECRET, keys
from tools.engine import Engine

VENV_POLICY = ROOT / ".venv-policy"
SHOWN_SECRET = "5111a7ed5ec2e7000000000000000000000000c0de"
"""The made-up secret that the simulator and the pages show."""
TEST_KEY = "the-api-key-of-a-test-client"
FILLED_IN = {
    "CODAT_API_KEY=…": f"CODAT_API_KEY={API_KEY}",
    "CODAT_API_KEY_DEV=…": f"CODAT_API_KEY_DEV={API_KEY}",
    "<of a test client>": TEST_KEY,
    "1000.…": ID,
    "SECRET": SECRET,
}
"""What the pages leave to the reader."""


def _clone(folder: Path) -> Path:
    """Copy what git knows, with an environment that uses the packages of this one: nothing is downloaded."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in filter(None, names.stdout.splitlines()):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    own = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(own)], check=True)
    (site,) = own.glob("lib/python*/site-packages")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "clone.pth").write_text(f"{folder}\n{packages}\n")
    for name, module in {"codat-zoho": "cli", "pulumi-resource-codat-zoho": "plugin.server"}.items():
        script = own / "bin" / name
        script.write_text(f"#!{own}/bin/python\nimport sys\nfrom codat_zoho.{module} import main\nsys.exit(main())\n")
        script.chmod(0o755)
    (own / ".ready").touch()
    return folder


@contextmanager
def start(_: Engine, place: Path) -> Iterator[Reader]:
    """A clone, and nothing else; in the end nothing is left of it, and the secret is nowhere."""
    folder = _clone(place / "clone")
    before = set(folder.rglob("*"))
    reader = Reader(folder, dict(os.environ) | {"NO_COLOR": "1", "PULUMI_HOME": str(place / "home")})
    yield reader
    assert SHOWN_SECRET not in reader.said
    left = {path for path in set(folder.rglob("*")) - before if "__pycache__" not in str(path)}
    assert {path.name for path in left} <= {"build"}


@contextmanager
def _own_project(engine: Engine, source: Path, place: Path, simulator: Simulator) -> Iterator[Project]:
    """A project of the reader's own, whose Codat and Zoho are simulated."""
    with serve(simulator) as base:
        yield Project.copy_of(engine, source, place / "project", base)


def _clickable() -> tuple[Simulator, CodatClient, Callable[[], None]]:
    """A simulator, its Codat client, and what disables there by hand what is as declared."""
    simulator = Simulator()
    simulator.add_zoho_client(ID, SECRET)
    client = simulator.add_codat_client(API_KEY)

    def somebody_clicks() -> None:
        assert client.integration.enabled and client.integration.keys == keys()
        client.integration.enabled = False

    return simulator, client, somebody_clicks


@contextmanager
def readme(engine: Engine, place: Path) -> Iterator[Reader]:
    """A project with a stack, and no program yet; then somebody disables the integration."""
    simulator, client, somebody_clicks = _clickable()
    with _own_project(engine, ROOT / "examples/quickstart", place, simulator) as project:
        (project.folder / "__main__.py").unlink()
        project.must("stack", "init", "prod")
        del project.environment["CODAT_API_KEY"]
        reader = Reader(project.folder, project.environment, FILLED_IN, {"somebody-clicks": somebody_clicks})
        yield reader
        assert client.integration.enabled
        project.said.append(reader.said)
        project.assert_no_secret(SECRET, API_KEY)


@contextmanager
def adopt(engine: Engine, place: Path) -> Iterator[Reader]:
    """An integration clicked together, customers linked, and a clone of this repository to take it over."""
    simulator = Simulator()
    simulator.add_zoho_client(ID, SECRET)
    client = simulator.add_codat_client(API_KEY)
    client.integration.enabled, client.integration.keys, client.linked = True, keys(), 2
    simulator.add_codat_client(TEST_KEY)

    def nothing_was_sent() -> None:
        assert not simulator.writes

    with _own_project(engine, ROOT, place, simulator) as project:
        del project.environment["CODAT_API_KEY"]
        reader = Reader(project.folder, project.environment, FILLED_IN, {"nothing-was-sent": nothing_was_sent})
        yield reader
        project.said.append(reader.said)
        project.assert_no_secret(SECRET, API_KEY, TEST_KEY)


@contextmanager
def environments(engine: Engine, place: Path) -> Iterator[Reader]:
    """The example of several environments; each has a Codat client of its own."""
    simulator = Simulator()
    simulator.add_codat_client(API_KEY)
    simulator.add_zoho_client("1000.DEVELOPMENTCLIENT0000000000001", SECRET, enabled=["us"])
    with _own_project(engine, ROOT / "examples/multi-environment", place, simulator) as project:
        del project.environment["CODAT_API_KEY"]
        yield Reader(project.folder, project.environment, FILLED_IN)
    assert [call.detail for call in simulator.writes] == ["save keys", "enable"]


@contextmanager
def drift(engine: Engine, place: Path) -> Iterator[Reader]:
    """Projects beside each other, one stack each, all as declared until somebody clicks."""
    simulator = Simulator()
    with serve(simulator) as base:
        projects = scratch(place / "projects", engine, f"{base}/zoho")
        places = [Place(project, "prod", base) for project in ("books", "billing", "crm")]
        projects.deploy(places, {base: simulator})
        folder = projects.root / "books"
        projects.engine("stack", "select", "prod", project="books")
        for other in ("billing", "crm"):
            (folder / other).symlink_to(projects.root / other)

        def somebody_clicks() -> None:
            codat_client(simulator, places[0]).integration.enabled = False

        def the_reports_are_there() -> None:
            schema = json.loads(FORM.schema.read_text())
            jsonschema.validate(json.loads((folder / "drift.json").read_text()), schema)
            assert ET.parse(folder / "drift.xml").getroot().tag == "testsuites"

        events = {"somebody-clicks": somebody_clicks, "the-reports-are-there": the_reports_are_there}
        reader = Reader(folder, projects.environment | {"NO_COLOR": "1"}, events=events)
        yield reader
        assert SECRET not in reader.said


@contextmanager
def _deployed(engine: Engine, place: Path, simulator: Simulator, stack: str, **books: Any) -> Iterator[Project]:
    """This repository's own project, with a stack that is deployed."""
    simulator.add_zoho_client(ID, SECRET)
    simulator.add_codat_client(API_KEY)
    with _own_project(engine, ROOT, place, simulator) as project:
        project.stack = stack
        declared = {"client_id": ID, "client_secret": SECRET, "regions": ["us", "uk", "eu"], "enabled": True}
        project.configure({"books": declared | books})
        assert project.up().returncode == 0, project.said[-1]
        yield project


@contextmanager
def review(engine: Engine, place: Path) -> Iterator[Reader]:
    """A clone of a repository whose stack is deployed, and nothing changed in it."""
    with _deployed(engine, place, Simulator(), "prod") as project:
        repo = Repo(project.folder)
        repo.commit({".gitignore": ".state/\n__pycache__/\n"})
        repo.git("clone", "--quiet", "--bare", ".", str(place / "origin.git"))
        repo.git("remote", "add", "origin", str(place / "origin.git"))
        repo.git("fetch", "--quiet", "origin")
        repo.git("remote", "set-head", "origin", "main")
        reader = Reader(project.folder, project.environment)
        yield reader
        project.said.append(reader.said)
        project.assert_no_secret(SECRET, API_KEY)


@contextmanager
def policy(engine: Engine, place: Path) -> Iterator[Reader]:
    """A deployed stack that the rules like. An environment made before stands in for the page's: no index is asked."""
    if not (VENV_POLICY / ".ready").exists():
        pytest.skip("no .venv-policy: make .venv-policy/.ready sets it up")
    with _deployed(engine, place, Simulator(), "eu", on_delete="keep") as project:

        def a_stricter_rule_holds() -> None:
            project.must("config", "set", "onDelete", "disable")
            words = ("preview", "--policy-pack", "policy-pack")
            environment = {"PYTHONPATH": str(ROOT)}
            assert project.run(*words, **environment).returncode == 0, project.said[-1]
            refused = project.run(*words, "--policy-pack-config", "policy.json", **environment)
            assert refused.returncode != 0 and "[mandatory]  deletion-policy" in refused.stdout, project.said[-1]

        filled_in = {
            "PATH-OF-A-CLONE": str(ROOT),
            "python3 -m venv policy-pack/venv": f"ln -s {VENV_POLICY} policy-pack/venv",
            "venv/bin/python -m pip install 'codat-zoho[policy] @ WHEEL-OR-GIT-URL'": "venv/bin/python -c 'import pulumi_policy'",
        }
        events = {"a-stricter-rule-holds": a_stricter_rule_holds}
        yield Reader(project.folder, project.environment | {"PYTHONPATH": str(ROOT)}, filled_in, events)


@contextmanager
def plugin(engine: Engine, place: Path) -> Iterator[Reader]:
    """An empty folder; the environment of these tests stands in for the page's: no index is asked."""
    simulator, client, somebody_clicks = _clickable()

    def it_is_enabled() -> None:
        assert client.integration.enabled

    filled_in = FILLED_IN | {
        "python3 -m venv .venv": f"ln -s {PLUGIN.parent} .venv",
        ".venv/bin/python -m pip install 'codat-zoho @ WHEEL-OR-GIT-URL'": ".venv/bin/python -c 'import codat_zoho'",
    }
    events = {"somebody-clicks": somebody_clicks, "it-is-enabled": it_is_enabled}
    (place / "shop").mkdir()
    with serve(simulator) as base:
        project = Project.at(engine, place / "shop", base)
        del project.environment["CODAT_API_KEY"]
        reader = Reader(project.folder, project.environment, filled_in, events)
        yield reader
        project.said.append(reader.said)
        project.assert_no_secret(SECRET, API_KEY)


@contextmanager
def plugin_import(engine: Engine, place: Path) -> Iterator[Reader]:
    """A YAML project with a stack, and an integration clicked together."""
    simulator = Simulator()
    client = simulator.add_codat_client(API_KEY)
    client.integration.enabled, client.integration.keys, client.linked = True, keys(), 2

    def nothing_was_sent() -> None:
        assert not simulator.writes

    with serve(simulator) as base:
        project = YamlProject.new(engine, place / "shop", base)
        reader = Reader(project.folder, project.environment, events={"nothing-was-sent": nothing_was_sent})
        yield reader
        assert "zoho-books" in project.resources()


SESSIONS: dict[str, Callable[[Engine, Path], AbstractContextManager[Reader]]] = {
    "adopt": adopt,
    "drift": drift,
    "environments": environments,
    "plugin": plugin,
    "plugin-import": plugin_import,
    "policy": policy,
    "quickstart": start,
    "readme": readme,
    "review": review,
    "start": start,
    "testing": start,
    "yaml": start,
}
"""Each session that a page may name."""

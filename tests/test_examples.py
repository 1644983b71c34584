"""The examples and the demo run, on the real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codat_zoho.simulator import Simulator, serve
from tests.real_engine import ROOT, Project, summary
from tests.support import API_KEY, new_secret
from tools import demo
from tools.engine import Engine

pytestmark = pytest.mark.engine


def _deploys_and_goes(project: Project, simulator: Simulator, secret: str, *, removes: bool) -> None:
    """Deploy, deploy again, find and mend what somebody clicked, destroy; nothing is sent that need not be, and no secret is left anywhere."""
    project.must("stack", "init", project.stack)
    project.must("config", "set", "--secret", "clientSecret", stdin=secret)
    assert project.up().returncode == 0, project.said[-1]
    assert summary(simulator) == ["save keys", "enable"]
    simulator.forget_calls()
    assert project.up("--expect-no-changes").returncode == 0, project.said[-1]
    assert not simulator.calls
    (codat,) = simulator.codat.values()
    codat.integration.enabled = False
    found = project.run("refresh", "--preview-only", "--expect-no-changes")
    assert found.returncode == 7 and not simulator.writes, project.said[-1]
    assert project.up("--refresh").returncode == 0, project.said[-1]
    assert summary(simulator) == ["enable"]
    simulator.forget_calls()
    if not removes:
        project.must("state", "unprotect", "--all", "--yes")
    project.must("destroy", "--yes", "--skip-preview")
    assert summary(simulator) == (["disable", "delete keys"] if removes else [])
    project.assert_no_secret(secret, API_KEY)


def _comes_and_goes(engine: Engine, name: str, folder: Path) -> None:
    """The example of that name, with the client id and the stack that its README has."""
    simulator, secret = Simulator(), new_secret()
    simulator.add_codat_client(API_KEY)
    simulator.add_zoho_client("1000.SIMULATEDCLIENT000000000000001", secret)
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT / "examples" / name, folder / name, base)
        project.stack = "dev"
        (project.folder / "Pulumi.dev.yaml").write_text(
            f"config: {{zoho-books-{name}:clientId: 1000.SIMULATEDCLIENT000000000000001}}\n"
        )
        _deploys_and_goes(project, simulator, secret, removes=True)


def test_quickstart(engine: Engine, tmp_path: Path) -> None:
    """A program of one's own, as the example's README has it."""
    _comes_and_goes(engine, "quickstart", tmp_path)


def test_yaml(yaml_engine: Engine, tmp_path: Path) -> None:
    """The same as a YAML program, which the provider plugin serves."""
    _comes_and_goes(yaml_engine, "yaml", tmp_path)


@pytest.mark.parametrize(
    ("stack", "client_id", "regions"),
    [
        ("dev", "1000.DEVELOPMENTCLIENT0000000000001", ["us"]),
        ("prod", "1000.PRODUCTIONCLIENT00000000000001", ["eu", "uk", "us"]),
    ],
)
def test_multi_environment(engine: Engine, tmp_path: Path, stack: str, client_id: str, regions: list[str]) -> None:
    """Each environment uses its own API key and data centres, and never another's."""
    simulator, secret = Simulator(), new_secret()
    simulator.add_codat_client(f"{API_KEY}-{stack}")
    simulator.add_zoho_client(client_id, secret, enabled=regions)
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT / "examples/multi-environment", tmp_path / stack, base)
        project.stack = stack
        project.environment[f"CODAT_API_KEY_{stack.upper()}"] = f"{API_KEY}-{stack}"
        _deploys_and_goes(project, simulator, secret, removes=stack == "dev")


def _demo(
    environment: dict[str, str], folder: Path, *options: str, python: str = sys.executable
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, str(ROOT / "tools/demo.py"), *options],
        env=environment | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


STATUS = ("git", "status", "--porcelain", "--ignored", "--untracked-files=all", "Pulumi*.yaml")


@pytest.mark.parametrize("option", [[], ["--full"]], ids=["", "full"])
def test_demo(engine: Engine, tmp_path: Path, option: list[str]) -> None:
    """`make demo` does all that it promises on two screens, shows no secret, and leaves nothing behind.

    So it does where the path of its Python has a space.
    """
    before = subprocess.check_output(STATUS, cwd=ROOT)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "a space").symlink_to(sys.prefix)
    python = str(tmp_path / "a space/bin" / Path(sys.executable).name)
    environment = dict(os.environ) | {"COLUMNS": "100"}
    with _demo(environment, tmp_path / "temporary", *option, python=python) as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert all(f"\n{number}. {title}. " in said for number, (title, _) in enumerate(demo.CHAPTERS, 1))
    assert "That was all of it" in said and "codat-zoho doctor" in said
    lines = said.splitlines()
    assert len(lines) > 150 if option else (len(lines) <= 60 and max(map(len, lines)) <= 100)
    assert "5111a7ed5ec2e7" not in said
    assert not list((tmp_path / "temporary").iterdir())
    assert subprocess.check_output(STATUS, cwd=ROOT) == before


def test_demo_needs_only_what_the_package_needs() -> None:
    """It runs where the development tools are not: it imports what the package does, and no more."""
    loaded = "import sys, tools.demo; print(*{name.partition('.')[0] for name in sys.modules})"
    names = set(subprocess.check_output([sys.executable, "-c", loaded], cwd=ROOT, text=True).split())
    names.discard("coverage")  # It measures the programs that tests start, too.
    top = {name.partition("==")[0].replace("-", "_") for name in (ROOT / "requirements/dev.txt").read_text().split()}
    locked = {name.partition("==")[0].replace("-", "_") for name in (ROOT / "requirements/run.txt").read_text().split()}
    assert "codat_zoho" in names and names & top <= locked


@pytest.mark.parametrize("place", ["1. ", "pulumi up", "3. ", "pulumi destroy"])
def test_demo_interrupted(engine: Engine, tmp_path: Path, place: str) -> None:
    """Ctrl-C in the middle ends everything it started and leaves nothing behind."""
    before = subprocess.check_output(STATUS, cwd=ROOT)
    with _demo(dict(os.environ), tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if place in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        said = process.stdout.read()
    assert process.returncode == 130, said
    assert "Interrupted" in said
    assert not list(tmp_path.iterdir())
    assert subprocess.check_output(STATUS, cwd=ROOT) == before


def test_demo_whose_reader_goes_away(engine: Engine, tmp_path: Path) -> None:
    """It ends without a traceback, as after `make demo | head`, and leaves nothing behind."""
    read, write = os.pipe()
    words = [sys.executable, str(ROOT / "tools/demo.py")]
    environment = dict(os.environ) | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, env=environment, stdout=write, stderr=subprocess.PIPE, text=True) as process:
        os.close(write)
        os.read(read, 1)
        os.close(read)
        _, said = process.communicate(timeout=300)
        assert not said
    assert process.returncode == 1 and not list(tmp_path.iterdir())

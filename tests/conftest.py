"""Fixtures that most tests use."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings

from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.http import Http
from codat_zoho.simulator import Simulator
from tests.support import API_KEY, HEADERS, ID, SECRET, forget_secrets, in_process
from tools.engine import Engine, find_or_build

# How long an example takes says something about the machine, not about the package.
# A change is let in or not for what it does, not by chance: there the seeds are fixed; elsewhere, and in `make fuzz`, not.
settings.register_profile("codat-zoho", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("codat-zoho")

# A shell lets what it puts in the background ignore Ctrl-C, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the matrices be asked for: making 35,000 cases takes longer than most runs of the others."""
    parser.addoption("--matrix", action="store_true", help="all cases of the fault and kill matrices, not a sample")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("CODAT_", "ZOHO_", "PULUMI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def nothing_registered() -> None:
    """No secret of another test is redacted."""
    forget_secrets()


@pytest.fixture(autouse=True)
def closed_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections that stay open end with the test, as they do with a provider's process."""
    opened: list[httpx.Client] = []
    new_client = Http._new_client

    def remembered(http: Http, *which: Any) -> httpx.Client:
        opened.append(new_client(http, *which))
        return opened[-1]

    monkeypatch.setattr(Http, "_new_client", remembered)
    yield
    for client in opened:
        client.close()


@pytest.fixture
def simulator() -> Simulator:
    """A simulator with one Codat client, nothing configured in it, and one Zoho client, accepted everywhere."""
    simulator = Simulator()
    simulator.add_codat_client(API_KEY)
    simulator.add_zoho_client(ID, SECRET)
    return simulator


@pytest.fixture
def codat(base: str) -> Iterator[httpx.Client]:
    """A plain HTTP client with the right key, of the simulator that a module serves at ``base``."""
    with httpx.Client(base_url=f"{base}/codat", headers=HEADERS) as client:
        yield client


@pytest.fixture
def context(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """The providers' process-wide context, pointed at the simulator."""
    monkeypatch.setenv("CODAT_API_KEY", API_KEY)
    monkeypatch.setenv("CODAT_URL", "http://127.0.0.1/codat")
    monkeypatch.setenv("ZOHO_URL", "http://127.0.0.1/zoho")
    CONTEXT.__init__(in_process(simulator))  # type: ignore[misc]
    yield simulator
    CONTEXT.__init__()  # type: ignore[misc]


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine, built when the machine has none."""
    return find_or_build()


@pytest.fixture(scope="session")
def yaml_engine(engine: Engine) -> Engine:
    """The same, which runs YAML programs too."""
    path = engine.environment(os.environ, python=Path(sys.executable))["PATH"]
    if not shutil.which("pulumi-language-yaml", path=path):
        pytest.skip(f"{engine.pulumi} has no pulumi-language-yaml beside it")
    return engine


_MATRICES = {
    "test_fault_matrix.py::test_fault[": "Fault matrix",
    "test_kill_matrix.py::test_kill[": "Kill matrix",
    "test_kill_matrix.py::test_two_at_once[": "Two runs at once",
    "test_link_matrix.py::test_fault[": "Faults in a link test",
    "test_link_matrix.py::test_kill[": "Kills of a link test",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cases of each matrix ran."""
    for where, name in _MATRICES.items():
        passed, failed = (
            sum(where in report.nodeid for report in terminalreporter.getreports(outcome))
            for outcome in ("passed", "failed")
        )
        if passed or failed:
            terminalreporter.write_line(f"{name}: {passed + failed:,} cases, {failed:,} failed.")

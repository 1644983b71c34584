"""Provider processes of one run share Zoho's verdicts: each data centre is asked once per client."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from codat_zoho._provider.context import Context
from codat_zoho._provider.verdicts import shared
from codat_zoho.actual import Probe, ProbeResult
from codat_zoho.run_folder import FOLDER
from codat_zoho.simulator import Simulator
from tests.support import ID, OTHER_SECRET, SECRET, in_process


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def contexts(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, count: int) -> list[Context]:
    """Contexts as that many provider processes have them."""
    monkeypatch.setenv("ZOHO_URL", "http://127.0.0.1/zoho")
    return [Context(in_process(simulator)) for _ in range(count)]


def test_two_processes_ask_once(simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zoho counts token requests: the second stack with the same client takes the first one's verdict."""
    simulator.zoho[ID].enabled.discard("uk")
    simulator.zoho[ID].throttled.add("eu")
    one, two = contexts(simulator, monkeypatch, 2)
    first = [one.ask_zoho(code, ID, SECRET) for code in ("us", "uk", "eu")]
    assert [two.ask_zoho(code, ID, SECRET) for code in ("us", "uk", "eu")] == first
    assert [verdict.probe for verdict in first] == [Probe.ACCEPTED, Probe.UNKNOWN_CLIENT, Probe.INCONCLUSIVE]
    assert "throttling" in first[2].why
    assert len(simulator.probes) == 3


def test_another_secret_is_another_question(
    simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict on one secret says nothing of another."""
    one, two = contexts(simulator, monkeypatch, 2)
    assert one.ask_zoho("us", ID, SECRET).probe is Probe.ACCEPTED
    assert two.ask_zoho("us", ID, OTHER_SECRET).probe is Probe.WRONG_SECRET


def test_files_hold_no_secret_and_are_private(
    simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies on disk for the time of a run is of no use to anybody, and nobody else can read it."""
    contexts(simulator, monkeypatch, 1)[0].ask_zoho("us", ID, SECRET)
    files = list(folder.iterdir())
    assert len(files) == 2, "the verdict and the count of calls"
    for file in files:
        assert SECRET not in file.read_text() and ID not in file.read_text() and ID not in file.name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_who_comes_while_one_asks_waits_for_the_verdict(folder: Path) -> None:
    """Two stacks that start together still ask once."""
    asking, answered = threading.Event(), threading.Event()
    asked: list[str] = []
    results: list[ProbeResult] = []

    def slow() -> ProbeResult:
        asked.append("slow")
        asking.set()
        answered.wait(10)
        return ProbeResult(Probe.ACCEPTED)

    def never() -> ProbeResult:
        raise AssertionError("asked twice")

    first = threading.Thread(target=lambda: results.append(shared(("q",), slow)))
    first.start()
    assert asking.wait(10)
    second = threading.Thread(target=lambda: results.append(shared(("q",), never)))
    second.start()
    answered.set()
    first.join()
    second.join()
    assert results == [ProbeResult(Probe.ACCEPTED)] * 2 and asked == ["slow"]


@pytest.mark.parametrize("left", ["", "{", "[]", '{"probe": "perhaps", "why": ""}'])
def test_a_half_written_file_is_asked_again(folder: Path, left: str) -> None:
    """A process that was killed while it wrote spoils nothing."""
    shared(("q",), lambda: ProbeResult(Probe.ACCEPTED))
    (file,) = folder.iterdir()
    file.write_text(left)
    assert shared(("q",), lambda: ProbeResult(Probe.WRONG_SECRET)).probe is Probe.WRONG_SECRET


def test_without_the_folder_each_process_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary deployment shares nothing, and a folder that is gone is no error."""
    monkeypatch.delenv(FOLDER, raising=False)
    assert shared(("q",), lambda: ProbeResult(Probe.ACCEPTED)).probe is Probe.ACCEPTED
    monkeypatch.setenv(FOLDER, str(tmp_path / "gone"))
    assert shared(("q",), lambda: ProbeResult(Probe.WRONG_SECRET)).probe is Probe.WRONG_SECRET

"""Every fault at every call of a link test, and a kill at every call of a real one: no company is left unless it is named.

The calls are not listed by hand: a run without a fault is the list. A later run finds what is left, and deletes it.
"""

from __future__ import annotations

import functools
import io
import os
import pty
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from codat_zoho.core.linking import is_test
from codat_zoho.link.run import SECONDS
from codat_zoho.remote.codat import OPERATION_SECONDS
from codat_zoho.simulator import Simulator
from codat_zoho.simulator.messages import Request
from codat_zoho.simulator.server import App, Response
from tests.faults.catalogue import FAULTS
from tests.faults.gate import PATIENCE, When, gated
from tests.faults.network import Call, Fault, Mode, Strike
from tests.link_stage import Stage, link_tests
from tests.support import API_KEY, ID, SECRET, forget_secrets, keys

SAMPLE_OF = 20
"""One case in so many is collected always; all are with ``--matrix``, as in ``make test-faults``."""
_IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TODO = re.compile(r"\b([Rr]un|Check|Copy|Ask|Delete|Wait|Test again)\b")


def _simulator() -> Simulator:
    simulator = Simulator()
    simulator.add_codat_client(API_KEY, enabled=True, keys=keys())
    simulator.add_zoho_client(ID, SECRET)
    return simulator


def _run(stage: Stage) -> tuple[int, str]:
    """A person links at the first wait, and data comes."""
    stage.person = True
    code, _, said = stage.run("--data", "--wait", "60s")
    return code, said


def _place(call: Call) -> str:
    """A call without the ids that each run makes anew."""
    return _IDS.sub("ID", call.place.partition("?")[0])


@functools.cache
def calls() -> tuple[tuple[str, int], ...]:
    """The calls of a run without a fault: where, and which one there."""

    class NoCapture:
        def readouterr(self) -> Any:
            return type("Said", (), {"out": "", "err": ""})

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), pytest.MonkeyPatch.context() as patch:
        stage = Stage(_simulator(), patch, NoCapture())  # type: ignore[arg-type]
        code, _ = _run(stage)
        assert code == 0
        forget_secrets()
        return tuple((_place(call), call.nth) for call in stage.network.calls)


class _Anywhere(Strike):
    """A strike at a call whose ids are not known beforehand."""

    def hits(self, call: Call) -> bool:
        return super().hits(Call(_place(call), call.nth))


def cases(whole: bool) -> Iterator[Any]:
    """All cases of the fault matrix, or the fixed sample."""
    for place, nth in sorted(calls()):  # Some go out together, in any order.
        for fault in FAULTS:
            if fault.name.startswith(("the old value", "a third value")):
                continue  # What was written is read back by nobody here.
            for mode in fault.modes:
                name = f"{place} #{nth} | {fault.name} | {mode}"
                if whole or zlib.crc32(name.encode()) % SAMPLE_OF == 0:
                    yield pytest.param(place, nth, fault, mode, id=name)


SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def kills(whole: bool) -> Iterator[Any]:
    """All cases of the kill matrix, or the fixed sample; a signal at each write always."""
    for place, nth in sorted(calls()):  # Some go out together, in any order.
        writes = not place.startswith("GET")
        whens: tuple[When, ...] = ("before", "after") if writes else ("before",)
        for when in whens:
            for sent in SIGNALS:
                name = f"{place} #{nth} | {when} | {sent.name}"
                if whole or (writes and sent is signal.SIGKILL) or zlib.crc32(name.encode()) % SAMPLE_OF == 0:
                    yield pytest.param(place, nth, when, sent, id=name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the cases only when they are collected."""
    whole = metafunc.config.getoption("matrix")
    if metafunc.function is test_fault:
        metafunc.parametrize(("place", "nth", "fault", "mode"), [*cases(whole)])
    elif metafunc.function is test_kill:
        metafunc.parametrize(("place", "nth", "when", "sent"), [*kills(whole)])


def test_the_calls_of_a_run() -> None:
    """Looks first, then creates, watches and deletes; each of it once, but for the looks."""
    found = [place for place, _ in calls()]
    assert [place for place in found if not place.startswith("GET")] == [
        "POST /codat/companies",
        "POST /codat/companies/ID/connections",
        "DELETE /codat/companies/ID",
    ]
    assert found.index("GET /codat/companies") < found.index("POST /codat/companies")


@pytest.mark.slow
def test_fault(
    place: str, nth: int, fault: Fault, mode: Mode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One clear line or success; what is left is named with its id where that is known; the next run deletes it."""
    stage = Stage(_simulator(), monkeypatch, capsys)
    stage.network.strike = _Anywhere(fault, Call(place, nth), mode)
    code, said = _run(stage)
    assert stage.network.struck, "the fault struck nothing"
    assert not stage.network.elsewhere, "a redirect was followed"
    assert "Traceback" not in said and SECRET not in said
    assert stage.clock.time <= 2 * 60 + 2 * OPERATION_SECONDS + 8 * SECONDS, "it went on for ever"
    for left in stage.tests:
        lines = [line for line in said.splitlines() if f"'{left.name}'" in line and " left in the Codat Portal" in line]
        assert lines, f"left without a word: {left.name}"
        assert place == "POST /codat/companies" or left.id in lines[0]
    assert not stage.tests or code in (1, 3)
    if code:
        assert _TODO.search(said.splitlines()[-1]) or " left in the Codat Portal" in said, said
    elif fault.heals:
        assert "Linked: " in said
    stage.network.mend()
    stage.answers = {"Delete": True}
    code, _, said = stage.run("--data", "--wait", "60s", yes=False)
    assert code == 0 and not stage.tests, said


# --- killed ------------------------------------------------------------------------------------------------------------

_QUICK = "import time; nap = time.sleep; time.sleep = lambda s: nap(s / 50); from codat_zoho.cli import main; "
"""Waits are shorter, and all else is a real process."""


@pytest.mark.slow
def test_kill(
    place: str,
    nth: int,
    when: When,
    sent: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed outright, the company is named beforehand; otherwise it is deleted. The next run deletes what is left."""
    simulator = _simulator()
    with gated(simulator) as (base, gate):
        gate.holds, gate.when = (place, nth), when
        gate.named = lambda asked: _IDS.sub("ID", asked)
        gate.drops = sent is signal.SIGKILL
        gate.app = partial(_answer_and_consent, simulator, gate.app)
        code, said = _killed(base, gate, tmp_path, sent)
    assert SECRET not in said and API_KEY not in said and "Traceback" not in said
    left = [one for one in simulator.codat[API_KEY].companies.values() if is_test(one.name)]
    before = place == "POST /codat/companies" or not said.count("Creating")
    if sent is signal.SIGKILL:
        assert code == -sent and (not left or f"Creating '{left[0].name}'" in said)
        assert before or left or place.startswith("DELETE")
    else:
        assert not left and code == 130, said
    stage = Stage(simulator, monkeypatch, capsys)
    stage.answers = {"Delete": True}
    stage.person = True
    code, _, said = stage.run("--wait", "60s", yes=False)
    assert code == 0 and not stage.tests and said.count("Deleted: ") == len(left)


@pytest.mark.slow
def test_the_terminal_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it waits: the link was shown there and nowhere else, and the company is deleted all the same."""
    simulator = _simulator()
    with gated(simulator) as (base, gate):
        gate.holds, gate.when = ("GET /codat/companies/ID/connections/ID", 1), "after"
        gate.named = lambda asked: _IDS.sub("ID", asked)
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setenv("CODAT_URL", f"{base}/codat")
        monkeypatch.setenv("CODAT_API_KEY", API_KEY)
        terminal, inside = pty.openpty()
        # Its session has no terminal yet, and takes this one.
        takes = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        running = subprocess.Popen(
            [sys.executable, "-c", f"{takes}{_QUICK}raise SystemExit(main(['test-link', '--yes']))"],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        shown = b""
        while b"/start" not in shown:
            shown += os.read(terminal, 65536)
        assert gate.reached.wait(PATIENCE)
        os.close(terminal)
        gate.released.set()
        assert running.wait(PATIENCE) == 130
    assert not [one for one in simulator.codat[API_KEY].companies.values() if is_test(one.name)]


def _answer_and_consent(simulator: Simulator, app: App, request: Request) -> Response:
    """Somebody links as soon as there is something to link."""
    answer = app(request)
    link_tests(simulator)
    return answer


def _killed(base: str, gate: Any, folder: Path, sent: signal.Signals) -> tuple[int, str]:
    """Run the command until it is at the gate, send the signal, and let it go on."""
    arguments = ["test-link", "--yes", "--data", "--link-file", str(folder / "link")]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"CODAT_API_KEY": API_KEY, "CODAT_URL": f"{base}/codat"}
    running = subprocess.Popen(
        [sys.executable, "-c", f"{_QUICK}raise SystemExit(main({arguments!r}))"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    assert running.stdout
    reader = Thread(target=lambda: said.append(running.stdout.read()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    assert gate.reached.wait(PATIENCE), "it never came to this call"
    running.send_signal(sent)
    if sent is signal.SIGKILL:
        running.wait(PATIENCE)
    gate.released.set()
    code = running.wait(PATIENCE)
    reader.join(PATIENCE)
    running.stdout.close()
    return code, said[0]

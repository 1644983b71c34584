"""``codat-zoho contract`` reports exactly how a Codat behaves, puts back what it found, and says what it could not."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from codat_zoho.cli import main
from codat_zoho.contract.observe import ASSUMPTIONS, SCHEMA, Client, Keys, Table, read
from codat_zoho.contract.trial import refuse, write
from codat_zoho.errors import ConfigurationError, PlanBlocked
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.simulator import Fault, Simulator, Switches, serve
from codat_zoho.simulator.command import observed
from tests.faults.gate import PATIENCE, Gate, gated
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, UNKNOWN_SWITCHES, Clock, InProcess, keys

CHOICES = UNKNOWN_SWITCHES | {"writes_offered": (True, False)}
LOOKS = {"client_told": (True, False), "keys_shown": (True, False)}
"""Switches that one look tells."""
LOCAL = "http://127.0.0.1/codat"
KEYS, SWITCH = "/codat/integrations/credentials/rwuv", "/codat/integrations/rwuv/enabled"
WRITE = ("contract", "--write", "--i-know-this-is-a-test-client")


def _client(simulator: Simulator) -> Client:
    clock = Clock()
    http = Http(record=True, transport=InProcess(simulator), clock=clock, sleep=clock.sleep, jitter=lambda: 1.0)
    return Client(http, Environment({"apiKey": API_KEY, "codatUrl": LOCAL}), "default")


def _table(simulator: Simulator, real: Keys | None) -> tuple[Table, list[str]]:
    client, table = _client(simulator), Table()
    return table, write(client, table, read(client, table), real, lambda text: None)


@pytest.mark.slow
@pytest.mark.parametrize("stored", [False, True])
def test_every_combination_of_switches_is_reported_and_restored(stored: bool) -> None:
    """What is seen is exactly the simulator's switches, all of them where writing is offered; then all is as before."""
    for values in itertools.product(*CHOICES.values()):
        wanted: dict[str, Any] = dict(zip(CHOICES, values, strict=True))
        for enabled in (True, False):
            simulator = Simulator(Switches(**wanted))
            client = simulator.add_codat_client(API_KEY, enabled=enabled, keys=keys() if stored else {})
            table, problems = _table(simulator, Keys(ID, SECRET) if stored else None)
            seen = {row.name: row.seen for row in table.rows() if row.name in CHOICES and row.seen is not None}
            assert seen == {name: wanted[name] for name in seen}
            assert not wanted["writes_offered"] or set(seen) == set(CHOICES)
            # Disabled with keys cannot be reached where saving enables and disabling deletes: that has to be said.
            impossible = not (wanted["saving_keeps_enabled"] or wanted["disabling_keeps_keys"])
            if wanted["writes_offered"] and stored and not enabled and impossible:
                assert "Left to do in the Codat Portal" in problems[-1]
                continue
            assert not problems, wanted
            assert client.integration.enabled == enabled
            assert client.integration.keys == (keys() if stored else {})


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("shown", [True, False])
def test_what_one_look_tells(told: bool, shown: bool) -> None:
    """Whether Codat says whose an API key is, and offers reading the keys; without that nothing is written."""
    simulator = Simulator(Switches(client_told=told, keys_shown=shown))
    simulator.add_codat_client(API_KEY, keys=keys())
    client, table = _client(simulator), Table()
    actual = read(client, table)
    assert {name: table.seen.get(name) for name in LOOKS} == {"client_told": told, "keys_shown": shown}
    assert (table.seen.get("mask") is None) == (not shown)
    if not shown:
        with pytest.raises(PlanBlocked, match="Whether keys are stored cannot be told"):
            refuse(actual, 0, Keys(ID, SECRET))


def test_the_file_makes_the_simulator_behave_alike(tmp_path: Path) -> None:
    """A result written to a file and loaded again gives the switches that were observed."""
    wanted = Switches("204", "merge", False, False, False, "opaque", False, writes_offered=True)
    simulator = Simulator(wanted)
    simulator.add_codat_client(API_KEY)
    table, _ = _table(simulator, None)
    file = tmp_path / "contract.json"
    file.write_text(json.dumps(table.content()))
    assert asdict(observed(file)) == asdict(wanted)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"codat-zoho-contract": 1}', '{"codat-zoho-contract": 1, "assumptions": [{"name": "x"}]}']
)
def test_what_is_no_result_is_refused(text: str, tmp_path: Path) -> None:
    """Another file gives one line that names it, not a traceback."""
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"other\.json cannot be read"):
        observed(file)


def test_what_cannot_be_imitated_is_refused(tmp_path: Path) -> None:
    """A value that is no switch position is named, never ignored."""
    file = tmp_path / "contract.json"
    file.write_text(json.dumps({"codat-zoho-contract": 1, "assumptions": [{"name": "mask", "seen": "another"}]}))
    with pytest.raises(ConfigurationError, match="which the simulator cannot imitate"):
        observed(file)


def test_every_switch_has_its_row() -> None:
    """A new switch of the simulator needs an assumption with the same default, and values that a file can carry.

    Those of linking have none: `contract` links no company.
    """
    links = {"connection_needs_enabled", "one_time_links", "link_lifetime", "link_renewed", "failed_link"}
    switches = asdict(Switches())
    for name in links | {"failed_link_error", "no_data", "data_arrives"}:
        del switches[name]
    assert {**CHOICES, **LOOKS, **ZOHO}.keys() == switches.keys()
    assert {name: ASSUMPTIONS[name].assumed for name in switches} == switches


def test_the_shape_is_told_by_names_alone() -> None:
    """Fields that are missing or unknown are named, their values never; what is no name is not quoted."""
    body = {"key": "rwuv", "name": "Zoho Books", "enabled": True, "clientRef": "tenant-77", "s3cr3t here": 1}

    def odd(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={} if "credentials" in request.url.path else body)

    client = Client(
        Http(record=True, transport=httpx.MockTransport(odd)),
        Environment({"apiKey": API_KEY, "codatUrl": LOCAL}),
        "default",
    )
    table = Table()
    read(client, table)
    assert (table.seen.get("required_fields"), table.seen.get("unknown_fields")) == (False, "clientRef, (not a name)")
    told = json.dumps(table.content())
    assert "tenant-77" not in told and "s3cr3t" not in told


@pytest.mark.parametrize("late", [1, 3])
def test_a_late_read_is_no_behaviour(late: int) -> None:
    """A Codat that shows writes only some looks later is reported like one that shows them at once."""
    simulator = Simulator()
    client = simulator.add_codat_client(API_KEY, enabled=True)
    lagging = _client(simulator)
    looks = lagging.look
    shown: list[Any] = []

    def look() -> Any:
        shown.append(looks())
        return shown[max(0, len(shown) - 1 - late)]

    lagging.look = look  # type: ignore[method-assign]
    table = Table()
    assert write(lagging, table, read(lagging, table), None, lambda text: None) == []
    seen = {row.name: row.seen for row in table.rows() if row.name in CHOICES and row.seen is not None}
    assert seen == {name: asdict(Switches())[name] for name in CHOICES}
    assert client.integration.enabled and not client.integration.keys


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator behind a socket, found through the environment; nothing is asked twice."""
    monkeypatch.setattr("codat_zoho.remote.http.ATTEMPTS", 1)
    with serve(simulator) as base:
        monkeypatch.setenv("CODAT_URL", f"{base}/codat")
        monkeypatch.setenv("ZOHO_URL", f"{base}/zoho")
        monkeypatch.setenv("CODAT_API_KEY", API_KEY)
        yield simulator


def _holds(monkeypatch: pytest.MonkeyPatch, client_id: str = ID, secret: str = SECRET) -> None:
    monkeypatch.setenv("ZOHO_CLIENT_ID", client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", secret)


def test_by_default_it_reads_only(served: Simulator, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No write, no probe; the table says what only writing can tell; the JSON file has neither ids nor secrets."""
    served.codat[API_KEY].integration.keys = keys()
    file = tmp_path / "contract.json"
    assert main(["contract", "--output", str(file)]) == 0
    said = capsys.readouterr()
    assert not served.writes and not served.probes
    assert re.search(r"(?m)^observed +mask +last4 +last4$", said.out)
    assert "only writing can tell (--write)" in said.out
    text = said.out + said.err + file.read_text()
    for hidden in (API_KEY, SECRET, ID, ID[-4:], SECRET[-4:], served.codat[API_KEY].integration.integration_id):
        assert hidden not in text
    assert main(["contract", "--output", str(file)]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err


def test_reading_ends_with_one_deadline(
    served: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All calls together have it, whatever each may take."""
    monkeypatch.setattr("codat_zoho.contract.command.SECONDS", 0.0)
    assert main(["contract"]) == 1
    assert "the 0 s for the whole operation are used up" in capsys.readouterr().err


def test_the_table_has_columns(served: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """No name is so long that it runs into the next column."""
    assert main(["contract"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    starts = [lines[0].index(head) for head in ("result", "assumption", "assumed", "seen")]
    for line in lines:
        assert all(line[at] != " " and (at == 0 or line[at - 2 : at] == "  ") for at in starts), line


def test_the_file_is_as_its_schema_says(served: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON result satisfies the schema that is shipped."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    assert main(["contract", "--format", "json"]) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("flag", ["--write", "--i-know-this-is-a-test-client"])
def test_writing_takes_both_flags(flag: str, served: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """One flag alone writes nothing."""
    assert main(["contract", flag]) == 1
    assert "Give both" in capsys.readouterr().err
    assert not served.calls


def test_writing_is_refused_where_keys_could_not_be_put_back(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown, wrong, or further keys are never risked."""
    integration = served.codat[API_KEY].integration
    integration.keys = keys()
    assert main([*WRITE]) == 1 and "could not be put back" in capsys.readouterr().err
    _holds(monkeypatch, OTHER_ID)
    assert main([*WRITE]) == 1 and "The given client id is not the stored one" in capsys.readouterr().err
    _holds(monkeypatch, ID, OTHER_SECRET)
    assert main([*WRITE]) == 1 and "The given client secret is not the stored one" in capsys.readouterr().err
    _holds(monkeypatch)
    integration.keys = keys() | {"environment": "live"}
    assert main([*WRITE]) == 1 and "values cannot be read back" in capsys.readouterr().err
    assert not served.writes


@pytest.mark.parametrize("counted", [True, False])
def test_writing_is_refused_where_companies_are_linked(
    counted: bool, served: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A client with linked companies is no test client, also where they must be counted."""
    served.switches.linked_count = counted
    served.codat[API_KEY].linked = 1
    assert main([*WRITE]) == 1
    assert "1 company is linked" in capsys.readouterr().err
    assert not served.writes


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("skip", range(9))
def test_a_dropped_connection_is_restored(
    skip: int, answered: bool, served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut at any write, before or after it took effect: what was found is put back, and the stop is said."""
    _holds(monkeypatch)
    integration = served.codat[API_KEY].integration
    integration.enabled, integration.keys = True, keys()
    for method in ("PUT", "DELETE"):
        skipped = skip if method == "PUT" else 0
        if method == "PUT" or skip == 0:
            served.fail(Fault(method=method, drop=True, after=answered, skip=skipped))
    code = main([*WRITE])
    said = capsys.readouterr()
    assert integration.enabled and integration.keys == keys()
    cut = any(call.status == 0 for call in served.writes)
    # A cut while putting it back is made good by the second try, and is then nothing to report.
    assert not cut or code == 0 or "The trial stopped half-way" in said.err
    assert "It is as it was found." in said.err
    assert SECRET not in said.out + said.err and API_KEY not in said.out + said.err


def test_what_cannot_be_restored_is_said(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Codat goes away for good in the middle: exit 1, and the words say how it was found."""
    _holds(monkeypatch)
    integration = served.codat[API_KEY].integration
    integration.enabled, integration.keys = True, keys()
    served.fail(Fault(method="PUT", drop=True, skip=2, times=-1))
    assert main([*WRITE]) == 1
    said = capsys.readouterr().err
    assert "The trial stopped half-way" in said
    assert "it was enabled, with the keys that were given stored" in said
    assert SECRET not in said


def test_ctrl_c_restores_too(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interrupted in the middle, it puts back what it found, then ends with 130."""
    integration = served.codat[API_KEY].integration
    integration.enabled = True

    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "save", interrupted)
    assert main([*WRITE]) == 130
    assert integration.enabled and not integration.keys
    assert "It is as it was found." in capsys.readouterr().err


COMMAND = [sys.executable, "-u", "-m", "codat_zoho", *WRITE]
CALLS = [f"PUT {SWITCH}"] * 2 + [f"PUT {KEYS}"] + [f"PUT {SWITCH}"] * 2 + [f"PUT {KEYS}"] + [f"DELETE {KEYS}"] * 2
CALLS += [f"PUT {KEYS}", f"PUT {SWITCH}"]
"""The writes of a whole trial with keys stored, the putting back included."""


@contextmanager
def _child(served: Simulator, **how: Any) -> Iterator[tuple[subprocess.Popen[str], Gate]]:
    """A trial in a process of its own, behind a gate; enabled and with keys stored."""
    integration = served.codat[API_KEY].integration
    integration.enabled, integration.keys = True, keys()
    with gated(served) as (base, gate):
        environment = {**os.environ, "CODAT_URL": f"{base}/codat", "ZOHO_CLIENT_ID": ID, "ZOHO_CLIENT_SECRET": SECRET}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        with subprocess.Popen(COMMAND, env=environment, text=True, **pipes) as child:
            try:
                yield child, gate
            finally:
                child.kill()


def _write(place: int) -> tuple[str, int]:
    """The write at this place of a whole trial, as a gate takes it."""
    return CALLS[place], CALLS[: place + 1].count(CALLS[place])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("place", range(len(CALLS)))
def test_a_signal_at_any_write_restores(place: int, number: signal.Signals, served: Simulator) -> None:
    """Stopped twice while any write is under way, putting back included: that call ends, all is put back, exit 130."""
    with _child(served) as (child, gate):
        gate.holds = _write(place)
        assert gate.reached.wait(PATIENCE)
        for _ in range(2):
            child.send_signal(number)
        gate.released.set()
        said = child.communicate(timeout=PATIENCE)[1]
        assert child.returncode == 130, said
    assert "It is as it was found." in said and "Traceback" not in said
    integration = served.codat[API_KEY].integration
    assert integration.enabled and integration.keys == keys()
    if place < 7:
        assert len(served.writes) <= place + 3  # No further step was tried.


@pytest.mark.parametrize("gone", ["stdout", "stderr"])
def test_a_reader_that_goes_away_leaves_nothing_undone(gone: str, served: Simulator) -> None:
    """With ``| head``, or ``2>&1 | head``, all is put back; who still reads stderr is told what is left to do."""
    with _child(served) as (child, gate):
        gate.holds = _write(0)
        assert gate.reached.wait(PATIENCE)
        getattr(child, gone).close()
        gate.released.set()
        child.wait(PATIENCE)
        assert child.returncode == (1 if gone == "stdout" else 0)
        if gone == "stdout":
            assert child.stderr is not None and "It is as it was found." in child.stderr.read()
    integration = served.codat[API_KEY].integration
    assert integration.enabled and integration.keys == keys()


def test_what_is_left_to_do_is_said_before_the_table(served: Simulator) -> None:
    """Codat goes away for good, and then the reader of the table: stderr says how it was found."""
    with _child(served) as (child, gate):
        gate.holds = _write(2)
        assert gate.reached.wait(PATIENCE)
        assert child.stdout is not None and child.stderr is not None
        child.stdout.close()
        served.fail(Fault(method="PUT", status=400, times=-1))
        gate.released.set()
        said = child.stderr.read()
        assert child.wait(PATIENCE) == 1
    assert "it was enabled, with the keys that were given stored" in said


def test_the_output_is_tried_before_anything_is_written(
    served: Simulator, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A folder that is missing is one line, and nothing was sent; a good one is left without an empty file."""
    file = tmp_path / "missing" / "contract.json"
    assert main([*WRITE, "--output", str(file)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "contract.json cannot be written: No such file or directory" in said
    assert "bug" not in said and not served.calls
    served.codat[API_KEY].linked = 1
    assert main([*WRITE, "--output", str(tmp_path / "contract.json")]) == 1
    assert not list(tmp_path.iterdir())


def test_an_output_that_fails_in_the_end_loses_nothing(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device that is full in the end is one line and exit 1, and the table is printed all the same."""
    monkeypatch.setattr("codat_zoho.contract.command.refuse_unwritable", lambda *_: None)
    assert main(["contract", "--output", "/dev/full/contract.json"]) == 1
    said = capsys.readouterr()
    assert "cannot be written" in said.err and "mask" in said.out


THROTTLED = b'{"status": "failure", "error": "Access Denied", "error_description": "Zu viele Anfragen"}'


def _zoho_rows(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    rows = json.loads(capsys.readouterr().out)["assumptions"]
    return {row["name"]: row for row in rows if row["name"].startswith("zoho")}


def test_zoho_answers_as_assumed(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four requests tell the order of Zoho's checks and all its answers."""
    _holds(monkeypatch)
    served.zoho[ID].enabled.discard("uk")
    assert main(["contract", "--zoho", "us", "--disabled-in", "uk", "--format", "json"]) == 0
    shown = capsys.readouterr().out
    rows = [row for row in json.loads(shown)["assumptions"] if row["name"].startswith("zoho")]
    assert {row["result"] for row in rows} == {"observed"}
    assert len(served.probes) == 4
    assert "invalid_code" not in shown, "what Zoho calls an accepted client reads like a refusal"


ZOHO = {
    "zoho_client_before_token": (True, False),
    "zoho_wrong_secret": ("invalid_client_secret", "invalid_client"),
    "zoho_disabled": ("invalid_client", "invalid_client_secret"),
}


@pytest.mark.parametrize("values", list(itertools.product(*ZOHO.values())))
def test_every_zoho_is_told_apart(
    values: tuple[Any, ...],
    served: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """What is seen of Zoho is exactly its switches, and the file carries them to the next simulator.

    Where it looks at the token first, one request tells so, and no answer is taken for one about the client.
    """
    _holds(monkeypatch)
    wanted = dict(zip(ZOHO, values, strict=True))
    for name, value in wanted.items():
        setattr(served.switches, name, value)
    served.zoho[ID].enabled.discard("uk")
    file = tmp_path / "contract.json"
    arguments = ["contract", "--zoho", "us", "--disabled-in", "uk", "--output", str(file), "--format", "json"]
    assert main(arguments) == 0
    seen = {name: row["seen"] for name, row in _zoho_rows(capsys).items() if name in ZOHO and row["seen"] is not None}
    first = wanted["zoho_client_before_token"]
    assert seen == (wanted if first else {"zoho_client_before_token": False})
    assert len(served.probes) == (4 if first else 1)
    assert {name: value for name, value in asdict(observed(file)).items() if name in seen} == seen


@pytest.mark.parametrize("questions", [1, 2, 3, 4])
def test_zoho_is_not_asked_again_after_a_throttle(
    questions: int, served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Repeating extends a lockout: the first throttle ends it, and the rest was not observed for that reason."""
    _holds(monkeypatch)
    served.fail(Fault(path="/zoho", body=THROTTLED, skip=questions - 1, times=-1))
    assert main(["contract", "--zoho", "us", "--disabled-in", "uk", "--format", "json"]) == 0
    assert len(served.probes) == questions
    last = _zoho_rows(capsys)["zoho_disabled"]
    assert (last["seen"], last["why"]) == (None, "Zoho throttled before it was asked")


def test_zoho_is_asked_once_without_the_real_keys(served: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The order of its checks needs no secret; the rest says what was not given."""
    assert main(["contract", "--zoho", "us", "--format", "json"]) == 0
    rows = _zoho_rows(capsys)
    assert len(served.probes) == 1 and rows["zoho_client_before_token"]["result"] == "observed"
    assert "ZOHO_CLIENT_SECRET" in rows["zoho_accepted"]["why"]


def test_simulate_takes_a_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``simulate --contract`` refuses what is no result with one line and exit 1."""
    assert main(["simulate", "--port", "0", "--contract", str(tmp_path / "missing.json")]) == 1
    assert "missing.json cannot be read" in capsys.readouterr().err

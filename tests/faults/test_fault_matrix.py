"""The fault matrix: every operation, times every call that it makes, times every fault, times how long it lasts.

The calls are not listed by hand: each operation runs once without a fault, and its request log is the list. The cases
are made when they are collected: a fixed sample of them, or all with `--matrix`. After each
case something is said clearly or nothing went wrong, nobody who is linked was cut off, and with the fault gone the next
run finishes and the one after that sends nothing.
"""

from __future__ import annotations

import base64
import functools
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from codat_zoho import errors
from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.codat import OPERATION_SECONDS
from codat_zoho.remote.zoho import PROBE_SECONDS
from codat_zoho.simulator import Simulator
from tests.faults.catalogue import FAULTS
from tests.faults.network import INTEGRATION, KEYS, Call, Fault, Mode, Network, Strike
from tests.faults.operations import OPERATIONS, Operation, Stage
from tests.ladder import World
from tests.mini_engine import Failed
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET

SECRETS = (SECRET, OTHER_SECRET, API_KEY, base64.b64encode(API_KEY.encode()).decode().rstrip("="))
SAMPLE_OF = 24
"""One case in so many is collected always; all are with ``--matrix``, as in ``make test-faults``."""
_BELIEVED = (f"GET {INTEGRATION}", f"GET {KEYS}")
"""Where a 404 in Codat's own words says that nothing is there, as documented for both."""
_CLASSES = set(errors.__all__) - {"CodatZohoError", "RemoteError"}
_TODO = re.compile(r"\b([Rr]un|Check|Copy|Ask|Give|Set|In the Codat Portal|[Ll]ook|find out|set)\b")
_LONGEST = 3 * OPERATION_SECONDS + 6 * PROBE_SECONDS
"""Seconds: a refresh and an update, and three data centres asked twice; nothing goes on for ever."""


@contextmanager
def staged(operation: Operation) -> Iterator[tuple[Stage, Network]]:
    """Build the world of an operation, up to where it begins."""
    simulator = Simulator(type(operation.switches)(**vars(operation.switches)))
    simulator.add_codat_client(API_KEY)
    simulator.codat[API_KEY].integration.integration_id = "00000000-0000-0000-0000-000000000007"
    simulator.add_zoho_client(ID, SECRET)
    network = Network(simulator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODAT_API_KEY", API_KEY)
        patch.setenv("CODAT_URL", "http://127.0.0.1/codat")
        patch.setenv("ZOHO_URL", "http://127.0.0.1/zoho")
        patch.setenv("ZOHO_CLIENT_SECRET", SECRET)
        CONTEXT.__init__(network.http())  # type: ignore[misc]
        stage = Stage(World(simulator))
        network.watch = stage.remote
        operation.before(stage)
        stage.engine.wire.renew()
        network.mend()
        network.states = [stage.remote()]
        simulator.forget_calls()
        try:
            yield stage, network
        finally:
            CONTEXT.__init__()  # type: ignore[misc]


@dataclass
class Plain:
    """How an operation goes when nothing fails."""

    calls: list[Call]
    states: list[Any]
    """What Codat held on the way."""
    inputs: dict[str, Any]
    found: Any
    failed: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    refreshed: dict[str, Any] = field(default_factory=dict)
    """What state holds when only the refresh of the operation was done."""


def plainly(operation: Operation) -> Plain:
    with staged(operation) as (stage, _):
        stage.engine.refresh()
        refreshed = stage.program()
    with staged(operation) as (stage, network):
        before = stage.program()
        failed = attempt(operation, stage)
        assert bool(failed) == bool(operation.refused), f"{operation.name}: {failed}"
        assert re.search(operation.refused, failed), failed
        states = [*network.states, stage.remote()]
        return Plain(list(network.calls), states, stage.program(), stage.found, failed, before, refreshed)


def attempt(operation: Operation, stage: Stage) -> str:
    """Run it; return how it failed, or nothing."""
    try:
        operation.run(stage)
    except Failed as failure:
        return str(failure)
    return ""


@functools.cache
def plain_runs() -> dict[str, Plain]:
    """Every operation without a fault, by its name."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return {operation.name: plainly(operation) for operation in OPERATIONS}


def cases(whole: bool) -> Iterator[Any]:
    """All cases of the matrix, or the fixed sample."""
    for operation in OPERATIONS:
        for call in sorted(plain_runs()[operation.name].calls, key=lambda one: (one.place, one.nth)):
            for fault in FAULTS:
                if fault.at == "write" and not call.writes:
                    continue
                for mode in fault.modes:
                    name = f"{operation.name} | {call.place.partition('?')[0]} #{call.nth} | {fault.name} | {mode}"
                    if whole or zlib.crc32(name.encode()) % SAMPLE_OF == 0:
                        yield pytest.param(operation, call, fault, mode, id=name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make the cases only when they are collected."""
    if metafunc.function is test_fault:
        arguments = ("operation", "call", "fault", "mode")
        metafunc.parametrize(arguments, [*cases(whole=metafunc.config.getoption("matrix"))])


@pytest.mark.slow
def test_fault(operation: Operation, call: Call, fault: Fault, mode: Mode, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost, nobody is cut off, one clear line or success, and the next run finishes."""
    plain = plain_runs()[operation.name]
    with staged(operation) as (stage, network):
        began = network.clock.time
        network.strike = Strike(fault, call, mode)
        failed = attempt(operation, stage)
        assert network.struck, "the fault struck nothing"
        assert network.clock.time - began <= _LONGEST, "it went on for ever"
        is_clear(failed, "".join(capsys.readouterr()))
        is_safe(operation, stage, plain)
        told = fault.name == "404" and any(one.place in _BELIEVED for one in network.struck)
        unseen = fault.name == "empty body" and operation.switches.mask == "opaque"
        if not told and not unseen:
            is_consistent(operation, stage, plain, failed)
        if heals(fault, mode, call, plain):
            assert failed == plain.failed, "repeating gets over it"
        assert not network.elsewhere, "a redirect was followed"

        network.mend()
        if told:
            recovers(operation, stage)
        else:
            finishes(operation, stage, plain, unseen)
        sends_nothing_more(operation, stage)
        assert not network.elsewhere
        for text in "".join(capsys.readouterr()), str(stage.found):
            assert not [secret for secret in SECRETS if secret in text], "a secret was printed"


def heals(fault: Fault, mode: Mode, call: Call, plain: Plain) -> bool:
    """Whether the operation must get over it: struck once at Codat, or wherever only Zoho is asked."""
    if call.probes:
        return mode != "everything" or all(one.probes for one in plain.calls[plain.calls.index(call) :])
    return fault.heals and (mode == "once" or fault.name in ("wrong content type", "packed"))


def is_clear(failed: str, said: str) -> None:
    """Nothing, or one line of a known class that says what to do; and no secret and no traceback anywhere."""
    for text in (failed, said):
        assert "Traceback" not in text and "InternalError" not in text, text
        assert not [secret for secret in SECRETS if secret in text], "a secret was printed"
        assert all(line.isprintable() for line in text.splitlines()), text
    if failed:
        assert "\n" not in failed and len(failed) < 900, failed
        name, _, text = failed.partition(": ")
        assert name in _CLASSES, failed
        assert _TODO.search(text), f"it does not say what to do: {failed}"


def is_safe(operation: Operation, stage: Stage, plain: Plain) -> None:
    """Codat is as a run without faults would have left it at some time, and nobody who is linked is cut off."""
    assert stage.remote() in plain.states, f"never meant to be: {stage.remote()}"
    client = stage.world.codat
    if client.linked and not stage.world.books.get("allow_disruption"):
        enabled, stored = plain.states[0]
        assert client.integration.enabled or not enabled, "linked companies were cut off"
        assert client.integration.keys.get("clientId") == stored.get("clientId"), "linked companies were cut off"


def is_consistent(operation: Operation, stage: Stage, plain: Plain, failed: str) -> None:
    """State holds nothing that is not so, and success means that all is done."""
    now = stage.program()
    if failed:
        for kind in {*now, *plain.before}:
            could_be = [plain.before.get(kind), plain.inputs.get(kind)]
            if operation.refreshes:
                could_be.append(plain.refreshed.get(kind))
            assert now.get(kind) in could_be, f"state of {kind}"
        return
    assert now == plain.inputs
    assert stage.remote() == plain.states[-1]
    if operation.looks:
        assert stage.found == plain.found, "drift that is none, or none where there is some"


def recovers(operation: Operation, stage: Stage) -> None:
    """Codat said, in its own words, that nothing is there, and was believed. The next run takes over what is there."""
    stage.engine.wire.renew()
    if operation.deletes:
        assert "books" not in stage.engine.state or not attempt(operation, stage)
    else:
        with suppress(Failed):
            stage.up()
        stage.engine.wire.renew()
        failed = attempt(operation, stage)
        assert not failed or operation.refused, f"the next run: {failed}"


def finishes(operation: Operation, stage: Stage, plain: Plain, unseen: bool) -> None:
    """The next run does what was left to do."""
    stage.engine.wire.renew()
    failed = attempt(operation, stage)
    assert bool(failed) == bool(operation.refused), f"the next run: {failed}"
    if unseen and stage.remote() != plain.states[-1]:
        told = stage.engine.state["books"].outputs["cannot_tell"]
        assert any("Codat hides the stored value completely" in line for line in told)
        return
    assert stage.remote() == plain.states[-1], "the next run did not finish"
    assert stage.program() == plain.inputs


def sends_nothing_more(operation: Operation, stage: Stage) -> None:
    """The run after the next sends no write, asks Zoho nothing, and changes nothing."""
    stage.engine.wire.renew()
    simulator, before = stage.world.simulator, stage.remote()
    simulator.forget_calls()
    failed = attempt(operation, stage)
    assert not failed or operation.refused, f"the run after the next: {failed}"
    assert not simulator.writes, "the run after the next sent a write"
    assert stage.remote() == before
    if not (operation.probes_again or operation.adopts):
        assert not simulator.probes, "the run after the next asked Zoho"

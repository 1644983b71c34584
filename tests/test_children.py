"""Commands that a run has started are ended with it, whoever is interrupted."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pytest_mock import MockerFixture

from codat_zoho.workspace.command import Children
from tests.mini_engine import PICKLED


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_who_waits_is_interrupted(interruption: type[BaseException], tmp_path: Path, mocker: MockerFixture) -> None:
    """The thread that waits for a command may be the one that gets the signal: the command is ended all the same."""
    os.mkfifo(tmp_path / "never written")
    started: list[subprocess.Popen[str]] = []
    popen = subprocess.Popen

    def remembered(*words: object, **options: object) -> subprocess.Popen[str]:
        started.append(popen(*words, **options))  # type: ignore[call-overload]
        mocker.patch.object(started[0], "communicate", side_effect=interruption)
        return started[0]

    mocker.patch("codat_zoho.workspace.command.subprocess.Popen", remembered)
    children = Children()
    with pytest.raises(interruption):
        children.run(["cat", "never written"], str(tmp_path), dict(os.environ), seconds=60, grace=60)
    assert started[0].poll() is None
    children.stop()
    assert started[0].poll() is not None
    for stream in (started[0].stdout, started[0].stderr):
        assert stream
        stream.close()


_BEHIND_A_SHELL = """
import subprocess, sys
words = ["sh", "-c", '"$0" -u -m pulumi.dynamic engine; exit', sys.executable]
provider = subprocess.Popen(words, stdout=subprocess.PIPE)
print(provider.stdout.readline().decode(), end="", flush=True)
provider.wait()
"""
_AT_ONCE = """
import subprocess, sys
subprocess.run([sys.executable, "-u", "-m", "pulumi.dynamic", "engine"])
"""


@pytest.mark.parametrize("engine", [_BEHIND_A_SHELL, _AT_ONCE], ids=["behind a shell", "at once"])
def test_a_provider_process_ends_with_its_engine(engine: str) -> None:
    """Killed, the engine ends nobody: its provider would wait for ever, or go on sending what nobody waits for.

    Who holds the pipe that they share lives: reading it ends when the last of them has ended.
    """
    listening, shared = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", engine], stdout=subprocess.PIPE, stderr=shared, start_new_session=True
    )
    os.close(shared)
    assert process.stdout
    try:
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest())
            declared = {"__provider": PICKLED["books"], "enabled": True}
            request = provider_pb2.CheckRequest(urn="books")
            request.news.update(declared)
            request.olds.update(declared)
            assert not stub.Check(request).failures
        process.kill()
        process.wait()
        with selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            assert selector.select(30), "the provider lives on"
        assert os.read(listening, 1) == b""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        os.close(listening)

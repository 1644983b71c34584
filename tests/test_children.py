"""Commands that a run has started are ended with it, whoever is interrupted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from codat_zoho.workspace.command import Children


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

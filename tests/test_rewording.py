"""No program reads a sentence of this package: reworded throughout, it decides the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.real_engine import ROOT

pytestmark = pytest.mark.slow


def _climbed(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.rewording", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def test_no_exit_code_and_no_finding_depends_on_wording(tmp_path: Path) -> None:
    """Every sentence of the package spelt backwards: the same is sent, found, and told by exit codes.

    What the reworded provider wrote to state is then checked by the drift command as it is, and the reverse.
    """
    plain, reworded = _climbed("plain"), _climbed("reworded")
    assert reworded["reworded"] > 300 and plain["reworded"] == 0
    for run, mode in ((reworded, "plain"), (plain, "reworded")):
        states = tmp_path / f"{mode}.json"
        states.write_text(json.dumps(run))
        mixed = _climbed(mode, str(states))
        assert [_decided(step) for step in mixed["steps"]] == [_decided(step) for step in plain["steps"]]
    assert [_decided(step) for step in reworded["steps"]] == [_decided(step) for step in plain["steps"]]
    said = {
        run["reworded"] > 0: "".join(state for step in run["steps"] for state in step["states"])
        for run in (plain, reworded)
    }
    assert "(ends in " in said[False] and "(ends in " not in said[True], "sentences do stand in states"


def _decided(step: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name != "states"}

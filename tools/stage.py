"""Runs an example on the real engine, against the simulator, for a picture of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from codat_zoho.testing import SimulatedCodat, simulated
from tools.engine import Engine


def plain(text: str) -> str:
    """The text without colours."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)


def without_times(text: str) -> str:
    """The text with dates and durations replaced, which differ in each run."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?UTC|Z)?", "<time>", text)
    return re.sub(r"\d+(\.\d+)? s\b", "<seconds>", text)


def normalised(text: str) -> str:
    """What a terminal shows, without colours, times, commits and spaces at the ends of lines."""
    text = re.sub(r"\([0-9a-f]{8}\)", "(<commit>)", without_times(plain(text)))
    return "\n".join(line.rstrip() for line in text.splitlines())


@dataclass
class Stage:
    """A copy of the example, what it runs with, and the simulated Codat and Zoho."""

    folder: Path
    environment: dict[str, str]
    codat: SimulatedCodat

    def pulumi(self, *words: str, typed: str = "") -> None:
        """Run a command of pulumi that must succeed."""
        command = ["pulumi", *words, "--non-interactive"]
        subprocess.run(
            command, cwd=self.folder, env=self.environment, input=typed, text=True, check=True, capture_output=True
        )


@contextmanager
def staged(engine: Engine, example: Path, name: str) -> Iterator[Stage]:
    """Copy an example to a folder of this name, and let it use this Python."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "CODAT_", "ZOHO_"))}
    with tempfile.TemporaryDirectory(prefix="codat-zoho-picture-") as place, simulated() as codat:
        folder, state = Path(place, name), Path(place, "state")
        state.mkdir()
        shutil.copytree(example, folder, ignore=shutil.ignore_patterns("__pycache__"))
        project = folder / "Pulumi.yaml"
        project.write_text(re.sub(r"virtualenv:.*", f"virtualenv: {sys.prefix}", project.read_text()))
        environment = engine.environment(kept, python=Path(sys.executable)) | {
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_HOME": str(Path(place, "home")),
            "PULUMI_CONFIG_PASSPHRASE": "only for this picture",
            **codat.environment,
        }
        yield Stage(folder, environment, codat)

"""Programs of n pairs of resources, ours and the floor's, deployed on the real engine against one simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codat_zoho.simulator import Simulator
from tests.support import ID, SECRET
from tools.engine import Engine

ROOT = Path(__file__).resolve().parent.parent
OURS = """\
import pulumi
import codat_zoho as cz

config = pulumi.Config()
pairs = config.require_int("pairs")
for n in range(1, pairs + 1):
    client = cz.ZohoClientCredentials(
        f"zoho-{n}", client_id=config.require("id"), client_secret=config.require_secret("secret"), regions=["eu", "us"]
    )
    cz.ZohoBooksIntegration(
        f"books-{n}",
        credentials=client,
        enabled=config.get_bool("enabled", True),
        connection=f"c{n}",
        allow_disruption=True,
    )
"""
FLOOR = """\
import pulumi
from bench.echo import SHAPE, First, Second

config = pulumi.Config()
more = SHAPE if pulumi.get_project() == "shaped" else {"First": {}, "Second": {}}
for n in range(1, config.require_int("pairs") + 1):
    id_, secret = config.require("id"), config.require_secret("secret")
    first = First(f"zoho-{n}", client_id=id_, client_secret=secret, regions=["eu", "us"], **more["First"])
    Second(
        f"books-{n}",
        first,
        client_id=id_,
        client_secret=secret,
        enabled=config.get_bool("enabled", True),
        connection=f"c{n}",
        allow_disruption=True,
        **more["Second"],
    )
"""
PROGRAMS = {"floor": FLOOR, "ours": OURS, "shaped": FLOOR}


@dataclass
class Place:
    """Both programs in a folder, one backend, one environment."""

    root: Path
    environment: dict[str, str]

    @classmethod
    def made(cls, root: Path, engine: Engine, base: str, simulator: Simulator, most: int) -> Place:
        """Write both projects; give the simulator ``most`` Codat clients."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CODAT_", "PULUMI_"))}
        environment = engine.environment(inherited, python=Path(sys.executable)) | {
            "PULUMI_BACKEND_URL": f"file://{root}/state",
            "PULUMI_HOME": f"{root}/home",
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase of no importance",
            "CODAT_URL": f"{base}/codat",
            "ZOHO_URL": f"{base}/zoho",
            "PYTHONPATH": str(ROOT),
        }
        simulator.daily_limit = simulator.minute_limit = 10_000_000
        simulator.add_zoho_client(ID, SECRET)
        for number in range(1, most + 1):
            environment[f"CODAT_API_KEY_C{number}"] = f"api-key-{number}"
            simulator.add_codat_client(f"api-key-{number}")
        (root / "state").mkdir(parents=True)
        for name, program in PROGRAMS.items():
            (root / name).mkdir()
            runtime = f"runtime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n"
            (root / name / "Pulumi.yaml").write_text(f"name: {name}\n{runtime}")
            (root / name / "__main__.py").write_text(program)
        return cls(root, environment)

    def run(self, project: str, pairs: int, *words: str) -> subprocess.CompletedProcess[str]:
        """Run pulumi on the stack with that many pairs; it must succeed."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", *words, "--stack", f"n{pairs}"],
            cwd=self.root / project,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"pulumi {' '.join(words)} on {project} n{pairs}: {done.stdout[-2000:]}{done.stderr}")
        return done

    def seconds(self, project: str, pairs: int, *words: str) -> float:
        """How long that takes."""
        began = time.perf_counter()
        self.run(project, pairs, *words)
        return time.perf_counter() - began

    def configure(self, project: str, pairs: int, /, **values: Any) -> None:
        """Set configuration; ``secret`` is encrypted."""
        for name, value in values.items():
            kind = "--secret" if name == "secret" else "--plaintext"
            self.run(project, pairs, "config", "set", kind, name, str(value))

    def deploy(self, project: str, pairs: int, **more: Any) -> None:
        """Make the stack with its configuration, and create its resources."""
        self.run(project, pairs, "stack", "init")
        self.configure(project, pairs, pairs=pairs, id=ID, secret=SECRET, enabled="true", **more)
        self.run(project, pairs, "up", "--yes", "--skip-preview")

    def exported(self, project: str, pairs: int) -> dict[str, Any]:
        """The state, secrets encrypted."""
        state: dict[str, Any] = json.loads(self.run(project, pairs, "stack", "export").stdout)
        return state

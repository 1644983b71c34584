"""Scratch projects on the real engine for the tests of ``codat-zoho drift``: deployed once, then changed by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from codat_zoho.simulator import CodatClient, Simulator
from tests.support import ID, SECRET, new_secret
from tools.engine import Engine

ROOT = Path(__file__).parent.parent
PROGRAM = """\
import pulumi
import codat_zoho as cz

config = pulumi.Config()
client = cz.ZohoClientCredentials(
    "zoho-client",
    client_id=config.require("id"),
    client_secret=config.require_secret("secret"),
    regions=["eu", "uk", "us"],
)
cz.ZohoBooksIntegration(
    "zoho-books", credentials=client, enabled=config.get_bool("enabled", True), connection=config.require("connection")
)
"""


@dataclass
class Place:
    """A stack to deploy: its own Codat client, and the shared Zoho client unless it has its own."""

    project: str
    stack: str
    codat_url: str
    client_id: str = ID
    secret: str = SECRET

    @property
    def connection(self) -> str:
        return f"{self.project}-{self.stack}"

    @property
    def key(self) -> str:
        return f"api-key-of-{self.connection}"


@dataclass
class Scratch:
    """Projects in a folder, a backend beside them, and the environment to use both in."""

    root: Path
    environment: dict[str, str]
    places: list[Place] = field(default_factory=list)

    def engine(self, *words: str, project: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run pulumi in a project."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", *words],
            cwd=self.root / project,
            env=self.environment | env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done

    def deploy(self, places: Iterable[Place], simulators: Mapping[str, Simulator], program: str = PROGRAM) -> None:
        """Make the projects and deploy the stacks, two at a time."""
        places = list(places)
        for place in places:
            folder = self.root / place.project
            folder.mkdir(exist_ok=True)
            (folder / "Pulumi.yaml").write_text(
                f"name: {place.project}\nruntime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n"
            )
            (folder / "__main__.py").write_text(program)
            simulator = simulators[place.codat_url]
            simulator.add_codat_client(place.key)
            if place.client_id not in simulator.zoho:
                simulator.add_zoho_client(place.client_id, place.secret)
            self.environment[f"CODAT_API_KEY_{place.connection.upper().replace('-', '_')}"] = place.key
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._deploy, places))
        self.places += places

    def _deploy(self, place: Place) -> None:
        name = place.project
        self.engine("stack", "init", place.stack, "--no-select", project=name)
        with (self.root / name / f"Pulumi.{place.stack}.yaml").open("a") as settings:
            settings.write(f'config:\n  {name}:id: "{place.client_id}"\n  {name}:secret: "{place.secret}"\n')
            settings.write(f"  {name}:connection: {place.connection}\n")
            settings.write(f"  codat-zoho:codatUrl: {place.codat_url}/codat\n")
        self.engine("up", "--yes", "--skip-preview", "--stack", place.stack, project=name)

    def drift(
        self, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command as a person does."""
        return subprocess.run(
            [sys.executable, "-m", "codat_zoho", "drift", *words],
            cwd=cwd or self.root,
            env=self.environment | dict(env or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> dict[str, bytes]:
        """All of the backend, and every project's own files."""
        found = (path for path in self.root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}


def scratch(root: Path, engine: Engine, zoho_url: str) -> Scratch:
    """An empty place to deploy to."""
    (root / "state").mkdir(parents=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CODAT_", "PULUMI_"))}
    environment = engine.environment(inherited, python=Path(sys.executable))
    environment |= {
        "PULUMI_BACKEND_URL": f"file://{root}/state",
        # Beside the folder whose bytes are compared: the engine keeps its caches and logs there.
        "PULUMI_HOME": str(root.with_name(f"{root.name}-home")),
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase of no importance",
        "ZOHO_URL": zoho_url,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Scratch(root, environment)


def own_client(number: int) -> tuple[str, str]:
    """Id and secret of a Zoho client that no other stack uses."""
    return f"1000.{number:030d}", new_secret()


def codat_client(simulator: Simulator, place: Place) -> CodatClient:
    """The Codat client of a stack."""
    return simulator.codat[place.key]

"""Runs the real pulumi engine on a copy of a project of this repository, against a simulator behind a socket."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import yaml

from codat_zoho.declare.describe import camel_case
from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX
from codat_zoho.simulator import Simulator
from tests.support import API_KEY
from tools.engine import Engine

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = Path(sys.executable).parent
"""The folder of ``pulumi-resource-codat-zoho``."""
P = TypeVar("P", bound="Project")
TYPES = {"client": CLIENT, "books": INTEGRATION}
SECRET_KEY = "codat-zoho:zohoClientSecret"
CONFIG = {
    "client_id": "zohoClientId",
    "regions": "regions",
    "same_credentials_everywhere": "sameCredentialsEverywhere",
    "verify": "verify",
    "enabled": "enabled",
    "connection": "connection",
    "on_delete": "onDelete",
    "allow_disruption": "allowDisruption",
}


@dataclass
class Project:
    """A copy of a project in a folder of its own, with a local backend, and every word the engine said."""

    engine: Engine
    folder: Path
    base: str
    stack: str = "test"
    said: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    _secret: str | None = None

    @classmethod
    def copy_of(cls: type[P], engine: Engine, source: Path, folder: Path, base: str) -> P:
        """Copy ``source`` to ``folder`` and let it use the Python of these tests."""
        folder.mkdir(parents=True)
        if (source / "__main__.py").exists():
            shutil.copy(source / "__main__.py", folder)
        # Stacks in the repository's root are somebody's own.
        for path in source.glob("Pulumi.yaml" if source == ROOT else "Pulumi*.yaml"):
            text = re.sub(r"(?m)(?<=^    virtualenv: ).*$", str(PLUGIN.parent), path.read_text())
            (folder / path.name).write_text(re.sub(r"(?m)(?<=^      path: ).*\.venv/bin$", str(PLUGIN), text))
        return cls.at(engine, folder, base)

    @classmethod
    def at(cls: type[P], engine: Engine, folder: Path, base: str) -> P:
        """Take what is in ``folder``."""
        project = cls(engine, folder, base)
        state = folder / ".state"
        (state / "backend").mkdir(parents=True)
        project.environment = engine.environment(os.environ, python=Path(sys.executable)) | {
            "PULUMI_BACKEND_URL": (state / "backend").as_uri(),
            "PULUMI_HOME": str(state / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
            "CODAT_URL": f"{base}/codat",
            "ZOHO_URL": f"{base}/zoho",
            "CODAT_API_KEY": API_KEY,
            "NO_COLOR": "1",
        }
        return project

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a pulumi command and remember what it said."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.said.append(f"$ pulumi {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done

    def must(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        """Run a pulumi command that must succeed."""
        done = self.run(*arguments, stdin=stdin, **environment)
        assert done.returncode == 0, self.said[-1]
        return done.stdout

    def up(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Deploy."""
        return self.run("up", "--yes", "--skip-preview", *arguments, **environment)

    def configure(self, program: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the stack's configuration for what is declared; the secret as a person would, through the engine."""
        declared = {**program.get("client", {}), **program.get("books", {})}
        path = self.folder / f"Pulumi.{self.stack}.yaml"
        if not path.exists():
            self.must("stack", "init", self.stack)
        content = yaml.safe_load(path.read_text())
        kept = {name: value for name, value in content.get("config", {}).items() if name == SECRET_KEY}
        plain = {f"codat-zoho:{key}": declared[name] for name, key in CONFIG.items() if declared.get(name) is not None}
        path.write_text(yaml.safe_dump(content | {"config": kept | plain}))
        secret = declared.get("client_secret") or ""
        if self._secret != secret:
            self.must("config", "set", "--secret", SECRET_KEY, stdin=secret)
            self._secret = secret

    def spelled(self, name: str) -> str:
        """A property as this program spells it."""
        return name

    def exported(self) -> dict[str, Any]:
        """The stack's state."""
        done = subprocess.run(
            ["pulumi", "stack", "export"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        state: dict[str, Any] = json.loads(done.stdout)
        return state

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources in state, by name."""
        found = self.exported()["deployment"].get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in found}

    def assert_no_secret(self, *secrets: str) -> None:
        """Search everything that was said and written for every usual encoding of the secrets."""
        forms = {form for secret in secrets for form in _forms(secret)}
        for said in self.said:
            assert not [form for form in forms if form in said], "a secret was printed"
        for path in self.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not [form for form in forms if form.encode() in content], f"a secret is in {path}"


class YamlProject(Project):
    """A YAML program that declares what a test wants, served by the provider plugin."""

    @classmethod
    def new(cls, engine: Engine, folder: Path, base: str) -> YamlProject:
        """Make a project that declares nothing."""
        folder.mkdir(parents=True)
        project = cls.at(engine, folder, base)
        project.write({})
        project.must("stack", "init", project.stack)
        return project

    def write(self, resources: Mapping[str, object], **more: object) -> None:
        """Write the program."""
        secret = {"config": {"zohoClientSecret": {"type": "string", "secret": True}}} if self._secret else {}
        providers = [{"name": "codat-zoho", "path": str(PLUGIN)}]
        program = {"name": "shop", "runtime": "yaml", "plugins": {"providers": providers}} | secret
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program | {"resources": dict(resources)} | more))

    def configure(self, program: Mapping[str, Mapping[str, Any]]) -> None:
        """Declare this; the secret is the stack's."""
        secret = next((props["client_secret"] for props in program.values() if props.get("client_secret")), "")
        if secret and self._secret != secret:
            self._secret = secret
            self.write({})
            self.must("config", "set", "--secret", "zohoClientSecret", stdin=secret)
        self.write({f"zoho-{kind}": self.resource(kind, props) for kind, props in program.items()})

    @staticmethod
    def resource(kind: str, props: Mapping[str, Any]) -> dict[str, Any]:
        """One resource as the program declares it."""
        declared = {camel_case(name): value for name, value in props.items() if value is not None}
        if "clientSecret" in declared:
            declared["clientSecret"] = "${zohoClientSecret}"
        return {"type": f"{PLUGIN_PREFIX}{TYPES[kind]}", "properties": declared}

    def spelled(self, name: str) -> str:
        """A property as this program spells it."""
        return camel_case(name)


_PROGRAM = re.compile(r"^[ +~-]*pulumi:pulumi:Stack \S+ \w+(?: \(\d+s\))? ", re.MULTILINE)
_TRACEBACK = re.compile(
    r"^(?P<at>[ \t]*)Traceback \(most recent call last\):\n"
    r"(?P<calls>(?:(?P=at)[ \t]+.*\n|@.*\n)*)"  # The engine's own progress may stand in between.
    r"(?P=at)KeyboardInterrupt.*\n?",
    re.MULTILINE,
)


def without_interrupted_program(said: str) -> str:
    """What was said, but for the traceback of the program's process, which some engines interrupt after a failure.

    It is printed whatever the program is, line by line while it runs and once more in the end. One that goes through
    this package stays.
    """
    said = _PROGRAM.sub("", said)
    return _TRACEBACK.sub(lambda found: found.group() if "codat_zoho" in found["calls"] else "", said)


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        secret.encode().hex(),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


def summary(simulator: Simulator) -> list[str]:
    """What was sent to Codat, in words."""
    return [call.detail for call in simulator.writes]

"""Asks the ``pulumi`` command line: its version, the project, stacks, configuration. Imports nothing of pulumi.

Secrets go to it on standard input and come from it on standard output, never on a command line, where any user of the
machine could read them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codat_zoho.declare.tokens import NAMESPACE, SECRET, SIGNATURE
from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import one_line, register

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Project:
    """A ``Pulumi.yaml``.

    Args:
        file: where it is.
        name: of the project, and of the namespace of its own stack configuration.
        runtime: for example ``python``.
        options: of the runtime, for example ``virtualenv``.
        declared: what it declares of stack configuration, by key as written there.
        settings: folder of the ``Pulumi.<stack>.yaml`` files.
    """

    file: Path
    name: str
    runtime: str
    options: Mapping[str, Any]
    declared: Mapping[str, Any]
    settings: Path

    @property
    def folder(self) -> Path:
        """Where its programs run."""
        return self.file.parent

    @property
    def ready_to_use(self) -> bool:
        """It is the project that comes with this package, driven by stack configuration alone."""
        return self.name == NAMESPACE and "zohoClientId" in self.declared

    def settings_of(self, stack: str) -> Path:
        """The file with a stack's configuration."""
        return self.settings / f"Pulumi.{stack.rpartition('/')[2]}.yaml"

    def default(self, key: str) -> str | None:
        """The default that it declares for a key, as a text; None where it has none."""
        declared = self.declared.get(key.removeprefix(f"{self.name}:"))
        default = declared.get("default") if isinstance(declared, dict) else None
        return default if default is None or isinstance(default, str) else json.dumps(default)

    @property
    def defaults(self) -> dict[str, str]:
        """All defaults that it declares, by full key."""
        return {f"{self.name}:{key}": text for key in self.declared if (text := self.default(key)) is not None}


def find_project(folder: Path) -> Project | None:
    """Find the project of a folder as the command line does: here, or in the nearest folder above.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    import yaml  # Comes with pulumi.

    here = folder.resolve()
    for place in (here, *here.parents):
        for name in ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json"):
            file = place / name
            if not file.is_file():
                continue
            try:
                content = yaml.safe_load(file.read_text(encoding="utf-8"))
            except (OSError, ValueError, yaml.YAMLError, RecursionError):
                content = None
            if not isinstance(content, dict) or not isinstance(content.get("name"), str):
                raise ConfigurationError(f"{file} is no readable Pulumi project.")
            runtime = content.get("runtime")
            details = runtime if isinstance(runtime, dict) else {"name": runtime}
            options, declared = details.get("options"), content.get("config")
            return Project(
                file,
                content["name"],
                str(details.get("name") or ""),
                options if isinstance(options, dict) else {},
                declared if isinstance(declared, dict) else {},
                place / str(content.get("stackConfigDir") or ""),
            )
    return None


def version_of(text: str) -> tuple[int, ...]:
    """Make a version comparable: ``v3.254.0-dev.1`` is (3, 254, 0)."""
    match = re.search(r"\d{1,9}(?:\.\d{1,9})*", text)
    return tuple(map(int, match[0].split("."))) if match else ()


@dataclass(frozen=True, slots=True)
class PulumiCli:
    """The command line found on PATH, run in one folder."""

    command: Path
    folder: Path

    @classmethod
    def find(cls, folder: Path) -> PulumiCli | None:
        """Find it on PATH."""
        command = shutil.which("pulumi")
        return cls(Path(command), folder) if command else None

    def run(self, *arguments: str, given: str | None = None, seconds: float = SECONDS) -> str:
        """Run a command and return what it prints.

        Args:
            arguments: of the command; never a secret.
            given: handed over on standard input.
            seconds: it may take at most.

        Raises:
            ConfigurationError: it fails, with the last line that it says.
        """
        environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "NO_COLOR": "1"}
        shown = f"pulumi {' '.join(arguments[:2])}"
        try:
            done = subprocess.run(  # noqa: S603
                [str(self.command), *arguments, "--non-interactive"],
                cwd=self.folder,
                env=environment,
                input=given if given is not None else "",
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise ConfigurationError(f"`{shown}` does not run: {type(problem).__name__}.") from None
        if done.returncode:
            said = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.strip()]
            raise ConfigurationError(f"`{shown}` fails: {one_line(said[-1] if said else 'it does not say why')}.")
        return done.stdout

    def version(self) -> str:
        """Its version, for example ``3.259.0``."""
        return self.run("version").strip().removeprefix("v")

    def backend(self) -> str:
        """Where state is kept."""
        told = json.loads(self.run("whoami", "--json", "--verbose"))
        return one_line(str(told.get("url") or "unknown"))

    def stacks(self) -> dict[str, bool]:
        """The stacks of the project, and whether each is the selected one."""
        return {str(one["name"]): bool(one.get("current")) for one in json.loads(self.run("stack", "ls", "--json"))}

    def config(self, stack: str) -> dict[str, Any]:
        """Configuration of a stack, decrypted, defaults of the project included; what is secret is never shown again.

        Values are texts, as the engine hands them to programs.
        """
        told = json.loads(self.run("config", "--json", "--show-secrets", "--stack", stack))
        for entry in told.values():
            if entry.get("secret"):
                register(entry.get("value"))
        return {key: entry.get("value") for key, entry in told.items()}

    def secret_keys(self, stack: str) -> frozenset[str]:
        """The keys of a stack's configuration that are encrypted."""
        told = json.loads(self.run("config", "--json", "--stack", stack))
        return frozenset(key for key, entry in told.items() if entry.get("secret"))

    def set_secret(self, stack: str, key: str, value: str) -> None:
        """Encrypt a value into the stack's configuration."""
        register(value)
        self.run("config", "set", "--secret", "--stack", stack, key, given=value)

    def encrypted(self, stack: str, settings: Path, value: str) -> dict[str, str]:
        """Encrypt a text as the stack's state holds it, without touching the stack or its settings file."""
        import yaml

        register(value)
        key = f"{NAMESPACE}:encrypted"
        with tempfile.TemporaryDirectory(prefix="codat-zoho-") as folder:
            copy = Path(folder, "Pulumi.copy.yaml")
            # Which key encrypts is in the stack's settings; values of others stay out of the copy.
            kept = yaml.safe_load(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
            copy.write_text(yaml.safe_dump({k: v for k, v in (kept or {}).items() if k != "config"}), encoding="utf-8")
            quoted = json.dumps(value)  # State holds values as JSON.
            self.run("config", "set", "--secret", "--stack", stack, "--config-file", str(copy), key, given=quoted)
            ciphertext = yaml.safe_load(copy.read_text(encoding="utf-8"))["config"][key]["secure"]
        return {SIGNATURE: SECRET, "ciphertext": str(ciphertext)}

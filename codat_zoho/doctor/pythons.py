"""Which Python runs the program and which the provider, and what is installed in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codat_zoho._version import __version__
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, warn
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.command import version_of
from codat_zoho.workspace.pulumi_yaml import Project

PROVIDER, _PROGRAM, _PACKAGES = "provider's Python", "program's Python", "packages"
_SECONDS = 60
_ASK = """
import importlib.metadata as m, json, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
try:
    from codat_zoho.provider import Books
    why = None
except BaseException as error:
    why = f"{type(error).__name__}: {error}"
print(json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "prefix": sys.prefix, "why": why,
    "packages": {n: version(n) for n in ("codat-zoho", "pulumi", "httpx", "pydantic")}}))
"""
_MAKE = "Make it: python3 -m venv {0} && {0}/bin/python -m pip install WHEEL-OR-GIT-URL"
_NAME_IT = "Set runtime.options.virtualenv in Pulumi.yaml"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A Python, what chooses it, and the folder that it is missing from; ``loose`` where the shell decides."""

    python: Path | None
    why: str
    missing: str = ".venv"
    loose: bool = False


def pythons(now: Situation) -> Iterator[Finding]:
    """Find both, ask them, and compare."""
    project = now.project
    if project is None or project.runtime != "python":
        return
    provider = _of_provider(project)
    if provider.python is None:
        yield fail(PROVIDER, f"{provider.why}: there is no Python there.", _MAKE.format(provider.missing))
        return
    told = _ask(provider.python, project.folder)
    if told is None:
        what = f"{provider.python} ({provider.why}) does not run."
        yield fail(PROVIDER, what, f"{_NAME_IT} to a virtual environment that works.")
        return
    yield _version(provider, told)
    if told["why"]:
        what = f"codat_zoho cannot be imported in the provider's Python: {one_line(str(told['why']))}"
        yield fail(_PACKAGES, what, f"Install it there: {provider.python} -m pip install WHEEL-OR-GIT-URL")
        return
    yield _packages(told["packages"])
    yield _agreement(provider, _of_program(project), told, project)


def _of_provider(project: Project) -> _Choice:
    """As pulumi-resource-pulumi-python chooses."""
    toolchain, virtualenv = project.options.get("toolchain"), project.options.get("virtualenv")
    if virtualenv:
        return _in(project.folder / str(virtualenv), f"runtime.options.virtualenv {virtualenv!r}", str(virtualenv))
    if toolchain == "uv":
        return _in(project.folder / ".venv", "toolchain uv: .venv beside Pulumi.yaml")
    if toolchain == "poetry":
        folder = _output(["poetry", "env", "info", "--path"], project.folder)
        if folder is None:
            return _Choice(None, "toolchain poetry, whose command does not run")
        return _in(Path(folder.strip() or "."), "toolchain poetry", "the poetry environment")
    command = os.environ.get("PULUMI_PYTHON_CMD")
    found = shutil.which(command or "python3")
    why = "PULUMI_PYTHON_CMD" if command else "python3 on PATH"
    return _Choice(Path(found) if found else None, why, loose=True)


def _of_program(project: Project) -> _Choice:
    """As pulumi-language-python chooses."""
    if project.options.get("toolchain") == "uv" and not project.options.get("virtualenv"):
        named = os.environ.get("UV_PROJECT_ENVIRONMENT")
        root = next((f for f in (project.folder, *project.folder.parents) if (f / "uv.lock").exists()), project.folder)
        return _in(root / (named or ".venv"), "UV_PROJECT_ENVIRONMENT" if named else "uv's .venv")
    return _of_provider(project)


def _in(folder: Path, why: str, shown: str = ".venv") -> _Choice:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return _Choice(python if python.is_file() else None, why, shown)


def _output(command: Sequence[str], folder: Path) -> str | None:
    """What a command prints; None where it does not run."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    try:
        return subprocess.run(  # noqa: S603
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False
        ).stdout
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _ask(python: Path, folder: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(_output([str(python), "-c", _ASK], folder) or "")
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _version(provider: _Choice, told: Mapping[str, Any]) -> Finding:
    version = str(told["python"])
    what = f"{version}, {provider.python} ({provider.why})"
    if version_of(version) < (3, 10):
        return fail(PROVIDER, f"{what} is older than 3.10.", "Make the virtual environment with a newer one.")
    if provider.loose:
        return warn(PROVIDER, f"{what}: it changes with the shell it is started from.", f"{_NAME_IT}.")
    return ok(PROVIDER, what)


def _packages(found: Mapping[str, str | None]) -> Finding:
    shown = ", ".join(f"{name} {version or '?'}" for name, version in found.items())
    pulumi = found["pulumi"]
    if pulumi and version_of(pulumi) < (3, 216):
        return fail(_PACKAGES, f"{shown}: drift is read with pulumi 3.216 or newer.", "Update pulumi there.")
    if found["codat-zoho"] not in (None, __version__):
        what = f"{shown}, but this command is codat-zoho {__version__}."
        return warn(_PACKAGES, what, "Install one version in both.")
    return ok(_PACKAGES, shown)


def _agreement(provider: _Choice, program: _Choice, told: Mapping[str, Any], project: Project) -> Finding:
    if program.python is None:
        return fail(_PROGRAM, f"{program.why}: there is no Python there.", "Run `uv sync`, or name a virtualenv.")
    if program.python != provider.python:
        other = _ask(program.python, project.folder)
        if other is None or other["prefix"] != told["prefix"]:
            what = f"{program.python} ({program.why}), but the provider runs in {provider.python}."
            return fail(_PROGRAM, what, f"{_NAME_IT}, which both use.")
    same = Path(str(told["prefix"])).resolve() == Path(sys.prefix).resolve()
    return ok(_PROGRAM, "the same as the provider's" + ("" if same else f"; this command itself runs in {sys.prefix}"))

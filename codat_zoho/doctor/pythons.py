"""Which Python runs the program and which the provider, and what is installed in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codat_zoho._version import __version__
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, warn
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_cli import Project, version_of

_SECONDS = 60
_ASK = """
import importlib.metadata as m, json, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
try:
    import codat_zoho.provider
    why = None
except BaseException as error:
    why = f"{type(error).__name__}: {error}"
print(json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "prefix": sys.prefix, "why": why,
    "packages": {n: version(n) for n in ("codat-zoho", "pulumi", "httpx", "pydantic")}}))
"""
_MAKE = "python3 -m venv {0} && {0}/bin/python -m pip install codat-zoho"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A Python, and what chooses it."""

    python: Path | None
    why: str
    missing: str = ""


def pythons(now: Situation) -> Iterator[Finding]:
    """Find both, ask them, and compare."""
    if now.project is None:
        return
    if now.project.runtime != "python":
        yield fail(
            "provider's Python",
            f"{now.project.file.name} has runtime {one_line(now.project.runtime) or 'none'}, and dynamic resources of "
            "Python need a Python program.",
            "Use a project whose runtime is python.",
        )
        return
    provider, program = _of_provider(now.project), _of_program(now.project)
    if provider.python is None:
        place = provider.missing or ".venv"
        yield fail("provider's Python", f"{provider.why}: there is no Python there.", f"Make it: {_MAKE.format(place)}")
        return
    told = _ask(provider.python, now.project.folder)
    if told is None:
        yield fail(
            "provider's Python",
            f"{provider.python} ({provider.why}) does not run.",
            "Set runtime.options.virtualenv in Pulumi.yaml to a virtual environment that works.",
        )
        return
    yield _versions(provider, told)
    if told["why"]:
        yield fail(
            "packages",
            f"codat_zoho cannot be imported in the provider's Python: {one_line(str(told['why']))}",
            f"Install it there: {provider.python} -m pip install codat-zoho",
        )
        return
    yield from _packages(told)
    yield _agreement(provider, program, told, now.project)


def _of_provider(project: Project) -> _Choice:
    """As pulumi-resource-pulumi-python chooses."""
    toolchain, virtualenv = project.options.get("toolchain"), project.options.get("virtualenv")
    if virtualenv:
        return _in(project.folder / str(virtualenv), f"runtime.options.virtualenv {virtualenv!r}", str(virtualenv))
    if toolchain == "uv":
        return _in(project.folder / ".venv", "toolchain uv: .venv beside Pulumi.yaml", ".venv")
    if toolchain == "poetry":
        return _poetry(project)
    command = os.environ.get("PULUMI_PYTHON_CMD")
    found = shutil.which(command or "python3")
    return _Choice(Path(found) if found else None, "PULUMI_PYTHON_CMD" if command else "python3 on PATH")


def _of_program(project: Project) -> _Choice:
    """As pulumi-language-python chooses."""
    if project.options.get("toolchain") == "uv" and not project.options.get("virtualenv"):
        named = os.environ.get("UV_PROJECT_ENVIRONMENT")
        root = next((f for f in (project.folder, *project.folder.parents) if (f / "uv.lock").exists()), project.folder)
        return _in(root / (named or ".venv"), "UV_PROJECT_ENVIRONMENT" if named else "uv's .venv", ".venv")
    return _of_provider(project)


def _in(folder: Path, why: str, shown: str) -> _Choice:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return _Choice(python if python.is_file() else None, why, shown)


def _poetry(project: Project) -> _Choice:
    try:
        done = subprocess.run(
            ["poetry", "env", "info", "--path"],  # noqa: S607
            cwd=project.folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return _Choice(None, "toolchain poetry, whose command does not run")
    return _in(Path(done.stdout.strip() or "."), "toolchain poetry", "the poetry environment")


def _ask(python: Path, folder: Path) -> dict[str, object] | None:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    try:
        done = subprocess.run(  # noqa: S603
            [str(python), "-c", _ASK],
            cwd=folder,
            env=kept,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return told if isinstance(told, dict) else None


def _versions(provider: _Choice, told: dict[str, object]) -> Finding:
    version = str(told["python"])
    what = f"{version}, {provider.python} ({provider.why})"
    if version_of(version) < (3, 10):
        return fail(
            "provider's Python", f"{what} is older than 3.10.", "Make the virtual environment with a newer one."
        )
    if provider.why in ("python3 on PATH", "PULUMI_PYTHON_CMD"):
        return warn(
            "provider's Python",
            f"{what}: it changes with the shell it is started from.",
            "Set runtime.options.virtualenv in Pulumi.yaml.",
        )
    return ok("provider's Python", what)


def _packages(told: dict[str, object]) -> Iterator[Finding]:
    found = told["packages"]
    assert isinstance(found, dict)
    shown = ", ".join(f"{name} {version or '?'}" for name, version in found.items())
    pulumi = str(found.get("pulumi") or "")
    if pulumi and version_of(pulumi) < (3, 216):
        yield fail("packages", f"{shown}: drift is read with pulumi 3.216 or newer.", "Update pulumi there.")
    elif found.get("codat-zoho") not in (None, __version__):
        yield warn(
            "packages", f"{shown}, but this command is codat-zoho {__version__}.", "Install one version in both."
        )
    else:
        yield ok("packages", shown)


def _agreement(provider: _Choice, program: _Choice, told: dict[str, object], project: Project) -> Finding:
    topic = "program's Python"
    if program.python is None:
        return fail(topic, f"{program.why}: there is no Python there.", "Run `uv sync`, or name a virtualenv.")
    if program.python != provider.python:
        other = _ask(program.python, project.folder)
        if other is None or other["prefix"] != told["prefix"]:
            return fail(
                topic,
                f"{program.python} ({program.why}), but the provider runs in {provider.python}.",
                "Set runtime.options.virtualenv in Pulumi.yaml, which both use.",
            )
    same = Path(str(told["prefix"])).resolve() == Path(sys.prefix).resolve()
    return ok(topic, "the same as the provider's" + ("" if same else f"; this command itself runs in {sys.prefix}"))

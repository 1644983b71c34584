"""Which provider plugin the engine starts for a program in another language than Python, and whether that starts."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codat_zoho._version import __version__
from codat_zoho.declare.platform import NAMESPACE
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, warn
from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import Project

PLUGIN = "plugin"
_EXECUTABLE = f"pulumi-resource-{NAMESPACE}"
_MAKE = "Make it: python3 -m venv {0} && {0}/bin/python -m pip install WHEEL-OR-GIT-URL"
_LINE = f"plugins: {{providers: [{{name: {NAMESPACE}, path: .venv/bin}}]}}"


def plugin(now: Situation) -> Iterator[Finding]:
    """Look where the engine looks (Pulumi.yaml, PATH, its own folder), and ask what is there for its version."""
    project = now.project
    if project is None or (project.runtime == "python" and _named(project) is None):
        return
    found, where = _found(project)
    if found is None:
        named = _named(project)
        step = _MAKE.format(".venv" if named is None else named.removesuffix("/bin"))
        yield fail(PLUGIN, where, f"{step}; then name its folder in Pulumi.yaml: {_LINE}" if named is None else step)
        return
    shown = f"{found} ({where})"
    if now.pulumi is None:
        yield warn(PLUGIN, f"{shown}: without pulumi nobody can ask it for its version.")
        return
    try:
        version = str(json.loads(now.pulumi.run("package", "get-schema", str(found)))["version"])
    except (ConfigurationError, ValueError, KeyError, TypeError) as error:
        why = error.what if isinstance(error, ConfigurationError) else "it says nothing that can be read."
        yield fail(PLUGIN, f"{shown} does not start: {one_line(why, 300)}", _MAKE.format("a virtual environment"))
        return
    if version != __version__:
        what = f"{one_line(version, 40)}, {shown}, but this command is {NAMESPACE} {__version__}."
        yield warn(PLUGIN, what, "Install one version in both.")
    elif where == "on PATH":
        what = f"{version}, {shown}: it changes with the shell it is started from."
        yield warn(PLUGIN, what, f"Name its folder in Pulumi.yaml: {_LINE}")
    else:
        yield ok(PLUGIN, f"{version}, {shown}")


def _named(project: Project) -> str | None:
    """The folder that the project file names for it."""
    plugins: Any = project.rest["plugins"].plain if "plugins" in project.rest else None
    listed = plugins.get("providers") if isinstance(plugins, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("name") == NAMESPACE and isinstance(one.get("path"), str):
            return str(one["path"])
    return None


def _found(project: Project) -> tuple[Path | None, str]:
    """What the engine starts, and where that comes from; or why there is nothing to start."""
    named = _named(project)
    if named is not None:
        folder = project.folder / named
        if program := shutil.which(_EXECUTABLE, path=str(folder)):
            return Path(program), f"plugins.providers of {project.file.name}"
        if (folder / "PulumiPlugin.yaml").is_file():
            return folder, f"plugins.providers of {project.file.name}"
        return None, f"{project.file.name} names the folder {one_line(named)} for it, which holds no {_EXECUTABLE}."
    if program := shutil.which(_EXECUTABLE):
        return Path(program), "on PATH"
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    kept = sorted((home / "plugins").glob(f"resource-{NAMESPACE}-v*/{_EXECUTABLE}*"))
    if kept:
        return kept[-1], "installed with pulumi plugin install"
    return None, f"neither {project.file.name} (plugins.providers) nor PATH leads to {_EXECUTABLE}."

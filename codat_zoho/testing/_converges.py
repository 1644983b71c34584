"""The promise that matters most of a deployment: run it again, and nothing happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from codat_zoho.testing._running import SimulatedCodat, listed
from codat_zoho.texts.redact import redact, register

_SECONDS = 300
_KEPT = ("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "PULUMI_PYTHON_CMD")
_NAME = r"\bname: *['\"]?codat-zoho['\"]?"
_PLUGIN = re.compile(rf"{_NAME} *(?:,|\n) *path: *([^,}}\n]+)|\bpath: *([^,}}\n]+)(?:,|\n) *{_NAME}")
"""Where the plugin is, in either order."""
_LEFT_OUT = shutil.ignore_patterns(".*", "venv", "node_modules", "__pycache__", "Pulumi.*.yaml")


def assert_converges(
    up: Callable[[], object] | str | os.PathLike[str],
    codat: SimulatedCodat,
    *,
    config: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> None:
    """Deploy twice; the second time must send no write, ask Zoho nothing, and change no resource.

    Args:
        up: a project folder, or a function that deploys. Of a folder a copy is deployed by the ``pulumi`` on ``PATH``,
            with a backend of its own that is gone afterwards, with this Python and its plugin; stack files are left
            out, so give what the program needs in ``config`` and ``secrets``. A function returns what tells what has
            changed: the Automation API's ``UpResult``, or a mapping like ``{"same": 3}``.
        codat: where it deploys to; it must point there itself when it is a function (``codat.environment``).
        config: stack configuration of a folder, by key.
        secrets: the same, encrypted.

    Raises:
        AssertionError: the second run did something, or a run failed; the text names what.
        TypeError: ``up`` returns nothing that tells whether resources changed.

    >>> from codat_zoho.testing import simulated
    >>> with simulated() as codat:
    ...     assert_converges(lambda: {"same": 2}, codat)
    """
    if not callable(up):
        with _copied(Path(up), codat, config or {}, secrets or {}) as deploy:
            assert_converges(deploy, codat)
        return
    if config or secrets:
        raise TypeError("config and secrets are for a project folder; a function brings its own.")
    _changes(up())
    codat.forget_calls()
    changed = ", ".join(f"{count} {kind}" for kind, count in sorted(_changes(up()).items()))
    sent = [call for call in codat.calls if call.kind in ("write", "probe")]
    problems = [f"it changed resources: {changed}"] if changed else []
    if sent:
        problems.append(f"it sent:{listed(sent)}")
    if problems:
        raise AssertionError(f"The second deployment was to do nothing, but {'; '.join(problems)}")


def _changes(result: object) -> dict[str, int]:
    """What changed, by kind; ``same`` is none."""
    summary = getattr(result, "summary", None)
    changes = result if summary is None else getattr(summary, "resource_changes", None)
    if not isinstance(changes, Mapping):
        raise TypeError(
            f"up returned {type(result).__name__}, which does not tell whether resources changed. "
            "Return the Automation API's UpResult, or a mapping like {'same': 3}."
        )
    # The Automation API names kinds by an enumeration whose members are texts.
    named = {str(getattr(kind, "value", kind)): int(count) for kind, count in changes.items()}
    return {kind: count for kind, count in named.items() if kind != "same" and count}


@contextmanager
def _copied(
    source: Path, codat: SimulatedCodat, config: Mapping[str, str], secrets: Mapping[str, str]
) -> Iterator[Callable[[], object]]:
    """Set up a stack of a copy of the project, and give a function that deploys it and tells the changes."""
    if not (source / "Pulumi.yaml").is_file():
        raise AssertionError(f"{source} has no Pulumi.yaml, so it is no project to deploy.")
    for value in (*secrets.values(), *codat.environment.values()):
        if not value.startswith("http"):
            register(value)
    with tempfile.TemporaryDirectory(prefix="codat-zoho-test-", ignore_cleanup_errors=True) as place:
        folder, state = Path(place, "project"), Path(place, "state")
        state.mkdir()
        shutil.copytree(source, folder, ignore=_LEFT_OUT)
        project = folder / "Pulumi.yaml"
        project.write_text(_with_this_python(project.read_text("utf-8")), "utf-8")
        # Nothing of the stack that the developer works on may reach the copy: neither its state, nor its API keys.
        kept = {k: v for k, v in os.environ.items() if k in _KEPT or not k.startswith(("PULUMI_", "CODAT_", "ZOHO_"))}
        environment = {
            **kept,
            "PULUMI_HOME": str(Path(place, "home")),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "NO_COLOR": "1",
            **codat.environment,
        }

        def pulumi(*arguments: str, given: str = "") -> str:
            return _run([*arguments, "--stack", "test"], folder, environment, given)

        def deploy() -> object:
            pulumi("up", "--yes", "--skip-preview")
            return json.loads(pulumi("stack", "history", "--json"))[0]["resourceChanges"]

        _run(["stack", "init", "test"], folder, environment)
        for key, value in config.items():
            pulumi("config", "set", key, given=value)
        for key, value in secrets.items():
            pulumi("config", "set", "--secret", key, given=value)
        yield deploy


def _with_this_python(project: str) -> str:
    """Let a project file name the virtual environment of this Python, and the plugin that is installed in it.

    >>> _with_this_python("plugins: {providers: [{name: codat-zoho, path: ../bin}]}").count("..")
    0
    """
    here = Path(sys.prefix).as_posix()
    project = re.sub(r"(?m)\bvirtualenv:.*$", lambda _: f"virtualenv: {here}", project)
    return _PLUGIN.sub(lambda found: found[0].replace(found[1] or found[2], f"{here}/bin"), project)


def _run(arguments: list[str], folder: Path, environment: Mapping[str, str], given: str = "") -> str:
    """Run a command that must succeed; a value goes in on standard input, where no other user can read it."""
    command = shutil.which("pulumi")
    if command is None:
        raise AssertionError("There is no `pulumi` on PATH to deploy with.")
    try:
        done = subprocess.run(  # noqa: S603
            [command, *arguments, "--non-interactive", "--color", "never"],
            cwd=folder,
            env=dict(environment),
            input=given,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"`pulumi {' '.join(arguments)}` did not end within {_SECONDS} s.") from None
    if done.returncode:
        said = redact(f"{done.stdout}\n{done.stderr}")
        raise AssertionError(f"`pulumi {' '.join(arguments)}` failed (exit {done.returncode}):\n{said}")
    return done.stdout

"""Tests the package with the oldest and the newest releases of what it needs, and with httpx2 in place of httpx.

`versions.py` tests; `versions.py NAME` tests one of them; `versions.py lock` locks what each of them is.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".venv-versions"
TOOLS = (
    "grpcio",
    "hypothesis",
    "jsonschema",
    "pytest",
    "pytest-mock",
    "pytest-socket",
    "pytest-xdist",
    "pyyaml",
    "semver",
)
"""What the tests need, in the releases that development uses."""
LEFT_OUT = (
    "test_drift_pipelines",
    "test_simulator",
    "test_packaging",
    "test_pictures",
    "test_versions",
    "test_policy",
    "test_typing",
)
"""Tests of files that no release of a requirement changes, or that need tools which pull in other requirements."""
ENGINE_TESTS = ("tests/test_engine.py", "tests/test_examples.py::test_quickstart")
# httpx2 is the maintained fork. One module imports httpx, so one line would swap it; here a module of that name does.
SHIM = '''"""Stands for `import httpx2 as httpx` in codat_zoho/_http.py."""

import sys

import httpx2

sys.modules[__name__] = httpx2
'''


@dataclass(frozen=True)
class Case:
    """One set of releases, and the Pythons it is tested on, the best first."""

    name: str
    lock: str
    pythons: tuple[str, ...]
    says: str


OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
CASES = (
    Case("floor", "requirements-floor.txt", ("3.10", OWN), "the oldest releases allowed, on the oldest Python"),
    Case("newest", "requirements-newest.txt", ("3.13", "3.12", OWN), "the newest releases"),
    Case("httpx2", "requirements-httpx2.txt", (OWN,), "httpx2 in place of httpx"),
)


def interpreter(version: str) -> Path | None:
    """Find a Python by its version: this one, on PATH, or where pyenv keeps it."""
    if version == OWN:
        return Path(sys.executable)
    names = [shutil.which(f"python{version}"), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for name in names:
        if name is None:
            continue
        # A pyenv shim is there for Pythons that are not chosen, and then fails.
        asked = subprocess.run(
            [str(name), "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
        if asked.stdout.strip() == version:
            return Path(name)
    return None


def floors() -> list[str]:
    """The run-time requirements at the lower bounds that pyproject.toml names."""
    block = re.findall(r"(?ms)^dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text())[0]
    return re.findall(r'"([^"]+)"', block)


def lock() -> None:
    """Write the locked requirements; uv picks the lowest or the highest release of each direct requirement."""
    dev: dict[str, str] = {}
    for name, release in re.findall(r"(?m)^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "requirements-dev.txt").read_text()):
        dev.setdefault(name, release)  # The first of several is that of the oldest Python.
    tools, needed = [f"{name}>={dev[name]}" for name in TOOLS], floors()
    for name, requirements, resolution in (
        ("floor", needed, "lowest-direct"),
        ("newest", needed, "highest"),
        ("httpx2", [*(one for one in needed if not one.startswith("httpx")), "httpx2"], "highest"),
    ):
        options = ["--quiet", "--universal", "--python-version", "3.10", "--generate-hashes", "--no-header"]
        options += ["--no-annotate", "--resolution", resolution]
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", *options, "-", "-o", f"requirements-{name}.txt"],
            input="\n".join([*requirements, *tools]),
            text=True,
            check=True,
            cwd=ROOT,
            env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"},
        )


def set_up(case: Case, python: Path) -> Path:
    """Make the environment, unless it is there and was made from the same lock with the same Python."""
    venv = PLACE / case.name
    stamp = venv / ".ready"
    made_of = hashlib.sha256(f"{python}\n{(ROOT / case.lock).read_text()}{SHIM}".encode()).hexdigest()
    own = venv / "bin/python"
    if not stamp.is_file() or stamp.read_text() != made_of:
        subprocess.run([str(python), "-m", "venv", "--clear", str(venv)], check=True)
        install = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", str(ROOT / case.lock)], check=True)
        (site,) = (venv / "lib").glob("python3*/site-packages")
        if case.name == "httpx2":
            (site / "httpx.py").write_text(SHIM)
        metadata(site)
        stamp.write_text(made_of)
    return own


def metadata(site: Path) -> None:
    """Install the checkout itself: a path, its command, and its name and version, without a build backend."""
    sys.path.insert(0, str(ROOT))
    from codat_zoho._version import __version__

    (site / "codat-zoho.pth").write_text(f"{ROOT}\n")
    information = site / f"codat_zoho-{__version__}.dist-info"
    information.mkdir(exist_ok=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: codat-zoho\nVersion: {__version__}\n")
    (information / "entry_points.txt").write_text("[console_scripts]\ncodat-zoho = codat_zoho.cli:main\n")
    (information / "RECORD").write_text(f"{information.name}/METADATA,,\n")
    command = site.parents[2] / "bin/codat-zoho"
    command.write_text(f"#!{command.parent}/python\nimport sys\nfrom codat_zoho.cli import main\nsys.exit(main())\n")
    command.chmod(0o755)


def test(case: Case, python: Path) -> int:
    """Run the tests that need no engine, and a handful that do."""
    shown = (
        "import sys, importlib.metadata as m, httpx; print('Python', sys.version.split()[0], "
        "'pulumi', m.version('pulumi'), 'pydantic', m.version('pydantic'), httpx.__name__, httpx.__version__)"
    )
    print(f"\n{case.name}: {case.says}", flush=True)
    subprocess.run([str(python), "-c", shown], check=True)
    ignored = [f"--ignore=tests/{name}.py" for name in LEFT_OUT]
    pytest = [str(python), "-m", "pytest", "-q", "-n", os.environ.get("CODAT_ZOHO_TEST_JOBS", "auto"), "--no-header"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "VIRTUAL_ENV"))}
    code = subprocess.run([*pytest, "-m", "not engine", *ignored, "tests"], cwd=ROOT, env=environment).returncode
    return code or subprocess.run([*pytest, *ENGINE_TESTS], cwd=ROOT, env=environment).returncode


def main(arguments: Sequence[str]) -> int:
    """Serve the command line."""
    if list(arguments) == ["lock"]:
        lock()
        return 0
    wanted = [case for case in CASES if case.name in arguments or not arguments]
    if not wanted or len(wanted) < len(arguments):
        print(__doc__, file=sys.stderr)
        return 2
    outcomes = []
    for case in wanted:
        version, python = next((v, p) for v in case.pythons if (p := interpreter(v)) is not None)
        skipped = [] if version == case.pythons[0] else [f"no Python {case.pythons[0]} on this machine"]
        code = test(case, set_up(case, python))
        outcomes.append((case.name, f"Python {version}", "passed" if code == 0 else "FAILED", *skipped))
    print("\n" + "\n".join("  ".join(outcome) for outcome in outcomes))
    return int(any("FAILED" in outcome for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Tests the package with the oldest and the newest releases of what it needs, and with httpx2 in place of httpx.

`versions.py` tests all; `versions.py NAME` tests one: `floor`, `below` (what is older than the floor does not do),
`newest` or `httpx2`. `versions.py lock` locks what each of them is.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    "test_bench",
    "test_contract",
    "test_docs",
    "test_drift_pipelines",
    "test_mutations",
    "test_packaging",
    "test_pictures",
    "test_policy",
    "test_simulator",
    "test_supply_chain",
    "test_versions",
)
"""Tests of files that no release of a requirement changes, that need tools which pull in other requirements, or that
take minutes with calls which others make too."""
ENGINE_TESTS = (
    "tests/test_engine.py",
    "tests/test_examples.py::test_quickstart",
)
# httpx2 is the maintained fork. One module imports httpx, so one line would swap it; here a module of that name does.
SHIM = '''"""Stands for `import httpx2 as httpx` in codat_zoho/_http.py."""

import httpx2

# Not a module put in the place of this one: a thread that waits for this import would get the empty one.
globals().update({name: value for name, value in vars(httpx2).items() if not name.startswith("__")})
__version__ = httpx2.__version__
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


@dataclass(frozen=True)
class Below:
    """The release before a floor, and the test that fails with it and says why."""

    name: str
    release: str
    test: str
    says: str


BELOW = (
    Below("pulumi", "3.215.0", "tests/test_provider.py::test_read_finds_a_region_that_is_rejected", "TypeError in"),
    Below(
        "httpx",
        "0.27.2",
        "tests/test_http.py::test_a_machine_that_is_set_up_wrongly[SSL_CERT_FILE-/no/such/file.pem-No such file or "
        "directory]",
        "Connection refused",
    ),
)
BELOW_LOCK = "requirements-below.txt"
WITHOUT_WHEELS = ("pydantic", "2.7.4", "pydantic-core==2.18.4", "3.13")
"""The release before pydantic's floor, what it needs, and the Python of ours for which nobody built that."""


@dataclass
class Outcome:
    """What came of a case: a line of the summary."""

    name: str
    releases: str
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Something was tested and nothing failed."""
        return self.counts["passed"] > 0 and not self.counts["failed"]

    def __str__(self) -> str:
        counted = ", ".join(f"{self.counts[word]:,} {word}" for word in ("passed", "failed", "skipped"))
        took = f"{self.seconds // 60:.0f} min {self.seconds % 60:.0f} s"
        return "  ".join([f"{self.name:<7}", self.releases, counted, took, *self.notes])


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
    older = [*(f"{one.name}=={one.release}" for one in BELOW), "sniffio>=1.3"]  # httpx needed it until 0.28.
    for name, requirements, resolution in (
        ("floor", needed, "lowest-direct"),
        ("below", older, "lowest-direct"),
        ("newest", needed, "highest"),
        ("httpx2", [*(one for one in needed if not one.startswith("httpx")), "httpx2"], "highest"),
    ):
        options = ["--quiet", "--universal", "--python-version", "3.10", "--generate-hashes", "--no-header"]
        options += ["--no-annotate", "--resolution", resolution]
        # What is older than the floor runs in the floor's environment, and replaces only itself there.
        options += ["--no-deps"] if name == "below" else []
        if name == "floor":  # A floor that was lowered must be followed; uv keeps what was locked.
            options += [word for one in needed for word in ("--upgrade-package", re.split("[<>=]", one)[0])]
        wanted = requirements if name == "below" else [*requirements, *tools]
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", *options, "-", "-o", f"requirements-{name}.txt"],
            input="\n".join(wanted),
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


def own_environment(**more: str) -> dict[str, str]:
    """The environment of the tests, which must not see the virtual environment that runs this tool."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "PYTHON", "VIRTUAL_ENV"))
    }
    return kept | {"FUZZ_EXAMPLES": "10"} | more


def run_pytest(python: Path, *arguments: str) -> Counter[str]:
    """Run tests, and count them."""
    jobs = os.environ.get("CODAT_ZOHO_TEST_JOBS", "auto")
    with tempfile.TemporaryDirectory(prefix="codat-zoho-versions-") as name:
        report = Path(name) / "junit.xml"
        command = [str(python), "-m", "pytest", "-q", "--no-header", "-n", jobs, f"--junitxml={report}"]
        command += ["--dist", "worksteal", *arguments]
        code = subprocess.run(command, cwd=ROOT, env=own_environment()).returncode
        counts = counted(report)
    if code and not counts["failed"]:
        counts["failed"] += 1  # pytest itself did not get to its end.
    return counts


def counted(report: Path) -> Counter[str]:
    """The numbers in a JUnit report; none where there is no report."""
    counts: Counter[str] = Counter()
    if report.is_file():
        for suite in ET.parse(report).getroot().iter("testsuite"):
            total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            counts.update(passed=total - skipped - failed, failed=failed, skipped=skipped)
    return counts


def test(case: Case, python: Path) -> Outcome:
    """Run the tests that need no engine, and a handful that do."""
    shown = (
        "import sys, importlib.metadata as m; from httpx import Client, __version__ as v; "
        "p = sys.version.split()[0]; print(f'Python {p}, '"
        'f\'pulumi {m.version("pulumi")}, {Client.__module__} {v}, pydantic {m.version("pydantic")}\')'
    )
    releases = subprocess.run([str(python), "-c", shown], check=True, capture_output=True, text=True).stdout.strip()
    print(f"\n{case.name}: {case.says} ({releases})", flush=True)
    ignored = [f"--ignore=tests/{name}.py" for name in LEFT_OUT]
    counts = run_pytest(python, "-m", "not engine", *ignored, "tests")
    return Outcome(case.name, releases, counts + run_pytest(python, *ENGINE_TESTS))


def test_below(python: Path) -> Outcome:
    """Show that each floor is one: with the release before it, a test fails for the reason that is known."""
    shown = ", ".join([*(f"{one.name} {one.release}" for one in BELOW), " ".join(WITHOUT_WHEELS[:2])])
    outcome = Outcome("below", shown)
    print(f"\nbelow: releases older than the floor, which must not do ({shown})", flush=True)
    older = PLACE / "below"
    stamp, text = older / ".ready", (ROOT / BELOW_LOCK).read_text()
    if not stamp.is_file() or stamp.read_text() != text:
        shutil.rmtree(older, ignore_errors=True)
        for one in BELOW:
            wanted = re.findall(rf"(?ms)^(?:{one.name}|sniffio)==.*?(?=^\S|\Z)", text)
            lock = older / f"{one.name}.txt"
            lock.parent.mkdir(exist_ok=True)
            lock.write_text("".join(wanted))
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*install, "--require-hashes", "--target", older / one.name, "-r", lock], check=True)
        stamp.write_text(text)
    for one in BELOW:
        environment = own_environment(PYTHONPATH=str(older / one.name))
        done = subprocess.run(
            [str(python), "-m", "pytest", "-q", "--no-header", one.test],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        judge(outcome, f"{one.name} {one.release}", done.returncode == 1 and one.says in done.stdout, done.stdout)
    name, release, needs, version = WITHOUT_WHEELS
    with tempfile.TemporaryDirectory(prefix="codat-zoho-versions-") as folder:
        options = ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--python-version", version]
        done = subprocess.run(
            [str(python), "-m", "pip", "download", "--quiet", *options, "--dest", folder, needs],
            capture_output=True,
            text=True,
        )
    # Other releases are named: the index answered, and has none of this one for that Python.
    refused = re.search(rf"{re.escape(needs)} \(from versions: \d", done.stderr) is not None
    judge(outcome, f"{name} {release} on Python {version}", done.returncode != 0 and refused, done.stderr)
    return outcome


def judge(outcome: Outcome, what: str, fails: bool, said: str) -> None:
    """Count a release below a floor: it passes when it fails as it is known to."""
    outcome.counts["passed" if fails else "failed"] += 1
    if fails:
        print(f"{what}: does not do, as pyproject.toml says")
    else:
        print(f"{what}: was to fail for the reason that pyproject.toml names, and did not:\n{said}")


def missing() -> list[str]:
    """The files named here that are not there: a renamed test would be left out, or run, unnoticed."""
    named = [f"tests/{name}.py" for name in LEFT_OUT]
    named += [one.partition("::")[0] for one in (*ENGINE_TESTS, *(below.test for below in BELOW))]
    return [name for name in named if not (ROOT / name).is_file()]


def main(arguments: Sequence[str]) -> int:
    """Serve the command line."""
    if list(arguments) == ["lock"]:
        lock()
        return 0
    names = [CASES[0].name, "below", *(case.name for case in CASES[1:])]
    if set(arguments) - set(names):
        print(__doc__, file=sys.stderr)
        return 2
    if lost := missing():
        print(f"tools/versions.py names files that are not there: {', '.join(lost)}. Correct it.", file=sys.stderr)
        return 1
    cases = {case.name: case for case in CASES}
    outcomes = []
    for name in [name for name in names if name in arguments or not arguments]:
        case = cases.get(name, CASES[0])
        version, python = next((v, p) for v in case.pythons if (p := interpreter(v)) is not None)
        own, started = set_up(case, python), time.monotonic()
        outcome = test(case, own) if name in cases else test_below(own)
        outcome.seconds = time.monotonic() - started
        if name in cases and version != case.pythons[0]:
            outcome.notes.append(f"no Python {case.pythons[0]} on this machine")
        outcomes.append(outcome)
    print("\n" + "\n".join(map(str, outcomes)))
    bad = [outcome.name for outcome in outcomes if not outcome.good]
    print(f"FAILED: {', '.join(bad)}" if bad else "All of them pass.")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

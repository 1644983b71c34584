"""What runs in its own environment: other releases of what the package needs, the built wheel, the benchmark.

`make test-versions`, `make dist`, `make release` and `make bench` call these sessions; `.venv/bin/nox -s floor` runs
one of them, and `.venv/bin/nox -s floor -- tests/test_http.py` as much of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

ROOT = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
LOCK = ROOT / "requirements/dev.txt"
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
NEEDED: list[str] = PROJECT["project"]["dependencies"]
TESTS: list[str] = PROJECT["dependency-groups"]["test"]
LEFT_OUT = (
    "test_bench",
    "test_contract",
    "test_docs",
    "test_drift_pipelines",
    "test_mutations",
    "test_packaging",
    "test_pictures",
    "test_policy",
    "test_shape",
    "test_simulator",
    "test_supply_chain",
    "test_versions",
    "test_workflows",
)
"""Tests of files that no release of a requirement changes, tests that need tools with other requirements, and tests
that take minutes for calls that other tests make too."""
ENGINE_TESTS = ("tests/test_engine.py", "tests/test_examples.py::test_quickstart")
BELOW = (
    ("pulumi==3.215.0", "tests/test_provider.py::test_read_finds_a_region_that_is_rejected", "TypeError in"),
    (
        "httpx==0.27.2",
        "tests/test_http.py::test_a_machine_that_is_set_up_wrongly[SSL_CERT_FILE-/no/such/file.pem-No such file or "
        "directory]",
        "Connection refused",
    ),
)
"""The release before a floor, the test that fails with it, and what that test says then."""
WITHOUT_WHEELS = ("pydantic==2.7.4", "3.13", "pydantic-core==2.18.4 has no usable wheels")
"""The release before pydantic's floor, the supported Python for which it has no wheels, and what uv says."""
# httpx2 is the maintained fork. Only one module imports httpx, so one line would swap it; here, a shim does.
SHIM = '''"""Stands for `import httpx2 as httpx` in codat_zoho/remote/http.py."""

import httpx2

# Not a module put in the place of this one: a thread that waits for this import would get the empty one.
globals().update({name: value for name, value in vars(httpx2).items() if not name.startswith("__")})
__version__ = httpx2.__version__
'''

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.envdir = ".venv-nox"
nox.options.sessions = ["floor", "below", "newest", "httpx2"]


def python(*versions: str) -> str:
    """The first of these Pythons that the machine has, or else the one that runs nox."""
    # The shims of pyenv fail for Pythons that are not selected; the Pythons themselves are here.
    path = os.pathsep.join([os.environ["PATH"], *map(str, Path.home().glob(".pyenv/versions/*/bin"))])
    for version in versions:
        command = (BIN / "uv", "python", "find", "--no-python-downloads", version)
        found = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.strip()
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def locked(*requirements: str) -> list[str]:
    """These requirements as they are locked."""
    names = {re.split("[<>=]", one)[0] for one in requirements}
    lines = re.findall(r"(?m)^([a-z0-9-]+)(==.*?) \\$", LOCK.read_text())
    return [name + release for name, release in lines if name in names]


def install_locked(session: nox.Session, *requirements: str) -> None:
    """Install them and what they need as `requirements/dev.txt` has it, each checked against its hashes."""
    session.install("--compile-bytecode", "--require-hashes", "--constraints", str(LOCK), *locked(*requirements))


def install_floor(session: nox.Session, *instead: str) -> None:
    """Install the lowest releases that the bounds allow, or these instead, and the tests' tools as locked."""
    others = [one.partition("==")[0] for one in instead]
    needed = [one for one in NEEDED if re.split("[<>=]", one)[0] not in others]
    session.install("--resolution", "lowest-direct", *needed, *instead, *locked(*TESTS))


def install_the_checkout(session: nox.Session) -> None:
    """Install the checkout itself, built by the locked release of the build backend."""
    session.install("--no-deps", "--build-constraints", str(LOCK), "--editable", str(ROOT))


def environment(**more: str) -> dict[str, str | None]:
    """What a session's Python sees: nothing that is meant for the one that runs nox."""
    hidden = [name for name in os.environ if name.startswith(("COVERAGE", "PYTHON"))]
    return dict.fromkeys(hidden) | more


def test(session: nox.Session) -> None:
    """Run the tests that need no engine, and a handful that do; or what stands behind `--`."""
    install_the_checkout(session)
    session.run("python", "--version")
    session.run("uv", "pip", "freeze", env=environment())
    jobs = os.environ.get("CODAT_ZOHO_TEST_JOBS", "auto")
    pytest = ("python", "-m", "pytest", "-q", "--no-header", "--dist", "worksteal", "-n", jobs)
    ignored = [f"--ignore=tests/{name}.py" for name in LEFT_OUT]
    chosen = session.posargs or ["-m", "not engine", "tests"]
    session.run(*pytest, *ignored, *chosen, env=environment(FUZZ_EXAMPLES="10"))
    if not session.posargs:
        session.run(*pytest, *ENGINE_TESTS, env=environment())


@nox.session(python=python("3.10"))
def floor(session: nox.Session) -> None:
    """Test the oldest releases allowed, on the oldest Python."""
    install_floor(session)
    test(session)


@nox.session(python=python("3.10"))
def below(session: nox.Session) -> None:
    """Show that each floor is one: with the release before it, a test fails for the reason that is known."""
    for release, name, says in BELOW:
        install_floor(session, release)
        install_the_checkout(session)
        fails(session, release, says, "python", "-m", "pytest", "-q", "--no-header", name)
    release, version, says = WITHOUT_WHEELS
    options = ("--dry-run", "--no-build", "--target", session.create_tmp(), "--python-version", version)
    fails(session, release, says, "uv", "pip", "install", *options, release)


def fails(session: nox.Session, release: str, says: str, *command: str) -> None:
    """Run a command that must fail with this release, for the reason that is known."""
    said = session.run(*command, env=environment(), success_codes=[1], silent=True)
    if says not in " ".join(str(said).split()):
        session.error(f"{release} should have failed for the reason that pyproject.toml names, and did not:\n{said}")
    session.log(f"{release} is too old, as pyproject.toml says.")


@nox.session(python=python("3.14", "3.13", "3.12"))
def newest(session: nox.Session) -> None:
    """Test the newest releases, as they are locked."""
    install_locked(session, *NEEDED, *TESTS)
    test(session)


@nox.session(python=python())
def httpx2(session: nox.Session) -> None:
    """Test with httpx2 in place of httpx."""
    others = [one for one in NEEDED if not one.startswith("httpx")]
    session.install("httpx2", *locked(*others, *TESTS))
    (site,) = Path(session.virtualenv.location).glob("lib/python3*/site-packages")
    (site / "httpx.py").write_text(SHIM)
    test(session)


@nox.session(python=python(), reuse_venv=True)
def bench(session: nox.Session) -> None:
    """Measure what the package costs a user: with development tools installed, httpx would load some of them."""
    install_locked(session, *NEEDED, *TESTS)
    install_the_checkout(session)
    session.run("python", "-m", "bench", *session.posargs, env=environment())


def build(out: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from the sdist, as a stranger would; returns wheel and sdist."""
    shutil.rmtree(out, ignore_errors=True)
    options = ("--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", out)
    subprocess.run([BIN / "uv", "build", *options, ROOT], check=True)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def checks(wheel: Path, sdist: Path) -> list[list[str | Path]]:
    """The commands that check both."""
    return [[BIN / "twine", "check", "--strict", wheel, sdist], [BIN / "check-wheel-contents", wheel]]


@nox.session(python=python())
def dist(session: nox.Session) -> None:
    """Build the wheel and the sdist in dist/, check both, and test the wheel far from the checkout."""
    wheel, sdist = build(ROOT / "dist")
    for command in checks(wheel, sdist):
        session.run(*command, external=True)
    install_locked(session, *NEEDED, *TESTS)
    session.install("--no-deps", str(wheel))
    with TemporaryDirectory(prefix="codat-zoho-wheel-") as name, session.chdir(name):
        for folder in ("public", "typing"):
            shutil.copytree(ROOT / "tests" / folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        where = (
            "import sys, codat_zoho; print(codat_zoho.__file__); sys.exit('site-packages' not in codat_zoho.__file__)"
        )
        session.run("python", "-c", where, env=environment())
        session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "public", env=environment())
        check_types(session, Path("typing"))


def check_types(session: nox.Session, examples: Path) -> None:
    """Let both type checkers look at the typing examples, with the types that the wheel ships."""
    venv = Path(session.virtualenv.location).resolve()
    names = sorted(examples.glob("*.py"))
    session.run(BIN / "mypy", "--strict", "--python-executable", venv / "bin/python", *names, external=True)
    options = PROJECT["tool"]["basedpyright"]
    here = {"include": [str(examples)], "extraPaths": [], "venvPath": str(venv.parent), "venv": venv.name}
    Path("pyrightconfig.json").write_text(json.dumps(options | here))
    session.run(BIN / "basedpyright", "--level", "error", external=True)


@nox.session(python=python())
def release(session: nox.Session) -> None:
    """Do everything but the release itself, and say what to tag and upload."""
    session.run(sys.executable, "tools/release.py", "--check", external=True)
    dist.func(session)
    session.run(sys.executable, "tools/release.py", external=True)

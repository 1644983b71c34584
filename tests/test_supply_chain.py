"""What is installed is locked and looked after: hashes, no addresses, and an audit that never passes for one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_engine import ROOT
from tools.audit import LOCKS, OPTIONS, audit

FOUND = "print('a 1.0 CVE-1 1.1'); sys.exit('Found 1 known vulnerability in 1 package')"


@pytest.mark.parametrize(
    ("body", "codes", "says"),
    [
        ("print('No known vulnerabilities found', file=sys.stderr)", (0, 0), "No known vulnerabilities found"),
        (FOUND, (1, 1), "Found 1 known vulnerability in 1 package\na 1.0 CVE-1 1.1"),
        (
            "sys.exit('ERROR: connection refused')",
            (0, 1),
            "{}: no advisory source can be asked: ERROR: connection refused",
        ),
        ("sys.exit(3)", (0, 1), "{}: no advisory source can be asked: pip-audit ended with 3"),
    ],
    ids=["clean", "vulnerable", "nobody answers", "nothing is said"],
)
@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
def test_an_audit(
    body: str, codes: tuple[int, int], says: str, strict: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A vulnerability fails; without an answer it is skipped in one line, and fails where there has to be one."""
    double = f"import sys; assert sys.argv[-1].endswith('lock.txt')\n{body}"
    assert audit(tmp_path / "lock.txt", strict=strict, command=(sys.executable, "-c", double)) == codes[strict]
    assert capsys.readouterr().out == f"audit: lock.txt: {says.format('FAILED' if strict else 'skipped')}\n"


def test_a_package_that_nobody_knows_is_no_answer() -> None:
    """pip-audit would go on and pass."""
    assert "--strict" in OPTIONS


# --- the locked files -------------------------------------------------------------------------------------------------

_REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==[0-9A-Za-z.+!-]+( ; [\w\s.*'()<>=!]+)?")


def test_three_files_are_locked() -> None:
    """What development needs, the policy pack's own environment, and what running needs."""
    assert [path.name for path in LOCKS] == ["dev.txt", "policy.txt", "run.txt"]


def test_the_demo_installs_only_what_running_needs() -> None:
    """Its environment has the releases that are developed with, and far fewer of them; nothing else brings them in."""
    run, dev = (
        set(re.findall(r"(?m)^\S+==.*", (ROOT / f"requirements/{name}.txt").read_text())) for name in ("run", "dev")
    )
    assert run <= dev and len(run) < len(dev) / 4
    assert {"pulumi", "httpx", "pydantic"} <= {one.partition("==")[0] for one in run}
    said = subprocess.run(["make", "-n", "-B", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"-r (\S+)", said) == ["requirements/run.txt"]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_everything_is_locked_by_hash(path: Path) -> None:
    """Each requirement is one exact version with at least one SHA-256, and pip is told to insist on them."""
    requirements = re.sub(r" *\\\n +", " \x00", path.read_text()).splitlines()
    assert len(requirements) > 20
    for line in requirements:
        requirement, *hashes = line.split(" \x00")
        assert _REQUIREMENT.fullmatch(requirement), requirement
        assert hashes, requirement
        for one in hashes:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one), requirement
    assert re.search(rf"--require-hashes -r requirements/{re.escape(path.name)}", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_no_address_is_named(path: Path) -> None:
    """Where packages come from is for the machine to say: no index, no link, no repository, no path."""
    text = path.read_text()
    assert not re.findall(
        r"https?:|git\+|file:|--index-url|--extra-index-url|--find-links|--trusted-host|^-[if] | @ ", text, re.M
    )


def test_the_run_time_dependencies_are_three() -> None:
    """Every further one is further code that sees the API key."""
    text = (ROOT / "pyproject.toml").read_text()
    found = re.search(r"^dependencies = \[(.*?)\]", text, re.S | re.M)
    assert found
    names = [re.split("[<>=]", one)[0] for one in re.findall(r'"([^"]+)"', found[1])]
    assert names == ["pulumi", "httpx", "pydantic"]


def test_make_check_audits() -> None:
    """The audit is part of what everybody runs."""
    makefile = (ROOT / "Makefile").read_text()
    check = re.search(r"^check:.*?\n\n", makefile, re.S | re.M)
    assert check and "tools/audit.py" in check[0]


@pytest.mark.slow
def test_an_environment_that_cannot_be_set_up(tmp_path: Path) -> None:
    """Where pip finds nothing, the last word is what to do about it, and the next start begins anew."""
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "requirements/run.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    words = ["make", "-s", ".venv-demo/.ready", f"PYTHON={sys.executable}"]
    nothing = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    done = subprocess.run(words, cwd=tmp_path, env=nothing | {"PIP_NO_INDEX": "1"}, capture_output=True, text=True)
    assert done.returncode == 2 and "No matching distribution" in done.stderr
    assert re.search(r"\nNot set up: .*PIP_FIND_LINKS.*\nmake: .*\n$", done.stderr), done.stderr
    assert not (tmp_path / ".venv-demo/.ready").exists()

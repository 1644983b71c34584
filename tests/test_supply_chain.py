"""What is installed is locked and looked after: hashes, no addresses, and an audit that never passes for one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.audit import LOCKS, ROOT, Audit, main

_DOUBLE = """\
import json, pathlib, sys
words = sys.argv[1:]
lock = pathlib.Path(words[words.index("--requirement") + 1]).read_text()
{body}
"""
CLEAN = {"name": "a", "version": "1.0", "vulns": []}
BAD = {
    "name": "b",
    "version": "2.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}, {"id": "CVE-2", "fix_versions": []}],
}


def audit(
    folder: Path, body: str, *, lock: str = "a==1.0 \\\n    --hash=sha256:00\nb==2.0 \\\n    --hash=sha256:11\n"
) -> Audit:
    """An audit by a double that does ``body``."""
    double, file = folder / "double.py", folder / "lock.txt"
    double.write_text(_DOUBLE.format(body=body))
    file.write_text(lock)
    return Audit((sys.executable, str(double)), [file], first_seconds=30.0, seconds=30.0)


def says(*packages: dict[str, Any]) -> str:
    return f"print({json.dumps(json.dumps({'dependencies': packages}))})"


def test_nothing_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a finding it says how many packages were looked at."""
    assert main(audit(tmp_path, says(CLEAN, CLEAN)), strict=True) == 0
    assert capsys.readouterr().out == "audit: 2 locked packages, no known vulnerabilities\n"


def test_a_vulnerability_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is named with the version that mends it, and the check fails, strict or not."""
    body = f"{says(CLEAN, BAD)}; sys.exit(1)"
    assert main(audit(tmp_path, body), strict=False) == 1
    assert capsys.readouterr().out == (
        "audit: lock.txt: b 2.0: CVE-1, fixed in 2.1\n"
        "audit: lock.txt: b 2.0: CVE-2, not fixed yet\n"
        "audit: 2 locked packages, 2 known vulnerabilities\n"
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sys.exit('ERROR: connection refused')", "ERROR: connection refused"),
        ("sys.exit(3)", "pip-audit ended with 3"),
        ("print('[]')", "pip-audit ended with 0"),
        ("print('{')", "pip-audit ended with 0"),
        (says({"name": "a", "skip_reason": "not found"}), "not found"),
    ],
)
def test_no_answer_is_said(body: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an advisory source it is skipped, in one line with the reason; where there has to be one it fails."""
    assert main(audit(tmp_path, body), strict=False) == 0
    assert capsys.readouterr().out == f"audit: skipped: no advisory source can be asked: {why}\n"
    assert main(audit(tmp_path, body), strict=True) == 1
    assert capsys.readouterr().out == f"audit: FAILED: no advisory source can be asked: {why}\n"


def test_a_package_that_nobody_knows_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are looked at all the same, and a strict check does not take it for a pass."""
    unknown = {"name": "b", "skip_reason": "not found"}
    double = audit(tmp_path, f"{says(CLEAN)} if 'b==' not in lock else {says(CLEAN, unknown)}")
    assert (main(double, strict=False), main(double, strict=True)) == (0, 1)
    said = "audit: not looked at: lock.txt: b: not found\naudit: 1 locked packages, no known vulnerabilities\n"
    assert capsys.readouterr().out == said * 2


def test_one_package_is_asked_about_first(tmp_path: Path) -> None:
    """A closed network is found out by the first, not by a hundred that each run into a timeout."""
    body = "open('asked', 'a').write(lock); sys.exit('closed')"
    double = audit(tmp_path, body.replace("'asked'", repr(str(tmp_path / "asked"))))
    assert main(double, strict=False) == 0
    assert (tmp_path / "asked").read_text() == "a==1.0 \\\n    --hash=sha256:00\n"


def test_an_audit_that_hangs_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A network that swallows everything does not hold up the check."""
    double = audit(tmp_path, "import threading; threading.Event().wait()")
    assert main(Audit(double.command, double.locks, first_seconds=0.5), strict=False) == 0
    assert capsys.readouterr().out == "audit: skipped: no advisory source can be asked: no answer within 0.5 s\n"


def test_an_audit_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing command is no audit."""
    lock = audit(tmp_path, "").locks
    assert main(Audit((str(tmp_path / "no-such-command"),), lock), strict=True) == 1
    assert "does not run: No such file or directory" in capsys.readouterr().out


# --- the locked files -------------------------------------------------------------------------------------------------

_REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==[0-9A-Za-z.+!-]+( ; [\w\s.*'()<>=!]+)?")


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_locked_by_hash(name: str) -> None:
    """Each requirement is one exact version with at least one SHA-256, and pip is told to insist on them."""
    requirements = re.sub(r" *\\\n +", " \x00", (ROOT / name).read_text()).splitlines()
    assert len(requirements) > 20
    for line in requirements:
        requirement, *hashes = line.split(" \x00")
        assert _REQUIREMENT.fullmatch(requirement), requirement
        assert hashes, requirement
        for one in hashes:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one), requirement
    assert re.search(rf"--require-hashes -r {re.escape(name)}", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize("name", [*LOCKS, "requirements-dev.in", "requirements-policy.in"])
def test_no_address_is_named(name: str) -> None:
    """Where packages come from is for the machine to say: no index, no link, no repository, no path."""
    text = (ROOT / name).read_text()
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

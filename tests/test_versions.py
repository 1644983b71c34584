"""Which releases of pulumi, httpx and pydantic are supported, and that `make test-versions` shows what it says."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.real_engine import ROOT
from tools import versions

CEILING = re.compile(r"^([a-z]+)>=([0-9.]+),<(\d+)$")


def numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


@pytest.mark.parametrize("case", versions.CASES, ids=lambda case: case.name)
def test_the_locks_match_the_bounds(case: versions.Case) -> None:
    """A bound that is changed without `make lock` would be proven by nobody; and no lock names an address."""
    text = (ROOT / case.lock).read_text()
    assert "://" not in text and "--index" not in text
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==([0-9.]+)", text))
    for requirement in versions.floors():
        name, floor, ceiling = CEILING.findall(requirement)[0]
        if case.name == "httpx2" and name == "httpx":
            assert "httpx2" in locked and "httpx" not in locked
            continue
        release, least = numbers(locked[name]), numbers(floor)
        assert least <= release < (int(ceiling),)
        assert case.name != "floor" or release[: len(least)] == least


def test_each_floor_has_a_reason_and_a_proof() -> None:
    """The comment above a floor names the release below it, and that release is what `make test-versions` tries."""
    tried = {one.name: one.release for one in versions.BELOW}
    tried[versions.WITHOUT_WHEELS[0]] = versions.WITHOUT_WHEELS[1]
    text = (ROOT / "pyproject.toml").read_text()
    for requirement in versions.floors():
        name, floor, _ = CEILING.findall(requirement)[0]
        major, minor = numbers(floor)
        assert numbers(tried.pop(name))[:2] == (major, minor - 1)
        assert re.search(rf'(?m)^    # {major}\.{minor - 1} .*\.\n    "{re.escape(requirement)}",$', text)
    assert not tried


def test_what_is_older_is_locked() -> None:
    """What `below` installs is one exact release by hash, and the one that is named."""
    text = (ROOT / versions.BELOW_LOCK).read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:", text))
    assert locked.items() >= {(one.name, one.release) for one in versions.BELOW}
    assert "://" not in text


def test_the_tests_that_are_named_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test that was renamed must not be run, or left out, unnoticed: the tool says so and tests nothing."""
    assert versions.missing() == []
    for one in versions.BELOW:
        path, _, name = one.test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text()
    monkeypatch.setattr(versions, "LEFT_OUT", (*versions.LEFT_OUT, "test_renamed"))
    assert versions.main(["newest"]) == 1
    assert capsys.readouterr().err.startswith("tools/versions.py names files that are not there: tests/test_renamed.py")


def test_a_typo_is_no_case(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is tested, and the names are said."""
    assert versions.main(["newset"]) == 2
    assert "`httpx2`" in capsys.readouterr().err


def test_tests_are_counted(tmp_path: Path) -> None:
    """The summary has pytest's own numbers; where pytest did not come to its end there are none, and that is no pass."""
    report = tmp_path / "junit.xml"
    assert not versions.Outcome("newest", "", versions.counted(report)).good
    report.write_text('<testsuites><testsuite tests="9" skipped="2" failures="1" errors="1"/></testsuites>')
    assert versions.counted(report) == Counter(passed=5, failed=2, skipped=2)
    shown = versions.Outcome("newest", "pulumi 4", versions.counted(report), ["no Python 3.13 here"], 61.0)
    assert str(shown) == "newest   pulumi 4  5 passed, 2 failed, 2 skipped  1 min 1 s  no Python 3.13 here"
    assert not shown.good


def test_a_pytest_that_breaks_off_is_a_failure() -> None:
    """A usage error runs no test, and must not pass for one that found nothing."""
    assert versions.run_pytest(Path(sys.executable), "tests/no_such_file.py")["failed"] == 1


def test_a_release_below_a_floor_that_works_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Then the floor is too high, or its reason is another: somebody has to look."""
    outcome = versions.Outcome("below", "")
    versions.judge(outcome, "httpx 0.27.2", True, "")
    assert outcome.good
    versions.judge(outcome, "httpx 0.27.2", False, "1 passed")
    assert not outcome.good
    assert "and did not:\n1 passed" in capsys.readouterr().out

"""Which releases of pulumi, httpx and pydantic are supported, and that `make test-versions` shows what it says."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.requirements import Requirement

import noxfile
from tests.real_engine import ROOT


def numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def bounds(requirement: str) -> tuple[str, str]:
    """Name and floor of a run-time requirement."""
    ((name, floor),) = re.findall(r"^([a-z]+)>=([0-9.]+),<\d+$", requirement)
    return name, floor


@pytest.mark.parametrize("lock", ["dev", "policy"])
def test_the_locks_match_the_bounds(lock: str) -> None:
    """A bound that is changed without `make lock` would be proven by nobody."""
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==([0-9.]+)", (ROOT / f"requirements/{lock}.txt").read_text()))
    for requirement in map(Requirement, noxfile.NEEDED):
        assert locked[requirement.name] in requirement.specifier


def test_what_a_session_needs_is_locked() -> None:
    """The newest releases, the benchmark and the wheel's test have their requirements from the lock, by exact release."""
    wanted = [*noxfile.NEEDED, *noxfile.TESTS]
    locked = [Requirement(one) for one in noxfile.locked(*wanted)]
    assert {one.name for one in locked} == {Requirement(one).name for one in wanted}
    assert all(str(one.specifier).startswith("==") for one in locked)


def test_each_floor_has_a_reason_and_a_proof() -> None:
    """The comment above a floor names the release below it, and that release is what `make test-versions` tries."""
    tried = dict(one[0].split("==") for one in (*noxfile.BELOW, noxfile.WITHOUT_WHEELS))
    text = (ROOT / "pyproject.toml").read_text()
    for requirement in noxfile.NEEDED:
        name, floor = bounds(requirement)
        major, minor = numbers(floor)
        assert numbers(tried.pop(name))[:2] == (major, minor - 1)
        assert re.search(rf'(?m)^    # {major}\.{minor - 1} .*\.\n    "{re.escape(requirement)}",$', text)
    assert not tried


def test_the_tests_that_are_named_are_there() -> None:
    """A test that was renamed must not be run, or left out, unnoticed."""
    assert not [name for name in noxfile.LEFT_OUT if not (ROOT / f"tests/{name}.py").is_file()]
    for test in (*noxfile.ENGINE_TESTS, *(one[1] for one in noxfile.BELOW)):
        path, _, name = test.partition("::")
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / path).read_text()
        assert (ROOT / path).is_file()


@pytest.mark.parametrize(("said", "refused"), [("E   TypeError\n   in", False), ("1 failed", True)])
def test_a_release_below_a_floor_has_to_fail_for_its_reason(said: str, refused: bool) -> None:
    """Else the floor is too high, or its reason is another: somebody has to look. That it fails, nox sees to."""
    told: list[str] = []
    asked: dict[str, Any] = {}

    def run(*command: str, **options: Any) -> str:
        asked.update(options)
        return said

    session: Any = SimpleNamespace(run=run, error=told.append, log=lambda line: None)
    noxfile.fails(session, "pulumi==3.215.0", "TypeError in", "pytest")
    assert asked["success_codes"] == [1]
    assert bool(told) == refused

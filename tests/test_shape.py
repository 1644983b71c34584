"""The package stays small: what it may weigh, how its parts lie above each other, and that no import goes in a circle."""

from __future__ import annotations

import graphlib
import statistics

import grimp
import pytest

from tests.real_engine import ROOT

LINES = {
    path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
    for path in sorted((ROOT / "codat_zoho").rglob("*.py"))
}


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Which module of the package imports which, at the top, in a function and for type checkers alike."""
    graph = grimp.build_graph("codat_zoho", cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_the_package_is_small() -> None:
    """At most 150 files with 20,000 lines; a file has at most 350 lines, and half of them at most 130."""
    assert len(LINES) <= 150
    assert sum(LINES.values()) <= 20_000
    assert {path: lines for path, lines in LINES.items() if lines > 350} == {}
    assert statistics.median(LINES.values()) <= 130


def _part(module: str) -> str:
    return module.split(".")[1]


def _levels(arrows: dict[str, set[str]]) -> dict[str, int]:
    """How many parts lie below each other under a part, itself among them."""
    levels: dict[str, int] = {}
    for part in graphlib.TopologicalSorter(arrows).static_order():
        levels[part] = 1 + max((levels[below] for below in arrows.get(part, ())), default=0)
    return levels


def _between_parts(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    arrows: dict[str, set[str]] = {}
    for module, imported in imports.items():
        if module != "codat_zoho":
            below = {_part(one) for one in imported if one != "codat_zoho"} - {_part(module)}
            arrows.setdefault(_part(module), set()).update(below)
    return arrows


def test_the_parts_lie_on_few_levels(imports: dict[str, set[str]]) -> None:
    """At most nine parts below each other, from one that nobody imports to one that imports nobody."""
    levels = _levels(_between_parts(imports))
    assert max(levels.values()) <= 9, sorted(levels.items(), key=lambda item: -item[1])


def _circle(imports: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_import_goes_in_a_circle(imports: dict[str, set[str]]) -> None:
    """No module imports, by whichever way, itself."""
    assert _circle(imports) == []


def test_a_circle_would_be_found() -> None:
    """The tests above can fail."""
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert _levels({"a": {"b", "c"}, "b": {"c"}}) == {"a": 3, "b": 2, "c": 1}

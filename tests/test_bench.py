"""The arithmetic of ``bench/``; no times are asserted."""

from __future__ import annotations

import json

import pytest

from bench import report
from bench.__main__ import DOCUMENT, RESULTS
from bench.harness import Bar, Pairs, Spread, in_turn, slope


def test_the_ratio_is_the_median_of_the_paired_ratios() -> None:
    """A figure is the median of ratios of pairs, not the ratio of two medians."""
    pairs = Pairs((1.0, 2.0, 10.0), (2.0, 2.0, 30.0))
    assert pairs.ratio.median == 2.0
    assert pairs.added.median == 1.0


def test_quartiles_stay_within_what_was_measured() -> None:
    """A spread never shows a value beyond the smallest or largest."""
    assert Spread.of([1, 2, 3, 4, 5]) == Spread(2, 3, 4)
    assert Spread.of([7]) == Spread(7, 7, 7)


def test_a_slope_is_what_one_more_costs() -> None:
    """The fixed part does not count."""
    assert slope({1: 3.0, 10: 21.0, 100: 201.0}) == pytest.approx(2.0)


def test_runs_alternate_and_the_first_pair_is_thrown_away() -> None:
    """Both sides see the same machine: A B A B."""
    said: list[str] = []
    values = iter(range(100))

    def side(name: str) -> float:
        said.append(name)
        return float(next(values))

    pairs = in_turn(lambda: side("floor"), lambda: side("ours"), 2)
    assert said == ["floor", "ours"] * 3
    assert pairs == Pairs((2.0, 4.0), (3.0, 5.0))


def test_a_bar_tells_whether_it_is_met() -> None:
    """Equal is met, above is not, and the line says so."""
    assert Bar("b", 1.0, 1.0).line().endswith(": met")
    assert Bar("b", 1.01, 1.0).line().endswith(": NOT met")


def test_the_page_shows_what_was_measured() -> None:
    """Figures in the documentation and in the picture are those of the committed run; none is typed by hand."""
    result = json.loads((RESULTS / "results.json").read_text())
    assert not result["quick"], "a quick run is not for the page: run `make bench`"
    assert report.into(DOCUMENT.read_text(), report.table(result)) == DOCUMENT.read_text()
    assert (RESULTS / "results.txt").read_text() == report.table(result) + "\n"
    assert (RESULTS / "ratios.svg").read_text() == report.picture(result)

"""The list of mutations stays true: each of them can still be made. ``make mutations`` makes them."""

from __future__ import annotations

import pytest

from tools.mutations import MUTATIONS, Mutation, main, problem_with


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_its_text_stands_exactly_once(mutation: Mutation) -> None:
    """A safeguard that was moved or reworded must not drop out of the list unnoticed."""
    assert problem_with(mutation) is None
    assert mutation.old != mutation.new


def test_names_are_unique() -> None:
    """A name picks one mutation."""
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 20


def test_an_unknown_name_is_refused() -> None:
    """A typo must not pass for a mutation that was killed."""
    assert main(["no such safeguard"]) == 2

"""Markdown helpers: nothing from elsewhere breaks a table or pings people, and long texts are cut with a count."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.texts.markdown import code, escape, fit, table


@given(st.text())
def test_escaped_text_has_no_live_markdown(text: str) -> None:
    """Whatever a name holds, it makes no markup, no table cell, no mention and no tag."""
    shown = escape(text)
    assert "\n" not in shown and "<" not in shown and ">" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_|\[\]]", shown)
    assert not re.search(r"@\w", shown)


@given(st.text())
def test_code_spans_close_where_they_should(text: str) -> None:
    """A backtick or a pipe inside ends neither the span nor the cell."""
    shown = code(text)
    opening = re.match("`+", shown)
    assert opening and shown.endswith(opening[0])
    assert opening[0] not in re.findall("`+", shown[len(opening[0]) : -len(opening[0])])
    assert not re.search(r"(?<!\\)\|", shown)


def test_a_table_has_a_row_per_line() -> None:
    """The shape every renderer of Markdown knows."""
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@given(st.lists(st.text(max_size=30), max_size=8), st.integers(20, 200))
def test_a_long_text_is_cut_with_a_count(blocks: list[str], limit: int) -> None:
    """The result never passes the limit; it holds the first blocks whole, and says how many are missing."""
    text = fit(blocks, limit, lambda count: f"({count} left out)")
    assert len(text) <= limit
    kept = len(blocks)
    if text.endswith("left out)") and text != "\n\n".join(blocks):
        kept = len(blocks) - int(re.findall(r"\((\d+) left out\)", text)[-1])
    assert text.startswith("\n\n".join(blocks[:kept]))

"""What the generated pages are made of: tables, code, and docstrings as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable


def plain(text: str) -> str:
    """Turn the few marks of our docstrings into Markdown."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    return re.sub(r"\s+", " ", text.replace("``", "`")).strip().replace("|", "\\|")


def code(text: object) -> str:
    """Mark as code, in a cell of a table."""
    return f"`{text}`".replace("|", "\\|")


def table(head: Iterable[str], *rows: Iterable[str]) -> str:
    """Draw a table."""
    titles = list(head)
    return "\n".join(_row(row) for row in (titles, ["---"] * len(titles), *rows))


def _row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)

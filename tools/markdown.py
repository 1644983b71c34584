"""What the generated pages are made of: tables, code, and docstrings as Markdown."""

from __future__ import annotations

import inspect
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


def arguments(made: object) -> dict[str, str]:
    """What the Args section of a docstring says of each argument."""
    section = re.search(r"(?ms)^Args:\n(.*?)(?=^\S|\Z)", inspect.getdoc(made) or "")
    entries = re.split(r"(?m)^ {4}(\w+): ", section[1]) if section else [""]
    return {name: plain(text) for name, text in zip(entries[1::2], entries[2::2], strict=True)}


def lead(made: object) -> str:
    """The docstring before its sections, in paragraphs."""
    text = re.split(r"(?m)^(?:Args|Raises):$", inspect.getdoc(made) or "")[0]
    return "\n\n".join(map(plain, text.strip().split("\n\n")))


def outputs(made: type) -> dict[str, tuple[str, str]]:
    """Type and text of each attribute that is documented by the string below it."""
    source = inspect.getsource(made)
    found = re.findall(r'(?m)^ +(\w+): pulumi\.Output\[(.*)\]\n +"""(.*)"""$', source)
    return {name: (kind, plain(text)) for name, kind, text in found}

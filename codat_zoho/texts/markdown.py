"""Small helpers for Markdown that ends up in comments, issues and step summaries.

Texts from elsewhere (names of stacks, what Codat calls something) must neither break a table nor ping people, and
such places take a limited number of characters: GitHub 65,536 in a comment and 1 MiB in a step summary, GitLab
1,000,000 in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

COMMENT_LIMIT = 65_536
"""Characters that a GitHub comment takes (GitHub's REST documentation on issue comments)."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JOINER = "&#8203;"  # a zero-width space: nobody is mentioned, and no address becomes a link


def escape(text: str) -> str:
    r"""Return ``text`` so that Markdown shows it as it is, on one line, without mentions, references or links.

    >>> escape("a|b *c* <d> @team")
    'a\\|b \\*c\\* &lt;d&gt; @&#8203;team'
    """
    flat = " ".join(text.split())
    plain = _SPECIAL.sub(r"\\\1", re.sub("[&<>]", lambda found: _ENTITIES[found[0]], flat))
    plain = plain.replace("@", f"@{_JOINER}").replace("://", f":{_JOINER}//")
    return re.sub(r"\bwww\.", f"www{_JOINER}.", plain)


def code(text: str) -> str:
    r"""Return ``text`` as a code span, also where it holds backticks, and also inside a table.

    >>> code("a|b")
    '`a\\|b`'
    """
    flat = " ".join(text.split()).replace("|", "\\|") or " "
    longest = max(map(len, re.findall("`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already (see :func:`escape` and :func:`code`)."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def fit(blocks: Sequence[str], limit: int, left_out: Callable[[int], str]) -> str:
    r"""Join blocks with empty lines, leaving out whole blocks at the end where the text would pass ``limit``.

    Args:
        blocks: paragraphs, tables and headings, the most important first.
        limit: characters that the result may have.
        left_out: the last block, given how many blocks are missing.

    >>> fit(["one", "two", "three"], 14, lambda count: f"({count} more)")
    'one\n\n(2 more)'
    """
    for kept in range(len(blocks), -1, -1):
        missing = len(blocks) - kept
        text = "\n\n".join([*blocks[:kept], *([left_out(missing)] if missing else [])])
        if len(text) <= limit:
            return text
    return left_out(len(blocks))[:limit]

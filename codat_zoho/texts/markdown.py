"""Markdown for comments, issues and step summaries: texts from elsewhere neither break it nor ping anybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

COMMENT_LIMIT = 65_536
"""Characters that a GitHub comment takes; a step summary takes 1 MiB, and a GitLab comment 1,000,000."""

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
    fence = _fence(flat, 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def block(text: str, language: str, indent: str = "") -> str:
    r"""Return ``text`` as a block of code; ``indent`` puts it below the item of a list.

    >>> block("pulumi up", "sh")
    '```sh\npulumi up\n```'
    """
    fence = _fence(text, 3)
    return "\n".join(f"{indent}{line}" for line in (f"{fence}{language}", *text.splitlines(), fence))


def _fence(text: str, shortest: int) -> str:
    """As many backticks as end nothing in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    return "`" * max(longest + 1, shortest)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already (see :func:`escape` and :func:`code`)."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def fit(blocks: Sequence[str], limit: int, left_out: Callable[[int], str]) -> str:
    r"""Join blocks, the most important first, leaving out those at the end where the text would pass ``limit``.

    ``left_out`` makes the last block, given how many are missing.

    >>> fit(["one", "two", "three"], 14, lambda count: f"({count} more)")
    'one\n\n(2 more)'
    """
    for kept in range(len(blocks), -1, -1):
        missing = len(blocks) - kept
        text = "\n\n".join([*blocks[:kept], *([left_out(missing)] if missing else [])])
        if len(text) <= limit:
            return text
    return left_out(len(blocks))[:limit]

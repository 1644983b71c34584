"""Draw docs/pictures/*.yaml, boxes on a grid and arrows between them, as the SVG files beside them.

python tools/pictures.py            draws
python tools/pictures.py --check    fails where a picture is not what would be drawn

An arrow is one straight line, and runs through no box: where there is no such way, the boxes have to be placed so that
there is one. That keeps both this program and the pictures simple.
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.generated import write_or_compare  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
UNIT, EDGE, GAP, LINE, SIZE = 30, 10, 34, 17, 13
LETTER = SIZE * 0.52
"""Letters of a proportional font are about half as wide as they are high."""
CLEAR = 9
"""Pixels between two lines, and between a line and a box."""
STYLE = """
:root{--page:#ffffff;--text:#1f2328;--soft:#59636e;--line:#59636e;--own:#eaf2fb;--edge:#4f7cac;--other:#f3f3f3;--rim:#9aa2ab}
@media(prefers-color-scheme:dark){:root{--page:#1c2128;--text:#e6edf3;--soft:#a3adb8;--line:#a3adb8;--own:#1d2f43;
--edge:#5b8dc2;--other:#2d333b;--rim:#69737d}}
text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:13px;fill:var(--text)}
.name{font-weight:600}.soft{fill:var(--soft)}.own{fill:var(--own);stroke:var(--edge)}
.other{fill:var(--other);stroke:var(--rim);stroke-dasharray:4 3}.arrow{stroke:var(--line);stroke-width:1.4;fill:none}
.head{fill:var(--line)}.halo{stroke:var(--page);stroke-width:4;stroke-linejoin:round;paint-order:stroke}
"""


@dataclass(frozen=True)
class Box:
    """One box: its row, its first and last column, its lines (the first one stands out)."""

    row: int
    first: int
    last: int
    lines: list[str]
    own: bool

    @property
    def left(self) -> int:
        """Its left side, in pixels."""
        return EDGE + self.first * UNIT

    @property
    def right(self) -> int:
        """Its right side."""
        return EDGE + (self.last + 1) * UNIT


@dataclass(frozen=True)
class Arrow:
    """From one box to another, with a word beside it."""

    start: str
    end: str
    label: str

    @classmethod
    def parse(cls, text: str) -> Arrow:
        """Read ``start -> end: label``."""
        names, _, label = text.partition(":")
        start, end = (name.strip() for name in names.split("->"))
        return cls(start, end, label.strip())


def _box(given: dict[str, Any]) -> Box:
    first, last = map(int, str(given["columns"]).split("-"))
    letters = int(((last - first + 1) * UNIT - 12) / LETTER)
    lines = [
        line for text in given["text"].split(" | ") for line in textwrap.wrap(text, letters, break_long_words=False)
    ]
    wide = [line for line in lines if len(line) > letters]
    if wide:
        raise ValueError(f"too wide for its box: {wide[0]}")
    return Box(given["row"], first, last, lines, not given.get("other", False))


def _way(start: Box, end: Box, share: float, boxes: list[Box], taken: list[tuple[int, int, int]]) -> int | None:
    """The x of a vertical line between two boxes that meets nothing, as near as can be to that share of their width."""
    low, high = max(start.left, end.left) + CLEAR, min(start.right, end.right) - CLEAR
    rows = range(min(start.row, end.row), max(start.row, end.row))
    between = [one for one in boxes if one.row in rows[1:]]
    lines = [x for x, top, bottom in taken if top <= rows[-1] and rows[0] <= bottom]
    free = [
        x
        for x in range(low, high + 1)
        if all(x < one.left - CLEAR or x > one.right + CLEAR for one in between)
        and all(abs(x - other) > CLEAR for other in lines)
    ]
    return min(free, key=lambda x: abs(x - low - share * (high - low)), default=None)


def svg(text: str) -> str:
    """Draw one picture.

    Raises:
        ValueError: a text is too wide, or there is no straight way for an arrow.
    """
    given = yaml.safe_load(text)
    boxes = {name: _box(one) for name, one in given["boxes"].items()}
    heights = [
        max(len(one.lines) for one in boxes.values() if one.row == row) * LINE + 14
        for row in range(max(one.row for one in boxes.values()) + 1)
    ]
    gap = given.get("gap", GAP)
    tops = [EDGE + sum(heights[:row]) + row * gap for row in range(len(heights))]
    width, height = max(one.right for one in boxes.values()) + EDGE, tops[-1] + heights[-1] + EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>{escape(given["title"])}</title><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" rx="6" fill="var(--page)"/>'
    ]
    taken: list[tuple[int, int, int]] = []
    labels, arrows = [], [Arrow.parse(text) for text in given["arrows"]]
    for arrow in arrows:
        start, end, label = boxes[arrow.start], boxes[arrow.end], arrow.label
        pair = [other for other in arrows if {other.start, other.end} == {arrow.start, arrow.end}]
        if start.row == end.row:
            y = tops[start.row] + heights[start.row] // 2
            points = (start.right, y, end.left, y) if start.left < end.left else (start.left, y, end.right, y)
            at, anchor = ((points[0] + points[2]) // 2, y - 6), "middle"
        else:
            share = (pair.index(arrow) + 1) / (len(pair) + 1)
            x = _way(start, end, share, list(boxes.values()), taken)
            if x is None:
                raise ValueError(f"no straight way: {arrow.start} -> {arrow.end}")
            upper, lower = sorted((start.row, end.row))
            taken.append((x, upper, lower - 1))
            ends = (tops[upper] + heights[upper], tops[lower])
            points = (x, ends[0], x, ends[1]) if start.row < end.row else (x, ends[1], x, ends[0])
            at, anchor = (x + 6, tops[lower] - gap // 2 + 4), "start"
        out.append(_arrow(*points))
        if label:
            if anchor == "start" and at[0] + len(label) * LETTER > width:
                raise ValueError(f"too wide for the picture: {label}")
            place = f'x="{at[0]}" y="{at[1]}" text-anchor="{anchor}"'
            labels.append(f'<text class="soft halo" {place}>{escape(label)}</text>')
    for one in boxes.values():
        top, middle = tops[one.row], (one.left + one.right) // 2
        kind = "own" if one.own else "other"
        size = f'width="{one.right - one.left}" height="{heights[one.row]}"'
        out.append(f'<rect class="{kind}" x="{one.left}" y="{top}" {size} rx="5"/>')
        first = top + (heights[one.row] - len(one.lines) * LINE) // 2 + SIZE
        for number, line in enumerate(one.lines):
            place = f'x="{middle}" y="{first + number * LINE}" text-anchor="middle"'
            out.append(f'<text class="{"soft" if number else "name"}" {place}>{escape(line)}</text>')
    return "\n".join([*out, *labels, "</svg>", ""])


def _arrow(x1: int, y1: int, x2: int, y2: int) -> str:
    along = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    back = x2 - 8 * along[0], y2 - 8 * along[1]
    side = 4 * along[1], 4 * along[0]
    head = f"{x2},{y2} {back[0] + side[0]},{back[1] + side[1]} {back[0] - side[0]},{back[1] - side[1]}"
    return f'<path class="arrow" d="M{x1} {y1}L{back[0]} {back[1]}"/><polygon class="head" points="{head}"/>'


def main(arguments: list[str]) -> int:
    """Draw or compare."""
    drawn = {one.with_suffix(".svg"): svg(one.read_text(encoding="utf-8")) for one in sorted(FOLDER.glob("*.yaml"))}
    return write_or_compare(drawn, "docs/pictures", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

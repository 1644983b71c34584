"""The results as text, as a table for the documentation, and as a picture."""

from __future__ import annotations

from html import escape
from typing import Any

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def table(result: dict[str, Any]) -> str:
    """Markdown: the machine, the bars, every figure with its partner, the calls, the state."""
    machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in result["machine"].items())
    lines = [f"Measured on: {machine}.", ""]
    if result["quick"]:
        lines += ["**A quick run: a placeholder, too few pairs to judge by.**", ""]
    lines += ["| Bar | found | at most | |", "|---|---|---|---|"]
    for bar in result["bars"]:
        verdict = "met" if bar["met"] else "**not met**"
        lines.append(
            f"| {bar['name']} | {bar['found']:.2f} {bar['unit']} | {bar['limit']:g} {bar['unit']} | {verdict} |"
        )
    lines += ["", "| Measured | pairs | floor | ours | ratio (quartiles) | added |", "|---|---|---|---|---|---|"]
    for name, found in result["figures"].items():
        if "pairs" in found:
            ratio, added = found["ratio"], found["added"]
            spread = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
            sides = f"{found['floor']:.3f} | {found['ours']:.3f}"
            lines.append(f"| {name} | {found['pairs']} | {sides} | {spread} | {added['median']:+.3f} |")
        else:
            lines.append(f"| {name} | | {found['floor']:.4f} | {found['ours']:.4f} | {found['ratio']:.2f} | |")
    lines += [
        "",
        "| Operation, one pair of resources where nothing else is said | Codat reads | Codat writes | Zoho probes |",
        "|---|---|---|---|",
    ]
    for name, calls in result["calls"].items():
        counts = (str(calls.get(kind, 0)) for kind in ("codat read", "codat write", "zoho probe"))
        lines.append(f"| {name} | {' | '.join(counts)} |")
    lines += ["", "| A refresh, in the provider process | ms |", "|---|---|"]
    lines += [f"| {name} | {spent:.1f} |" for name, spent in result["whose"].items()]
    lines += ["", "| State, one pair of resources | floor | ours |", "|---|---|---|"]
    for what in ("bytes", "encrypted"):
        lines.append(f"| {what} | {result['state']['floor'][what]:g} | {result['state']['ours'][what]:g} |")
    return "\n".join(lines)


def into(document: str, figures: str) -> str:
    """Replace the marked part of a document."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"The document has no part between {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def picture(result: dict[str, Any]) -> str:
    """SVG: the ratio of each figure with its quartiles; the line is the floor. Greys that both themes can show."""
    found = {name: one["ratio"] for name, one in result["figures"].items() if "pairs" in one}
    top = max(2.0, *(ratio["high"] for ratio in found.values() if ratio["high"] < 4))
    height, left, width = 26 * len(found) + 40, 330, 420

    def x(ratio: float) -> float:
        return round(left + width * min(ratio, top) / top, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 {height}" font-family="sans-serif" font-size="13">',
        "<title>Ours as a multiple of the floor, with quartiles</title>",
        "<style>text{fill:#57606a}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}</style>",
        f'<line x1="{x(1)}" x2="{x(1)}" y1="8" y2="{height - 26}" stroke="#8b949e" stroke-dasharray="4 3"/>',
        f'<text x="{x(1)}" y="{height - 8}" text-anchor="middle">1 = the floor</text>',
    ]
    for row, (name, ratio) in enumerate(found.items()):
        y = 22 + 26 * row
        low, high, middle = x(ratio["low"]), x(ratio["high"]), x(ratio["median"])
        parts += [
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(name.rpartition(", ")[0])}</text>',
            f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="#1f77d0" stroke-width="4"/>',
            f'<circle cx="{middle}" cy="{y}" r="5" fill="#1f77d0"/>',
            f'<text x="{max(high, middle) + 10}" y="{y + 4}">{ratio["median"]:.2f}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])

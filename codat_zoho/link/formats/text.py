"""A link test for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.link.report import Report


def draw(report: Report) -> str:
    """Draw it."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.headline} ({report.seconds:.0f} s)"
    for error in report.errors:
        yield f"  Codat reports: {error}"
    yield f"Proves: {report.proves}."
    for line in report.leaves_open:
        yield f"Does not prove: {line}."
    if report.data:
        yield f"Data that came first: {', '.join(report.data)}."
    elif report.data is not None:
        yield "No data set came in time."
    if report.data_failed:
        yield f"Codat could not fetch: {', '.join(report.data_failed)}."
    if report.causes:
        yield "What the person saw, what it most often means, and what to do:"
    for cause in report.causes:
        yield f"  {cause.seen}"
        yield f"    {cause.means}"
        yield f"    -> {cause.cure}"
    for left in report.left:
        yield str(left)

"""A drift report for people at a terminal, or in a mail."""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.drift.report import Report, Resource, Stack, State
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.report_json import reworded

_COLORS = {
    State.ERROR: "31",
    State.DRIFT: "33",
    State.CANNOT_TELL: "36",
    State.NOT_DEPLOYED: "36",
    State.AS_DECLARED: "32",
    State.NOTHING: "0",
}


def draw(report: Report, *, color: bool = False) -> str:
    """Draw a report: the summary, then what is wrong in each stack, then the stacks that are as declared."""
    if color:
        report = reworded(report, harmless)  # No colours but these.
    lines = [f"{report.headline} ({report.seconds:.1f} s, {report.zoho})", *report.notes]
    quiet = []
    for stack in report.by_severity:
        shown = f"{stack.title}: {_painted(stack.state, color, stack.in_short)}"
        if stack.quiet:
            quiet.append(shown)
        else:
            deployed = f" (last deployed {stack.deployed_at})" if stack.deployed_at else ""
            lines += ["", f"{shown}{deployed}", *_stack(stack, color)]
    if quiet:
        lines += ["", *quiet]
    return "\n".join(lines) + "\n"


def _painted(state: State, color: bool, words: str = "") -> str:
    words = words or state.value
    return f"\x1b[{_COLORS[state]}m{words}\x1b[0m" if color else words


def _stack(stack: Stack, color: bool) -> Iterator[str]:
    if stack.failure:
        yield f"  {stack.failure.text}"
    for resource in stack.resources:
        body = list(_resource(resource, color))
        if body:
            yield f"  {resource.described}"
            yield from body
    for remark in stack.remarks():
        yield f"  {remark}"


def _resource(resource: Resource, color: bool) -> Iterator[str]:
    if resource.failure:
        yield f"    {_painted(State.ERROR, color)}: {resource.failure.text}"
    for finding in resource.findings:
        if finding.state is State.DRIFT:
            yield f"    {_painted(State.DRIFT, color)}  {finding.field}: {finding.values} ({finding.source})"
            for line in finding.advice:
                yield f"        {line}"
            if finding.command:
                yield f"          {finding.command}"
        elif finding.state is State.CANNOT_TELL:
            yield f"    {_painted(State.CANNOT_TELL, color)}  {finding.field}: {finding.why}"
    for note in resource.notes:
        yield f"    Note: {note}"

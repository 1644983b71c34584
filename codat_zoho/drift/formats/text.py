"""A drift report for people at a terminal, or in a mail."""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.drift.report import HOW, Finding, Report, Resource, Stack, State, about, by_severity, nothing, said

_COLORS = {
    State.ERROR: "31",
    State.DRIFT: "33",
    State.CANNOT_TELL: "36",
    State.NOT_DEPLOYED: "36",
    State.AS_DECLARED: "32",
    State.NOTHING: "0",
}


def text(report: Report, *, color: bool = False) -> str:
    """Draw a report: the summary, then what is wrong in each stack, then the stacks that are as declared."""
    lines = [f"{report.to_words()} ({report.seconds:.1f} s, {report.zoho})", *report.notes]
    quiet = []
    for stack in by_severity(report):
        body = list(_stack(stack, color))
        if body or stack.state not in (State.AS_DECLARED, State.NOTHING):
            lines += ["", f"{stack.title}: {_painted(stack.state, color)}{_deployed(stack)}", *body]
        else:
            quiet.append(stack)
    if quiet:
        lines.append("")
    for stack in quiet:
        what = nothing(stack) if stack.empty else _painted(stack.state, color)
        lines.append(f"{stack.title}: {what}")
    return "\n".join(lines) + "\n"


def _deployed(stack: Stack) -> str:
    return f" (last deployed {stack.deployed_at})" if stack.deployed_at else ""


def _painted(state: State, color: bool) -> str:
    return f"\x1b[{_COLORS[state]}m{state.value}\x1b[0m" if color else state.value


def _stack(stack: Stack, color: bool) -> Iterator[str]:
    if stack.failure:
        yield f"  {stack.failure.text}"
    for resource in stack.resources:
        body = list(_resource(resource, color))
        if body:
            yield f"  {resource.name} ({about(resource)})"
            yield from body
    if stack.remediation:
        yield f"  Remediation {stack.remediation.outcome}: {stack.remediation.text}".rstrip(": ")
    for change in stack.pending or ():
        yield f"  not deployed yet: {change.resource}: {change.operation}"
        for name, before, after in change.fields:
            yield f"    {name}: {said(before)} -> {said(after)}"
    if stack.pending_failure:
        yield f"  undeployed changes cannot be told: {stack.pending_failure.text}"
    for note in stack.notes:
        yield f"  note: {note}"


def _resource(resource: Resource, color: bool) -> Iterator[str]:
    if resource.failure:
        yield f"    {_painted(State.ERROR, color)}: {resource.failure.text}"
    for finding in resource.findings:
        if finding.state is State.DRIFT:
            yield from _drift(finding, color)
        elif finding.state is State.CANNOT_TELL:
            yield f"    {_painted(finding.state, color)}  {finding.field}: {finding.why}"
    for note in resource.notes:
        yield f"    note: {note}"


def _drift(finding: Finding, color: bool) -> Iterator[str]:
    qualified = f"; {finding.why}" if finding.why else ""
    yield (
        f"    {_painted(finding.state, color)}  {finding.field}: declared {said(finding.declared)}, "
        f"now {said(finding.actual)} ({HOW[finding.how]}{qualified})"
    )
    if finding.since:
        yield f"        first reported {finding.since}"
    yield f"        {finding.where}"
    yield f"        {finding.todo}"
    if finding.command:
        yield f"          {finding.command}"

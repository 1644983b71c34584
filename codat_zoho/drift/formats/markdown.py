"""A drift report as Markdown: for a step summary, an issue, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from codat_zoho.drift.report import HOW, Report, Stack, State, about, by_severity, nothing, said
from codat_zoho.texts.markdown import COMMENT_LIMIT, code, escape, fit, table


def markdown(report: Report, limit: int = COMMENT_LIMIT) -> str:
    """Draw a report; where it would pass ``limit`` characters, whole stacks are left out at the end, and counted."""
    head = f"## Drift of Codat and Zoho\n\n{escape(report.to_words())} (checked {report.started}, {report.zoho})"
    blocks = [head, *map(escape, report.notes)]
    stacks = by_severity(report)
    wrong = [block for stack in stacks if (block := _stack(stack))]
    fine = [stack for stack in stacks if not _stack(stack)]
    if fine:
        lines = "\n".join(f"- {code(stack.title)}: {_quiet(stack)}" for stack in fine)
        wrong.append(f"<details><summary>{len(fine)} more</summary>\n\n{lines}\n\n</details>")
    return fit([*blocks, *wrong], limit - 1, _left_out) + "\n"


def _left_out(count: int) -> str:
    return f"_Cut here: {count} more of these blocks did not fit. The JSON and HTML reports hold them all._"


def _quiet(stack: Stack) -> str:
    return escape(nothing(stack)) if stack.empty else stack.state.value


def _stack(stack: Stack) -> str:
    parts = [*_failures(stack), *_drift(stack), *_untold(stack), *_rest(stack)]
    if not parts:
        return ""
    deployed = f", last deployed {stack.deployed_at}" if stack.deployed_at else ""
    return "\n\n".join([f"### {code(stack.title)}: {stack.state.value}{deployed}", *parts])


def _failures(stack: Stack) -> Iterable[str]:
    if stack.failure:
        yield f"**Not checked:** {escape(stack.failure.text)}"
    for resource in stack.resources:
        if resource.failure:
            yield f"**Not checked:** {code(resource.name)}: {escape(resource.failure.text)}"


def _drift(stack: Stack) -> Iterable[str]:
    found = stack.findings(State.DRIFT)
    if not found:
        return
    yield table(
        ["resource", "setting", "declared", "now", "how we know", "first reported"],
        [
            [
                f"{code(resource.name)} ({escape(about(resource))})",
                code(one.field),
                code(said(one.declared)),
                f"**{code(said(one.actual))}**",
                HOW[one.how] + (f"; {escape(one.why)}" if one.why else ""),
                one.since or "now",
            ]
            for resource, one in found
        ],
    )
    lines = []
    for resource, one in found:
        told = f"- {code(resource.name)} {code(one.field)}: {escape(one.where)}. {escape(one.todo)}"
        lines += [told, *([f"  ```sh\n  {one.command}\n  ```"] if one.command else [])]
    yield "\n".join(lines)


def _untold(stack: Stack) -> Iterable[str]:
    found = [
        (resource.name, f"{code(one.field)}: {escape(one.why)}") for resource, one in stack.findings(State.CANNOT_TELL)
    ]
    found += [(resource.name, escape(note)) for resource in stack.resources for note in resource.notes]
    if found:
        yield "\n".join(["Cannot be told:", *(f"- {code(name)} {text}" for name, text in found)])


def _rest(stack: Stack) -> Iterable[str]:
    if stack.remediation:
        yield f"Remediation **{stack.remediation.outcome}**: {escape(stack.remediation.text)}"
    if stack.pending:
        rows = [
            [escape(change.resource), change.operation, code(name), code(said(old)), code(said(new))]
            for change in stack.pending
            for name, old, new in change.fields or (("", None, None),)
        ]
        yield "Not deployed yet:"
        yield table(["resource", "operation", "setting", "deployed", "in the code"], rows)
    if stack.pending_failure:
        yield f"Undeployed changes cannot be told: {escape(stack.pending_failure.text)}"
    for note in stack.notes:
        yield f"Note: {escape(note)}"

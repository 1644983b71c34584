"""A drift report as Markdown: for a step summary, an issue, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.drift.report import Report, Resource, Stack, State, in_words
from codat_zoho.texts.markdown import COMMENT_LIMIT, block, code, escape, fit, table


def draw(report: Report, limit: int = COMMENT_LIMIT) -> str:
    """Draw a report; where it would pass ``limit`` characters, whole stacks are left out at the end, and counted."""
    head = f"## Drift of Codat and Zoho\n\n{escape(report.headline)} (checked {report.started}, {report.zoho})"
    stacks = report.by_severity
    blocks = [head, *map(escape, report.notes), *(_stack(stack) for stack in stacks if not stack.quiet)]
    quiet = [f"- {code(stack.title)}: {escape(stack.in_short)}" for stack in stacks if stack.quiet]
    if quiet:
        lines = "\n".join(quiet)
        blocks.append(f"<details><summary>{len(quiet)} more</summary>\n\n{lines}\n\n</details>")
    return fit(blocks, limit - 1, _left_out) + "\n"


def _left_out(count: int) -> str:
    return f"_Cut here: {count} more of these blocks did not fit. The JSON and HTML reports hold them all._"


def _stack(stack: Stack) -> str:
    deployed = f", last deployed {escape(stack.deployed_at)}" if stack.deployed_at else ""
    blocks = [f"### {code(stack.title)}: {stack.state.value}{deployed}"]
    if stack.failure:
        blocks.append(f"**Not checked:** {escape(stack.failure.text)}")
    failed = ((resource.name, resource.failure) for resource in stack.resources)
    blocks += [f"**Not checked:** {code(name)}: {escape(failure.text)}" for name, failure in failed if failure]
    blocks += _drift(stack)
    if untold := [line for resource in stack.resources for line in _untold(resource)]:
        blocks.append("\n".join(["Cannot be told:", *untold]))
    return "\n\n".join([*blocks, *map(escape, stack.remarks())])


def _drift(stack: Stack) -> Iterator[str]:
    found = stack.findings(State.DRIFT)
    if not found:
        return
    yield table(
        ["resource", "setting", "declared", "now", "how we know"],
        [
            [
                escape(resource.described),
                code(one.field),
                code(in_words(one.declared)),
                f"**{code(in_words(one.actual))}**",
                escape(one.source),
            ]
            for resource, one in found
        ],
    )
    lines = []
    for resource, one in found:
        lines.append(f"- {code(resource.name)} {code(one.field)}: {'. '.join(map(escape, one.advice))}")
        if one.command:
            lines.append(block(one.command, "sh", "  "))
    yield "\n".join(lines)


def _untold(resource: Resource) -> Iterator[str]:
    for finding in resource.findings:
        if finding.state is State.CANNOT_TELL:
            yield f"- {code(resource.name)} {code(finding.field)}: {escape(finding.why)}"
    for note in resource.notes:
        yield f"- {code(resource.name)} {escape(note)}"

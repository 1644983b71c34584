"""A drift report as JUnit XML, which GitLab, Jenkins and Azure Pipelines show natively.

One suite per stack, one case per declared setting: drift is a failure, what could not be checked is an error, what
cannot be told is skipped with the reason.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from codat_zoho.drift.report import Finding, Report, Resource, Stack, State
from codat_zoho.texts.report_json import xml_text

_TAGS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def draw(report: Report) -> str:
    """Draw a report as JUnit XML."""
    root = ET.Element("testsuites", name="codat-zoho drift", time=f"{report.seconds:.3f}")
    for stack in report.stacks:
        suite = ET.SubElement(root, "testsuite", name=xml_text(stack.title), time=f"{stack.seconds:.3f}")
        suite.extend(_cases(stack))
    for node in (*root, root):
        node.set("tests", str(len(node.findall(".//testcase"))))
        for tag, name in _TAGS.items():
            if node is not root or tag != "skipped":  # Jenkins' xUnit plugin refuses it there.
                node.set(name, str(len(node.findall(f".//testcase/{tag}"))))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _cases(stack: Stack) -> Iterator[ET.Element]:
    if stack.failure:
        yield _case(stack, "stack", "check", "error", stack.failure.text, stack.failure.kind)
    if stack.state is State.NOTHING:
        yield _case(stack, "stack", "check", "skipped", f"{stack.in_short[0].upper()}{stack.in_short[1:]}.")
    for resource in stack.resources:
        if resource.failure:
            yield _case(stack, resource.name, "read", "error", resource.failure.text, resource.failure.kind)
        for finding in resource.findings:
            yield _finding(stack, resource, finding)
    if stack.state is State.NOT_DEPLOYED:
        for change in stack.pending or ():
            yield _case(stack, change.resource, "pending", "skipped", f"not deployed yet: {change.operation}")
    if stack.pending_failure:
        text = f"Undeployed changes cannot be told: {stack.pending_failure.text}"
        yield _case(stack, "stack", "pending", "error", text, stack.pending_failure.kind)


def _finding(stack: Stack, resource: Resource, finding: Finding) -> ET.Element:
    if finding.state is State.CANNOT_TELL:
        return _case(stack, resource.name, finding.field, "skipped", f"cannot tell: {finding.why}")
    if finding.state is not State.DRIFT:
        return _case(stack, resource.name, finding.field)
    message = f"{finding.field}: {finding.values}"
    lines = [f"{message} ({finding.source})", *finding.advice, finding.command]
    return _case(stack, resource.name, finding.field, "failure", message, "drift", "\n".join(filter(None, lines)))


def _case(
    stack: Stack, owner: str, name: str, tag: str = "", message: str = "", kind: str = "", text: str = ""
) -> ET.Element:
    # Dots make packages in Jenkins: project, then stack and resource.
    where = ".".join(part.replace(".", "_") for part in (stack.project, stack.stack, owner))
    case = ET.Element("testcase", classname=xml_text(where), name=xml_text(name), time="0")
    if tag:
        result = ET.SubElement(case, tag, message=xml_text(message))
        if kind:
            result.set("type", kind)
        if tag != "skipped":
            result.text = xml_text(text or message)
    return case

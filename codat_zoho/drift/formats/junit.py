"""A drift report as JUnit XML, which GitLab, Jenkins and Azure Pipelines show natively.

One suite per stack, one case per declared setting: drift is a failure, what could not be checked is an error, what
cannot be told is skipped with the reason.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from codat_zoho.drift.report import HOW, Finding, Report, Resource, Stack, State, nothing, said

_TAGS = {"failure": "failures", "error": "errors", "skipped": "skipped"}
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """Draw a report as JUnit XML."""
    root = ET.Element("testsuites", name="codat-zoho drift", time=f"{report.seconds:.3f}")
    for stack in report.stacks:
        root.append(_suite(report, stack))
    for name in ("tests", *_TAGS.values()):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(report: Report, stack: Stack) -> ET.Element:
    started = report.started.removesuffix("Z")
    suite = ET.Element("testsuite", name=_clean(stack.title), timestamp=started, time=f"{stack.seconds:.3f}")
    if stack.failure:
        suite.append(_case(stack, "stack", "check", "error", stack.failure.text, kind=stack.failure.kind))
    if stack.empty:
        suite.append(_case(stack, "stack", "check", "skipped", f"{nothing(stack)[0].upper()}{nothing(stack)[1:]}."))
    for resource in stack.resources:
        suite.extend(_resource(stack, resource))
    for change in stack.pending or ():
        if stack.state is State.NOT_DEPLOYED:
            suite.append(_case(stack, change.resource, "pending", "skipped", f"not deployed yet: {change.operation}"))
    if stack.pending_failure:
        text = f"Undeployed changes cannot be told: {stack.pending_failure.text}"
        suite.append(_case(stack, "stack", "pending", "error", text, kind=stack.pending_failure.kind))
    suite.set("tests", str(len(suite)))
    for tag, name in _TAGS.items():
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    return suite


def _resource(stack: Stack, resource: Resource) -> Iterable[ET.Element]:
    if resource.failure:
        yield _case(stack, resource.name, "read", "error", resource.failure.text, kind=resource.failure.kind)
    for finding in resource.findings:
        if finding.state is State.DRIFT:
            yield _case(stack, resource.name, finding.field, "failure", _short(finding), _long(finding), "drift")
        elif finding.state is State.CANNOT_TELL:
            yield _case(stack, resource.name, finding.field, "skipped", f"cannot tell: {finding.why}")
        else:
            yield _case(stack, resource.name, finding.field)


def _short(finding: Finding) -> str:
    return f"{finding.field}: declared {said(finding.declared)}, now {said(finding.actual)}"


def _long(finding: Finding) -> str:
    lines = [
        f"{_short(finding)} ({HOW[finding.how]})",
        finding.why,
        f"First reported {finding.since}" if finding.since else "",
        finding.where,
        finding.todo,
        finding.command,
    ]
    return "\n".join(line for line in lines if line)


def _case(
    stack: Stack, owner: str, name: str, tag: str = "", message: str = "", text: str = "", kind: str = ""
) -> ET.Element:
    # Dots make packages in Jenkins: project, then stack and resource.
    where = ".".join(part.replace(".", "_") for part in (stack.project, stack.name, owner))
    case = ET.Element("testcase", classname=_clean(where), name=_clean(name), time="0")
    if tag:
        result = ET.SubElement(case, tag, message=_clean(message))
        if kind:
            result.set("type", kind)
        if tag != "skipped":
            result.text = _clean(text or message)
    return case


def _clean(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)

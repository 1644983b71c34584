"""A drift report as JSON, of the form that ``drift-report.schema.json`` beside this module describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from codat_zoho.core.plan import Value
from codat_zoho.drift.report import Finding, Report, Resource, Stack, State
from codat_zoho.texts.report_json import Form

FORM = Form(
    Report,
    Path(__file__).with_name("drift-report.schema.json"),
    {
        Report: {"exitCode": "exit_code", "summary": "summary"},
        Stack: {"state": "state"},
        Resource: {"state": "state"},
    },
)
draw = FORM.text

Key = tuple[str, str, str, str, Value]
"""Which drift it is: project, stack, URN, field and actual value."""


def drifts_of(text: str) -> dict[Key, str]:
    """Read from an earlier report since when each drift is known.

    Raises:
        ValueError: the text is not a drift report of this version.
    """
    try:
        report = json.loads(text)
        if not isinstance(report["version"], int):
            raise TypeError
        if report["version"] != FORM.version:
            raise ValueError(f"it has version {report['version']}, known is {FORM.version}")
        return {
            (stack["project"], stack["stack"], resource["urn"], found["field"], found["actual"]): found["since"]
            for stack in report["stacks"]
            for resource in stack["resources"]
            for found in resource["findings"]
            if found["since"]
        }
    except (KeyError, TypeError, json.JSONDecodeError, RecursionError) as problem:
        raise ValueError(f"it is no drift report ({type(problem).__name__})") from None


def since_before(report: Report, before: Mapping[Key, str]) -> Report:
    """Date each drift: from an earlier report where it was there already, else from this run."""

    def dated(stack: Stack, resource: Resource, found: Finding) -> Finding:
        if found.state is not State.DRIFT:
            return found
        key = (stack.project, stack.stack, resource.urn, found.field, found.actual)
        return replace(found, since=before.get(key, report.started))

    stacks = []
    for stack in report.stacks:
        resources = [
            replace(resource, findings=tuple(dated(stack, resource, one) for one in resource.findings))
            for resource in stack.resources
        ]
        stacks.append(replace(stack, resources=tuple(resources)))
    return replace(report, stacks=tuple(stacks))

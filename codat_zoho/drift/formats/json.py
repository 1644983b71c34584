"""A drift report for programs: JSON of the form that ``drift-report.schema.json`` beside this file describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from codat_zoho.drift.report import Failure, Finding, Key, Report, Resource, Stack, State

FORMAT = 1
"""Version of the form. A field that goes away or changes its meaning raises it; a new one does not."""
SCHEMA = Path(__file__).with_name("drift-report.schema.json")
"""The JSON Schema."""


def json_text(report: Report) -> str:
    """Draw a report as JSON."""
    return json.dumps(_report(report), indent=2, ensure_ascii=False) + "\n"


def drifts_of(text: str) -> dict[Key, str]:
    """Read from an earlier report since when each drift is known.

    Raises:
        ValueError: the text is no drift report of a known version.
    """
    try:
        report = json.loads(text)
        if not isinstance(report["format"], int):
            raise TypeError
        if report["format"] != FORMAT:
            raise ValueError(f"it has format {report['format']}, known is {FORMAT}")
        return {
            (stack["project"], stack["stack"], resource["urn"], found["field"], found["actual"]): found["since"]
            for stack in report["stacks"]
            for resource in stack["resources"]
            for found in resource["findings"]
            if found["since"]
        }
    except (KeyError, TypeError, json.JSONDecodeError, RecursionError) as problem:
        raise ValueError(f"it is no drift report ({type(problem).__name__})") from None


def _report(report: Report) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "tool": f"codat-zoho {report.version}",
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "verified": report.verified,
        "strict": report.strict,
        "exit_code": report.exit_code,
        "summary": {state.value: report.count(state) for state in State},
        "notes": list(report.notes),
        "stacks": [_stack(stack) for stack in report.stacks],
    }


def _stack(stack: Stack) -> dict[str, Any]:
    return {
        "project": stack.project,
        "stack": stack.name,
        "directory": stack.directory,
        "state": stack.state.value,
        "deployed_at": stack.deployed_at,
        "seconds": round(stack.seconds, 3),
        "failure": _failure(stack.failure),
        "resources": [_resource(resource) for resource in stack.resources],
        "pending": None
        if stack.pending is None
        else [
            {
                "resource": change.resource,
                "operation": change.operation,
                "fields": [{"field": name, "before": old, "after": new} for name, old, new in change.fields],
            }
            for change in stack.pending
        ],
        "pending_failure": _failure(stack.pending_failure),
        "remediation": stack.remediation and {"outcome": stack.remediation.outcome, "text": stack.remediation.text},
        "notes": list(stack.notes),
    }


def _failure(failure: Failure | None) -> dict[str, str] | None:
    return {"kind": failure.kind, "text": failure.text} if failure else None


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "name": resource.name,
        "kind": resource.kind,
        "urn": resource.urn,
        "state": resource.state.value,
        "linked_companies": resource.linked_companies,
        "verified_at": resource.verified_at,
        "declared_at": resource.declared_at,
        "codat_client": resource.codat_client,
        "codat_client_name": resource.codat_client_name,
        "failure": _failure(resource.failure),
        "findings": [_finding(finding) for finding in resource.findings],
        "notes": list(resource.notes),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "field": finding.field,
        "state": finding.state.value,
        "declared": finding.declared,
        "actual": finding.actual,
        "how": finding.how.value,
        "why": finding.why,
        "where": finding.where,
        "todo": finding.todo,
        "command": finding.command,
        "since": finding.since,
    }

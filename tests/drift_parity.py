"""What a refresh of the engine shows, setting by setting, in the words of a drift report: the two have to agree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from codat_zoho.declare.describe import snake_case
from codat_zoho.declare.platform import CLIENT
from codat_zoho.workspace.values import kind_of

Shown = dict[str, tuple[str, object, object]]
"""State, declared and actual, by setting."""
Props = Mapping[str, Any]
FINGERPRINT = "client_secret_fingerprint"


def refreshed(kind: str, inputs: Props, outputs: Props | None) -> Shown:
    """Read what a refresh shows of a resource.

    Args:
        kind: its type.
        inputs: what was declared.
        outputs: what is there; None where it is gone.
    """
    if outputs is None:
        return {"integration": ("drift", "present", "gone")}
    untold = {
        name for line in outputs.get("cannot_tell") or () if "proves no more" not in line for name in _names(line)
    }
    fields = _regions(inputs, outputs) if kind == CLIENT else _settings(inputs, outputs)
    return {
        name: ("cannot tell", declared, None) if same and name in untold else (_state(same), declared, actual)
        for name, declared, actual, same in fields
    }


def _names(line: str) -> list[str]:
    names, _, reason = line.partition(": ")
    if names == "regions":
        return [f"regions.{code}" for code in re.findall("data centre ([a-z]+) ", reason)]
    return [snake_case(name) for name in names.split(", ")]


def _state(same: bool) -> str:
    return "as declared" if same else "drift"


def _settings(inputs: Props, outputs: Props) -> Iterator[tuple[str, object, object, bool]]:
    if "enabled" in inputs:
        yield "enabled", inputs["enabled"], outputs["enabled"], inputs["enabled"] == outputs["enabled"]
    if "client_id" not in inputs:
        return
    id_ = outputs.get("client_id", "none stored")
    yield "client_id", inputs["client_id"], id_, id_ == inputs["client_id"]
    if "client_secret" not in inputs:
        yield "client_secret", None, None, True
        return
    declared, found = inputs[FINGERPRINT], outputs[FINGERPRINT]
    shown = f"fingerprint {found}" if found == declared else found.removeprefix("differs (").removesuffix(")")
    yield "client_secret", f"fingerprint {declared}", shown, found == declared


def _regions(inputs: Props, outputs: Props) -> Iterator[tuple[str, object, object, bool]]:
    for code in inputs.get("regions") or ():
        left, verdict = code in outputs["regions"], outputs["verdicts"].get(code)
        yield f"regions.{code}", "accepted", verdict, left


def from_engine(text: str) -> dict[str, Shown]:
    """Read ``pulumi refresh --preview-only --json``, by the resources' names."""
    last: dict[str, Any] = {}
    for step in json.loads(text).get("steps", ()):
        type_ = (step.get("oldState") or step["newState"])["type"]
        if kind_of(type_):
            before = last.get(step["urn"], {}).get("oldState")
            last[step["urn"]] = step | ({"oldState": before} if before else {})
    found = {
        urn.rpartition("::")[2]: refreshed(
            kind_of(step["oldState"]["type"]),
            {name: value for name, value in _by_setting(step["oldState"]["inputs"]).items() if value is not None},
            None if step["op"] == "delete" else _by_setting(step["newState"]["outputs"]),
        )
        for urn, step in last.items()
    }
    return {name: fields for name, fields in found.items() if fields}


def _by_setting(bag: Props) -> Props:
    return {snake_case(name): value for name, value in bag.items()}


def from_report(report: Mapping[str, Any]) -> dict[str, Shown]:
    """Read a JSON report on one stack, likewise."""
    (stack,) = report["stacks"]
    assert stack["failure"] is None, stack["failure"]
    return {
        resource["name"]: {one["field"]: (one["state"], one["declared"], one["actual"]) for one in resource["findings"]}
        for resource in stack["resources"]
        if resource["findings"]
    }

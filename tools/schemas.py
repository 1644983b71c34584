"""Writes the page about reports for programs from their JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codat_zoho.contract import table as contract
from codat_zoho.drift.formats import json as drift_json
from codat_zoho.review.formats import json as review_json
from tools.markdown import code, plain, table

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = {
    "Drift report": (drift_json.SCHEMA, "`codat-zoho drift --format json`"),
    "Review": (review_json.SCHEMA, "`codat-zoho review --format json`"),
    "Contract result": (contract.SCHEMA, "`codat-zoho contract --format json`, or `--output FILE`"),
}


def reports() -> str:
    """Draw the page."""
    parts = [
        "# Reports for programs",
        "Each is JSON and has a JSON Schema (2020-12) in the package; here is what that says. All fields are always "
        "there, except where one is marked optional.",
    ]
    for title, (path, command) in SCHEMAS.items():
        schema = json.loads(path.read_text(encoding="utf-8"))
        parts += [f"## {title}", f"{command}. Schema: `{path.relative_to(ROOT)}`."]
        parts += [schema["description"]] if "description" in schema else []
        for name, made in {"": schema, **schema.get("$defs", {})}.items():
            if shape := _shape(made):
                parts += [f"### {title}: {name}"] if name else []
                parts += [table(("field", "type", "meaning"), *_fields(shape, title, schema))]
    return "\n\n".join(parts)


def _shape(made: dict[str, Any]) -> dict[str, Any] | None:
    """What describes the fields, where it is an object, or may be one."""
    return next((one for one in (made, *made.get("oneOf", ())) if "properties" in one), None)


def _fields(
    made: dict[str, Any], title: str, schema: dict[str, Any], before: str = ""
) -> Iterator[tuple[str, str, str]]:
    """The fields of an object, and below each those of what it holds, where that has no table of its own."""
    for name, field in made["properties"].items():
        optional = "" if name in made.get("required", ()) else "; optional"
        text = field.get("description") or _target(field, schema)["description"]
        yield code(f"{before}{name}"), _kind(field, title, schema) + optional, plain(text)
        for inner, mark in ((field, ""), (field.get("items", {}), "[]")):
            if shape := _shape(inner):
                yield from _fields(shape, title, schema, f"{before}{name}{mark}.")


def _target(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    name = field.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schema["$defs"][name] if name else field
    return found


def _kind(field: dict[str, Any], title: str, schema: dict[str, Any]) -> str:
    """The type of a field, in words."""
    if "$ref" in field:
        name, target = field["$ref"].rpartition("/")[2], _target(field, schema)
        anchor = f"{title}: {name}".lower().replace(":", "").replace(" ", "-")
        if not _shape(target):
            return _kind(target, title, schema)
        return f"[{name}](#{anchor})" + (" or null" if "oneOf" in target else "")
    if "oneOf" in field:
        kinds = [_kind(one, title, schema) for one in field["oneOf"]]
        return " or ".join(sorted(kinds, key=lambda kind: kind == "null"))
    if "const" in field:
        return code(json.dumps(field["const"]))
    if "enum" in field:
        return ", ".join(code(json.dumps(one)) for one in field["enum"])
    if field["type"] == "array":
        return f"list of {_kind(field['items'], title, schema)}"
    kind = " or ".join([field["type"]] if isinstance(field["type"], str) else field["type"])
    return kind + "".join(f", like {code(example)}" for example in field.get("examples", ()))

"""Writes the page about reports for programs from their JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from codat_zoho.contract import observe as contract
from codat_zoho.drift.formats.json import FORM as DRIFT
from codat_zoho.link.formats.json import FORM as LINK
from codat_zoho.review.formats.json import FORM as REVIEW
from codat_zoho.texts.report_json import Form
from tools.markdown import code, plain, table

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = {
    "Drift report": (DRIFT.schema, "`codat-zoho drift --format json`"),
    "Review": (REVIEW.schema, "`codat-zoho review --format json`"),
    "Link test": (LINK.schema, "`codat-zoho test-link --format json`"),
    "Contract result": (contract.SCHEMA, "`codat-zoho contract --format json`, or `--output FILE`"),
}


def files() -> dict[Path, str]:
    """The schemas that follow from the dataclasses of a report."""
    return {form.schema: json.dumps(schema_of(form), indent=2) + "\n" for form in (DRIFT, REVIEW, LINK)}


def schema_of(form: Form) -> dict[str, Any]:
    """Make the JSON Schema of a report: what pydantic makes of its dataclasses, with the names that JSON has.

    What each field means is written in the schema itself, and kept.
    """
    before = json.loads(form.schema.read_text(encoding="utf-8"))
    texts = {form.report.__name__: before, **before["$defs"]}

    class Generator(GenerateJsonSchema):
        def dataclass_schema(self, schema: Any) -> dict[str, Any]:
            kind, fields = schema["cls"], super().dataclass_schema(schema)["properties"]
            said = texts.get(kind.__name__, {})
            meanings = said.get("properties", {})
            properties = {"version": {"const": form.version}} if kind is form.report else {}
            for name, attribute in form.names(kind).items():
                computed = getattr(kind, attribute, None)
                if isinstance(computed, property):
                    made = self.generate_inner(TypeAdapter(get_type_hints(computed.fget)["return"]).core_schema)
                else:
                    made = {key: value for key, value in fields[attribute].items() if key not in ("default", "title")}
                properties[name] = made
            described = {
                name: {**made, "description": meanings.get(name, {}).get("description", "")}
                for name, made in properties.items()
            }
            return {
                "type": "object",
                "description": said.get("description", ""),
                "properties": described,
                "required": [*described],
            }

    made = TypeAdapter(form.report).json_schema(mode="serialization", schema_generator=Generator)
    return {"$schema": GenerateJsonSchema.schema_dialect, **made}


def reports() -> str:
    """Draw the page."""
    parts = [
        "# Reports for programs",
        "Each is JSON and has a JSON Schema (2020-12) in the package; here is what that says. All fields are always "
        "there, except where one is marked optional. New fields may appear without a new version: readers ignore those "
        "that they do not know.",
    ]
    drawn = files()
    for title, (path, command) in SCHEMAS.items():
        schema = json.loads(drawn.get(path) or path.read_text(encoding="utf-8"))
        parts += [f"## {title}", f"{command}. Schema: `{path.relative_to(ROOT)}`."]
        parts += [f"{schema['description']}."] if "description" in schema else []
        for name, made in {"": schema, **schema.get("$defs", {})}.items():
            if shape := _shape(made):
                parts += [f"### {title}: {name}"] if name else []
                parts += [table(("field", "type", "meaning"), *_fields(shape, title, schema))]
    return "\n\n".join(parts)


def _shape(made: dict[str, Any]) -> dict[str, Any] | None:
    """What describes the fields, where it is an object."""
    return made if "properties" in made else None


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
        return f"[{name}](#{anchor})"
    if "anyOf" in field:
        kinds = [_kind(one, title, schema) for one in field["anyOf"]]
        return " or ".join(sorted(kinds, key=lambda kind: kind == "null"))
    if "const" in field:
        return code(json.dumps(field["const"]))
    if "enum" in field:
        return ", ".join(code(json.dumps(one)) for one in field["enum"])
    if field["type"] == "array":
        return f"list of {_kind(field['items'], title, schema)}"
    kind = " or ".join([field["type"]] if isinstance(field["type"], str) else field["type"])
    return kind + "".join(f", like {code(example)}" for example in field.get("examples", ()))

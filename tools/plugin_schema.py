"""Makes the schema of the provider plugin out of the descriptions of settings and the docstrings of resources."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codat_zoho import resources
from codat_zoho._version import __version__
from codat_zoho.declare import settings
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.describe import Setting, camel_case, described
from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE, OUTPUTS, PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.declare.settings import SECRET_KEYS, Spelling
from codat_zoho.plugin.servicer import MODELS, SCHEMA
from codat_zoho.texts.environment_variables import VARIABLES
from tools.markdown import arguments, lead, outputs, plain

_ENUMS = {
    "DataCentre": ("A Zoho data centre.", {code: one.accounts for code, one in DATA_CENTRES.items()}),
    "Verify": (
        "When to ask Zoho whether it accepts the client.",
        {"on-change": "When id, secret or regions change.", "always": "Also on each refresh.", "off": "Never."},
    ),
    "OnDelete": (
        "What destroying the integration does.",
        {
            "remove": "Disables the integration and deletes the keys.",
            "disable": "Leaves the keys.",
            "keep": "Touches nothing.",
        },
    ),
}
_MAPS = {"apiKeys", "codatClientIds"}
_TEXT: dict[str, Any] = {"type": "string"}
_LIST: dict[str, Any] = {"type": "array", "items": _TEXT}
_SHAPES: dict[str, dict[str, Any]] = {
    "verdicts": {"type": "object", "additionalProperties": _TEXT},
    "manual_steps": _LIST,
    "cannot_tell": _LIST,
    "declared": {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}},
    "linked_companies": {"oneOf": [{"type": "integer"}, _TEXT]},
}
_OPTIONAL = {
    "client_secret_fingerprint",
    "verified_at",
    "integration_id",
    "codat_client",
    "codat_client_name",
    "declared",
}
"""Outputs that there may be none of."""


def schema() -> dict[str, Any]:
    """Draw it."""
    variables = {key: _variable(key) for key in CONFIG_KEYS}
    return {
        "name": NAMESPACE,
        "displayName": "Codat Zoho",
        "version": __version__,
        "description": "Zoho client credentials and the Codat Zoho Books integration.",
        "license": "Apache-2.0",
        "config": {"variables": variables},
        "types": {f"{PLUGIN_PREFIX}{name}": _enum(*one) for name, one in _ENUMS.items()},
        "provider": {"description": "How to reach Codat.", "inputProperties": variables},
        "resources": {f"{PLUGIN_PREFIX}{name}": _resource(name) for name in MODELS},
    }


def files() -> dict[Path, str]:
    """The file, and what is in it."""
    return {SCHEMA: json.dumps(schema(), indent=2) + "\n"}


def _enum(description: str, values: Mapping[str, str]) -> dict[str, Any]:
    members = [
        {"name": value.title().replace("-", ""), "value": value, "description": text} for value, text in values.items()
    ]
    return {"type": "string", "description": description, "enum": members}


def _variable(key: str) -> dict[str, Any]:
    one = next(one for one in VARIABLES if one.key == key)
    made = {"type": "object", "additionalProperties": _TEXT} if key in _MAPS else dict(_TEXT)
    made["description"] = f"{plain(one.text)} The environment variable `{one.name}` comes first."
    return made | ({"secret": True} if key in SECRET_KEYS else {})


def _resource(name: str) -> dict[str, Any]:
    made, own = getattr(resources, name), described(MODELS[name])
    said, told = arguments(made), outputs(made)
    given = {camel_case(one.name): _input(one, said[one.name]) for one in own.values()}
    computed = {
        camel_case(name): {**_SHAPES.get(name, _TEXT), "description": _spelled(told[name][1])} for name in OUTPUTS[name]
    }
    computed["declared"]["secret"] = True
    kept = {name: dict(one) for name, one in given.items()}
    for setting in own.keys() & told.keys():
        kept[camel_case(setting)]["description"] = _spelled(told[setting][1])
    always = [camel_case(one.name) for one in own.values() if one.required or one.default is not None]
    always += [camel_case(name) for name in OUTPUTS[name] if name not in _OPTIONAL]
    return {
        "description": _spelled(lead(made)),
        "inputProperties": given,
        "requiredInputs": [camel_case(one.name) for one in own.values() if one.required],
        "properties": kept | computed,
        "required": always,
        "aliases": [{"type": f"{TOKEN_PREFIX}{name}"}],
    }


def _input(one: Setting, text: str) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "boolean"} if one.type is bool else dict(_TEXT)
    if one.choices:
        made = _ref(next(name for name in _ENUMS if getattr(settings, name, None) == one.type))
    elif one.is_list:
        made = {"type": "array", "items": _ref("DataCentre")}
    default = "" if one.required or one.default is None else f" Default: `{json.dumps(one.default).strip(chr(34))}`."
    made["description"] = f"{_spelled(text)}{default}"
    made |= {"secret": True} if one.secret else {}
    return made | ({"willReplaceOnChanges": True} if one.replaces else {})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/types/{PLUGIN_PREFIX}{name}"}


def _spelled(text: str) -> str:
    """A docstring as other languages than Python have it."""
    text = re.sub(r"\bNone when\b", "left out when", Spelling.PROPERTY.text(text))
    return text[0].upper() + text[1:]

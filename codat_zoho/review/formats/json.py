"""A review as JSON, of the shape that ``review.schema.json`` beside this module tells."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from pathlib import Path
from typing import Any

from codat_zoho.review.report import Review

VERSION = 1
"""Changes when a reader would have to."""
SCHEMA = Path(__file__).with_name("review.schema.json")
"""The JSON Schema."""


def render(review: Review) -> str:
    """Draw it."""
    said = {
        "version": VERSION,
        "headline": review.headline,
        "base": review.base,
        "head": review.head,
        "offline": review.offline,
        "broken": review.broken,
        "dangerous": review.dangerous,
        "changes": review.changes_something,
        "otherStacks": review.other_stacks,
        "cannotKnow": list(review.cannot_know),
        "environments": [{"verdict": one.verdict, "dangerous": one.dangerous, **_plain(one)} for one in review.sorted],
    }
    return json.dumps(said, indent=2, ensure_ascii=True) + "\n"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {_camel(one.name): _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))

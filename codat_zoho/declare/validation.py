"""Says what is wrong with declared values. Loads pydantic, so it is imported only where something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, ValidationError, create_model
from pydantic_core import PydanticCustomError

from codat_zoho.declare.describe import Setting
from codat_zoho.errors import Problem
from codat_zoho.texts.redact import one_line

_WORDING = {
    "bool_type": "must be true or false",
    "extra_forbidden": "is not a setting of this resource",
    "list_type": 'must be a list of data-centre codes, for example ["us", "uk"]',
    "string_type": "must be a text",
}
_CONFIG = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def problems_with(settings: Mapping[str, Setting], values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield everything that is wrong with single values, and which of them are no settings."""
    fields: dict[str, Any] = {name: (_annotation(one), None) for name, one in settings.items()}
    try:
        create_model("Settings", __config__=_CONFIG, **fields).model_validate(values)
    except ValidationError as error:
        for line in error.errors(include_url=False, include_input=False, include_context=False):
            name, *_ = (*line["loc"], "settings")  # A name that is no Unicode text has no place.
            yield Problem(one_line(str(name), 60), _WORDING.get(line["type"], line["msg"]))


def _annotation(one: Setting) -> Any:
    type_ = list[str] if one.is_list else one.type
    return Annotated[type_, _refuse(one.rule)] if one.rule else type_


def _refuse(rule: Callable[[Any], Iterator[str]]) -> AfterValidator:
    def check(value: Any) -> Any:
        found = list(rule(value))
        if found:
            raise PydanticCustomError("rule", "{text}", {"text": "; ".join(found)})
        return value

    return AfterValidator(check)

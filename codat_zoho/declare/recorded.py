"""The forms in which the state records a resource. Older versions recorded less, and people edit states by hand."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from codat_zoho.declare.settings import FINGERPRINT, SETTINGS


def _codes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and re.fullmatch("[a-z]{2}", one) for one in value)


def _verdicts(value: Any) -> bool:
    return isinstance(value, dict) and _codes([*value]) and all(isinstance(one, str) for one in value.values())


def _declaration(value: Any) -> bool:
    return isinstance(value, dict) and all(FORMS[name](one) for name, one in value.items() if name in FORMS)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TEXTS = ("client_id", "client_secret", FINGERPRINT, "connection", "codat_client", "codat_client_name")
FORMS: Mapping[str, Callable[[Any], bool]] = {
    **{name: one.has_type for name, one in SETTINGS.items()},
    **dict.fromkeys(_TEXTS, lambda value: isinstance(value, str) and value.isprintable()),
    "keys_cleared_while_disabled": lambda value: isinstance(value, bool),
    **dict.fromkeys(("verified_at", "at"), lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value))),
    "regions": _codes,
    "verdicts": _verdicts,
    "declared": _declaration,
}
"""What is read, and the form that it must have."""


def utc_now() -> str:
    """The time as states and reports have it, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def odd(recorded: Mapping[str, Any]) -> list[str]:
    """What is recorded in another form, sorted."""
    return sorted(
        name for name, value in recorded.items() if value is not None and not FORMS.get(name, lambda _: True)(value)
    )

"""The result as a file that can be attached to an issue, and that the simulator loads. ``schema.json`` describes it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from codat_zoho._version import __version__
from codat_zoho.contract.table import ASSUMPTIONS, Table
from codat_zoho.errors import ConfigurationError
from codat_zoho.simulator.world import Switches
from codat_zoho.texts.redact import one_line

SCHEMA = Path(__file__).with_name("schema.json")
_FORMAT = 1
_VALUES: dict[str, tuple[object, ...]] = {
    "absent_keys": ("empty", "404", "204"),
    "saving": ("replace", "merge"),
    "mask": ("last4", "opaque"),
    "zoho_wrong_secret": ("invalid_client_secret", "invalid_client"),
    "zoho_disabled": ("invalid_client", "invalid_client_secret"),
}


def content(table: Table) -> dict[str, Any]:
    """The result as JSON takes it: no secret, no id, nothing of what remote services wrote."""
    return {
        "codat-zoho-contract": _FORMAT,
        "version": __version__,
        "assumptions": [
            {
                "name": row.name,
                "question": row.question,
                "assumed": row.assumed,
                "seen": row.seen,
                "result": row.result,
                "why": row.why,
            }
            for row in table.rows()
        ],
    }


def switches(path: Path) -> Switches:
    """Read a result as the simulator's switches; what was not observed keeps its default.

    Raises:
        ConfigurationError: it cannot be read, or is no such result.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("codat-zoho-contract") != _FORMAT:
            raise ValueError("it is no result of `codat-zoho contract`, or of another version of it")
        seen = {row["name"]: row["seen"] for row in told["assumptions"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        why = one_line(str(problem)) or type(problem).__name__
        raise ConfigurationError(f"{path} cannot be read: {why}.", "Make one: codat-zoho contract --output") from None
    found: dict[str, Any] = {}
    for one in fields(Switches):
        value = seen.get(one.name)
        if value is None or one.name not in ASSUMPTIONS:
            continue
        allowed = _VALUES.get(one.name, (True, False))
        if type(value) is type(allowed[0]) and value in allowed:
            found[one.name] = value
        else:
            raise ConfigurationError(
                f"{path} says something of {one.name} which the simulator cannot imitate.",
                "Remove that row, and report it to the codat-zoho project.",
            )
    return Switches(**found)

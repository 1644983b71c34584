"""The result as a file that can be attached to an issue, and that the simulator reads. ``schema.json`` describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codat_zoho._version import __version__
from codat_zoho.contract.table import Table

SCHEMA = Path(__file__).with_name("schema.json")
_FORMAT = 1


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

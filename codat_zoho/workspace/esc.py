"""Opens the ESC environments that a stack imports; only what this package reads is kept of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE
from codat_zoho.remote.concurrency import Once

_VARIABLES = ("CODAT_", "ZOHO_URL")


@dataclass(frozen=True, slots=True)
class Given:
    """What environments give: stack configuration without its namespace, and environment variables."""

    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class Esc:
    """Environments that were opened, by what ``pulumi env open`` prints in a project's folder. Threads share it."""

    def __init__(self, open_one: Callable[[str, Path], str]) -> None:
        self._open_one = open_one
        self._opened = Once()

    def given(self, names: Iterable[str], folder: Path) -> Given:
        """What environments give together: a later one overrides an earlier one."""
        given = Given()
        for name in names:
            one = self._opened.get(name, partial(self._open, name, folder))
            given = Given({**given.config, **one.config}, {**given.variables, **one.variables})
        return given

    def _open(self, name: str, folder: Path) -> Given:
        try:
            told = json.loads(self._open_one(name, folder))
        except (ValueError, RecursionError):
            told = None
        config, variables = (_part(told, part) for part in ("pulumiConfig", "environmentVariables"))
        return Given(
            {key: value for key in CONFIG_KEYS if (value := config.get(f"{NAMESPACE}:{key}")) is not None},
            {key: value for key, value in variables.items() if key.startswith(_VARIABLES) and isinstance(value, str)},
        )


def _part(told: object, name: str) -> dict[str, Any]:
    part = told.get(name) if isinstance(told, dict) else None
    return part if isinstance(part, dict) else {}

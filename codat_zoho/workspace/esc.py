"""Opens the ESC environments that a stack's settings file imports, through the ``pulumi`` command.

Only what this package reads is kept of them: ``pulumiConfig`` of its own namespace and its own environment variables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codat_zoho.declare.tokens import CONFIG_KEYS, NAMESPACE
from codat_zoho.remote.concurrency import Once

_VARIABLES = ("CODAT_", "ZOHO_URL")


@dataclass(frozen=True, slots=True)
class Given:
    """What environments give: stack configuration without its namespace, and environment variables."""

    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


def imports(settings: Path) -> tuple[str, ...]:
    """The environments that a stack's settings file imports, the later ones before the earlier ones in force."""
    import yaml  # Comes with pulumi.

    try:
        content = yaml.safe_load(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return ()
    listed = content.get("environment") if isinstance(content, dict) else None
    listed = listed.get("imports") if isinstance(listed, dict) else listed
    # An import may say how it is merged: {name: {merge: false}}.
    told = [[*one] if isinstance(one, dict) else [one] for one in listed] if isinstance(listed, list) else []
    return tuple(name for names in told for name in names if isinstance(name, str))


class Esc:
    """Environments that were opened. Threads share it.

    Args:
        open_one: opens one, in the folder of a project, and returns what ``pulumi env open`` prints.
    """

    def __init__(self, open_one: Callable[[str, Path], str]) -> None:
        self._open_one = open_one
        self._opened = Once()

    def given(self, names: tuple[str, ...], folder: Path) -> Given:
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
        kept = {key: value for key in CONFIG_KEYS if (value := config.get(f"{NAMESPACE}:{key}")) is not None}
        texts = {
            key: value for key, value in variables.items() if key.startswith(_VARIABLES) and isinstance(value, str)
        }
        return Given(kept, texts)


def _part(told: object, name: str) -> dict[str, Any]:
    part = told.get(name) if isinstance(told, dict) else None
    return part if isinstance(part, dict) else {}

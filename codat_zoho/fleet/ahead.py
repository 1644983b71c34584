"""Asks pulumi what every run has to know, while this process still loads the Automation API."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from codat_zoho.errors import ConfigurationError
from codat_zoho.fleet.children import Children, TimedOut

__all__ = ["AUTOMATION", "Ahead", "Answer"]

AUTOMATION = {"PULUMI_AUTOMATION_API": "true", "PULUMI_SKIP_UPDATE_CHECK": "true"}
"""What the SDK tells an engine that it drives."""
_SECONDS, _GRACE = 120.0, 1.0
_INSTALL = "Install Pulumi (https://www.pulumi.com/docs/install/) and put it on PATH."

Answer = tuple[int, str, str]
"""Exit code, output and error output of a command."""


class Ahead:
    """Starts ``pulumi version`` at once, and ``pulumi stack ls`` for each folder, a few at a time.

    Args:
        children: runs them, and stops them.
        folders: of projects, as the user wrote them.
        jobs: how many at a time.
    """

    def __init__(self, children: Children, folders: Iterable[str], jobs: int) -> None:
        self._children = children
        self._pool = ThreadPoolExecutor(jobs + 1)
        self._version = self._pool.submit(self._ask, "version")
        self._listings: dict[str, Future[Answer]] = {
            folder: self._pool.submit(self._ask, "--non-interactive", "stack", "ls", "--json", folder=folder)
            for folder in dict.fromkeys(folders)
            if Path(folder).is_dir()
        }

    def _ask(self, *words: str, folder: str = ".") -> Answer:
        env = {**os.environ, **AUTOMATION}
        return self._children.run(["pulumi", *words], folder, env, seconds=_SECONDS, grace=_GRACE)

    def version(self) -> str:
        """The engine's version.

        Raises:
            ConfigurationError: pulumi cannot be started, or does not say.
        """
        try:
            code, out, _ = self._version.result()
        except FileNotFoundError:
            raise ConfigurationError("There is no pulumi on PATH.", _INSTALL) from None
        except (OSError, TimedOut) as problem:
            raise ConfigurationError(f"pulumi cannot be started ({type(problem).__name__}).", _INSTALL) from None
        text = out.strip().removeprefix("v")
        if code or not text[:1].isdigit():
            raise ConfigurationError(f"'pulumi version' does not print a version (exit code {code}).", _INSTALL)
        return text

    def listing(self, folder: str) -> Answer:
        """What ``pulumi stack ls --json`` answered in a folder.

        Raises:
            TimedOut: it did not answer.
        """
        return self._listings[folder].result()

"""Runs the user's own ``pulumi``, so that it can be stopped, and tells in one line what went wrong."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from codat_zoho.drift import failures
from codat_zoho.drift.report import AUTHENTICATION, Failure
from codat_zoho.errors import ConfigurationError
from codat_zoho.workspace import pulumi_cli
from codat_zoho.workspace.children import Children, TimedOut

TOO_LONG = Failure("timeout", "It took longer than --timeout allows, and was ended.")
_INSTALL = "Install Pulumi (https://www.pulumi.com/docs/install/) and put it on PATH."
_LIST_SECONDS, _UP_SECONDS = 120.0, 3600.0
_GRACE, _UP_GRACE = 3.0, 120.0  # An update has a lock to give back, and must be let to.
_NOT_LOGGED_IN = 3
_KEYS = ("CODAT_API_KEY", "ZOHO_CLIENT_SECRET")


class Failed(Exception):
    """A stack, or a project, could not be checked."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.text)


@dataclass(frozen=True)
class Project:
    """A Pulumi project on disk; ``given`` is its folder as the user wrote it."""

    given: str
    name: str
    found: pulumi_cli.Project

    def up(self, stack: str) -> list[str]:
        """The command that restores what a stack declares, as a person types it."""
        where = [] if self.given == "." else ["--cwd", self.given]
        return ["pulumi", "up", "--refresh", "--stack", stack, *where]


@dataclass(frozen=True)
class Listed:
    """A stack as the backend lists it."""

    name: str
    selected: bool = False


def project(given: str) -> Project:
    """Find the project of a folder as pulumi does: there or in a folder above.

    Raises:
        Failed: there is none, or it cannot be read.
    """
    if not Path(given).is_dir():
        raise Failed(Failure("project", f"There is no folder {given}."))
    try:
        found = pulumi_cli.find_project(Path(given))
    except ConfigurationError as problem:
        raise Failed(failures.unreadable_project(str(problem))) from None
    if found is None:
        raise Failed(Failure("project", f"There is no Pulumi project in {given}, nor in a folder above."))
    return Project(given, found.name, found)


class Commands:
    """The commands of pulumi that a run needs. Threads share it.

    Args:
        children: runs them.
    """

    def __init__(self, children: Children) -> None:
        self._children = children

    def stacks(self, project: Project) -> list[Listed]:
        """List the stacks of a project.

        Raises:
            Failed: the backend cannot be reached, or the project cannot be read.
        """
        told = self._run(["stack", "ls", "--json"], project.found.folder, _LIST_SECONDS)
        try:
            return [Listed(str(one["name"]), bool(one.get("current"))) for one in json.loads(told)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Failed(Failure("pulumi", "'pulumi stack ls --json' does not print a list of stacks.")) from None

    def export(self, project: Project, stack: str, seconds: float) -> str:
        """Export a stack's state, with its secrets.

        Raises:
            Failed: it could not be.
        """
        words = ["stack", "export", "--show-secrets", f"--stack={stack}"]
        return self._run(words, project.found.folder, seconds)

    def environment(self, name: str, folder: Path, seconds: float) -> str:
        """Open an ESC environment.

        Raises:
            Failed: it could not be.
        """
        return self._run(["env", "open", "--format", "json", "--", name], folder, seconds)

    def preview(self, project: Project, stack: str, seconds: float) -> str:
        """Preview a stack as JSON. This runs the program, which may need the keys that are in the environment.

        Raises:
            Failed: it could not be started or took too long; a preview that fails says so in the JSON.
        """
        words = ["preview", "--json", f"--stack={stack}"]
        return self._run(words, project.found.folder, seconds, keys=True)

    def up(self, project: Project, stack: str) -> None:
        """Restore what a stack declares.

        Raises:
            Failed: it did not succeed.
        """
        words = ["up", "--yes", "--skip-preview", "--refresh", "--color", "never", f"--stack={stack}"]
        self._run(words, project.found.folder, _UP_SECONDS, grace=_UP_GRACE, keys=True)

    def _run(self, words: list[str], folder: Path, seconds: float, *, grace: float = _GRACE, keys: bool = False) -> str:
        """Run pulumi; what needs no keys of ours is given none."""
        env = {name: value for name, value in os.environ.items() if keys or not name.startswith(_KEYS)}
        env["PULUMI_SKIP_UPDATE_CHECK"] = "true"
        command = ["pulumi", "--non-interactive", *words]
        try:
            code, out, err = self._children.run(command, str(folder), env, seconds=seconds, grace=grace)
        except FileNotFoundError:
            raise ConfigurationError("There is no pulumi on PATH.", _INSTALL) from None
        except OSError as problem:
            raise ConfigurationError(f"pulumi cannot be started ({type(problem).__name__}).", _INSTALL) from None
        except TimedOut:
            raise Failed(TOO_LONG) from None
        # A preview that fails says why in its JSON.
        if code and not (words[0] == "preview" and out.lstrip().startswith("{")):
            found = failures.from_output(out, err)
            raise Failed(Failure(AUTHENTICATION, found.text) if code == _NOT_LOGGED_IN else found)
        return out

"""The SDK's Automation API, so that it can be stopped, selects nothing, and tells in one line what went wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from pulumi import automation as auto
from semver import VersionInfo

from codat_zoho.errors import ConfigurationError
from codat_zoho.fleet.ahead import AUTOMATION
from codat_zoho.fleet.children import Children, Stopped, TimedOut
from codat_zoho.reports import failures, findings
from codat_zoho.reports.drift import AUTHENTICATION, Failure

__all__ = ["MINIMUM", "Command", "EngineFailed", "Events", "Failed", "Workspace", "checked"]

MINIMUM = VersionInfo(3, 227)
"""The first engine whose refresh previews and exit codes are as this package needs them."""
_UPDATE = "Update Pulumi (https://www.pulumi.com/docs/install/)."
_NOT_LOGGED_IN = 3


class Failed(Exception):
    """A stack, or a project, could not be checked."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.text)


class EngineFailed(Exception):
    """The engine ended with an error."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code, self.stdout, self.stderr = code, stdout, stderr
        super().__init__(code)


class Workspace(auto.LocalWorkspace):
    """A workspace that leaves selected what the user has selected: every call names its stack."""

    def select_stack(self, stack_name: str) -> None:
        """Do nothing."""


class Command(auto.PulumiCommand):
    """Runs pulumi as the SDK does, but so that it can be stopped with all it started.

    Args:
        children: runs it.
        known: its version, so that it is asked once and not for each stack.
        seconds: that it may take.
        grace: that it may take to end when it is told to.
    """

    def __init__(self, children: Children, known: VersionInfo, *, seconds: float, grace: float) -> None:
        self.command, self.version = "pulumi", known
        self._children, self._seconds, self._grace = children, seconds, grace

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """Run a command of pulumi.

        Raises:
            EngineFailed: it ended with an error.
        """
        env = {**os.environ, **additional_env, **AUTOMATION}
        # With confirmations switched off, pulumi refuses to only preview a refresh.
        env.pop("PULUMI_SKIP_CONFIRMATIONS", None)
        words = [self.command, "--non-interactive", *args]
        code, out, err = self._children.run(words, cwd, env, seconds=self._seconds, grace=self._grace)
        if code:
            raise EngineFailed(code, out, err)
        return auto.CommandResult(out.rstrip(), err.rstrip(), code)


def checked(text: str) -> VersionInfo:
    """Read the engine's version.

    Raises:
        ConfigurationError: it is too old, or no version.
    """
    try:
        known = VersionInfo.parse(text)
    except ValueError:
        raise ConfigurationError("'pulumi version' does not print a version.", _UPDATE) from None
    if known < MINIMUM:
        raise ConfigurationError(f"pulumi is {known}, needed is {MINIMUM} or newer.", _UPDATE)
    return known


class Events:
    """Takes the engine's events while it runs; what goes wrong inside ``with`` leaves it as :class:`Failed`."""

    def __init__(self) -> None:
        self.ours: dict[str, findings.Seen] = {}
        self.news: dict[str, Mapping[str, Any]] = {}
        self.results = 0
        self._failed: dict[str, Failure] = {}
        self._said: list[str] = []

    def note(self, event: auto.EngineEvent) -> None:
        """Take one event."""
        if event.diagnostic_event:
            self._diagnostic(event.diagnostic_event)
        if event.resource_pre_event:
            self._resource(event.resource_pre_event.metadata, None)
        if event.res_outputs_event:
            self.results += 1
            metadata = event.res_outputs_event.metadata
            self._resource(metadata, metadata.new.outputs if metadata.new else None)

    def _diagnostic(self, event: Any) -> None:
        if event.severity == "error" and event.urn:
            found = failures.from_diagnostic(event.message)
            if found:
                self._failed.setdefault(event.urn, found)
        elif event.severity in ("error", "info#err"):
            self._said += [line for line in event.message.splitlines() if line.strip()]

    def _resource(self, metadata: Any, outputs: Mapping[str, Any] | None) -> None:
        if not metadata.type.startswith(findings.TOKEN_PREFIX):
            return
        self.news[metadata.urn] = (metadata.new.inputs if metadata.new else None) or {}
        self.ours[metadata.urn] = findings.Seen(
            metadata.urn,
            metadata.type.removeprefix(findings.TOKEN_PREFIX),
            metadata.op.value,
            (metadata.old.inputs if metadata.old else None) or {},
            outputs,
            frozenset(key.partition("[")[0].partition(".")[0] for key in metadata.detailed_diff or ()),
        )

    @property
    def partial(self) -> bool:
        """Resources could be told apart: at least one of them says why it failed."""
        return any(urn in self._failed for urn in self.ours)

    def failure_of(self, seen: findings.Seen) -> Failure | None:
        """Why a resource could not be read; None where it was."""
        if seen.urn in self._failed:
            return self._failed[seen.urn]
        if seen.operation == "refresh":
            return Failure("not read", "The engine stopped before it was read, because of the other error.")
        return None

    def __enter__(self) -> Events:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, (Failed, Stopped)):
            return
        if isinstance(error, TimedOut):
            raise Failed(Failure("timeout", "It took longer than --timeout allows, and was ended.")) from None
        if not isinstance(error, EngineFailed):
            raise Failed(failures.from_output("", f"{type(error).__name__}: {error}")) from None
        found = next(iter(self._failed.values()), None)
        found = found or failures.from_output(error.stdout, error.stderr, self._said)
        raise Failed(Failure(AUTHENTICATION, found.text) if error.code == _NOT_LOGGED_IN else found) from None

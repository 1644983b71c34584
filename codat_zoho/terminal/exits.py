"""The exit codes of all commands."""

from __future__ import annotations

from enum import IntEnum

from codat_zoho.errors import ApiKeyRefused


class Exit(IntEnum):
    """Exit codes of all commands; where several apply, the one that stands first here wins."""

    INTERRUPTED = 130
    """Ctrl-C, and for ``drift`` SIGTERM; nothing is left running."""
    ERROR = 1
    """Refused or failed; one line on stderr says what and why."""
    AUTHENTICATION = 3
    """The same, and only because of authentication."""
    USAGE = 2
    """The command line is wrong; nothing was done."""
    CHANGES = 7
    """What was looked for was found: drift, a danger, a secret. The code of pulumi's own ``--expect-no-changes``."""
    OK = 0
    """Done, and nothing to say."""


def exit_of(error: type[Exception]) -> Exit:
    """The exit code of a command that ends with this error."""
    return Exit.AUTHENTICATION if issubclass(error, ApiKeyRefused) else Exit.ERROR

"""Turns what the engine prints when it fails into one clean line, and says of which kind the failure is. Pure."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from codat_zoho.drift.report import AUTHENTICATION, Failure
from codat_zoho.errors import CodatZohoError
from codat_zoho.texts.debug_flags import debugging
from codat_zoho.texts.redact import one_line, redact

LENGTH = 600
"""Characters of a failure's text at most."""

# gRPC's words stand there with a pulumi SDK before 3.260.
_AROUND = r"(?:(?:preview|update) failed: )?(?:Exception calling application: )?"
_OURS = re.compile(rf"^{_AROUND}(?P<name>[A-Z]\w+): (?P<text>.+)$", re.IGNORECASE | re.DOTALL)
_NOISE = re.compile(r"^(?:preview|update|refresh) failed$|^\s*$", re.IGNORECASE)
_LAST_LINE = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt)\b.*", re.MULTILINE)
_AUTHENTICATION = frozenset({"ApiKeyRefused", "AccessDenied"})

_VENV = "Create the virtual environment that Pulumi.yaml names and install the project's requirements into it."
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"no stack named",
        "unknown stack",
        "{text}",
    ),
    (
        r"passphrase must be set",
        "passphrase",
        "The stack's secrets are encrypted with a passphrase, and none is set. Set PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE.",
    ),
    (
        r"incorrect passphrase",
        "passphrase",
        "The passphrase does not open the stack's secrets. Check PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE.",
    ),
    (
        r"PULUMI_ACCESS_TOKEN|invalid access token|pulumi login|401.*unauthorized",
        AUTHENTICATION,
        "Pulumi is not logged in to its backend: {text}. Set PULUMI_ACCESS_TOKEN, or PULUMI_BACKEND_URL for another "
        "backend.",
    ),
    (
        r"could not (?:unmarshal|validate)|no Pulumi\.yaml|invalid YAML",
        "project",
        "The project cannot be read: {text}. Correct Pulumi.yaml.",
    ),
    (
        r"'virtualenv' option .* doesn't exist|names the virtualenv",
        "project",
        f"The project's Python cannot be started: {{text}}. {_VENV}",
    ),
    (
        r"No module named",
        "project",
        f"The project's Python lacks a module: {{text}}. {_VENV}",
    ),
    (
        r"currently locked by|Another update is currently in progress",
        "busy",
        "Somebody else is updating the stack right now: {text}. Run it again when that is done.",
    ),
)


def from_diagnostic(message: str) -> Failure | None:
    """Read an error that the engine attributes to a resource; None for what only says that something failed."""
    text = message.strip()
    if _NOISE.match(text):
        return None
    if "Traceback (most recent call last)" in text:
        last = _LAST_LINE.findall(text)
        text = last[-1] if last else text.splitlines()[-1]
    ours = _OURS.match(text)
    if ours and re.fullmatch(r"[A-Za-z]+", ours["name"]) and not ours["name"].endswith("NotFoundError"):
        return Failure(_kind_of(ours["name"]), one_line(ours["text"], LENGTH))
    return _known(text)


def from_error(error: CodatZohoError) -> Failure:
    """Read an error of this package."""
    return Failure(_kind_of(type(error).__name__), one_line(str(error), LENGTH))


def from_bug(error: Exception) -> Failure:
    """Read an error that nobody foresaw; its text may quote anything, so it stays out."""
    if debugging():
        print(redact("".join(traceback.format_exception(error))), file=sys.stderr)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = f"{type(error).__name__}{where}: a bug in codat-zoho. Run it again with CODAT_ZOHO_DEBUG=1 and report it."
    return Failure("bug", text)


def _kind_of(name: str) -> str:
    """``RateLimited`` becomes ``rate limited``."""
    if name in _AUTHENTICATION:
        return AUTHENTICATION
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def from_output(stdout: str, stderr: str, said: Iterable[str] = ()) -> Failure:
    """Read a failure of the engine as a whole.

    Args:
        stdout: what it printed.
        stderr: what it printed there.
        said: messages of processes that the engine started, for example a Python that does not start.
    """
    lines = [line.strip().removeprefix("error: ") for line in (*stderr.splitlines(), *said)]
    lines = [line for line in lines if not _NOISE.match(line)]
    # What a process said before the engine gave up says why; the engine only says that it gave up.
    for line in reversed(lines):
        known = _match(line)
        if known:
            return known
    if lines:
        return from_diagnostic(lines[0]) or Failure("pulumi", _sentence(lines[0]))
    # What an update says of its resources stands among its progress.
    errors = (line.partition("error: ")[2] for line in stdout.splitlines() if "error: " in line)
    found = next(filter(None, map(from_diagnostic, errors)), None)
    return found or Failure("pulumi", "pulumi failed and did not say why.")


def unreadable_project(why: str) -> Failure:
    """Say that a project's own file cannot be read."""
    return Failure("project", one_line(f"The project cannot be read: {why.rstrip('.')}. Correct Pulumi.yaml.", LENGTH))


def _known(text: str) -> Failure:
    return _match(text) or Failure("pulumi", _sentence(text))


def _match(text: str) -> Failure | None:
    for pattern, kind, words in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(kind, one_line(words.format(text=one_line(text, LENGTH).rstrip(".")), LENGTH))
    return None


def _sentence(text: str) -> str:
    flat = one_line(text, LENGTH)
    return flat if flat.endswith((".", "!", "…", ")")) else f"{flat}."

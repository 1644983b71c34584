"""Failures of the ``pulumi`` command as data: of which kind each is, and what to do about it, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from codat_zoho import errors
from codat_zoho.errors import CodatZohoError, ConfigurationError
from codat_zoho.texts.redact import one_line

LENGTH = 600
"""Characters of a failure's text at most."""
AUTHENTICATION = "authentication"
"""The kind of a failure that new credentials cure: Codat's API key, or the login to Pulumi's backend."""
_REFUSED = frozenset({"ApiKeyRefused", "AccessDenied"})

# gRPC's words stand there with a pulumi SDK before 3.260.
_AROUND = r"(?:(?i:preview|update) failed: )?(?:Exception calling application: )?"
_OURS = re.compile(rf"^{_AROUND}(?P<name>{'|'.join(errors.__all__)}): (?P<text>.+)$", re.DOTALL)
_NOISE = re.compile(r"^(?:preview|update|refresh) failed$|^\s*$", re.IGNORECASE)
_LAST_LINE = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt)\b.*", re.MULTILINE)

_PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE."
_UNREADABLE = "The project cannot be read: {text}. Correct Pulumi.yaml."
_VENV = "Create the virtual environment that Pulumi.yaml names and install the project's requirements into it."
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (r"no stack named", "unknown stack", "{text}"),
    (
        r"passphrase must be set",
        "passphrase",
        f"The stack's secrets are encrypted with a passphrase, and none is set. Set {_PASSPHRASE}",
    ),
    (r"incorrect passphrase", "passphrase", f"The passphrase does not open the stack's secrets. Check {_PASSPHRASE}"),
    (
        r"PULUMI_ACCESS_TOKEN|invalid access token|pulumi login|401.*unauthorized",
        AUTHENTICATION,
        "Pulumi is not logged in to its backend: {text}. Set PULUMI_ACCESS_TOKEN, or PULUMI_BACKEND_URL for another "
        "backend.",
    ),
    (
        r"password authentication failed|no pg_hba\.conf entry|no password supplied"  # PostgreSQL
        r"|role \".+\" (?:does not exist|is not permitted to log in)"
        r"|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|api error (?:AccessDenied|Forbidden|InvalidToken)"
        r"|AccessDenied: Access Denied|NoCredentialProviders|failed to refresh cached cred"
        r"|could not find default credentials|oauth2: .*invalid_grant|googleapi: Error 40[13]"  # Google, after S3
        r"|failed to acquire a token|AuthenticationFailed|AuthorizationFailure",  # Azure
        AUTHENTICATION,
        "The login to Pulumi's backend fails: {text}. Check the user or key that it is given.",
    ),
    (
        r"no resource plugin 'pulumi-resource-codat-zoho'",
        "plugin",
        "The engine finds no plugin codat-zoho. Name its folder in Pulumi.yaml (plugins.providers), or put it on PATH; "
        "'codat-zoho doctor' says how.",
    ),
    (r"plugin options for 'codat-zoho'", "plugin", "{text}. Correct plugins.providers in Pulumi.yaml."),
    (r"could not (?:unmarshal|validate)|no Pulumi\.yaml|invalid YAML", "project", _UNREADABLE),
    (
        r"'virtualenv' option .* doesn't exist|names the virtualenv",
        "project",
        f"The project's Python cannot be started: {{text}}. {_VENV}",
    ),
    (r"No module named", "project", f"The project's Python lacks a module: {{text}}. {_VENV}"),
    (
        r"currently locked by|Another update is currently in progress",
        "busy",
        "Somebody else is updating the stack right now: {text}. Run it again when that is done.",
    ),
)
"""What ``pulumi`` prints, the kind of failure, and what is said of it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something could not be done: one line, and of which kind it is."""

    kind: str
    text: str


class Failed(ConfigurationError):
    """``pulumi`` failed, or what it works on cannot be used."""

    def __init__(self, failure: Failure, what: str = "") -> None:
        self.failure = failure
        super().__init__(what or failure.text)


def from_diagnostic(message: str) -> Failure | None:
    """Read an error that the engine attributes to a resource; None for what only says that something failed."""
    text = message.strip()
    if _NOISE.match(text):
        return None
    if "Traceback (most recent call last)" in text:
        last = _LAST_LINE.findall(text)
        text = last[-1] if last else text.splitlines()[-1]
    ours = _OURS.match(text)
    if ours and not ours["text"].startswith("Access Denied"):  # That is how S3 says it.
        return Failure(kind_of(ours["name"]), one_line(ours["text"], LENGTH))
    return _known(text) or _unknown(text)


def from_output(stdout: str, stderr: str, said: Iterable[str] = ()) -> Failure:
    """Read a failure of the engine as a whole; ``said`` are messages of processes that it started."""
    lines = [line.strip().removeprefix("error: ") for line in (*stderr.splitlines(), *said)]
    lines = [line for line in lines if not _NOISE.match(line)]
    # What a process said before the engine gave up says why; the engine only says that it gave up.
    for line in reversed(lines):
        if known := _known(line):
            return known
    if lines:
        return from_diagnostic(lines[0]) or _unknown(lines[0])
    # What an update says of its resources stands among its progress.
    errors = (line.partition("error: ")[2] for line in stdout.splitlines() if "error: " in line)
    found = next(filter(None, map(from_diagnostic, errors)), None)
    return found or Failure("pulumi", "pulumi failed and did not say why.")


def unreadable_project(why: str) -> Failure:
    """A project's own file cannot be read."""
    return Failure("project", one_line(_UNREADABLE.format(text=why.rstrip(".")), LENGTH))


def kind_of(name: str) -> str:
    """The kind of an error of this package, by its class: ``RateLimited`` becomes ``rate limited``."""
    if name in _REFUSED:
        return AUTHENTICATION
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def from_error(error: CodatZohoError) -> Failure:
    """Read an error of this package."""
    return Failure(kind_of(type(error).__name__), one_line(str(error), LENGTH))


def _known(text: str) -> Failure | None:
    for pattern, kind, words in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(kind, one_line(words.format(text=one_line(text, LENGTH).rstrip(".")), LENGTH))
    return None


def _unknown(text: str) -> Failure:
    flat = one_line(text, LENGTH)
    return Failure("pulumi", flat if flat.endswith((".", "!", "…", ")")) else f"{flat}.")

"""Everything this package raises on purpose.

.. code-block:: text

    CodatZohoError
    ├── SettingsError          declared settings break a rule (all problems at once)
    ├── ConfigurationError     an API key or an address is missing or malformed
    ├── PlanBlocked            the plan would do what nobody has allowed
    ├── NotApplied             a write was accepted, but reading back does not show it
    ├── NotAdopted             what is there cannot be taken over as asked
    ├── RegionRejected         a Zoho data centre refuses the client id or secret
    └── RemoteError            Codat answered, but not with what was asked for
        ├── ApiKeyRefused      401
        ├── AccountLimit       402
        ├── AccessDenied       403
        ├── NotFound           404
        ├── NotOffered         404 or 405 on a path that not every API key is offered
        ├── Conflict           409
        ├── RateLimited        429
        ├── ServerFailed       5xx
        ├── Unreachable        no answer: connection, TLS, timeout, deadline
        └── UnexpectedAnswer   an answer that cannot be read: HTML, bad JSON, redirect, other status

The text of each is one line: what happened and where, then what to do next, then Codat's correlation id
(Codat's support asks for it). No text holds a secret: callers pass remote text through ``_redact`` first.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "AccessDenied",
    "AccountLimit",
    "ApiKeyRefused",
    "CodatZohoError",
    "ConfigurationError",
    "Conflict",
    "NotAdopted",
    "NotApplied",
    "NotFound",
    "NotOffered",
    "PlanBlocked",
    "RateLimited",
    "RegionRejected",
    "RemoteError",
    "ServerFailed",
    "SettingsError",
    "UnexpectedAnswer",
    "Unreachable",
]


class CodatZohoError(Exception):
    """Base of all errors of this package.

    Args:
        what: what happened, where and why, as one or more full sentences.
        next_step: the command to type or the switch to turn, as a full sentence.
    """

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(what, next_step)

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.next_step) if part)


class SettingsError(CodatZohoError):
    """The declared settings break one or more rules; ``problems`` lists them all, one line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class ConfigurationError(CodatZohoError):
    """What is needed to reach Codat or Zoho is missing or malformed.

    Set what the message names; ``codat-zoho doctor`` looks at all of it.
    """


class PlanBlocked(CodatZohoError):
    """A change was refused because it could cut off linked companies, or cannot be made as declared.

    Think first; then set ``allow_disruption`` if it is meant, or declare what the message says is missing.
    """


class NotApplied(CodatZohoError):
    """Codat accepted a write, but reading back keeps showing something else.

    Somebody else may be changing the same thing, or Codat is slow: run it again.
    """


class NotAdopted(CodatZohoError):
    """What is there cannot be taken over as asked; nothing was changed where the text does not say otherwise."""


class RegionRejected(CodatZohoError):
    """A Zoho data centre does not accept the declared client id and secret.

    Turn the switch that the message names in Zoho's console, or copy the secret again; then ``pulumi up``.
    """


class RemoteError(CodatZohoError):
    """A call to Codat failed.

    Args:
        what: as in :class:`CodatZohoError`.
        next_step: as in :class:`CodatZohoError`.
        status: the HTTP status, or None where no answer came.
        correlation_id: Codat's id of the call, or None where it sent none.
    """

    def __init__(
        self, what: str, next_step: str = "", *, status: int | None = None, correlation_id: str | None = None
    ) -> None:
        super().__init__(what, next_step)
        self.status = status
        self.correlation_id = correlation_id

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} (Codat correlation id {self.correlation_id})" if self.correlation_id else text


class ApiKeyRefused(RemoteError):
    """401: Codat does not know the API key. Copy it again from the Portal, Developers > API keys."""


class AccountLimit(RemoteError):
    """402: the Codat account has reached a limit or has expired. Ask whoever manages it, or Codat support."""


class AccessDenied(RemoteError):
    """403: the API key may not do this. Outdated keys are refused too: make another."""


class NotFound(RemoteError):
    """404: the thing asked for is not there."""


class NotOffered(RemoteError):
    """404 or 405 on a path that Codat does not offer to this API key.

    Do by hand in the Portal what the message says, then run it again.
    """


class Conflict(RemoteError):
    """409: somebody else is changing the same thing. Nothing is lost: run it again."""


class RateLimited(RemoteError):
    """429: the rate limit is used up for longer than this package waits. Run it again when the message says."""


class ServerFailed(RemoteError):
    """5xx: Codat failed, and kept failing through the retries. Nothing is lost: run it again later."""


class Unreachable(RemoteError):
    """No answer came: connection, TLS, timeout or the deadline of the whole operation."""


class UnexpectedAnswer(RemoteError):
    """An answer that cannot be read: not JSON, not of the documented shape, a redirect, or another status."""

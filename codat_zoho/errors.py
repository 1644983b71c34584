"""Everything this package raises on purpose.

.. code-block:: text

    CodatZohoError
    ├── SettingsError          declared settings break a rule (all problems at once)
    ├── ConfigurationError     an API key or an address is missing or malformed
    ├── PlanBlocked            the plan would do what nobody has allowed
    ├── NotApplied             a write was accepted, but reading back does not show it
    ├── NotAdopted             what is there cannot be taken over as asked
    ├── RegionRejected         a Zoho data centre refuses the client id or secret
    ├── WrongCodatClient       the API key opens another Codat client than the one that was deployed to
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
(Codat's support asks for it). No text holds a secret: callers pass remote text through ``texts.redact`` first.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

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
    "WrongCodatClient",
]


class CodatZohoError(Exception):
    """Base of all errors of this package: catch it to catch them all.

    Cause: never raised itself.
    Cure: the text says what to do, and ``next_step`` holds that part alone.

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


class Problem(NamedTuple):
    """One broken rule of a :class:`SettingsError`: which field, and what is wrong with it."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


class SettingsError(CodatZohoError):
    """The declared settings break one or more rules; ``problems`` lists them all, each with ``field`` and ``text``.

    Cause: a typing error in the program or in stack configuration, or settings that contradict each other.
    Cure: mend what each line names; nothing was sent.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class ConfigurationError(CodatZohoError):
    """What is needed to reach Codat or Zoho, or to run a command, is missing or malformed.

    Cause: no API key for the connection, an address that is not https, no ``pulumi``, or an option that contradicts
    another.
    Cure: set what the message names; ``codat-zoho doctor`` looks at all of it.
    """


class PlanBlocked(CodatZohoError):
    """A change was refused because it could cut off linked companies, or cannot be made as declared.

    Cause: disabling, another client id, or destroying while companies are linked; or keys that need a secret that
    is not declared.
    Cure: think first; then set ``allow_disruption`` if it is meant, or declare what the message says is missing.
    """


class NotApplied(CodatZohoError):
    """Codat accepted a write, but reading back keeps showing something else.

    Cause: somebody else is changing the same thing, or Codat is slow.
    Cure: find out who, then run it again.
    """


class NotAdopted(CodatZohoError):
    """What is there cannot be taken over as asked; nothing was changed where the text does not say otherwise.

    Cause: the given client id or secret is not the one that Codat stores, the stack declares something else, or a
    file is in the way.
    Cure: adopt what is there (without the secret, or with ``--leave-keys``), then change it in a plan of its own.
    """


class RegionRejected(CodatZohoError):
    """A Zoho data centre does not accept the declared client id and secret.

    Cause: the data centre is not enabled for the client, it has a secret of its own there, or id or secret is mistyped.
    Cure: turn the switch that the message names in Zoho's console, or copy the secret again; then ``pulumi up``.
    """


class WrongCodatClient(CodatZohoError):
    """The API key opens another Codat client than the one that the resource was deployed to; nothing was sent.

    Cause: the API key of another environment, in the shell, in the pipeline or in stack configuration.
    Cure: use the key of the Codat client that the message names; where the move is meant, it says how.
    """


class RemoteError(CodatZohoError):
    """A call to Codat failed; its subclasses say how.

    Cause: see the subclasses.
    Cure: as the text says. Codat's support asks for ``correlation_id``.

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
    """401: Codat does not know the API key.

    Cause: it was mistyped, was deleted in the Portal, or is meant for another address.
    Cure: copy it again from the Portal, Developers > API keys.
    """


class AccountLimit(RemoteError):
    """402: the Codat account has reached a limit or has expired.

    Cause: the contract with Codat, and nothing that is declared here.
    Cure: ask whoever manages the account, or Codat support.
    """


class AccessDenied(RemoteError):
    """403: the API key may not do this.

    Cause: the key is outdated, or the account demands client certificates. Portal users have roles; API keys have none
    that are published.
    Cure: make another key; or set ``CODAT_CLIENT_CERT`` and ``CODAT_CLIENT_ID``.
    """


class NotFound(RemoteError):
    """404: the thing asked for is not there, mostly the Zoho Books integration itself.

    Cause: the API key belongs to another Codat client, or Zoho Books is not among this one's integrations.
    Cure: check which client the key belongs to, and ask Codat where Zoho Books is missing. A refresh counts the
    resource as gone.
    """


class NotOffered(RemoteError):
    """404 or 405 on a path that Codat does not offer to this API key.

    Cause: the calls that enable an integration and save its keys are published for some customers only.
    Cure: do by hand in the Portal what the message says, then run it again.
    """


class Conflict(RemoteError):
    """409: somebody else is changing the same thing.

    Cause: another run, or a person in the Portal, at the same moment.
    Cure: nothing is lost: run it again.
    """


class RateLimited(RemoteError):
    """429: the rate limit is used up for longer than this package waits.

    Cause: 1,000 calls a minute from one address, or the Codat client's calls of the day.
    Cure: run it again when the message says; ``CODAT_ZOHO_CALLS=1`` counts the calls.
    """


class ServerFailed(RemoteError):
    """5xx: Codat failed, and kept failing through the retries.

    Cause: Codat has an outage or maintenance.
    Cure: nothing is lost: run it again later.
    """


class Unreachable(RemoteError):
    """No answer came: connection, TLS, timeout or the deadline of the whole operation.

    Cause: the network, a proxy, a certificate that is not trusted, a wrong address, or a slow Codat.
    Cure: ``codat-zoho doctor`` looks at each; then run it again. What was sent before is read back by the next run.
    """


class UnexpectedAnswer(RemoteError):
    """An answer that cannot be read: not JSON, not of the documented shape, a redirect, or another status.

    Cause: something else answers in Codat's place (a proxy, a login page, a wrong address), or Codat changed its
    answers.
    Cure: check ``CODAT_URL``; where it is right, compare with ``codat-zoho contract`` and report it.
    """


class Exit(IntEnum):
    """Exit codes of all commands; where several apply, the one that stands first here wins."""

    INTERRUPTED = 130
    """Ctrl-C, and for ``drift``, ``contract --write`` and ``test-link`` SIGTERM and SIGHUP; nothing is left running."""
    ERROR = 1
    """Refused or failed; one line on stderr says what and why."""
    AUTHENTICATION = 3
    """The same, and only because of authentication."""
    USAGE = 2
    """The command line is wrong; nothing was done."""
    CHANGES = 7
    """Drift, a danger or a secret was found, or nobody could link. The code of pulumi's own ``--expect-no-changes``."""
    OK = 0
    """Done, and nothing to say."""


def exit_of(error: type[Exception]) -> Exit:
    """The exit code of a command that ends with this error."""
    return Exit.AUTHENTICATION if issubclass(error, ApiKeyRefused) else Exit.ERROR


def name_and_place(error: BaseException) -> str:
    """What is said of an error that nobody foresaw: never its text, which may quote anything."""
    import traceback  # Only where something went wrong.
    from pathlib import Path

    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"

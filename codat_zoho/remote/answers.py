"""What Codat's answers mean where they are not what was asked for: each as the error that it stands for."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from codat_zoho import errors
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.remote.http import Answer, retry_after
from codat_zoho.texts.redact import one_line, redact

ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
"""Of a client or of a call, as Codat gives them."""
_WITHDRAWN = "NotFound"
"""The whole ``error`` of Codat's 404 for a call that it offers no more; of what is missing it speaks in a sentence
(Codat's notices of removed paths)."""
_PORTAL = f"In the Codat Portal, open {ZOHO_BOOKS.portal}"
_CHECK_ADDRESS = "Check that the Codat address is right and that no proxy or login page answers in its place."


class Call(NamedTuple):
    """A call to Codat, and what it does, in words that follow "when"."""

    method: str
    path: str
    what: str


def withdrawn(answer: Answer) -> bool:
    """Codat says that it does not offer the call, and not that something is missing."""
    return answer.status == 404 and (answer.json_object() or {}).get("error") == _WITHDRAWN


def failure(answer: Answer, call: Call, source: str, now: float, by_hand: str = "") -> errors.RemoteError:
    """The error for an answer that is not 200 with a JSON object.

    ``source`` is where the API key was found, ``by_hand`` what to do in the Portal where Codat does not offer the call.
    """
    status, found = answer.status, answer.json_object()
    body = found or {}
    message = body.get("error")
    words = one_line(message).rstrip(".") if isinstance(message, str) else ""
    said = f" Codat says: {words}." if words else ""
    ids = (body.get("correlationId"), answer.headers.get("x-correlation-id"))
    correlation_id = next((i for i in ids if isinstance(i, str) and ID.fullmatch(redact(i))), None)
    kind: type[errors.RemoteError]
    if (by_hand and status in (404, 405)) or withdrawn(answer):
        kind = errors.NotOffered
        path = call.path.partition("?")[0]
        text = f"This Codat API does not offer {call.what} to this key ({call.method} {path}: {status})."
        step = "Codat may have withdrawn the call: ask Codat support, with the correlation id."
        if by_hand:
            step = f"{_PORTAL} and {by_hand}"
    elif status == 200:
        kind, step = errors.UnexpectedAnswer, _CHECK_ADDRESS
        media_type = redact(answer.headers.get("content-type", "no content type")).partition(";")[0]
        text = f"Codat's answer when {call.what} is not a JSON object ({one_line(media_type, 40)})."
    elif status == 404 and found is None:
        # Codat's own 404 would make the integration count as gone; a wrong address must not.
        kind, step = errors.UnexpectedAnswer, _CHECK_ADDRESS
        text = f"The address answered 404, and not in Codat's words, when {call.what}."
    elif status in _STATUS:
        kind, text, step = _STATUS[status]
        text = text.format(what=call.what, source=source)
    elif status == 429:
        kind, step = errors.RateLimited, "Run it again then."
        reset = _when(answer, now) or _reset(answer, now)
        text = f"Codat's rate limit is used up when {call.what}; it resets {reset}."
    elif status >= 500:
        kind, step = errors.ServerFailed, f"Nothing is lost: run it again {_when(answer, now) or 'later'}."
        text = f"Codat failed when {call.what} ({status}){', also when asked again' if answer.tries > 1 else ''}."
    else:
        kind, step = errors.UnexpectedAnswer, "Check that the Codat address is right."
        redirect = ", a redirect, which is never followed with an API key" if 300 <= status < 400 else ""
        text = f"Codat answered {status}{redirect}, when {call.what}."
    return kind(text + said, step, status=status, correlation_id=correlation_id)


_STATUS: dict[int, tuple[type[errors.RemoteError], str, str]] = {
    401: (
        errors.ApiKeyRefused,
        "Codat refused the API key from {source} (401) when {what}.",
        "Copy a key of the right Codat client from the Portal (Developers > API keys).",
    ),
    402: (
        errors.AccountLimit,
        "Codat refused {what} because of the account (402): it has reached a limit or has expired.",
        "Ask whoever manages the Codat account, or Codat support.",
    ),
    403: (
        errors.AccessDenied,
        "Codat does not let the API key from {source} do this (403): {what}.",
        "Copy another from the Portal (Developers > API keys): outdated ones are refused, and no roles of API keys are "
        "published. If the account demands client certificates, see `codat-zoho doctor`.",
    ),
    404: (
        errors.NotFound,
        "Codat does not know what was asked for (404) when {what}.",
        "Check that the API key belongs to the Codat client that is meant, and that Zoho Books is in its integrations.",
    ),
    409: (
        errors.Conflict,
        "Somebody else is changing the same thing at Codat (409), noticed when {what}.",
        "Nothing is lost: run it again.",
    ),
}


def _when(answer: Answer, now: float) -> str | None:
    """The time that an answer asks to wait for."""
    wait = retry_after(answer.headers, now)
    return None if wait is None else _at(now + wait)


def _at(time: float) -> str:
    return f"at {datetime.datetime.fromtimestamp(time, datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"


def _reset(answer: Answer, now: float) -> str:
    """When Codat says that a limit is reset. Nobody knows in which form it says so: what cannot be read is quoted."""
    text = answer.headers.get("x-rate-limit-reset", "").strip()
    try:
        if text.isascii() and text.isdigit():
            number = float(text[:15])  # Seconds from now, or since 1970, or milliseconds since then.
            time = now + number if number < _YEAR else number / (1000 if number > _IN_MILLISECONDS else 1)
        else:
            date = datetime.datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
            time = date.replace(tzinfo=date.tzinfo or datetime.timezone.utc).timestamp()
    except (ValueError, OverflowError):
        time = now + wait if (wait := retry_after({"retry-after": text}, now)) is not None else -1.0
    return _at(time) if 0 <= time - now <= _YEAR else f"at {one_line(text or '00:00 UTC', 40)}"


_YEAR, _IN_MILLISECONDS = 366 * 86_400, 1e11

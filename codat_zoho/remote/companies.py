"""Companies at Codat and their connections: what a test of the link makes, watches and deletes.

All of these calls are in Codat's published OpenAPI file. Making something is never repeated: it would be there twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from codat_zoho import errors
from codat_zoho.core.linking import Company, Connection, is_same_test
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.remote.answers import ID, Call
from codat_zoho.remote.codat import Codat
from codat_zoho.remote.http import Answer
from codat_zoho.texts.redact import one_line, register

_SHORTEST = 6  # Characters of a one-time password in a link; shorter ones are ordinary words.
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_LOCAL = ("127.0.0.1", "localhost", "::1")


class Companies(Codat):
    """The companies of one Codat client, for the length of one operation."""

    def create(self, name: str) -> Company:
        """Create a company, once. Where that fails, it may have been created all the same.

        An answer on another company, say of something that stands between, must not get that one deleted.
        """
        call = Call("POST", "/companies", "creating a company")
        made = self._company(self._ask(call, {"name": name}, retry=False), call)
        if not is_same_test(made.name, name):
            raise errors.UnexpectedAnswer(
                f"Codat's answer when {call.what} is about another, {made.name!r} (id {made.id}): it is left alone.",
                "Look at it in the Codat Portal, Companies.",
                status=200,
            )
        return made

    def connect(self, company: str) -> Connection:
        """Create a Zoho Books connection of a company, once; its link is nobody's business, and redacted from now."""
        call = Call("POST", f"/companies/{company}/connections", "creating a connection")
        return self._connection(self._ask(call, {"platformKey": ZOHO_BOOKS.key}, retry=False))

    def connection(self, company: str, connection: str) -> Connection:
        """Look at a connection, once: whoever waits for it looks again."""
        path = f"/companies/{company}/connections/{connection}"
        return self._connection(self._ask(Call("GET", path, "looking at the connection"), retry=False))

    def data_status(self, company: str) -> Mapping[str, Any]:
        """Look once at what came of each data type."""
        return self._ask(Call("GET", f"/companies/{company}/dataStatus", "looking at the data"), retry=False)

    def delete(self, company: str) -> None:
        """Delete a company with its connections and data, for good."""
        call = Call("DELETE", f"/companies/{company}", "deleting a company")
        answer = self._send(call)
        if answer.status != 204:  # Something that answers in Codat's place is no yes.
            raise self._failure(answer, call)

    def exists(self, company: str) -> bool:
        """Tell whether a company is there."""
        call = Call("GET", f"/companies/{company}", "looking whether a company is there")
        try:
            self._company(self._ask(call), call)
        except errors.NotFound:
            return False
        return True

    def _failure(self, answer: Answer, call: Call, by_hand: str = "") -> errors.RemoteError:
        said = (answer.json_object() or {}).get("error")
        for address in _ADDRESS.findall(said) if isinstance(said, str) else ():
            register(address)  # It may be a link that was never seen here.
        return super()._failure(answer, call, by_hand)

    def _company(self, body: Mapping[str, Any], call: Call) -> Company:
        made = company_of(body)
        if made is None:
            raise errors.UnexpectedAnswer(f"Codat's answer when {call.what} does not say which company.", status=200)
        return made

    def _connection(self, body: Mapping[str, Any]) -> Connection:
        identity, status, info = body.get("id"), body.get("status"), body.get("connectionInfo")
        link = self._link(body.get("linkUrl"))
        if not (isinstance(identity, str) and ID.fullmatch(identity) and isinstance(status, str)):
            raise errors.UnexpectedAnswer(
                "Codat's answer on a connection does not say which, or how it is.", status=200
            )
        register(identity)  # An account without one-time links puts nothing else into one.
        told = body.get("dataConnectionErrors")
        return Connection(
            id=identity,
            status=one_line(status, 40),
            link=link,
            errors=tuple(filter(None, map(_error, told))) if isinstance(told, list) else (),
            info=info if isinstance(info, dict) else {},
        )

    def _link(self, link: object) -> str:
        """A link as a browser may have it; "" where there is none."""
        if not isinstance(link, str) or not link:
            return ""
        register(link)
        try:
            parts = urlsplit(link)
            for _, value in parse_qsl(parts.query):
                register(value if len(value) >= _SHORTEST else None)
            local = parts.hostname in _LOCAL and urlsplit(self._url).hostname in _LOCAL
            fits = bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))
        except ValueError:
            fits = False
        if not fits or not link.isascii() or not link.isprintable() or set(link) & set(" \"'\\<>`"):
            raise errors.UnexpectedAnswer("Codat's answer on a connection holds a link that is no address.", status=200)
        return link


def company_of(body: Mapping[str, Any], linked: bool = False) -> Company | None:
    """A company as Codat describes it; None where it is none. The address where it is linked is a secret, too."""
    identity, name, created = (body.get(key) for key in ("id", "name", "created"))
    redirect = body.get("redirect")
    register(redirect if isinstance(redirect, str) else None)
    if not (isinstance(identity, str) and ID.fullmatch(identity) and isinstance(name, str)):
        return None
    return Company(identity, one_line(name), one_line(created, 40) if isinstance(created, str) else "", linked)


def _error(told: object) -> str:
    """What an error on a connection says, unless it is resolved."""
    if not isinstance(told, dict) or told.get("status") == "Resolved":
        return ""
    words = (told.get(name) for name in ("errorMessage", "statusText", "statusCode"))
    return one_line(": ".join(str(word) for word in words if word)) or "an error without words"

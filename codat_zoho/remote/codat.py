"""Codat: the calls this package makes, with typed errors. Facts: docs/facts.md, section Codat."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from codat_zoho import errors
from codat_zoho.core.observe import ActualIntegration, CodatClient
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.remote.budget import Account
from codat_zoho.remote.http import Answer, Http, retry_after
from codat_zoho.texts.redact import one_line, redact, register

if TYPE_CHECKING:
    from codat_zoho.core.plan import Step

DEFAULT_URL = "https://api.codat.io"
OPERATION_SECONDS = 120.0
"""How long one operation (a create, a read, …) may take, over all its calls, retries and waits."""
_PAGE_SIZE = 500
_LONGEST_VALUE = 500
_PORTAL = f"In the Codat Portal, open {ZOHO_BOOKS.portal}"
_CORRELATION_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
_CLIENT_ID = _CORRELATION_ID
_NOT_TOLD = frozenset({204, 400, 403, 404, 405, 410})
"""How Codat may say that it does not tell which client an API key opens."""
_WITHDRAWN = "NotFound"
"""The whole ``error`` of Codat's 404 for a call that it offers no more; of what is missing it speaks in a sentence
(Codat's notices of removed paths)."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A Codat API key, ready to send.

    Args:
        header: the value of the ``Authorization`` header.
        source: where it was found, for messages: ``CODAT_API_KEY`` or ``codat-zoho:apiKey``.
    """

    header: str = field(repr=False)
    source: str

    @classmethod
    def parse(cls, text: str, source: str) -> ApiKey:
        """Read a key as people paste it: bare, or as the ready ``Basic …`` header that the Portal shows.

        Codat takes base64 of the bare key, without the colon of ordinary Basic authentication.

        Raises:
            ConfigurationError: when it is empty, holds white space or odd characters, or has another prefix.
        """
        bare = text.strip()
        scheme, _, rest = bare.partition(" ")
        ready = scheme.lower() == "basic"
        register(rest.strip() if ready else bare)
        hint = "Copy a key, or its ready 'Basic …' header, from the Codat Portal (Developers > API keys)."
        if not bare:
            raise errors.ConfigurationError(f"{source} is empty.", hint)
        if not bare.isascii() or not bare.isprintable():
            raise errors.ConfigurationError(f"{source} holds characters that no API key has.", hint)
        if ready:
            encoded = rest.strip()
            try:
                decoded = base64.b64decode(encoded, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                decoded = ""
            if not decoded:
                raise errors.ConfigurationError(f"{source} starts with 'Basic', but what follows is not base64.", hint)
            register(decoded)
        elif rest:
            raise errors.ConfigurationError(
                f"{source} holds white space, or starts with another word than 'Basic'.", hint
            )
        else:
            encoded = base64.b64encode(bare.encode()).decode()
        register(encoded)
        return cls(f"Basic {encoded}", source)


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths in use, but in no published OpenAPI file today, so they can be overridden; ``{key}`` is ``rwuv``."""

    enabled: str = "/integrations/{key}/enabled"
    credentials: str = "/integrations/credentials/{key}"


DEFAULT_PATHS = Paths()


class Codat:
    """One Codat client (one API key) for the length of one operation.

    Args:
        http: sends.
        api_key: of the client.
        url: Codat's base address.
        paths: see :class:`Paths`.
        seconds: the deadline of the whole operation.
    """

    def __init__(
        self,
        http: Http,
        api_key: ApiKey,
        *,
        url: str = DEFAULT_URL,
        paths: Paths = DEFAULT_PATHS,
        seconds: float = OPERATION_SECONDS,
    ) -> None:
        self._http = http
        self._api_key = api_key
        self._account = Account(hashlib.sha256(api_key.header.encode()).hexdigest()[:12], api_key.source)
        self._url = url
        self._paths = paths
        self._deadline = http.deadline(seconds)
        self._integration_id: str | None = None

    # --- reads ---

    def actual(self) -> ActualIntegration:
        """Read the integration, its stored keys, and once per API key whose it is: three calls, at the same time.

        Raises:
            NotFound: Codat has no Zoho Books integration for this client.
            RemoteError: any other failure.
        """
        body, (keys, untold), client = self._http.together(
            lambda: self._json("GET", f"/integrations/{ZOHO_BOOKS.key}", "reading the Zoho Books integration"),
            self._keys,
            self.client,
        )
        enabled = body.get("enabled")
        if not isinstance(enabled, bool) or body.get("key", ZOHO_BOOKS.key) != ZOHO_BOOKS.key:
            raise errors.UnexpectedAnswer(
                "Codat's answer on the Zoho Books integration does not say whether it is enabled.",
                "Check that the Codat address is right; if it is, report this to the codat-zoho project.",
                status=200,
            )
        linked, name, integration_id = (body.get(k) for k in ("linkedConnectionsCount", "name", "integrationId"))
        self._integration_id = integration_id if isinstance(integration_id, str) else None
        return ActualIntegration(
            enabled=enabled,
            keys=keys,
            linked=linked if isinstance(linked, int) and not isinstance(linked, bool) and linked >= 0 else None,
            integration_id=one_line(self._integration_id) if self._integration_id else None,
            name=one_line(name) if isinstance(name, str) and name else ZOHO_BOOKS.name,
            keys_untold=untold,
            codat_client=client,
        )

    def client(self) -> CodatClient:
        """Read which Codat client the API key opens: asked once, for all operations of a process.

        Raises:
            RemoteError: it failed otherwise than by not being offered, which is told as a reason instead.
        """
        return self._http.asked.get(("codat client", *self.whose), self._client)

    def known_client(self) -> CodatClient:
        """The same, without asking: nothing is known of it where no operation of this process has asked."""
        return self._http.asked.known(("codat client", *self.whose)) or CodatClient()

    @property
    def whose(self) -> tuple[str, str]:
        """Where this goes, and a digest of the API key: equal for operations on one Codat client by one key."""
        return self._url, self._account.digest

    def _client(self) -> CodatClient:
        path, what = "/profile/syncSettings", "reading which Codat client the API key opens"
        answer = self._send("GET", path)
        body, status = _json(answer), answer.status
        # In somebody else's words (a proxy's, a login page's) it is no answer, and must not switch the comparison off.
        if status in _NOT_TOLD and (not answer.body or isinstance(body, dict)):
            return CodatClient(why=f"Codat does not tell this API key which client it opens ({status})")
        if status == 200 and body is not None:
            body = body if isinstance(body, dict) else {}
        else:
            body = self._read(answer, "GET", path, what)
        told = body.get("clientId")
        if isinstance(told, str) and _CLIENT_ID.fullmatch(redact(told)):
            return CodatClient(told)
        return CodatClient(why="Codat's answer does not say which client this API key opens")

    def named_client(self) -> CodatClient:
        """The same with the client's name, which takes another call; without it where Codat does not tell.

        Raises:
            RemoteError: the id could not be read.
        """
        client = self.client()
        try:
            answer = self._send("GET", "/profile")
        except errors.RemoteError:
            return client
        profile = _json_object(answer) or {}
        # The deprecated property ``apiKey`` is a key in clear.
        if isinstance(key := profile.pop("apiKey", None), str):
            register(key)
        name = profile.get("name") if answer.status == 200 else None
        return replace(client, name=one_line(name, 80)) if isinstance(name, str) and name.strip() else client

    def confirm(self, client: CodatClient, recorded: CodatClient) -> None:
        """Refuse to go on where the API key opens another Codat client than the one that was deployed to.

        Args:
            client: as read with this API key.
            recorded: the one that was deployed to; its name is for the message. Without an id nothing is refused.

        Raises:
            WrongCodatClient: it is another one.
        """
        if not client.is_another(recorded.id):
            return
        raise errors.WrongCodatClient(
            f"The API key from {self._api_key.source} opens the Codat client {self.named_client()}, and not "
            f"{recorded}, which this was deployed to. Nothing was sent.",
            f"Use the API key of {recorded}. If the move is meant, run 'pulumi state delete' "
            "on the resource, then 'pulumi up': the other Codat client stays as it is.",
        )

    def _keys(self) -> tuple[dict[str, str] | None, str]:
        """Read the stored keys, or say why that cannot be done."""
        try:
            return self.keys(), ""
        except errors.NotOffered as refusal:
            return {}, f"this Codat API does not offer reading the stored keys to this API key ({refusal.status})"

    def keys(self) -> dict[str, str] | None:
        """Read the stored keys, masked; None when none are stored, whichever way Codat says so.

        Raises:
            NotOffered: Codat does not offer the call to this API key.
            RemoteError: any other failure.
        """
        path = self._paths.credentials.format(key=ZOHO_BOOKS.key)
        what = "reading the stored keys"
        answer = self._send("GET", path)
        if answer.status == 405 or _withdrawn(answer):
            raise self._failure(answer, "GET", path, what, by_hand="look at the keys there.")
        # A 404 in somebody else's words (a proxy's, a wrong path's) does not say that no keys are stored.
        if answer.status == 204 or (answer.status == 404 and (not answer.body or _json_object(answer) is not None)):
            return None
        stored = self._read(answer, "GET", path, what)
        shown = {
            one_line(name, 40): _shown(redact(value) if name == ZOHO_BOOKS.id_key else value)
            for name, value in stored.items()
            if isinstance(value, str) and value
        }
        return shown or None

    def count_linked(self) -> int:
        """Count companies with a linked connection of this integration, page by page."""
        linked = page = seen = 0
        while True:
            page += 1
            try:
                body = self._json("GET", f"/companies?page={page}&pageSize={_PAGE_SIZE}", "counting linked companies")
            except errors.NotFound as lost:
                # NotFound says that the integration is gone, and destroying would take it for done.
                raise errors.UnexpectedAnswer(
                    lost.what, lost.next_step, status=404, correlation_id=lost.correlation_id
                ) from None
            companies = body.get("results")
            if not isinstance(companies, list):
                raise errors.UnexpectedAnswer("Codat's list of companies has no results.", status=200)
            try:
                linked += sum(map(self._is_linked, companies))
            except (AttributeError, TypeError):
                # Counting less than there are would let a disruptive change through.
                raise errors.UnexpectedAnswer("Codat's list of companies cannot be read.", status=200) from None
            seen += len(companies)
            total = body.get("totalResults")
            # A full page is never the last one, whatever the total says.
            if not companies or (type(total) is int and seen >= total and len(companies) < _PAGE_SIZE):
                return linked

    def _is_linked(self, company: dict[str, Any]) -> bool:
        return any(
            str(one.get("status")).lower() == "linked"
            and (
                one.get("integrationKey") == ZOHO_BOOKS.key
                or (self._integration_id is not None and one.get("integrationId") == self._integration_id)
            )
            for one in company.get("dataConnections") or ()
        )

    # --- writes ---

    def apply(self, step: Step, client_id: str | None = None, client_secret: str | None = None) -> None:
        """Send one step of a plan.

        Raises:
            NotOffered: Codat does not offer the call to this API key; the error says what to click instead.
            RemoteError: any other failure.
        """
        from codat_zoho.core.plan import StepKind  # What only reads has no need of it.

        if step.kind is StepKind.SAVE_KEYS:
            assert client_id and client_secret
            register(client_secret)
            # Whether saving replaces or merges is undocumented, so both real values are always sent.
            keys = ZOHO_BOOKS.keys(client_id, client_secret)
            self._write("PUT", self._paths.credentials, "saving keys", keys, "enter the declared client id and secret")
        elif step.kind is StepKind.SET_ENABLED:
            word = "enabling" if step.enabled else "disabling"
            switch = f"switch it {'on' if step.enabled else 'off'}"
            self._write("PUT", self._paths.enabled, f"{word} an integration", {"enabled": step.enabled}, switch)
        else:
            self._write(
                "DELETE", self._paths.credentials, "deleting keys", None, "remove the keys", absent_is_done=True
            )

    def _write(
        self, method: str, template: str, what: str, body: object, by_hand: str, *, absent_is_done: bool = False
    ) -> None:
        path = template.format(key=ZOHO_BOOKS.key)
        answer = self._send(method, path, body)
        if answer.status == 200 and answer.body:
            self._read(
                answer, method, path, what
            )  # A login page is no yes, and behind an opaque mask nothing else tells.
            return
        absent = answer.status == 404 and not _withdrawn(answer)
        if answer.status in (200, 201, 202, 204) or (absent_is_done and absent):
            return
        raise self._failure(answer, method, path, what, by_hand=by_hand + ", then run this again.")

    # --- the wire ---

    def wait(self, seconds: float) -> None:
        """Wait, within the operation's deadline."""
        self._http.sleep(min(seconds, self._deadline.left()))

    def _send(self, method: str, path: str, body: object = None) -> Answer:
        return self._http.send(
            method,
            self._url + path,
            deadline=self._deadline,
            headers={"Authorization": self._api_key.header},
            json_body=body,
            account=self._account,
        )

    def _json(self, method: str, path: str, what: str) -> dict[str, Any]:
        return self._read(self._send(method, path), method, path, what)

    def _read(self, answer: Answer, method: str, path: str, what: str) -> dict[str, Any]:
        if answer.status != 200:
            raise self._failure(answer, method, path, what)
        body = _json_object(answer)
        if body is None:
            kind = answer.headers.get("content-type", "no content type").partition(";")[0]
            raise errors.UnexpectedAnswer(
                f"Codat's answer when {what} is not a JSON object ({one_line(kind, 40)}).",
                "Check that the Codat address is right and that no proxy or login page answers in its place.",
                status=answer.status,
            )
        return body

    def _failure(self, answer: Answer, method: str, path: str, what: str, *, by_hand: str = "") -> errors.RemoteError:
        """Turn an answer into the error it stands for."""
        status = answer.status
        found = _json_object(answer)
        body = found or {}
        told = body.get("error")
        words = one_line(told).rstrip(".") if isinstance(told, str) else ""
        said = f" Codat says: {words}." if words else ""
        ids = (body.get("correlationId"), answer.headers.get("x-correlation-id"))
        correlation_id = next((i for i in ids if isinstance(i, str) and _CORRELATION_ID.fullmatch(redact(i))), None)
        kind: type[errors.RemoteError]
        if (by_hand and status in (404, 405)) or _withdrawn(answer):
            kind = errors.NotOffered
            text = f"This Codat API does not offer {what} to this key ({method} {path.partition('?')[0]}: {status})."
            step = "Codat may have withdrawn the call: ask Codat support, with the correlation id."
            if by_hand:
                step = f"{_PORTAL} and {by_hand}"
        elif status == 404 and found is None:
            # Codat's own 404 would make the integration count as gone; a wrong address must not.
            kind = errors.UnexpectedAnswer
            text = f"The address answered 404, and not in Codat's words, when {what}."
            step = "Check that the Codat address is right and that no proxy or login page answers in its place."
        elif status in _STATUS:
            kind, text, step = _STATUS[status]
            text = text.format(what=what, source=self._api_key.source)
        elif status == 429:
            kind, step = errors.RateLimited, "Run it again then."
            text = f"Codat's rate limit is used up when {what}; it resets {self._when(answer) or _daily_reset(answer)}."
        elif status >= 500:
            kind, step = errors.ServerFailed, f"Nothing is lost: run it again {self._when(answer) or 'later'}."
            text = f"Codat failed when {what} ({status}){', also when asked again' if answer.tries > 1 else ''}."
        else:
            kind, step = errors.UnexpectedAnswer, "Check that the Codat address is right."
            redirect = ", a redirect, which is never followed with an API key" if 300 <= status < 400 else ""
            text = f"Codat answered {status}{redirect}, when {what}."
        return kind(text + said, step, status=status, correlation_id=correlation_id)

    def _when(self, answer: Answer) -> str | None:
        """The time that an answer asks to wait for."""
        wait = retry_after(answer.headers, self._http.now())
        if wait is None:
            return None
        when = datetime.datetime.fromtimestamp(self._http.now() + wait, datetime.timezone.utc)
        return f"at {when:%Y-%m-%d %H:%M} UTC"


def _daily_reset(answer: Answer) -> str:
    told = answer.headers.get("x-rate-limit-reset")
    return f"at {one_line(told, 40)}" if told else "at 00:00 UTC"


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
        "Only the Administrator and Developer roles manage integrations, and outdated keys are refused: make another.",
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


def _shown(value: str) -> str:
    """A stored value as Codat shows it, without what would steer a terminal; blanks stay, since they tell."""
    return "".join(char if char.isprintable() else "?" for char in value[:_LONGEST_VALUE])


def _withdrawn(answer: Answer) -> bool:
    """Codat says that it does not offer the call, and not that something is missing."""
    return answer.status == 404 and (_json_object(answer) or {}).get("error") == _WITHDRAWN


def _json_object(answer: Answer) -> dict[str, Any] | None:
    body = _json(answer)
    return body if isinstance(body, dict) else None


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None

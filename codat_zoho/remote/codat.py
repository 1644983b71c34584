"""Codat: the calls this package makes, with typed errors. Facts: docs/facts.md, section Codat."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from codat_zoho import errors
from codat_zoho.core.observe import MOST_COMPANIES, ActualIntegration, CodatClient
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.remote.answers import ID, Call, failure, withdrawn
from codat_zoho.remote.budget import Account, Certificate
from codat_zoho.remote.http import Answer, Http
from codat_zoho.texts.redact import one_line, redact, register

if TYPE_CHECKING:
    from codat_zoho.core.plan import Step

DEFAULT_URL = "https://api.codat.io"
OPERATION_SECONDS = 120.0
"""How long one operation (a create, a read, …) may take, over all its calls, retries and waits."""
_PAGE_SIZE = 500
_LONGEST_VALUE = 500
_CLIENT_NOT_TOLD = frozenset({204, 400, 403, 404, 405, 410})
"""How Codat may say that it does not tell which client an API key opens."""
_REPORT = "Check that the Codat address is right; if it is, report this to the codat-zoho project."
_READ = Call("GET", f"/integrations/{ZOHO_BOOKS.key}", "reading the Zoho Books integration")
_READ_CLIENT = Call("GET", "/profile/syncSettings", "reading which Codat client the API key opens")
_READ_PROFILE = Call("GET", "/profile", "reading the name of the Codat client")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A Codat API key: the ready ``Authorization`` header, and where it was found (``CODAT_API_KEY``, …).

    Where the account demands client certificates, ``client`` is for the header ``x-codat-client``.
    """

    header: str = field(repr=False)
    source: str
    client: str = ""
    certificate: Certificate | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What each call is sent with."""
        return {"Authorization": self.header, **({"x-codat-client": self.client} if self.client else {})}

    @classmethod
    def parse(cls, text: str, source: str) -> ApiKey:
        """Read a key as people paste it: bare, or as the ready ``Basic …`` header that the Portal shows.

        Codat takes base64 of the bare key, without the colon that ``curl -u key:`` and the like put behind it.
        """
        bare = text.strip().removesuffix(":")
        scheme, _, rest = bare.partition(" ")
        ready = scheme.lower() == "basic"
        register(rest.strip() if ready else bare)
        problem = encoded = ""
        if not bare:
            problem = "is empty"
        elif not bare.isascii() or not bare.isprintable():
            problem = "holds characters that no API key has"
        elif rest and not ready:
            problem = "holds white space, or starts with another word than 'Basic'"
        elif not ready:
            encoded = base64.b64encode(bare.encode()).decode()
        else:
            encoded = rest.strip()
            try:
                decoded = base64.b64decode(encoded, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                decoded = ""
            register(decoded)
            if decoded.endswith(":"):
                register(encoded)
                encoded = base64.b64encode(decoded[:-1].encode()).decode()
            if not encoded or not decoded:
                problem = "starts with 'Basic', but what follows is not base64 of a key"
        if problem:
            raise errors.ConfigurationError(
                f"{source} {problem}.",
                "Copy a key, or its ready 'Basic …' header, from the Codat Portal (Developers > API keys).",
            )
        register(encoded)
        return cls(f"Basic {encoded}", source)


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths in use, but in no published OpenAPI file today, so they can be overridden; ``{key}`` is ``rwuv``."""

    enabled: str = "/integrations/{key}/enabled"
    credentials: str = "/integrations/credentials/{key}"


DEFAULT_PATHS = Paths()


class _OddKeys(errors.UnexpectedAnswer):
    """Something is stored, and no text."""


class Codat:
    """One Codat client (one API key) for the length of one operation, which may take ``seconds``."""

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
        self._enabled_path = paths.enabled.format(key=ZOHO_BOOKS.key)
        self._keys_path = paths.credentials.format(key=ZOHO_BOOKS.key)
        self._deadline = http.deadline(seconds)
        self._integration_id: str | None = None
        self.whose = url, self._account.digest
        """Where this goes, and a digest of the API key: equal for operations on one Codat client by one key."""

    # --- reads ---

    def actual(self) -> ActualIntegration:
        """Read the integration, its stored keys, and once per API key whose it is: three calls, at the same time."""
        body, (keys, untold), client = self._http.together(lambda: self._ask(_READ), self._keys, self.client)
        enabled = body.get("enabled")
        if not isinstance(enabled, bool) or body.get("key", ZOHO_BOOKS.key) != ZOHO_BOOKS.key:
            raise errors.UnexpectedAnswer(
                "Codat's answer on the Zoho Books integration does not say whether it is enabled.",
                _REPORT,
                status=200,
            )
        linked, name, integration_id = (body.get(k) for k in ("linkedConnectionsCount", "name", "integrationId"))
        self._integration_id = integration_id if isinstance(integration_id, str) else None
        return ActualIntegration(
            enabled=enabled,
            keys=keys,
            linked=linked if type(linked) is int and 0 <= linked <= MOST_COMPANIES else None,
            integration_id=one_line(self._integration_id) if self._integration_id else None,
            name=one_line(name) if isinstance(name, str) and name else ZOHO_BOOKS.name,
            keys_untold=untold,
            codat_client=client,
        )

    def client(self) -> CodatClient:
        """Read which Codat client the API key opens, or why Codat does not tell: asked once in a process."""
        return self._http.asked.get(("codat client", *self.whose), self._client)

    def known_client(self) -> CodatClient:
        """The same, without asking: nothing is known of it where no operation of this process has asked."""
        return self._http.asked.known(("codat client", *self.whose)) or CodatClient()

    def _client(self) -> CodatClient:
        answer = self._send(_READ_CLIENT)
        body = answer.json()
        # In somebody else's words (a proxy's, a login page's) it is no answer, and must not switch the comparison off.
        if answer.status in _CLIENT_NOT_TOLD and (not answer.body or isinstance(body, dict)):
            return CodatClient(why=f"Codat does not tell this API key which client it opens ({answer.status})")
        if answer.status != 200 or body is None:
            body = self._read(answer, _READ_CLIENT)
        client_id = body.get("clientId") if isinstance(body, dict) else None
        if isinstance(client_id, str) and ID.fullmatch(redact(client_id)):
            return CodatClient(client_id)
        return CodatClient(why="Codat's answer does not say which client this API key opens")

    def named_client(self) -> CodatClient:
        """The same with the client's name, which takes another call; without it where Codat does not tell."""
        client = self.client()
        try:
            answer = self._send(_READ_PROFILE)
        except errors.RemoteError:
            return client
        profile = answer.json_object() or {}
        # The deprecated property ``apiKey`` is a key in clear.
        if isinstance(key := profile.pop("apiKey", None), str):
            register(key)
        name = profile.get("name") if answer.status == 200 else None
        return replace(client, name=one_line(name, 80)) if isinstance(name, str) and name.strip() else client

    def confirm(self, client: CodatClient, recorded: CodatClient) -> None:
        """Refuse to go on where the API key opens another Codat client than the one recorded as deployed to."""
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
        except _OddKeys:
            return {}, "Codat shows the stored keys in a form that this package does not know"
        except errors.NotOffered as refusal:
            return {}, f"this Codat API does not offer reading the stored keys to this API key ({refusal.status})"

    def keys(self) -> dict[str, str] | None:
        """Read the stored keys, masked; None when none are stored, whichever way Codat says so."""
        call = Call("GET", self._keys_path, "reading the stored keys")
        answer = self._send(call)
        if answer.status == 405 or withdrawn(answer):
            raise self._failure(answer, call, by_hand="look at the keys there.")
        # A 404 in somebody else's words (a proxy's, a wrong path's) does not say that no keys are stored.
        if answer.status == 204 or (answer.status == 404 and (not answer.body or answer.json_object() is not None)):
            return None
        stored = self._read(answer, call)
        shown = {
            one_line(name, 40): _shown(redact(value) if name == ZOHO_BOOKS.id_key else value)
            for name, value in stored.items()
            if isinstance(value, str) and value
        }
        ours = (stored.get(ZOHO_BOOKS.id_key), stored.get(ZOHO_BOOKS.secret_key))
        if any(value is not None and not isinstance(value, str) for value in (ours if shown else stored.values())):
            raise _OddKeys("Codat shows the stored keys in an unknown form.", _REPORT, status=200)
        return shown or None

    def count_linked(self) -> int:
        """Count companies with a linked connection of this integration."""
        try:
            return sum(map(self.is_linked, self.companies("counting linked companies")))
        except (AttributeError, TypeError):
            # Counting less than there are would let a disruptive change through.
            raise errors.UnexpectedAnswer("Codat's list of companies cannot be read.", status=200) from None

    def companies(self, what: str) -> Iterator[dict[str, Any]]:
        """Every company, page by page; ``what`` says what they are read for, in words that follow "when"."""
        page = seen = 0
        while True:
            page += 1
            path = f"/companies?page={page}&pageSize={_PAGE_SIZE}"
            try:
                body = self._ask(Call("GET", path, what))
            except errors.NotFound as lost:
                # NotFound says that the integration is gone, and destroying would take it for done.
                raise errors.UnexpectedAnswer(
                    lost.what, lost.next_step, status=404, correlation_id=lost.correlation_id
                ) from None
            companies = body.get("results")
            if not isinstance(companies, list):
                raise errors.UnexpectedAnswer("Codat's list of companies has no results.", status=200)
            yield from companies
            seen += len(companies)
            total = body.get("totalResults")
            # A full page is never the last one, whatever the total says.
            if not companies or (type(total) is int and seen >= total and len(companies) < _PAGE_SIZE):
                return

    def is_linked(self, company: Mapping[str, Any]) -> bool:
        """Tell whether a company is linked through this integration, whose id ``actual`` has read."""
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
        """Send one step of a plan. Where Codat does not offer the call, NotOffered says what to click instead."""
        from codat_zoho.core.plan import StepKind  # What only reads has no need of it.

        body: dict[str, Any] | None = None
        if step.kind is StepKind.SAVE_KEYS:
            assert client_id and client_secret
            register(client_secret)
            # Whether saving replaces or merges is undocumented, so both real values are always sent.
            body = ZOHO_BOOKS.keys(client_id, client_secret)
            call, by_hand = Call("PUT", self._keys_path, "saving keys"), "enter the declared client id and secret"
        elif step.kind is StepKind.SET_ENABLED:
            body = {"enabled": step.enabled}
            what, by_hand = ("enabling", "switch it on") if step.enabled else ("disabling", "switch it off")
            call = Call("PUT", self._enabled_path, f"{what} an integration")
        else:
            call, by_hand = Call("DELETE", self._keys_path, "deleting keys"), "remove the keys"
        answer = self._send(call, body)
        if answer.status == 200 and answer.body:
            self._read(answer, call)  # A login page is no yes, and behind an opaque mask nothing else tells.
            return
        absent = answer.status == 404 and not withdrawn(answer)
        if answer.status in (200, 201, 202, 204) or (step.kind is StepKind.DELETE_KEYS and absent):
            return
        raise self._failure(answer, call, by_hand=f"{by_hand}, then run this again.")

    # --- the wire ---

    def wait(self, seconds: float) -> None:
        """Wait, within the operation's deadline."""
        self._http.sleep(min(seconds, self._deadline.left()))

    def _send(self, call: Call, body: object = None, *, retry: bool = True) -> Answer:
        return self._http.send(
            call.method,
            self._url + call.path,
            deadline=self._deadline,
            headers=self._api_key.headers,
            certificate=self._api_key.certificate,
            json_body=body,
            account=self._account,
            retry=retry,
        )

    def _ask(self, call: Call, body: object = None, *, retry: bool = True) -> dict[str, Any]:
        return self._read(self._send(call, body, retry=retry), call)

    def _read(self, answer: Answer, call: Call) -> dict[str, Any]:
        body = answer.json_object()
        if answer.status != 200 or body is None:
            raise self._failure(answer, call)
        return body

    def _failure(self, answer: Answer, call: Call, by_hand: str = "") -> errors.RemoteError:
        return failure(answer, call, self._api_key.source, self._http.now(), by_hand)


def _shown(value: str) -> str:
    """A stored value as Codat shows it, without what would steer a terminal; blanks stay, since they tell."""
    return "".join(char if char.isprintable() else "?" for char in value[:_LONGEST_VALUE])

"""What one provider process knows: the stack's configuration and one HTTP client, shared by all resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import pulumi

from codat_zoho.declare.rules import fingerprint
from codat_zoho.declare.stack_config import Spelling
from codat_zoho.errors import CodatZohoError, ConfigurationError
from codat_zoho.provider.boundary import say
from codat_zoho.remote.concurrency import Once
from codat_zoho.texts.debug_flags import debugging

if TYPE_CHECKING:  # Nobody is called while nothing changed, so what calls is loaded when it is first needed.
    from codat_zoho.core.observe import ActualIntegration, ProbeResult
    from codat_zoho.remote.codat import Codat
    from codat_zoho.remote.connection import Environment
    from codat_zoho.remote.http import Http


class Context:
    """The process's one HTTP client, its settings (:class:`Environment`), and what its operations tell each other."""

    def __init__(self, http: Http | None = None, environment: Environment | None = None) -> None:
        self._config: Callable[[str], Any] = _nothing
        self._environment = environment
        self._http: Http | None = None
        self._said = ""
        if http is not None:
            self._use(http)
        self._reads = Once(keep=False)
        self._asking = Lock()
        self._starting = Lock()
        self.declared: set[str] = set()
        """Connections that the program declares: their inputs were checked in this process, which no refresh and no
        destroy does."""
        self.clients_declared: set[str] = set()
        """Zoho clients that the program declares, likewise."""
        self.moving: dict[str, str] = {}
        """To which connection a resource moves, by the one that it leaves."""
        self.kept: set[str] = set()
        """Zoho clients whose keys a resource that went away has left in Codat."""

    def configure(self, get: Callable[[str], Any]) -> None:
        """Take the stack's configuration."""
        self._config, self._environment = get, None

    @property
    def environment(self) -> Environment:
        """The settings, as the last ``configure`` left them."""
        if self._environment is None:
            from codat_zoho.remote.connection import Environment

            self._environment = Environment.of(self._config)
        return self._environment

    @property
    def spelling(self) -> Spelling:
        """How the program at hand spells settings: the ready-made one has none but those of stack configuration."""
        ready_made = self._config("codat-zoho:onDelete") is not None  # It has a default there.
        return Spelling.CONFIGURATION if ready_made else Spelling.ARGUMENT

    @property
    def http(self) -> Http:
        """What sends."""
        with self._starting:
            if self._http is None:
                from codat_zoho.remote.http import Http

                self._use(Http())
            assert self._http
            return self._http

    def _use(self, http: Http) -> None:
        self._http = http
        http.budget.say = say
        if debugging():
            http.log = say
        self._said = http.budget.summary()

    def codat(self, connection: str) -> Codat:
        """Start an operation on the Codat client of a connection."""
        return self.environment.codat(self.http, connection)

    def actual(self, connection: str) -> ActualIntegration:
        """Read an integration, together with whoever is reading the same one at this moment."""
        codat = self.codat(connection)
        return self._reads.get(codat.whose, codat.actual)

    def declared_as(self, connection: str, *, look: bool = True) -> str | None:
        """The connection under which the program still declares the Codat client of ``connection``; None where none.

        Pulumi takes a resource that was renamed or moved for two: it creates the new one, then deletes the old one, in
        one process. Deleting is the end of a name then, and not of the integration.

        Args:
            connection: of the resource that goes away.
            look: whether to ask Codat which clients the API keys of other connections open.

        Raises:
            CodatZohoError: it cannot be told, because a key is refused or Codat does not answer; or the resource moves
                to a connection whose API key is missing or malformed.
        """
        if connection in self.declared:
            return connection
        if successor := self.moving.get(connection):
            self.environment.api_key(successor)  # It is needed next: better missed before anything is sent.
        if not look:
            return None
        return next((other for other in sorted(self.declared) if self.same_client(connection, other)), None)

    def same_client(self, one: str, other: str) -> bool | None:
        """Whether the API keys of two connections open one Codat client; None where that cannot be told.

        Raises:
            CodatZohoError: a key is refused, or Codat does not answer.
        """
        try:
            here, there = self.codat(one), self.codat(other)
        except ConfigurationError:
            return None
        if here.whose == there.whose:
            return True
        ours, theirs = here.client(), there.client()
        return None if ours.id is None or theirs.id is None else not ours.is_another(theirs.id)

    def declared_twice(self, connection: str) -> str | None:
        """Another declared connection that is known to open the same Codat client, without asking anybody."""
        mine = self.codat(connection)
        for other in sorted(self.declared - {connection}):
            with suppress(CodatZohoError):
                theirs = self.codat(other)
                known = theirs.known_client().id
                if theirs.whose == mine.whose or (known is not None and known == mine.known_client().id):
                    return other
        return None

    def ask_zoho(self, code: str, client_id: str, client_secret: str) -> ProbeResult:
        """Ask a data centre whether it accepts id and secret, at most once per process: Zoho counts every request."""
        from codat_zoho.remote.zoho import probe

        url = self.environment.zoho_url()
        question = code, fingerprint(client_id, client_secret), url or ""
        with self._asking:
            return self.http.asked.get(question, lambda: probe(self.http, code, client_id, client_secret, url=url))

    def say_calls(self) -> None:
        """Say what was called so far, where something was since this was last said."""
        if self._http is not None and (summary := self._http.budget.summary()) != self._said:
            self._said = summary
            say(summary)

    def verify(self, declared: str) -> str:
        """When to ask Zoho: as declared, unless ``CODAT_ZOHO_VERIFY`` says otherwise."""
        return self.environment.verify(declared)


def _nothing(_key: str) -> None: ...


CONTEXT = Context()


def unknown_fields(values: Mapping[str, Any]) -> frozenset[str]:
    """Which values a preview does not know yet."""
    return frozenset(name for name, value in values.items() if pulumi.contains_unknowns(value))

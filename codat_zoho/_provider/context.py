"""What one provider process knows: the stack's configuration and one HTTP client, shared by all resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any

import pulumi

from codat_zoho._provider.guard import say
from codat_zoho._switched import debugging
from codat_zoho.rules import fingerprint

if TYPE_CHECKING:  # Nobody is called while nothing changed, so what calls is loaded when it is first needed.
    from codat_zoho._http import Http
    from codat_zoho.actual import ActualIntegration, ProbeResult
    from codat_zoho.codat import Codat
    from codat_zoho.environment import Environment

__all__ = ["CONTEXT", "Context", "unknown_fields"]


class Context:
    """The process's one HTTP client, its settings (:class:`Environment`), and the answers that Zoho gave already."""

    def __init__(self, http: Http | None = None, environment: Environment | None = None) -> None:
        self._config: Callable[[str], Any] = _nothing
        self._environment = environment
        self._http: Http | None = None
        self._said = ""
        if http is not None:
            self._use(http)
        self._verdicts: dict[tuple[str, str], ProbeResult] = {}
        self._asking = Lock()
        self._reading: dict[str, Future[ActualIntegration]] = {}
        self._starting = Lock()
        self.checked: set[str] = set()
        """Connections whose inputs were checked in this process, see ``integration.diff``."""

    def configure(self, get: Callable[[str], Any]) -> None:
        """Take the stack's configuration."""
        self._config, self._environment = get, None

    @property
    def environment(self) -> Environment:
        """The settings, as the last ``configure`` left them."""
        if self._environment is None:
            from codat_zoho.environment import Environment

            self._environment = Environment.of(self._config)
        return self._environment

    @property
    def http(self) -> Http:
        """What sends."""
        with self._starting:
            if self._http is None:
                from codat_zoho._http import Http

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
        with self._starting:
            running = self._reading.get(connection)
            if running is None:
                mine = self._reading[connection] = Future()
        if running is not None:
            return running.result()
        try:
            mine.set_result(self.codat(connection).actual())
        except BaseException as error:  # noqa: BLE001 - whoever waits has to be told, and so has the caller, below
            mine.set_exception(error)
        finally:
            with self._starting:
                del self._reading[connection]
        return mine.result()

    def ask_zoho(self, code: str, client_id: str, client_secret: str) -> ProbeResult:
        """Ask a data centre whether it accepts id and secret, at most once per process: Zoho counts every request."""
        from codat_zoho._provider.verdicts import shared
        from codat_zoho.zoho import probe

        question = code, fingerprint(client_id, client_secret)
        url = self.environment.zoho_url()
        with self._asking:
            if question not in self._verdicts:
                self._verdicts[question] = shared(
                    (*question, url or ""), lambda: probe(self.http, code, client_id, client_secret, url=url)
                )
            return self._verdicts[question]

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

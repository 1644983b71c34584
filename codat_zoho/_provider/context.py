"""What one provider process knows: the stack's configuration and one HTTP client, shared by all resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any

import pulumi

from codat_zoho._http import Http
from codat_zoho._provider.guard import say
from codat_zoho._provider.verdicts import shared
from codat_zoho._switched import debugging
from codat_zoho.codat import Codat
from codat_zoho.environment import Environment
from codat_zoho.plan import ActualIntegration, ProbeResult
from codat_zoho.rules import fingerprint
from codat_zoho.zoho import probe

__all__ = ["CONTEXT", "Context", "unknown_fields"]


class Context:
    """The process's one HTTP client, its settings (:class:`Environment`), and the answers that Zoho gave already."""

    def __init__(self, http: Http | None = None) -> None:
        self.environment = Environment()
        self.http = http or Http()
        self.http.budget.say = say
        self._verdicts: dict[tuple[str, str], ProbeResult] = {}
        self._asking = Lock()
        self._reading: dict[str, Future[ActualIntegration]] = {}
        self._starting = Lock()
        self._said = self.http.budget.summary()
        self.checked: set[str] = set()
        """Connections whose inputs were checked in this process, see ``integration.diff``."""

    def configure(self, get: Callable[[str], Any]) -> None:
        """Take the stack's configuration."""
        self.environment = Environment.of(get)
        if debugging():
            self.http.log = say

    def codat(self, connection: str) -> Codat:
        """Start an operation on the Codat client of a connection."""
        return self.environment.codat(self.http, connection)

    def actual(self, connection: str) -> ActualIntegration:
        """Read an integration, together with whoever is reading the same one at this moment."""
        with self._starting:
            running = self._reading.get(connection)
            if running is None:
                mine = self._reading[connection] = Future[ActualIntegration]()
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
        summary = self.http.budget.summary()
        if summary != self._said:
            self._said = summary
            say(summary)

    def verify(self, declared: str) -> str:
        """When to ask Zoho: as declared, unless ``CODAT_ZOHO_VERIFY`` says otherwise."""
        return self.environment.verify(declared)


CONTEXT = Context()


def unknown_fields(values: Mapping[str, Any]) -> frozenset[str]:
    """Which values a preview does not know yet."""
    return frozenset(name for name, value in values.items() if pulumi.contains_unknowns(value))

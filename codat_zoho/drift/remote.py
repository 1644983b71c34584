"""Asks Codat and Zoho for a whole run: each thing once, however many stacks want to know it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from codat_zoho.core.observe import ActualIntegration, CodatClient, Probe, ProbeResult
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.rules import fingerprint
from codat_zoho.errors import NotFound, Unreachable
from codat_zoho.remote.budget import Deadline
from codat_zoho.remote.codat import Codat
from codat_zoho.remote.concurrency import Once
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.http import Http
from codat_zoho.remote.zoho import probe

_T = TypeVar("_T")


class Remote:
    """What was asked so far. Threads share it."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._integrations = Once()
        self._verdicts = Once()

    def actual(
        self, environment: Environment, connection: str, recorded: CodatClient, deadline: Deadline
    ) -> ActualIntegration:
        """Read an integration, once per API key and address; ``recorded`` is the client that it was deployed to.

        Raises:
            ConfigurationError: the API key or the address is missing or malformed.
            WrongCodatClient: the API key opens another Codat client.
            RemoteError: Codat did not give it.
        """
        key, url, paths = environment.api_key(connection), environment.codat_url(), environment.paths()
        codat = Codat(self._http.within(deadline), key, url=url, paths=paths)
        try:
            actual = _once(self._integrations, (key.header, url, paths), codat.actual, deadline)
        except NotFound:
            codat.confirm(codat.client(), recorded)
            raise
        codat.confirm(actual.codat_client, recorded)
        return actual

    def forget(self) -> None:
        """Read integrations anew from now on; what Zoho said stands."""
        self._integrations = Once()

    def verdicts(
        self, environment: Environment, codes: Iterable[str], client_id: str, client_secret: str, deadline: Deadline
    ) -> Mapping[str, ProbeResult]:
        """Ask data centres whether they accept a client, once per client and data centre: Zoho counts each request.

        Raises:
            ConfigurationError: the address is malformed.
            Unreachable: the time is up.
        """
        url, known = environment.zoho_url(), fingerprint(client_id, client_secret)
        http = self._http.within(deadline)

        def ask(code: str) -> ProbeResult:
            if code not in DATA_CENTRES:
                return ProbeResult(Probe.INCONCLUSIVE, "this version of codat-zoho does not know it")
            found = probe(http, code, client_id, client_secret, url=url)
            if found.probe is Probe.INCONCLUSIVE and not deadline.left():
                raise Unreachable("Zoho did not answer in time.")
            return found

        return {code: _once(self._verdicts, (code, known, url), partial(ask, code), deadline) for code in codes}


def _once(answers: Once, question: Hashable, ask: Callable[[], _T], deadline: Deadline) -> _T:
    """Ask once; but where another stack asked, and its time was up, ask again in one's own."""
    mine = False

    def asked() -> _T:
        nonlocal mine
        mine = True
        return ask()

    try:
        return answers.get(question, asked)
    except Unreachable:
        if mine or not deadline.left():
            raise
    return _once(answers, question, ask, deadline)

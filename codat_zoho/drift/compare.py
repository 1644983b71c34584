"""Compares one stack's exported state with what Codat and Zoho say; each is asked once a run, for all stacks."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from codat_zoho.core.observe import ActualIntegration, CodatClient, Probe, ProbeResult
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import CLIENT, INTEGRATION
from codat_zoho.declare.recorded import utc_now
from codat_zoho.declare.rules import fingerprint
from codat_zoho.drift import findings
from codat_zoho.drift.report import Resource
from codat_zoho.errors import CodatZohoError, ConfigurationError, NotFound, Unreachable, name_and_place
from codat_zoho.remote.budget import Deadline
from codat_zoho.remote.codat import Codat
from codat_zoho.remote.concurrency import Once
from codat_zoho.remote.connection import Environment, api_key_names
from codat_zoho.remote.http import Http
from codat_zoho.remote.zoho import probe
from codat_zoho.terminal.console import say
from codat_zoho.texts.environment_variables import debugging
from codat_zoho.workspace.command import TOO_LONG, Stopped
from codat_zoho.workspace.esc import Given
from codat_zoho.workspace.failures import AUTHENTICATION, Failed, Failure, from_error
from codat_zoho.workspace.state import ENCRYPTED, Deployed, Exported

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
        """Read an integration, once per API key and address; ``recorded`` is the client that it was deployed to."""
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
        """Ask data centres whether they accept a client, once per client and data centre: Zoho counts each request."""
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


def environments_of(state: Exported, given: Callable[[], Given]) -> dict[str, Environment]:
    """Find the settings of a stack's resources by their providers, see :func:`_environment`."""
    naming: dict[str, list[Deployed]] = {}
    for one in state.resources:
        naming.setdefault(one.provider, []).append(one)
    return {provider: _environment(those, given) for provider, those in naming.items()}


def _environment(those: Iterable[Deployed], given: Callable[[], Given]) -> Environment:
    """The environment, then what the provider was given, then what ESC environments give.

    API keys of an explicit provider come before the environment's. ``given`` opens what comes last, and is called only
    where an API key is found nowhere else.
    """
    recorded = {key: value for one in those for key, value in one.config.items() if value is not ENCRYPTED}
    explicit = any(one.explicit_provider for one in those)
    environment = Environment(recorded, explicit=explicit)
    connections = {one.connection for one in those if one.kind == INTEGRATION}
    try:
        if all(environment.found_api_key(connection) for connection in connections):
            return environment
    except ConfigurationError:
        return environment  # What is wrong with it is said where it is needed.
    opened = given()
    # An explicit provider gets no stack configuration.
    configured = {} if explicit else opened.config
    return Environment({**configured, **recorded}, opened.variables, explicit=explicit)


@dataclass(frozen=True)
class Comparison:
    """One stack's comparison; ``up`` restores what is declared. The threads that look at its resources share it."""

    remote: Remote
    environments: Mapping[str, Environment]  # by provider
    deadline: Deadline
    up: str
    verified: bool

    def resource(self, deployed: Deployed) -> Resource:
        """Say how one resource stands. What goes wrong is in the result."""
        failure = findings.failure(deployed)
        if failure is None:
            try:
                return self._client(deployed) if deployed.kind == CLIENT else self._integration(deployed)
            except NotFound:
                return findings.gone(deployed, self.up)
            except Failed as failed:
                failure = failed.failure
            except CodatZohoError as error:
                failure = from_error(error) if self.deadline.left() else TOO_LONG
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - it must not cost the report on all other stacks
                failure = _bug(error)
        return Resource(deployed.name, deployed.kind, deployed.urn, failure=failure)

    def _integration(self, deployed: Deployed) -> Resource:
        connection, outputs = deployed.connection, deployed.outputs
        recorded = CodatClient(outputs.get("codat_client"), outputs.get("codat_client_name"))
        environment = self.environments[deployed.provider]
        missing = environment.found_api_key(connection) is None
        try:
            actual = self.remote.actual(environment, connection, recorded, self.deadline)
        except ConfigurationError as error:
            if missing:
                raise Failed(Failure(AUTHENTICATION, _without_key(deployed, error))) from None
            raise
        return findings.integration(deployed, actual, self.up)

    def _client(self, deployed: Deployed) -> Resource:
        question = findings.question(deployed)
        if question is None or question.client_secret is None or not self.verified:
            return findings.client(deployed, question, {} if self.verified else None)
        environment = self.environments[deployed.provider]
        verdicts = self.remote.verdicts(
            environment, question.regions, question.client_id, question.client_secret, self.deadline
        )
        return findings.client(deployed, question, verdicts, utc_now())


def _without_key(deployed: Deployed, error: ConfigurationError) -> str:
    connection, config = deployed.connection, deployed.config
    variable, key = api_key_names(connection)
    if ENCRYPTED in (config.get(key), config.get("apiKeys")):
        return (
            f"The Codat API key for connection {connection!r} is encrypted in this state. Set {variable}, or "
            "export it with 'pulumi stack export --show-secrets'."
        )
    if deployed.explicit_provider:
        return (
            f"No Codat API key for connection {connection!r}. Set the environment variable {variable}; or give {key} "
            f"to the provider {deployed.explicit_provider!r} in the program and run pulumi up, since drift reads what "
            "the last deployment was given."
        )
    return f"{error} Drift reads what the last deployment was given, so run pulumi up after setting it there."


def _bug(error: Exception) -> Failure:
    """An error that nobody foresaw; its text may quote anything, so it stays out."""
    if debugging():
        say("".join(traceback.format_exception(error)))
    text = f"{name_and_place(error)}: a bug in codat-zoho. Run it again with CODAT_ZOHO_DEBUG=1 and report it."
    return Failure("bug", text)

"""Pulumi mocks of this package's resources that do what Pulumi's own do not: check what the program declares."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any

import httpx
import pulumi
from pulumi.runtime import is_dry_run, rpc

from codat_zoho.declare.describe import camel_case, respelled, snake_case
from codat_zoho.declare.platform import CLIENT, INTEGRATION, SECRET_ID
from codat_zoho.declare.settings import Spelling
from codat_zoho.errors import CodatZohoError, Problem, SettingsError
from codat_zoho.provider import books, client
from codat_zoho.provider.inputs import DECLARED
from codat_zoho.provider.process import CONTEXT, Context
from codat_zoho.remote.connection import Environment, api_key_names
from codat_zoho.remote.http import Http
from codat_zoho.simulator import CodatClient, Dropped, Simulator
from codat_zoho.simulator.messages import Request
from codat_zoho.simulator.server import respond
from codat_zoho.workspace.values import kind_of, name_of, spelling_of

_BASE = "http://127.0.0.1"
"""Where the requests seem to go: loopback, so that nothing would leave the machine if they did."""
_LOCK = RLock()
"""The providers share what a process knows; one mocked resource at a time replaces it."""


def _is_news(record: logging.LogRecord) -> bool:
    """Not for what failed the test already: asyncio repeats it for each output that nobody awaits."""
    return not (record.exc_info and isinstance(record.exc_info[1], CodatZohoError))


def ensure_loop() -> None:
    """Make the event loop that ``set_mocks`` takes for there: Python 3.14 no longer makes one by itself."""
    if sys.version_info >= (3, 14):
        try:
            asyncio.get_event_loop()
        except RuntimeError:
            asyncio.set_event_loop(asyncio.new_event_loop())


class Mocks(pulumi.runtime.Mocks):
    """For ``pulumi.runtime.set_mocks``: our resources go through the real check and the real planning.

    What the program declares wrongly fails the test with the message that ``pulumi up`` would show. What is right is
    created in a simulator in this process, without network, so the outputs are those of a real deployment. A Zoho
    client that the simulator does not know is added as declared, accepted everywhere; add it yourself beforehand to
    have it refused. No environment variable and no API key is looked at. The plugin's resources, which SDKs that are
    generated from its schema declare, are mocked likewise.

    Args:
        simulator: to deploy to; a new one unless given.
        other: mocks for the program's other resources and calls. Without them, each other resource returns its inputs.
        preview: check and create nothing. Say it here too when ``set_mocks`` is told: older releases of pulumi do not
            let mocks know.

    >>> import pulumi
    >>> mocks = Mocks()
    >>> pulumi.runtime.set_mocks(mocks)
    >>> mocks.codat().linked = 3
    >>> mocks.codat("eu").integration.enabled
    False
    """

    def __init__(
        self,
        simulator: Simulator | None = None,
        other: pulumi.runtime.Mocks | None = None,
        *,
        preview: bool = False,
    ) -> None:
        self.simulator = simulator or Simulator()
        """What was deployed to, with its log of calls."""
        logging.getLogger("asyncio").addFilter(_is_news)
        ensure_loop()
        self._other = other
        self._preview = preview
        self._declared_by: dict[tuple[str, str], str] = {}
        self._variables = {"CODAT_URL": f"{_BASE}/codat", "ZOHO_URL": f"{_BASE}/zoho"}

    def codat(self, connection: str = "default", *, provider: str = "") -> CodatClient:
        """The simulated Codat client of a connection, made on first use.

        Args:
            connection: the name of the API key.
            provider: the name of the plugin's explicit provider that has it, in whose stead it opens a client.
        """
        key = f"mocked-{provider}-{connection}" if provider else f"mocked-{connection}"
        self._variables[api_key_names(connection)[0]] = key
        return self.simulator.codat.get(key) or self.simulator.add_codat_client(key)

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Mock a function call: none is ours."""
        return self._other.call(args) if self._other else ({}, [])

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Check and create one of our resources; leave others to ``other``.

        Raises:
            SettingsError: the inputs break rules, all of them at once.
            CodatZohoError: what else the deployment would fail with.
        """
        kind, spelling = kind_of(args.typ), spelling_of(args.typ)
        if kind not in (INTEGRATION, CLIENT):
            return self._other.new_resource(args) if self._other else (f"{args.name}-id", dict(args.inputs))
        given = {snake_case(name): value for name, value in args.inputs.items() if name != "__provider"}
        inputs = {name: _unwrapped(value) for name, value in given.items()}
        maker = name_of((args.provider or "").rpartition("::")[0]) if spelling is Spelling.PROPERTY else ""
        if spelling is Spelling.PROPERTY and rpc.is_rpc_secret(given.get("client_id")):
            inputs[SECRET_ID] = True
        core: Any = books if kind == INTEGRATION else client
        with self._instead(spelling):
            if args.resource_id and args.custom is None:  # Only `get` names an id without saying what it is.
                if kind == INTEGRATION:
                    self.codat(args.resource_id, provider=maker)
                found = core.read(args.resource_id, inputs)
                return found.id, _wrapped(found.outs, spelling)
            checked = core.check({}, inputs)
            if checked.problems:
                problems = map(spelling.text, checked.problems)
                raise SettingsError(Problem(f"{kind} {args.name}", failure) for failure in problems)
            declared = checked.inputs
            if kind == INTEGRATION and isinstance(connection := declared.get("connection"), str):
                other = self._declared_by.setdefault((maker, connection), args.name)
                if other != args.name:
                    text = f"{connection!r} is declared by both {args.name!r} and {other!r}"
                    raise SettingsError([Problem("connection", text)])
            if self._preview or is_dry_run():
                return "", _wrapped(declared, spelling)
            if kind == INTEGRATION:
                self.codat(declared["connection"], provider=maker)
                created = core.create(declared)
            else:
                client_id, secret = declared.get("client_id"), declared.get("client_secret")
                if client_id and secret and client_id not in self.simulator.zoho:
                    self.simulator.add_zoho_client(client_id, secret)
                created = core.create(declared)
            return created.id or "", _wrapped(created.outs or {}, spelling)

    @contextmanager
    def _instead(self, spelling: Spelling) -> Iterator[None]:
        """Let the providers use the simulator instead of what this process knows."""
        with _LOCK:
            http = Http(InProcess(self.simulator), retry=False)
            before = dict(vars(CONTEXT))
            vars(CONTEXT).update(vars(Context(http, Environment(environ=self._variables), spelling=spelling)))
            try:
                yield
            finally:
                vars(CONTEXT).clear()
                vars(CONTEXT).update(before)


class InProcess(httpx.BaseTransport):
    """Hands requests to a simulator in this process, without a socket."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the network would."""
        url = request.url
        asked = Request(request.method, url.path, url.query.decode(), dict(request.headers), request.read())
        try:
            answer = respond(self._simulator, asked)
        except Dropped:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.") from None
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content)


def _unwrapped(value: Any) -> Any:
    """A value as the engine hands it to a provider: secrets in clear, at any depth."""
    if rpc.is_rpc_secret(value):
        return _unwrapped(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {name: _unwrapped(inner) for name, inner in value.items()}
    return [_unwrapped(inner) for inner in value] if isinstance(value, list) else value


def _wrapped(outs: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    """Outputs as the engine hands them to the program: the secret marked as one."""
    if spelling is not Spelling.PROPERTY:
        return {name: rpc.wrap_rpc_secret(value) if name == "client_secret" else value for name, value in outs.items()}
    secret = ("clientSecret", DECLARED, *(("clientId",) if outs.get(SECRET_ID) else ()))
    bag = respelled(camel_case, {name: value for name, value in outs.items() if name != SECRET_ID})
    return {name: rpc.wrap_rpc_secret(value) if name in secret else value for name, value in bag.items()}

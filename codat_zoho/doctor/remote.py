"""What Codat and Zoho say, asked for reading only. Zoho is probed only when somebody asks for it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import fields
from email.utils import parsedate_to_datetime
from typing import Any

from codat_zoho.adopt.decide import describe
from codat_zoho.core.masks import Known, read_mask
from codat_zoho.core.observe import ActualIntegration, CodatClient
from codat_zoho.core.zoho_client import PROVE, UNPROVED, plan_client
from codat_zoho.declare.datacentres import DATA_CENTRES, DEFAULT_REGIONS
from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.declare.settings import ZohoClientSettings, declared, load
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, trouble, warn
from codat_zoho.errors import (
    AccessDenied,
    ApiKeyRefused,
    CodatZohoError,
    ConfigurationError,
    NotFound,
    RemoteError,
    Unreachable,
)
from codat_zoho.link import record
from codat_zoho.remote.connection import Environment
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import plain_name

_SKEW = 120.0
"""Seconds. Nothing here is signed with the time, but deadlines and certificates go by it."""
_SECONDS = 20.0
_FEW = 0.1
_MTLS = "client certificate"
VERIFIED = "Zoho client"
_DEMANDED = (
    "If the account demands client certificates, every call needs one and the header: set CODAT_CLIENT_CERT, "
    "CODAT_CLIENT_KEY and CODAT_CLIENT_ID."
)


def codat(now: Situation) -> Iterator[Finding]:
    """The API key, and what it opens."""
    try:
        url = now.environment.codat_url()
        now.environment.paths()
    except CodatZohoError as error:
        yield trouble("Codat address", error)
        return
    yield ok("Codat address", url)
    for connection, provider, environment in now.connections:
        yield from _connection(now, connection, provider, environment)


def _connection(now: Situation, connection: str, provider: str, environment: Environment) -> Iterator[Finding]:
    whose = f"connection {connection!r}" + (f" of provider {provider!r}" if provider else "")
    try:
        key, api = environment.api_key(connection), environment.codat(now.http, connection)
    except CodatZohoError as error:  # The next connection may have one.
        step = f"{error.next_step} Or give it to the provider {provider!r} in the program." if provider else ""
        yield fail("API key", error.what, step) if step else trouble("API key", error)
        return
    yield ok("API key", f"from {key.source}, for {whose}")
    if key.certificate or key.client:
        given = f"{key.certificate.file if key.certificate else 'none'}; x-codat-client: {key.client or 'none'}"
        both = key.certificate and key.client
        yield ok(_MTLS, one_line(given)) if both else warn(_MTLS, f"{one_line(given)}.", _DEMANDED)
    try:
        client, actual = api.named_client(), api.actual()
    except CodatZohoError as error:
        yield _refused(error)
    else:
        yield ok("API key accepted", "yes, and it may read integrations; whether it may write shows on the first write")
        yield warn("Codat client", f"{client.why}.") if client.why else ok("Codat client", str(client))
        yield ok("integration", " ".join(list(describe(actual))[:2]))
        yield _keys(now, actual)
        if actual.enabled and (actual.keys or actual.keys_untold):
            yield _link(now, connection, client)
    if now.http.answers:
        yield from headers(now.http.answers[-1].headers, now.http.now())


def _refused(error: CodatZohoError) -> Finding:
    if isinstance(error, Unreachable):
        step = "Check the address, the network and the proxies."
        if any(word in error.what.lower() for word in ("certificate required", "handshake failure")):
            step = _DEMANDED
        elif any(word in error.what for word in ("CERTIFICATE", "certificate", "SSL", "TLS")):
            step = "A proxy that opens TLS needs its certificate in SSL_CERT_FILE; see proxies and TLS trust above."
        return fail("Codat reachable", error.what, step)
    if isinstance(error, ApiKeyRefused):
        what = f"{error.what} It may be another client's, or expired."
        return fail("API key accepted", what, f"{error.next_step} {_DEMANDED}")
    if isinstance(error, AccessDenied):
        return fail("API key accepted", error.what, f"{error.next_step} {_DEMANDED}")
    return trouble("integration" if isinstance(error, NotFound) else "API key accepted", error)


def _keys(now: Situation, actual: ActualIntegration) -> Finding:
    topic = "stored keys"
    if actual.keys_untold:
        return warn(topic, f"cannot be told: {actual.keys_untold}.", "Look in the Codat Portal.")
    if actual.keys is None:
        what = "none, so no customer can link"
        return warn(topic, f"{what}.") if actual.enabled else ok(topic, f"{what}; it is disabled.")
    wanted = declared(now.config).integration if now.ready_to_use else {}
    client_id, secret = wanted.get("client_id"), wanted.get("client_secret")
    if isinstance(client_id, str) and read_mask(actual.client_id, client_id).known is Known.DIFFERENT:
        what = f"Codat shows the client id as {one_line(str(actual.client_id))}, which is not the declared one."
        step = "Is the API key that of the Codat client that is meant? If it is: pulumi preview --refresh --diff"
        return warn(topic, what, step)
    if isinstance(secret, str) and read_mask(actual.client_secret, secret).known is Known.DIFFERENT:
        what = f"The secret that Codat stores {actual.secret_clause}, and the declared one is another."
        return warn(topic, what, "Look: pulumi preview --refresh --diff")
    shown = f"client id {one_line(str(actual.client_id or 'hidden'))}, secret {actual.secret_in_words}"
    return ok(topic, f"{shown}; more cannot be read back")


def _link(now: Situation, connection: str, client: CodatClient) -> Finding:
    """Whether a link was proved with the keys of today."""
    try:
        tests = (record.load(now.project.folder) if now.project else None) or ()
    except ConfigurationError as error:
        return warn("customer link", error.what, error.next_step)
    stack = plain_name(now.stack) if now.stack else None
    known = now.secret_fingerprint(connection)
    found = record.standing(tests, connection=connection, stack=stack, codat_client=client.id, fingerprint=known)
    others = "other data centres are as good as Zoho's verdict"
    return (
        ok("customer link", f"{found.text}; {others}")
        if found.proved
        else warn("customer link", f"{found.text}.", PROVE)
    )


def headers(given: Any, now: float) -> Iterator[Finding]:
    """What an answer's headers tell: the rate budget, and the time."""
    left, limit = (given.get(f"x-rate-limit-{name}", "") for name in ("remaining", "limit"))
    if left.isdecimal() and limit.isdecimal() and len(left + limit) < 40:
        what = f"{int(left)} of {int(limit)} calls left today"
        few = int(left) < _FEW * int(limit)
        yield warn("rate budget", f"{what}.", "It resets at 00:00 UTC.") if few else ok("rate budget", what)
    else:
        yield warn("rate budget", "Codat's answer does not tell it.")
    try:
        theirs = parsedate_to_datetime(given["date"])
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=datetime.timezone.utc)
        skew = now - theirs.timestamp()
    except (KeyError, ValueError, TypeError):
        yield warn("clock", "the answer has no readable date to compare with.")
        return
    if abs(skew) > _SKEW:
        way = "ahead of" if skew > 0 else "behind"
        yield warn("clock", f"this machine's is {abs(skew):.0f} s {way} Codat's.", "Set it by NTP.")
    else:
        yield ok("clock", "agrees with Codat's")


def zoho(now: Situation) -> Iterator[Finding]:
    """Whether the hosts of the declared data centres answer at all; nothing is sent to them."""
    topic = "Zoho hosts"
    stand_in = now.environment.zoho_url()
    listed: list[Any] = [one.get("regions") for one in now.clients]
    named = {code for codes in listed if isinstance(codes, list) for code in codes if isinstance(code, str)}
    codes = [code for code in DATA_CENTRES if code in named] or [*DEFAULT_REGIONS]
    gone = []
    for code in codes:
        address = f"{stand_in}/{code}" if stand_in else DATA_CENTRES[code].accounts
        try:
            now.http.send("GET", f"{address}/oauth/serverinfo", deadline=now.http.deadline(_SECONDS), retry=False)
        except RemoteError as error:
            gone.append(f"{code}: {error.what}")
    if gone:
        yield warn(topic, " ".join(gone), "Open the firewall or proxy for them: verification needs them.")
    else:
        where = f" (stand-in {stand_in})" if stand_in else ""
        yield ok(topic, f"{', '.join(codes)} answer{where}; no id or secret was sent")
    yield ok("Zoho redirect URI", f"{REDIRECT_URI} has to be in Zoho's console; nobody can look whether it is")


def verified(now: Situation) -> Iterator[Finding]:
    """Asks each declared data centre once whether it accepts the client."""
    from codat_zoho.remote.zoho import probe

    clients = [one for one in now.clients if one.get("client_id") and isinstance(one.get("client_secret"), str)]
    if not clients:
        where = "the stack's configuration has" if now.ready_to_use else "what was last deployed has"
        step = "" if now.ready_to_use else "Deploy first: pulumi up asks each data centre too."
        yield warn(VERIFIED, f"not asked: {where} no client id and secret to ask with.", step)
    names = {field.name for field in fields(ZohoClientSettings)}
    for given in clients:
        client = load(ZohoClientSettings, {name: value for name, value in given.items() if name in names})
        url = now.environment.zoho_url()
        assert client.client_secret is not None
        secret = client.client_secret
        said = {code: probe(now.http, code, client.client_id, secret, url=url) for code in client.regions}
        todo = plan_client(client.regions, said)
        if todo.blockers:
            yield fail(VERIFIED, " ".join(todo.blockers), " ".join(dict.fromkeys(todo.manual_steps)))
        elif todo.cannot_tell:
            yield warn(VERIFIED, f"{' '.join(todo.cannot_tell)}")
        else:
            yield ok(VERIFIED, f"{client.client_id} in {', '.join(said)}; {UNPROVED}")

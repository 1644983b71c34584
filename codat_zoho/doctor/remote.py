"""What Codat and Zoho say, asked for reading only. Zoho is probed only when somebody asks for it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from codat_zoho.adopt.decide import describe
from codat_zoho.core.masks import Known, read_mask
from codat_zoho.core.observe import ActualIntegration, Probe
from codat_zoho.core.zoho_client import plan_client
from codat_zoho.declare.datacentres import DATA_CENTRES, DEFAULT_REGIONS
from codat_zoho.declare.settings import ZohoClientSettings, load
from codat_zoho.declare.stack_config import declared
from codat_zoho.doctor.finding import Finding, Situation, fail, ok, trouble, warn
from codat_zoho.errors import ApiKeyRefused, CodatZohoError, NotFound, RemoteError, Unreachable
from codat_zoho.texts.redact import one_line

_SKEW = 120.0
"""Seconds. Nothing here is signed with the time, but deadlines and certificates go by it."""
_SECONDS = 20.0
_FEW = 0.1


def codat(now: Situation) -> Iterator[Finding]:
    """The API key, and what it opens."""
    try:
        url = now.environment.codat_url()
        now.environment.paths()
    except CodatZohoError as error:
        yield trouble("Codat address", error)
        return
    yield ok("Codat address", url)
    try:
        key = now.environment.api_key(now.connection)
    except CodatZohoError as error:
        yield trouble("API key", error)
        return
    yield ok("API key", f"from {key.source}, for connection {now.connection!r}")
    api = now.environment.codat(now.http, now.connection)
    try:
        client = api.named_client()
        actual = api.actual()
    except CodatZohoError as error:
        yield from _refused(error)
        yield from _from_headers(now)
        return
    yield ok(
        "API key accepted", "yes, and it may read integrations; a role that may not write shows on the first write"
    )
    yield warn("Codat client", f"{client.why}.") if client.why else ok("Codat client", str(client))
    yield ok("integration", " ".join(list(describe(actual))[:2]))
    yield from _keys(now, actual)
    yield from _from_headers(now)


def _refused(error: CodatZohoError) -> Iterator[Finding]:
    topic = "API key accepted" if not isinstance(error, NotFound | Unreachable) else "integration"
    if isinstance(error, Unreachable):
        tls = any(word in error.what for word in ("CERTIFICATE", "certificate", "SSL", "TLS"))
        step = (
            "A proxy that opens TLS needs its certificate in SSL_CERT_FILE; see the lines on proxies and TLS trust."
            if tls
            else "Check the address, the network and the proxies."
        )
        yield fail("Codat reachable", error.what, step)
    elif isinstance(error, ApiKeyRefused):
        yield fail(topic, f"{error.what} It may be another client's, or expired.", error.next_step)
    else:
        yield trouble(topic, error)


def _keys(now: Situation, actual: ActualIntegration) -> Iterator[Finding]:
    topic = "stored keys"
    wanted = declared(now.config).integration if now.ready_to_use else {}
    client_id, secret = wanted.get("client_id"), wanted.get("client_secret")
    if actual.keys_untold:
        yield warn(topic, f"cannot be told: {actual.keys_untold}.", "Look in the Codat Portal.")
        return
    if actual.keys is None:
        what = "none, so no customer can link"
        yield (warn if actual.enabled else ok)(topic, f"{what}." if actual.enabled else f"{what}; it is disabled.")
        return
    if isinstance(client_id, str) and read_mask(actual.client_id, client_id).known is Known.DIFFERENT:
        yield warn(
            topic,
            f"Codat shows the client id as {one_line(str(actual.client_id))}, which is not the declared one.",
            "Is the API key that of the Codat client that is meant? If it is: pulumi preview --refresh --diff",
        )
    elif isinstance(secret, str) and read_mask(actual.client_secret, secret).known is Known.DIFFERENT:
        yield warn(
            topic,
            f"The secret that Codat stores {actual.secret_clause}, and the declared one is another.",
            "Look: pulumi preview --refresh --diff",
        )
    else:
        shown = f"client id {one_line(str(actual.client_id or 'hidden'))}, secret {actual.secret_in_words}"
        yield ok(topic, f"{shown}; more cannot be read back")


def _from_headers(now: Situation) -> Iterator[Finding]:
    """What the last answer's headers tell: the rate budget, and the time."""
    if not now.http.answers:
        return
    headers = now.http.answers[-1].headers
    left, limit = (headers.get(f"x-rate-limit-{name}", "") for name in ("remaining", "limit"))
    if left.isdecimal() and limit.isdecimal() and len(left + limit) < 40:
        few = int(left) < _FEW * int(limit)
        what = f"{int(left)} of {int(limit)} calls left today"
        yield warn("rate budget", f"{what}.", "It resets at 00:00 UTC.") if few else ok("rate budget", what)
    else:
        yield warn("rate budget", "Codat's answer does not tell it.")
    try:
        theirs = parsedate_to_datetime(headers["date"])
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=datetime.timezone.utc)
        skew = now.http.now() - theirs.timestamp()
    except (KeyError, ValueError, TypeError):
        yield warn("clock", "the answer has no readable date to compare with.")
        return
    if abs(skew) > _SKEW:
        way = "ahead of" if skew > 0 else "behind"
        yield warn("clock", f"this machine's is {abs(skew):.0f} s {way} Codat's.", "Set it by NTP.")
    else:
        yield ok("clock", "agrees with Codat's")


def _regions(now: Situation) -> list[str]:
    listed: Any = declared(now.config).client.get("regions") if now.ready_to_use else None
    codes = [code for code in listed if code in DATA_CENTRES] if isinstance(listed, list) else []
    return codes or [*DEFAULT_REGIONS]


def zoho(now: Situation) -> Iterator[Finding]:
    """Whether the hosts of the declared data centres answer at all; nothing is sent to them."""
    try:
        stand_in = now.environment.zoho_url()
    except CodatZohoError as error:
        yield trouble("Zoho hosts", error)
        return
    gone = []
    for code in _regions(now):
        address = f"{stand_in}/{code}" if stand_in else DATA_CENTRES[code].accounts
        try:
            now.http.send("GET", f"{address}/oauth/serverinfo", deadline=now.http.deadline(_SECONDS), retry=False)
        except RemoteError as error:
            gone.append(f"{code}: {error.what}")
    where = f" (stand-in {stand_in})" if stand_in else ""
    if gone:
        yield warn("Zoho hosts", " ".join(gone), "Open the firewall or proxy for them: verification needs them.")
    else:
        yield ok("Zoho hosts", f"{', '.join(_regions(now))} answer{where}; no id or secret was sent")


def verified(now: Situation) -> Iterator[Finding]:
    """Asks each declared data centre once whether it accepts the client."""
    from codat_zoho.remote.zoho import probe

    topic = "Zoho accepts the client"
    given = declared(now.config).client if now.ready_to_use else {}
    if not given.get("client_id") or not given.get("client_secret"):
        yield warn(topic, "not asked: the stack's configuration has no client id and secret to ask with.")
        return
    try:
        client, url = load(ZohoClientSettings, given), now.environment.zoho_url()
    except CodatZohoError as error:
        yield trouble(topic, error)
        return
    assert client.client_secret is not None
    secret = client.client_secret
    said = {code: probe(now.http, code, client.client_id, secret, url=url) for code in client.regions}
    todo = plan_client(client.regions, said)
    if todo.blockers:
        yield fail(topic, " ".join(todo.blockers), " ".join(dict.fromkeys(todo.manual_steps)))
    elif todo.cannot_tell:
        yield warn(topic, f"{' '.join(todo.cannot_tell)}")
    else:
        yield ok(topic, ", ".join(code for code, one in said.items() if one.probe is Probe.ACCEPTED))

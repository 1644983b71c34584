"""Zoho: asks a data centre whether it accepts a client id and secret. Facts: docs/facts.md, section Zoho.

It is asked for a token with what is obviously no refresh token: Zoho checks the client first, and complains about the
token (``invalid_code``) only when it accepts the client. Asking is limited to about ten times in ten minutes, and
repeating extends a lockout, so each data centre is asked once, and an unclear answer is never a no.
"""

from __future__ import annotations

from codat_zoho.core.observe import Probe, ProbeResult
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.errors import CodatZohoError
from codat_zoho.remote.http import Http
from codat_zoho.texts.redact import register

PROBE_SECONDS = 30.0
_NO_TOKEN = f"1000.{'0' * 32}.{'0' * 32}"
_STATUSES = (200, 400, 401)
_MEANING = {
    "invalid_code": Probe.ACCEPTED,
    "invalid_client_secret": Probe.WRONG_SECRET,
    "invalid_client": Probe.UNKNOWN_CLIENT,
}


def probe(http: Http, code: str, client_id: str, client_secret: str, *, url: str | None = None) -> ProbeResult:
    """Ask one data centre, once; ``url`` is a loopback address that stands in for all of Zoho.

    Never raises: what cannot be told comes back as inconclusive, with the reason.
    """
    register(client_secret)
    address = f"{url}/{code}" if url else DATA_CENTRES[code].accounts
    try:
        answer = http.send(
            "POST",
            f"{address}/oauth/v2/token",
            deadline=http.deadline(PROBE_SECONDS),
            # In the body, never in the query string, which ends up in logs.
            form={
                "grant_type": "refresh_token",
                "refresh_token": _NO_TOKEN,
                "client_id": client_id,
                "client_secret": client_secret,
            },
            retry=False,
        )
    except CodatZohoError as error:
        return ProbeResult(Probe.INCONCLUSIVE, error.what.rstrip("."))
    # Zoho sends errors with 200 and throttling with 400 or 200, so the word decides; behind a status that speaks of
    # something else, or beside a failure, not even a word that is known says anything of the client.
    body = answer.json()
    told = body.get("error") if isinstance(body, dict) else None
    if answer.status == 429 or (isinstance(body, dict) and body.get("status") == "failure"):
        why = "it is throttling token requests; ask again in ten minutes or more"
        return ProbeResult(Probe.INCONCLUSIVE, why, throttled=True)
    if answer.status in _STATUSES and isinstance(told, str) and told in _MEANING:
        return ProbeResult(_MEANING[told])
    what = "that is not JSON" if body is None else "that says nothing of the client"
    return ProbeResult(Probe.INCONCLUSIVE, f"it answered {answer.status} with something {what}")

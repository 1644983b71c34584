"""Zoho's token endpoint, one per data centre. Errors come with HTTP 200, as the real one sends them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.simulator.codat import Reply, Request
from codat_zoho.simulator.world import Simulator

_PATH = re.compile(r"/(?P<code>[a-z]{2})/oauth/v2/token")


def answer(simulator: Simulator, request: Request) -> Reply:
    """Answer one request to ``/<data centre>/oauth/v2/token``."""
    match = _PATH.fullmatch(request.path)
    if not match or match["code"] not in DATA_CENTRES or request.method != "POST":
        return Reply(404, {"error": "not found"})
    code = match["code"]
    if request.query:
        return Reply(400, {"error": "the simulator takes secrets in the body only"}, "probe")
    form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace")).items()}
    missing = {"grant_type", "refresh_token", "client_id", "client_secret"} - set(form)
    if missing or form["grant_type"] != "refresh_token":
        return Reply(400, {"error": "invalid_request"}, "probe")
    client = simulator.zoho.get(form["client_id"])
    if client and code in client.throttled:
        text = "You have made too many requests continuously. Please try again after some time."
        return Reply(400, {"error_description": text, "error": "Access Denied", "status": "failure"}, "probe")
    if not simulator.switches.zoho_client_before_token:
        told = "invalid_code"
    elif client is None:
        told = "invalid_client"
    elif code not in client.enabled:
        told = simulator.switches.zoho_disabled
    elif form["client_secret"] != client.secret_at(code):
        told = simulator.switches.zoho_wrong_secret
    else:
        told = "invalid_code"
    return Reply(200, {"error": told}, "probe", detail=told)

"""What a person who links sees: Codat's link page, Zoho's consent screen, and how it ended.

They are plain pages without scripts, and only ``POST`` changes anything: the callback too, which Zoho itself has a
browser ``GET``.
"""

from __future__ import annotations

import re
import secrets
from html import escape
from urllib.parse import parse_qs

from codat_zoho.declare.datacentres import DATA_CENTRES, DataCentre
from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.simulator import consent
from codat_zoho.simulator.companies import View
from codat_zoho.simulator.consent import Found
from codat_zoho.simulator.messages import Reply, Request
from codat_zoho.simulator.screens import OUTCOMES, ended, page, to
from codat_zoho.simulator.world import Simulator

_START = re.compile(r"/companies/([^/]*)/connections/([^/]*)/start")


def answer(simulator: Simulator, request: Request) -> Reply:
    """Answer one request of a browser, below ``/link``."""
    query = {name: values[0] for name, values in parse_qs(request.query).items()}
    form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace")).items()}
    if request.method not in ("GET", "HEAD", "POST"):
        return ended("lost", 405)
    posted = request.method == "POST"
    if start := _START.fullmatch(request.path):
        return _start(simulator, start[1], start[2], query.get("otp", ""), posted)
    if request.path == "/zoho/oauth/v2/auth":
        return _consent(simulator, query, form if posted else None)
    if request.path == "/oauth/callback" and posted:
        return _callback(simulator, query)
    if request.path == "/finished" and query.get("outcome") in OUTCOMES:
        return ended(query["outcome"], 200)
    return ended("hosted" if request.path.startswith("/company/") else "lost")


def _start(simulator: Simulator, company_id: str, connection_id: str, password: str, posted: bool) -> Reply:
    ids, known = (company_id, connection_id), consent.connections(simulator)
    found = next((one for one in known if (one.company.id, one.connection.id) == ids), None)
    if found is None:
        return ended("unknown_link")
    view = View("", simulator.clock(), simulator.switches)
    problem = found.connection.link_problem(password, view) or consent.not_offered(found)
    if problem:
        return ended(problem)
    if not posted:
        name, button = escape(found.company.name), "<button>Continue to Zoho Books</button>"
        text = f"<p>Let Codat read the books of <b>{name}</b>.</p><form method=post>{button}</form>"
        return page(200, "Codat", "Connect Zoho Books", text)
    found.connection.used, found.connection.grant = True, None
    found.connection.state = secrets.token_urlsafe(32)
    asked = {"client_id": consent.keys_of(found)[0], "redirect_uri": REDIRECT_URI, "state": found.connection.state}
    return to(303, "/link/zoho/oauth/v2/auth", response_type="code", access_type="offline", **asked)


def _consent(simulator: Simulator, query: dict[str, str], form: dict[str, str] | None) -> Reply:
    client_id, state = query.get("client_id", ""), query.get("state", "")
    if problem := consent.no_consent(simulator, client_id, query.get("redirect_uri", "")):
        return ended(problem)
    if form is None:
        options = "".join(f"<option value={code}>{host.accounts}" for code, host in _centres())
        text = f"""<form method=post><p><label for=centre>Your organisation is at</label><br>
            <select id=centre name=location>{options}</select></p><button name=choice value=accept>Accept</button>
            <button name=choice value=reject>Reject</button></form>"""
        return page(200, "Zoho", f"{simulator.zoho[client_id].name} wants to read your books", text)
    location = form.get("location", "")
    grant = consent.granted(simulator, client_id, location)
    if grant is None:
        return ended("not_enabled" if location in DATA_CENTRES else "lost")
    if form.get("choice") != "accept":
        return to(307, "/link/oauth/callback", state=state, error="access_denied")
    found = _under_way(simulator, state)
    if found is None:
        return ended("lost")
    found.connection.grant = grant
    return to(307, "/link/oauth/callback", state=state, code=grant.code, location=location)


def _centres() -> list[tuple[str, DataCentre]]:
    return sorted(DATA_CENTRES.items(), key=lambda one: one[0] != "us")


def _callback(simulator: Simulator, query: dict[str, str]) -> Reply:
    found = _under_way(simulator, query.get("state", ""))
    if found is None:
        return ended("lost")
    grant, outcome = found.connection.grant, "lost"
    found.connection.state, found.connection.grant = "", None
    if "error" in query:
        outcome = "refused"
    elif grant and secrets.compare_digest(grant.code.encode(), query.get("code", "").encode()):
        outcome = consent.exchange(simulator, found, grant)
    consent.settle(simulator, found.connection, outcome)
    return to(303, "/link/finished", statusCode=str(OUTCOMES[outcome].status), outcome=outcome)


def _under_way(simulator: Simulator, state: str) -> Found | None:
    for found in consent.connections(simulator):
        if state and secrets.compare_digest(found.connection.state.encode(), state.encode()):
            return found
    return None

"""What becomes of a link: what Codat and Zoho refuse on the way, and what the connection shows afterwards."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from codat_zoho.declare.platform import REDIRECT_URI, ZOHO_BOOKS
from codat_zoho.simulator.companies import Company, Connection, Grant, moment
from codat_zoho.simulator.screens import OUTCOMES
from codat_zoho.simulator.world import CodatClient, Simulator


class Found(NamedTuple):
    """A connection, and whose it is."""

    client: CodatClient
    company: Company
    connection: Connection


def connections(simulator: Simulator) -> list[Found]:
    """The connections to Zoho Books that were created, oldest first."""
    found = [
        Found(client, company, one)
        for client in simulator.codat.values()
        for company in client.companies.values()
        for one in company.connections.values()
        if one.key == ZOHO_BOOKS.key
    ]
    return sorted(found, key=lambda one: one.connection.created)


def keys_of(found: Found) -> tuple[str, str]:
    """The client id and the secret that Codat stores; empty texts for what is not stored."""
    keys = found.client.integration.keys
    return keys.get(ZOHO_BOOKS.id_key, ""), keys.get(ZOHO_BOOKS.secret_key, "")


def not_offered(found: Found) -> str:
    """Why Codat does not send a person to Zoho; empty where it does."""
    return "" if found.client.integration.enabled and all(keys_of(found)) else "not_offered"


def no_consent(simulator: Simulator, client_id: str, redirect_uri: str) -> str:
    """Why Zoho shows no consent screen; empty where it does."""
    client = simulator.zoho.get(client_id)
    if client is None:
        return "unknown_client"
    return "" if redirect_uri in client.redirect_uris else "redirect_uri"


def granted(simulator: Simulator, client_id: str, data_centre: str) -> Grant | None:
    """What Zoho gives a person of this data centre who consents; None where the client is not enabled there."""
    client = simulator.zoho.get(client_id)
    if client is None or data_centre not in client.enabled:
        return None
    return Grant(secrets.token_urlsafe(32), client_id, data_centre)


def exchange(simulator: Simulator, found: Found, grant: Grant) -> str:
    """Exchange a grant with the keys that Codat stores, and return the outcome."""
    client_id, secret = keys_of(found)
    client = simulator.zoho.get(client_id)
    if client is None or client_id != grant.client_id or secret != client.secret_at(grant.data_centre):
        return "wrong_secret"
    return "throttled" if grant.data_centre in client.throttled else "linked"


def consented(simulator: Simulator, found: Found, data_centre: str) -> str:
    """Go the whole way of a person of this data centre who consents, and return the outcome."""
    client_id, _ = keys_of(found)
    outcome = not_offered(found) or no_consent(simulator, client_id, REDIRECT_URI)
    if not outcome:
        grant = granted(simulator, client_id, data_centre)
        outcome = exchange(simulator, found, grant) if grant else "not_enabled"
    settle(simulator, found.connection, outcome)
    return outcome


def settle(simulator: Simulator, connection: Connection, outcome: str) -> None:
    """Let the connection show what Codat heard; what it shows after a failure is unknown, so switches decide."""
    now, switches, told = simulator.clock(), simulator.switches, OUTCOMES[outcome]
    if outcome == "linked":
        connection.status, connection.linked_at, connection.errors, connection.data = "Linked", now, [], {}
    elif told.heard and connection.status != "Linked":
        connection.status = switches.failed_link
        if switches.failed_link_error:
            report(connection, now, told.status, outcome, told.text)


def report(connection: Connection, now: float, status: int, short: str, text: str) -> None:
    """Add an error that Codat reports on the connection."""
    error = {"statusCode": str(status), "statusText": short, "errorMessage": text, "erroredOnUtc": moment(now)}
    connection.errors = [*connection.errors[-9:], error]

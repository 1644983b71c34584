"""Codat's calls for companies, their connections and their data: published, and as its OpenAPI file has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.simulator.companies import DATA_TYPES, PLATFORMS, Company, Connection, View
from codat_zoho.simulator.messages import Reply, Request, error, page
from codat_zoho.simulator.world import CodatClient, Simulator

_FORBIDDEN = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]")


class _Asked(NamedTuple):
    client: CodatClient
    request: Request
    view: View


def answer(simulator: Simulator, client: CodatClient, request: Request) -> Reply | None:
    """Answer a call below ``/companies``; None for any other path."""
    parts = request.path.removesuffix("/").lower().split("/")[1:]
    if parts[0] != "companies":
        return None
    names = [part if number % 2 == 0 else "{}" for number, part in enumerate(parts)]
    methods = _PATHS.get("/".join(names))
    if methods is None or request.method not in methods:
        return error(404, "Resource not found.") if methods is None else error(405, "Method not allowed.")
    asked = _Asked(client, request, View(request.base, simulator.clock(), simulator.switches))
    if len(parts) == 1:
        return methods[request.method](asked)
    company = client.companies.get(parts[1])
    if company is None:
        return error(404, "Company not found.")
    if len(parts) < 4:
        return methods[request.method](asked, company)
    if parts[3] not in company.connections:
        return error(404, "Data connection not found.")
    return methods[request.method](asked, company, company.connections[parts[3]])


def _list(asked: _Asked) -> Reply:
    return page([one.shown(asked.view) for one in asked.client.companies.values()], asked.request)


def _create(asked: _Asked) -> Reply:
    body = asked.request.json()
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        return error(400, "The body must be an object with a 'name'.")
    # Codat drops what it does not allow in a name, and says nothing.
    name, description, tags = _FORBIDDEN.sub("", body["name"]).strip(), body.get("description"), body.get("tags")
    if not name:
        return error(400, "The name must hold a letter or a digit.")
    if not isinstance(description, str | None) or not isinstance(tags, dict | None) or not _are_tags(tags or {}):
        return error(400, "The description must be a text, tags up to ten names of 27 and texts of 100 characters.")
    company = Company(name, asked.view.now, description=description or "", tags=tags or {})
    asked.client.companies[company.id] = company
    return Reply(200, company.shown(asked.view), detail="create company")


def _are_tags(tags: dict[str, Any]) -> bool:
    return len(tags) <= 10 and all(
        1 <= len(name) <= 27 and isinstance(text, str) and len(text) <= 100 for name, text in tags.items()
    )


def _delete(asked: _Asked, company: Company) -> Reply:
    del asked.client.companies[company.id]
    return Reply(204, detail="delete company")


def _connections(asked: _Asked, company: Company) -> Reply:
    return page([one.shown(company.id, asked.view) for one in company.connections.values()], asked.request)


def _connect(asked: _Asked, company: Company) -> Reply:
    body = asked.request.json()
    # The OpenAPI file asks for an object; older clients send the key alone.
    key = body.get("platformKey") if isinstance(body, dict) else body
    if not isinstance(key, str):
        return error(400, "The body must be an object with a 'platformKey', or the key alone.")
    key, integration = key.lower(), asked.client.integration
    if key not in PLATFORMS or (key == ZOHO_BOOKS.key and not integration.offered):
        return error(404, "Integration not found.")
    if key == ZOHO_BOOKS.key and asked.view.switches.connection_needs_enabled and not integration.enabled:
        return error(400, "The integration is not enabled.")
    connection = Connection(key, asked.client.integration_id(key), asked.view.now)
    company.connections[connection.id] = connection
    return Reply(200, connection.shown(company.id, asked.view), detail="create connection")


def _disconnect(_: _Asked, company: Company, connection: Connection) -> Reply:
    del company.connections[connection.id]
    return Reply(200, {}, detail="delete connection")


def _unlink(asked: _Asked, company: Company, connection: Connection) -> Reply:
    body = asked.request.json()
    if not isinstance(body, dict) or set(body) - {"status"} or body.get("status", "Unlinked") not in (None, "Unlinked"):
        return error(400, "The body must be an object with nothing but the status 'Unlinked'.")
    if body.get("status"):
        connection.status = "Unlinked"
    return Reply(200, connection.shown(company.id, asked.view), detail="unlink connection")


def _data(asked: _Asked, company: Company) -> Reply:
    found: dict[str, Any] = {}
    for one in company.connections.values():
        found |= one.datasets(asked.view)
    if not found and asked.view.switches.no_data == "initial":
        found = {kind: {"dataType": kind, "currentStatus": "Initial"} for kind in DATA_TYPES}
    return Reply(200, found)


_PATHS: dict[str, dict[str, Callable[..., Reply]]] = {
    "companies": {"GET": _list, "POST": _create},
    "companies/{}": {"GET": lambda asked, one: Reply(200, one.shown(asked.view)), "DELETE": _delete},
    "companies/{}/connections": {"GET": _connections, "POST": _connect},
    "companies/{}/connections/{}": {
        "GET": lambda asked, company, one: Reply(200, one.shown(company.id, asked.view)),
        "PATCH": _unlink,
        "DELETE": _disconnect,
    },
    "companies/{}/datastatus": {"GET": _data},
}

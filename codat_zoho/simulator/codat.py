"""Codat's side of the simulator. It refuses what the real API would refuse."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.simulator.world import CodatClient, Simulator


@dataclass(frozen=True)
class Request:
    """One request, read."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True)
class Reply:
    """One answer. ``kind`` says for the log whether it was a ``read``, a ``write`` or a ``probe``."""

    status: int
    body: Any = None
    kind: str = "read"
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


def error(status: int, text: str, kind: str = "read") -> Reply:
    """An error as Codat words it."""
    return Reply(
        status,
        {
            "statusCode": status,
            "service": "ClientsApi",
            "error": text,
            "correlationId": uuid.uuid4().hex,
            "canBeRetried": "Unknown",
            "detailedErrorCode": 0,
        },
        kind,
    )


def answer(simulator: Simulator, request: Request) -> Reply:
    """Answer one request to Codat's API."""
    client = _authenticated(simulator, request)
    limits = simulator.limits(None if isinstance(client, Reply) else client)
    told = {
        "X-Rate-Limit-Limit": str(limits.limit),
        "X-Rate-Limit-Remaining": str(limits.remaining),
        "X-Rate-Limit-Reset": "00:00 UTC",
    }
    if limits.wait:
        reply = error(429, "Too many requests.", "read" if request.method == "GET" else "write")
        return replace(reply, headers={"Retry-After": str(limits.wait), **told})
    if isinstance(client, Reply):
        return client
    return replace(_answer(simulator, client, request), headers=told)


def _answer(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    for method, pattern, handle in _ROUTES:
        match = pattern.fullmatch(request.path)
        if match and method == request.method:
            if match.groupdict().get("key", ZOHO_BOOKS.key) != ZOHO_BOOKS.key or (
                "key" in match.groupdict() and not client.integration.offered
            ):
                return error(404, "Integration not found.")
            return handle(simulator, client, request)
    known = any(pattern.fullmatch(request.path) for _, pattern, _ in _ROUTES)
    kind = "read" if request.method == "GET" else "write"
    return error(405 if known else 404, "Method not allowed." if known else "Resource not found.", kind)


def _authenticated(simulator: Simulator, request: Request) -> CodatClient | Reply:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        key = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        key = ""
    client = simulator.codat.get(key) if scheme == "Basic" else None
    return client or error(401, "Unauthorized.")


def _masked(simulator: Simulator, name: str, value: str) -> str:
    if name == ZOHO_BOOKS.id_key and not simulator.switches.mask_client_id:
        return value
    if simulator.switches.mask == "opaque":
        return "*" * 8
    return "X" * (len(value) - 4) + value[-4:]


def _integration(simulator: Simulator, client: CodatClient) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": ZOHO_BOOKS.key,
        "logoUrl": "https://static.codat.io/public/officialLogos/Full/rwuv.png",
        "name": ZOHO_BOOKS.name,
        "enabled": client.integration.enabled,
        "sourceId": str(uuid.UUID(int=1)),
        "integrationId": client.integration.integration_id,
        "sourceType": "Accounting",
        "isOfflineConnector": False,
        "isBeta": False,
        "supportedEnvironments": "Live",
        "datatypeFeatures": [
            {"datatype": "invoices", "supportedFeatures": [{"featureType": "Get", "featureState": "Release"}]}
        ],
    }
    if simulator.switches.linked_count:
        found |= {"linkedConnectionsCount": client.linked, "totalConnectionsCount": client.linked + 1}
    return found


def _get_integration(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    return Reply(200, _integration(simulator, client))


def _list(results: list[Any], request: Request) -> Reply:
    query = parse_qs(request.query)
    try:
        page, size = (int(query.get(name, [default])[0]) for name, default in (("page", "1"), ("pageSize", "100")))
    except ValueError:
        return error(400, "page and pageSize must be numbers.")
    if page < 1 or not 1 <= size <= 2000:
        return error(400, "page or pageSize is out of range.")
    base = request.path
    links = {"self": {"href": base}, "current": {"href": f"{base}?page={page}&pageSize={size}"}}
    if page * size < len(results):
        links["next"] = {"href": f"{base}?page={page + 1}&pageSize={size}"}
    if page > 1:
        links["previous"] = {"href": f"{base}?page={page - 1}&pageSize={size}"}
    return Reply(
        200,
        {
            "results": results[(page - 1) * size : page * size],
            "pageNumber": page,
            "pageSize": size,
            "totalResults": len(results),
            "_links": links,
        },
    )


def _get_integrations(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    return _list([_integration(simulator, client)] if client.integration.offered else [], request)


def _get_companies(_: Simulator, client: CodatClient, request: Request) -> Reply:
    return _list(client.companies(), request)


def _get_sync_settings(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    if not simulator.switches.client_told:
        return error(403, "Forbidden.")
    return Reply(200, {"clientId": client.id, "settings": [], "overridesDefaults": False})


def _get_profile(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    if not simulator.switches.client_told:
        return error(403, "Forbidden.")
    return Reply(
        200,
        {
            "name": client.name,
            "redirectUrl": "https://example.com/linked",
            "apiKey": client.api_key,  # Deprecated, and still sent in clear.
        },
    )


def _get_keys(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    keys = client.integration.keys
    if not simulator.switches.keys_shown:
        return error(404, "NotFound")
    if keys:
        return Reply(200, {name: _masked(simulator, name, value) for name, value in keys.items()})
    return _absent(simulator)


def _absent(simulator: Simulator) -> Reply:
    match simulator.switches.absent_keys:
        case "404":
            return error(404, "No credentials found.")
        case "204":
            return Reply(204)
        case _:
            return Reply(200, {})


def _put_enabled(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    if not simulator.switches.writes_offered:
        return error(404, "Resource not found.", "write")
    body = _json(request)
    if not isinstance(body, dict) or set(body) != {"enabled"} or not isinstance(body["enabled"], bool):
        return error(400, "The body must be an object with a boolean 'enabled'.", "write")
    client.integration.enabled = body["enabled"]
    if not body["enabled"] and not simulator.switches.disabling_keeps_keys:
        client.integration.keys.clear()
    return Reply(200, _integration(simulator, client), "write", detail="enable" if body["enabled"] else "disable")


def _put_keys(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    if not simulator.switches.writes_offered:
        return error(404, "Resource not found.", "write")
    body = _json(request)
    if not isinstance(body, dict) or not body or not all(isinstance(v, str) and v for v in body.values()):
        return error(400, "The body must be an object of non-empty strings.", "write")
    if any(re.search(r"\s", value) for value in body.values()):
        return error(400, "Secure keys must not contain any spaces.", "write")
    if any(re.match(r"X{4}|\*{4}", value) for value in body.values()):
        return error(400, "A masked value was sent as a key.", "write")
    stored = client.integration.keys
    if simulator.switches.saving == "replace":
        stored.clear()
    stored.update(body)
    if not simulator.switches.saving_keeps_enabled:
        client.integration.enabled = True
    shown = {name: _masked(simulator, name, value) for name, value in stored.items()}
    return Reply(200, shown, "write", detail="save keys")


def _delete_keys(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    if not simulator.switches.writes_offered:
        return error(404, "Resource not found.", "write")
    if not client.integration.keys and simulator.switches.absent_keys == "404":
        return error(404, "No credentials found.", "write")
    client.integration.keys.clear()
    return Reply(200, {}, "write", detail="delete keys")


def _json(request: Request) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return None
    try:
        return json.loads(request.body)
    except ValueError:
        return None


_Handler = Callable[[Simulator, CodatClient, Request], Reply]
_ROUTES: tuple[tuple[str, re.Pattern[str], _Handler], ...] = tuple(
    (method, re.compile(pattern.replace("{key}", r"(?P<key>[a-z]{4})")), handle)
    for method, pattern, handle in (
        ("GET", "/integrations", _get_integrations),
        ("GET", "/integrations/{key}", _get_integration),
        ("PUT", "/integrations/{key}/enabled", _put_enabled),
        ("GET", "/integrations/credentials/{key}", _get_keys),
        ("PUT", "/integrations/credentials/{key}", _put_keys),
        ("DELETE", "/integrations/credentials/{key}", _delete_keys),
        ("GET", "/companies", _get_companies),
        ("GET", "/profile", _get_profile),
        ("GET", "/profile/syncSettings", _get_sync_settings),
    )
)

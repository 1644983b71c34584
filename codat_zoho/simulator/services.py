"""What the simulated services answer: Codat refuses what the real API would refuse, and Zoho sends errors with 200."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.simulator import linking
from codat_zoho.simulator.messages import Reply, Request, error, page
from codat_zoho.simulator.world import CodatClient, Simulator

# --- Codat ---


def codat(simulator: Simulator, request: Request) -> Reply:
    """Answer one request to Codat's API."""
    client = _authenticated(simulator, request)
    limit, remaining, wait = simulator.limits(client)
    budget = {"Limit": str(limit), "Remaining": str(remaining), "Reset": _next_midnight(simulator)}
    headers = {f"X-Rate-Limit-{name}": value for name, value in budget.items()}
    if wait:
        return replace(error(429, "Too many requests."), headers={"Retry-After": str(wait), **headers})
    if client is None:
        return error(401, "Unauthorized.")
    return replace(_route(simulator, client, request), headers=headers)


def _next_midnight(simulator: Simulator) -> str:
    day = datetime.fromtimestamp(simulator.clock(), timezone.utc).date() + timedelta(days=1)
    return f"{day}T00:00:00Z"


def _authenticated(simulator: Simulator, request: Request) -> CodatClient | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        key = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return None
    return simulator.codat.get(key) if scheme == "Basic" else None


def _route(simulator: Simulator, client: CodatClient, given: Request) -> Reply:
    if (answered := linking.answer(simulator, client, given)) is not None:
        return answered
    parts = given.path.removesuffix("/").split("/")
    key = ZOHO_BOOKS.key
    request = replace(given, path="/".join(key if part.lower() == key else part for part in parts))
    if request.path not in _PATHS:
        return error(404, "Resource not found.")
    if request.method not in _PATHS[request.path]:
        return error(405, "Method not allowed.")
    if ZOHO_BOOKS.key in request.path and not client.integration.offered:
        return error(404, "Integration not found.")
    if request.method != "GET" and not simulator.switches.writes_offered:
        return error(404, "Resource not found.")
    if request.path.startswith("/profile") and not simulator.switches.client_told:
        return error(403, "Forbidden.")
    return _PATHS[request.path][request.method](simulator, client, request)


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
        "supportedEnvironments": "LiveAndSandbox",
        "datatypeFeatures": [
            {"datatype": "invoices", "supportedFeatures": [{"featureType": "Get", "featureState": "Release"}]}
        ],
    }
    if simulator.switches.linked_count:
        found |= {"linkedConnectionsCount": client.linked, "totalConnectionsCount": len(client.connections())}
    return found


def _shown(simulator: Simulator, client: CodatClient) -> dict[str, str]:
    """The stored keys, masked."""
    switches = simulator.switches
    shown = dict(client.integration.keys)
    for name, value in shown.items():
        if name != ZOHO_BOOKS.id_key or switches.mask_client_id:
            shown[name] = "*" * 8 if switches.mask == "opaque" else "X" * (len(value) - 4) + value[-4:]
    return shown


def _get_keys(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    if not simulator.switches.keys_shown:
        return error(404, "NotFound")
    absent = simulator.switches.absent_keys
    if client.integration.keys or absent == "empty":
        return Reply(200, _shown(simulator, client))
    return Reply(204) if absent == "204" else error(404, "No credentials found.")


def _put_enabled(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    body = request.json()
    if not isinstance(body, dict) or set(body) != {"enabled"} or not isinstance(body["enabled"], bool):
        return error(400, "The body must be an object with a boolean 'enabled'.")
    client.integration.enabled = body["enabled"]
    if not body["enabled"] and not simulator.switches.disabling_keeps_keys:
        client.integration.keys.clear()
    return Reply(200, _integration(simulator, client), detail="enable" if body["enabled"] else "disable")


def _put_keys(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    body = request.json()
    if not isinstance(body, dict) or not body or not all(isinstance(v, str) and v for v in body.values()):
        return error(400, "The body must be an object of non-empty strings.")
    if any(re.search(r"\s", value) for value in body.values()):
        return error(400, "Secure keys must not contain any spaces.")
    if any(re.match(r"X{4}|\*{4}", value) for value in body.values()):
        return error(400, "A masked value was sent as a key.")
    if simulator.switches.saving == "replace":
        client.integration.keys.clear()
    client.integration.keys.update(body)
    if not simulator.switches.saving_keeps_enabled:
        client.integration.enabled = True
    return Reply(200, _shown(simulator, client), detail="save keys")


def _delete_keys(simulator: Simulator, client: CodatClient, _: Request) -> Reply:
    if not client.integration.keys and simulator.switches.absent_keys == "404":
        return error(404, "No credentials found.")
    client.integration.keys.clear()
    return Reply(200, {}, detail="delete keys")


def _get_integrations(simulator: Simulator, client: CodatClient, request: Request) -> Reply:
    return page([_integration(simulator, client)] if client.integration.offered else [], request)


def _get_profile(_: Simulator, client: CodatClient, __: Request) -> Reply:
    # The key is deprecated there, and still sent in clear.
    return Reply(200, {"name": client.name, "redirectUrl": "https://example.com/linked", "apiKey": client.api_key})


def _get_sync_settings(_: Simulator, client: CodatClient, __: Request) -> Reply:
    return Reply(200, {"clientId": client.id, "settings": [], "overridesDefaults": False})


_PATHS: dict[str, dict[str, Callable[[Simulator, CodatClient, Request], Reply]]] = {
    "/integrations": {"GET": _get_integrations},
    f"/integrations/{ZOHO_BOOKS.key}": {
        "GET": lambda simulator, client, _: Reply(200, _integration(simulator, client))
    },
    f"/integrations/{ZOHO_BOOKS.key}/enabled": {"PUT": _put_enabled},
    f"/integrations/credentials/{ZOHO_BOOKS.key}": {"GET": _get_keys, "PUT": _put_keys, "DELETE": _delete_keys},
    "/profile": {"GET": _get_profile},
    "/profile/syncSettings": {"GET": _get_sync_settings},
}


# --- Zoho ---


def zoho(simulator: Simulator, request: Request) -> Reply:
    """Answer one request to ``/<data centre>/oauth/v2/token``."""
    code, _, rest = request.path.removeprefix("/").partition("/")
    if code not in DATA_CENTRES or rest != "oauth/v2/token" or request.method != "POST":
        return Reply(404, {"error": "not found"})
    if request.query:
        return Reply(400, {"error": "the simulator takes secrets in the body only"})
    form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace")).items()}
    missing = {"grant_type", "refresh_token", "client_id", "client_secret"} - set(form)
    if missing or form["grant_type"] != "refresh_token":
        return Reply(400, {"error": "invalid_request"})
    client = simulator.zoho.get(form["client_id"])
    if client and code in client.throttled:
        text = "You have made too many requests continuously. Please try again after some time."
        return Reply(400, {"error_description": text, "error": "Access Denied", "status": "failure"})
    if not simulator.switches.zoho_client_before_token:
        answer = "invalid_code"
    elif client is None:
        answer = "invalid_client"
    elif code not in client.enabled:
        answer = simulator.switches.zoho_disabled
    elif form["client_secret"] != client.secret_at(code):
        answer = simulator.switches.zoho_wrong_secret
    else:
        answer = "invalid_code"
    return Reply(200, {"error": answer}, detail=answer)

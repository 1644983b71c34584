"""The control interface: what a person does in the Portal or in Zoho's console, and faults, over HTTP as JSON.

========  ==================  =============================================================================
method    path                what
========  ==================  =============================================================================
GET       /_control/calls     the log, oldest first
DELETE    /_control/calls     empty the log
GET       /_control/state     Codat and Zoho clients and switches, secrets shown as ``ends in``
PUT       /_control/codat     ``{"apiKey", "enabled"?, "clientId"?, "clientSecret"?, "linked"?, "offered"?}``
PUT       /_control/zoho      ``{"clientId", "secret"?, "enabled"?: [codes], "sameCredentials"?, "throttled"?:
[codes]}`` PUT       /_control/switches  fields of ``Switches``
POST      /_control/faults    fields of ``Fault`` (``body`` as text)
DELETE    /_control/faults    no more faults
========  ==================  =============================================================================

A client that is not there yet is added.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from codat_zoho.simulator.codat import Reply, Request
from codat_zoho.simulator.faults import Fault
from codat_zoho.simulator.world import Simulator, Switches

__all__ = ["answer"]


def answer(simulator: Simulator, request: Request) -> Reply:
    """Answer one control request; a wrong one gets 400 and the reason."""
    try:
        body = json.loads(request.body) if request.body else {}
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        handle = _ROUTES.get((request.method, request.path))
        if handle is None:
            return Reply(404, {"error": "unknown control path", "known": [f"{m} /_control{p}" for m, p in _ROUTES]})
        return Reply(200, handle(simulator, body))
    except (ValueError, TypeError, KeyError) as problem:
        return Reply(400, {"error": f"{type(problem).__name__}: {problem}"})


def _calls(simulator: Simulator, _: dict[str, Any]) -> Any:
    return [asdict(call) for call in simulator.calls]


def _forget(simulator: Simulator, _: dict[str, Any]) -> Any:
    simulator.forget_calls()
    return {}


def _state(simulator: Simulator, _: dict[str, Any]) -> Any:
    return {
        "codat": [
            {
                "enabled": client.integration.enabled,
                "clientId": client.integration.keys.get("clientId"),
                "clientSecret": _ends(client.integration.keys.get("clientSecret")),
                "linked": client.linked,
            }
            for client in simulator.codat.values()
        ],
        "zoho": [
            {"clientId": client.client_id, "secret": _ends(client.secret), "enabled": sorted(client.enabled)}
            for client in simulator.zoho.values()
        ],
        "switches": asdict(simulator.switches),
    }


def _ends(secret: str | None) -> str | None:
    return f"ends in {secret[-4:]}" if secret else None


def _put_codat(simulator: Simulator, body: dict[str, Any]) -> Any:
    key = _taken(body, "apiKey", str)
    client = simulator.codat.get(key) or simulator.add_codat_client(key)
    integration = client.integration
    if "enabled" in body:
        integration.enabled = _taken(body, "enabled", bool)
    if "offered" in body:
        integration.offered = _taken(body, "offered", bool)
    if "linked" in body:
        client.linked = _taken(body, "linked", int)
    for name in ("clientId", "clientSecret"):
        if name in body:
            value = body.pop(name)
            integration.keys.update({name: value}) if value else integration.keys.pop(name, None)
    return _no_more(body)


def _put_zoho(simulator: Simulator, body: dict[str, Any]) -> Any:
    client_id = _taken(body, "clientId", str)
    client = simulator.zoho.get(client_id) or simulator.add_zoho_client(client_id, "")
    if "secret" in body:
        client.secret = _taken(body, "secret", str)
    if "sameCredentials" in body:
        client.same_credentials = _taken(body, "sameCredentials", bool)
    if "enabled" in body:
        client.enabled = set(_taken(body, "enabled", list))
    if "throttled" in body:
        client.throttled = set(_taken(body, "throttled", list))
    return _no_more(body)


def _put_switches(simulator: Simulator, body: dict[str, Any]) -> Any:
    known = {field.name for field in fields(Switches)}
    if set(body) - known:
        raise ValueError(
            f"no such switch: {', '.join(sorted(set(body) - known))}; there are {', '.join(sorted(known))}"
        )
    for name, value in body.items():
        setattr(simulator.switches, name, value)
    return asdict(simulator.switches)


def _post_fault(simulator: Simulator, body: dict[str, Any]) -> Any:
    if isinstance(body.get("body"), str):
        body["body"] = body["body"].encode()
    simulator.fail(Fault(**body))
    return {}


def _no_faults(simulator: Simulator, _: dict[str, Any]) -> Any:
    simulator.faults.clear()
    return {}


def _taken(body: dict[str, Any], name: str, kind: type) -> Any:
    value = body.pop(name)
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be of type {kind.__name__}")
    return value


def _no_more(body: dict[str, Any]) -> Any:
    if body:
        raise ValueError(f"unknown: {', '.join(sorted(body))}")
    return {}


_ROUTES = {
    ("GET", "/calls"): _calls,
    ("DELETE", "/calls"): _forget,
    ("GET", "/state"): _state,
    ("PUT", "/codat"): _put_codat,
    ("PUT", "/zoho"): _put_zoho,
    ("PUT", "/switches"): _put_switches,
    ("POST", "/faults"): _post_fault,
    ("DELETE", "/faults"): _no_faults,
}

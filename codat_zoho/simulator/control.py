"""The control interface: what a person does in the Portal or in Zoho's console, and faults, over HTTP as JSON.

=======  ===================  ==========================================================================================
method   path                 what
=======  ===================  ==========================================================================================
GET      /_control/calls      the log, oldest first
DELETE   /_control/calls      empty the log
GET      /_control/state      Codat and Zoho clients and switches, secrets shown as ``ends in``
PUT      /_control/codat      ``{"apiKey", "enabled"?, "clientId"?, "clientSecret"?, "linked"?, "offered"?, "name"?}``
PUT      /_control/zoho       ``{"clientId", "secret"?, "enabled"?: [code], "sameCredentials"?, "throttled"?: [code],
                              "name"?, "redirectUris"?: [URI]}``
POST     /_control/link       ``{"outcome", "connectionId"?, "dataCentre"?, "error"?}``: without a browser, see below
POST     /_control/data       ``{"connectionId"?, "dataTypes"?: [type], "currentStatus"?}``: let data arrive
PUT      /_control/switches   fields of ``Switches``
POST     /_control/faults     fields of ``Fault`` (``body`` as text)
DELETE   /_control/faults     no more faults
=======  ===================  ==========================================================================================

A key that is null is removed. A wrong request changes nothing.
A client that is not there yet is added.

The outcomes of ``link``: ``consent`` goes the way of a person of ``dataCentre`` (``us``) who consents, with all that
Codat and Zoho refuse on it; ``refused`` that of one who does not; ``linked``, ``unlinked`` and ``deauthorized`` set the
status, whatever Zoho says; ``error`` reports ``error`` on the connection. The answer has ``outcome``, what a person
reads (``text``), and the ``status`` of the connection. ``link`` and ``data`` mean the newest connection unless told
which. ``data`` sets all data types to ``Complete`` unless told otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.simulator import consent
from codat_zoho.simulator.companies import DATA_TYPES, SYNC_STATUSES, View
from codat_zoho.simulator.consent import Found
from codat_zoho.simulator.messages import Reply, Request
from codat_zoho.simulator.screens import OUTCOMES
from codat_zoho.simulator.switches import Switches
from codat_zoho.simulator.world import Fault, Simulator


def answer(simulator: Simulator, request: Request) -> Reply:
    """Answer one control request; a wrong one gets 400 and the reason."""
    try:
        body = json.loads(request.body) if request.body else {}
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        handle = _ROUTES.get((request.method, request.path))
        if handle is None:
            return Reply(404, {"error": "unknown control path", "known": [f"{m} /_control{p}" for m, p in _ROUTES]})
        done = handle(simulator, body)
        return Reply(200, {} if done is None else done)
    except (ValueError, RecursionError) as problem:
        return Reply(400, {"error": str(problem)})


def _calls(simulator: Simulator, _: dict[str, Any]) -> Any:
    return [asdict(call) for call in simulator.calls]


def _state(simulator: Simulator, _: dict[str, Any]) -> Any:
    return {
        "codat": [
            {
                "enabled": client.integration.enabled,
                "clientId": client.integration.keys.get("clientId"),
                "clientSecret": _ends(client.integration.keys.get("clientSecret")),
                "linked": client.linked,
                "id": client.id,
                "name": client.name,
                "apiKey": _ends(key),
            }
            for key, client in simulator.codat.items()
        ],
        "zoho": [
            {
                "clientId": client.client_id,
                "secret": _ends(client.secret),
                "enabled": sorted(client.enabled),
                "redirectUris": sorted(client.redirect_uris),
            }
            for client in simulator.zoho.values()
        ],
        "switches": asdict(simulator.switches),
    }


def _ends(secret: str | None) -> str | None:
    return f"ends in {secret[-4:]}" if secret else None


_CODAT = {
    "apiKey": str,
    "enabled": bool,
    "clientId": str | None,
    "clientSecret": str | None,
    "linked": int,
    "offered": bool,
    "name": str,
}
_ZOHO = {
    "clientId": str,
    "secret": str,
    "enabled": list[str],
    "sameCredentials": bool,
    "throttled": list[str],
    "name": str,
    "redirectUris": list[str],
}
_LINK = {
    "outcome": Literal["consent", "refused", "linked", "unlinked", "deauthorized", "error"],
    "connectionId": str,
    "dataCentre": str,
    "error": str,
}
_DATA = {"connectionId": str, "dataTypes": list[str], "currentStatus": Literal[SYNC_STATUSES]}
_MOST_LINKED = 100_000


def _put_codat(simulator: Simulator, body: dict[str, Any]) -> None:
    given = checked(_CODAT, body, "apiKey")
    if given.get("linked", 0) < 0:
        raise ValueError("linked must not be negative")
    if given.get("linked", 0) > _MOST_LINKED:
        raise ValueError(f"linked must be at most {_MOST_LINKED}")
    key = given.pop("apiKey")
    client = simulator.codat.get(key) or simulator.add_codat_client(key)
    for name, value in given.items():
        if name in ("linked", "name"):
            setattr(client, name, value)
        elif name in ("enabled", "offered"):
            setattr(client.integration, name, value)
        elif value:
            client.integration.keys[name] = value
        else:
            client.integration.keys.pop(name, None)


def _put_zoho(simulator: Simulator, body: dict[str, Any]) -> None:
    given = checked(_ZOHO, body, "clientId")
    unknown = {*given.get("enabled", ()), *given.get("throttled", ())} - set(DATA_CENTRES)
    if unknown:
        raise ValueError(f"no such data centre: {', '.join(sorted(unknown))}; there are {', '.join(DATA_CENTRES)}")
    client_id = given["clientId"]
    client = simulator.zoho.get(client_id) or simulator.add_zoho_client(client_id, "")
    client.secret = given.get("secret", client.secret)
    client.same_credentials = given.get("sameCredentials", client.same_credentials)
    client.enabled = set(given.get("enabled", client.enabled))
    client.throttled = set(given.get("throttled", client.throttled))
    client.name = given.get("name", client.name)
    client.redirect_uris = set(given.get("redirectUris", client.redirect_uris))


def _connection(simulator: Simulator, given: dict[str, Any]) -> Found:
    found = consent.connections(simulator)
    if wanted := given.get("connectionId"):
        found = [one for one in found if one.connection.id == wanted]
    else:
        found = [one for one in found if not one.company.ready_made]
    if not found:
        raise ValueError("there is no such connection" if wanted else "no connection was created")
    return found[-1]


def _post_link(simulator: Simulator, body: dict[str, Any]) -> Any:
    given = checked(_LINK, body, "outcome")
    outcome, data_centre = given["outcome"], given.get("dataCentre", "us")
    if data_centre not in DATA_CENTRES:
        raise ValueError(f"no such data centre: {data_centre}; there are {', '.join(DATA_CENTRES)}")
    found = _connection(simulator, given)
    connection, text = found.connection, ""
    if outcome == "consent":
        outcome = consent.consented(simulator, found, data_centre)
    elif outcome in ("linked", "refused"):
        consent.settle(simulator, connection, outcome)
    elif outcome == "error":
        text = given.get("error", "Something went wrong.")
        consent.report(connection, simulator.clock(), 500, "Error", text)
    else:
        connection.status = "Unlinked" if outcome == "unlinked" else "Deauthorized"
    if outcome in OUTCOMES:
        text = OUTCOMES[outcome].text
    return {"outcome": outcome, "text": text, "status": connection.status}


def _post_data(simulator: Simulator, body: dict[str, Any]) -> Any:
    given = checked(_DATA, body)
    kinds = given.get("dataTypes", DATA_TYPES)
    if unknown := [one for one in kinds if one not in DATA_TYPES]:
        raise ValueError(f"no such data type: {', '.join(unknown)}; there are {', '.join(DATA_TYPES)}")
    found = _connection(simulator, given)
    if found.connection.linked_at is None:
        raise ValueError("this connection was never linked")
    found.connection.data |= dict.fromkeys(kinds, given.get("currentStatus", "Complete"))
    return found.connection.datasets(View("", simulator.clock(), simulator.switches))


def _put_switches(simulator: Simulator, body: dict[str, Any]) -> Any:
    for name, value in checked(get_type_hints(Switches), body).items():
        setattr(simulator.switches, name, value)
    return asdict(simulator.switches)


def _post_fault(simulator: Simulator, body: dict[str, Any]) -> None:
    given = checked(get_type_hints(Fault) | {"body": str | None}, body)
    if given.get("body") is not None:
        given["body"] = given["body"].encode()
    simulator.fail(Fault(**given))


_ROUTES: dict[tuple[str, str], Callable[[Simulator, dict[str, Any]], Any]] = {
    ("GET", "/calls"): _calls,
    ("DELETE", "/calls"): lambda simulator, _: simulator.forget_calls(),
    ("GET", "/state"): _state,
    ("PUT", "/codat"): _put_codat,
    ("PUT", "/zoho"): _put_zoho,
    ("PUT", "/switches"): _put_switches,
    ("POST", "/link"): _post_link,
    ("POST", "/data"): _post_data,
    ("POST", "/faults"): _post_fault,
    ("DELETE", "/faults"): lambda simulator, _: simulator.faults.clear(),
}


def checked(known: Mapping[str, Any], body: dict[str, Any], *needed: str) -> dict[str, Any]:
    """Return the body, or raise ValueError where it misses something, or has something unknown or of another type."""
    problems = [f"{name} is missing" for name in needed if name not in body]
    for name, value in body.items():
        if name not in known:
            problems.append(f"no such field: {name}; there are {', '.join(known)}")
        elif not _fits(known[name], value):
            problems.append(f"{name} must be {_words(known[name])}")
    if problems:
        raise ValueError("; ".join(problems))
    return body


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(kind, UnionType):
        return any(_fits(one, value) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is list:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if get_origin(kind) is Mapping:
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _words(kind: Any) -> str:
    if isinstance(kind, UnionType):
        return " or ".join(map(_words, get_args(kind)))
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    return _KINDS[get_origin(kind) or kind]


_KINDS: dict[Any, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
    list: "a list of texts",
    Mapping: "a map of texts",
}

"""The WSGI application: Codat below ``/codat``, Zoho below ``/zoho/<data centre>``, control below ``/_control``."""

from __future__ import annotations

import http
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codat_zoho.simulator import codat, control, zoho
from codat_zoho.simulator.codat import Reply, Request
from codat_zoho.simulator.faults import Dropped, Fault
from codat_zoho.simulator.world import Call, Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SERVICES = {"codat": codat.answer, "zoho": zoho.answer}


class App:
    """Serves one :class:`Simulator`."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a WSGI request.

        Raises:
            Dropped: a fault cuts the connection.
        """
        request = _request(environ)
        service, _, rest = request.path.removeprefix("/").partition("/")
        inner = Request(request.method, f"/{rest}", request.query, request.headers, request.body)
        with self.simulator.lock:
            if service == "_control":
                reply, fault = control.answer(self.simulator, inner), None
            elif service in _SERVICES:
                fault = next((f for f in self.simulator.faults if f.strikes(request.method, request.path)), None)
                reply = self._reply(service, inner, fault)
            else:
                reply, fault = (
                    Reply(404, {"error": "The simulator serves /codat, /zoho/<data centre> and /_control."}),
                    None,
                )
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.drop:
            raise Dropped
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        content_type = "application/json"
        if fault and fault.body is not None:
            body, content_type = fault.body, fault.content_type
        headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **reply.headers}
        headers |= dict(fault.headers) if fault else {}
        start_response(f"{reply.status} {_phrase(reply.status)}", list(headers.items()))
        return [body]

    def _reply(self, service: str, request: Request, fault: Fault | None) -> Reply:
        if fault and (fault.status or fault.drop) and not fault.after:
            guessed = "probe" if service == "zoho" else "read" if request.method == "GET" else "write"
            reply = codat.error(fault.status or 0, "An injected fault.", guessed)
        else:
            reply = _SERVICES[service](self.simulator, request)
            if fault and fault.status:
                reply = replace(reply, status=fault.status)
        self.simulator.calls.append(
            Call(
                service,
                reply.kind,
                request.method,
                request.path,
                0 if fault and fault.drop else reply.status,
                reply.detail,
            )
        )
        return reply


def _request(environ: WSGIEnvironment) -> Request:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    told = environ.get("CONTENT_LENGTH", "")
    length = int(told) if told.isdecimal() else 0
    stream: Any = environ["wsgi.input"]
    return Request(
        environ["REQUEST_METHOD"],
        environ.get("PATH_INFO", "/"),
        environ.get("QUERY_STRING", ""),
        headers,
        stream.read(length) if length else b"",
    )


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

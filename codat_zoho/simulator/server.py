"""Serves the simulator on loopback: Codat below ``/codat``, Zoho below ``/zoho``, control below ``/_control``.

Pages for a person who links are below ``/link``, the only ones that a browser gets more of than from its address bar.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote
from weakref import WeakSet

from codat_zoho.simulator import control, pages, screens, services
from codat_zoho.simulator.messages import Reply, Request, error
from codat_zoho.simulator.world import Call, Dropped, Fault, Simulator

_SERVICES = {"codat": services.codat, "zoho": services.zoho, "link": pages.answer}
_KINDS = {"codat": "write", "zoho": "probe", "link": "page"}
_NOTHING_WRONG = Fault()
_LONGEST_BODY = 1 << 20
_HOSTS = ("127.0.0.1", "localhost", "[::1]")
# An injected body may hold anything: should a browser come by one, it shows it as nothing but text.
_POLICY = "sandbox; default-src 'none'"
_OWN = ("x-content-type-options", "content-security-policy", "content-length")
"""What no fault decides, in whatever case."""


class Response(NamedTuple):
    """What goes over the wire."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    policy: str = _POLICY


App = Callable[[Request], Response]


def respond(simulator: Simulator, whole: Request) -> Response:
    """Answer a request to any of the services, or raise Dropped where a fault cuts the connection."""
    service, _, rest = whole.path.removeprefix("/").partition("/")
    request = replace(whole, path=f"/{rest}")
    fault = _NOTHING_WRONG
    with simulator.lock:
        if service == "_control":
            reply = control.answer(simulator, request)
        elif service in _SERVICES:
            fault = next((one for one in simulator.faults if one.strikes(whole.method, whole.path)), _NOTHING_WRONG)
            reply = _reply(simulator, service, request, fault)
        else:
            reply = Reply(404, {"error": "The simulator serves /codat, /zoho/<data centre>, /link and /_control."})
    if fault.delay:
        time.sleep(fault.delay)
    if fault.drop:
        raise Dropped
    content_type, policy = "application/json", _POLICY
    if fault.body is not None:
        content, content_type = fault.body, fault.content_type
    elif isinstance(reply.body, bytes):
        content, content_type, policy = reply.body, "text/html; charset=utf-8", screens.POLICY
    else:
        content = b"" if reply.body is None else json.dumps(reply.body).encode()
    return Response(reply.status, {"Content-Type": content_type, **reply.headers, **fault.headers}, content, policy)


def _reply(simulator: Simulator, service: str, request: Request, fault: Fault) -> Reply:
    if (fault.status or fault.drop) and not fault.after:
        reply = error(fault.status or 0, "An injected fault.")
    else:
        reply = _SERVICES[service](simulator, request)
        reply = replace(reply, status=fault.status or reply.status)
    kind = "read" if request.method == "GET" and service != "link" else _KINDS[service]
    status = 0 if fault.drop else reply.status
    simulator.calls.append(Call(service, kind, request.method, request.path, status, reply.detail))
    return reply


class Server(http.server.ThreadingHTTPServer):
    """One app on a port of 127.0.0.1; 0 takes a free one. The app can be replaced while the server runs."""

    request_queue_size = 64

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self._connections: WeakSet[socket.socket] = WeakSet()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, as the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection: clients keep theirs open."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        """Close, and cut what is still open: nobody must be served by a server that has ended."""
        super().server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a dropped connection, is nothing to print."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # A whole answer in one packet,
    disable_nagle_algorithm = True  # sent at once.

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the simulator keeps its own log."""

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        length = self.headers.get("Content-Length") or "0"
        size = int(length[:20]) if length.isdecimal() else 0
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or size > _LONGEST_BODY:
            self.close_connection = True  # Where this request ends is not known, or too far.
        headers = {name.lower(): value for name, value in self.headers.items()}
        if refused := _refused(path, headers, size):
            self.close_connection = True
            self._send(Response(*refused))
            return
        request = Request(self.command, unquote(path, "iso-8859-1"), query, headers, self.rfile.read(size))
        try:
            response = self.server.app(request)
        except Dropped:
            self.close_connection = True
            return
        self._send(response)

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status, http.client.responses.get(response.status, "Unknown"))
        given = {name: value for name, value in response.headers.items() if name.lower() not in _OWN}
        guards = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": response.policy}
        for name, value in {"Date": self.date_time_string(), **given, **guards}.items():
            self.send_header(name, value)
        # Where no body belongs, one would be taken for the next answer.
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(response.content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815


def _refused(path: str, headers: Mapping[str, str], size: int) -> tuple[int, Mapping[str, str], bytes] | None:
    """Why a request is not even looked at: a page in a browser sent it, or its body is longer than any real one.

    A page of another site that has its own name resolved to this machine gives itself away by the host that it names.
    Only the simulator's own pages may be followed and sent from one another.
    """
    own = path.startswith("/link/")
    origins = (None, f"http://{headers.get('host')}") if own else (None,)
    sites = ("none", "same-origin") if own else ("none",)
    host = re.sub(r":\d*$", "", headers.get("host", ""))
    if size > _LONGEST_BODY:
        status, why = 413, f"The simulator takes no body longer than {_LONGEST_BODY >> 20} MiB."
    elif host.lower() not in _HOSTS:
        status, why = 403, f"The simulator is for this machine: address it as one of {', '.join(_HOSTS)}."
    elif headers.get("origin") not in origins or headers.get("sec-fetch-site", "none") not in sites:
        status, why = 403, "The simulator answers no page in a browser."
    else:
        return None
    content = json.dumps({"error": why}).encode()
    return status, {"Content-Type": "application/json"}, content


def make_server(simulator: Simulator, port: int = 0) -> Server:
    """Bind a server to 127.0.0.1; port 0 takes a free one. Call its ``serve_forever``."""
    return Server(partial(respond, simulator), port)


@contextlib.contextmanager
def serve(simulator: Simulator) -> Iterator[str]:
    """Serve from a thread, and give the base address: Codat is at ``<base>/codat``, Zoho at ``<base>/zoho``."""
    server = make_server(simulator)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Serves the simulator on loopback: Codat below ``/codat``, Zoho below ``/zoho``, control below ``/_control``."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from weakref import WeakSet

from codat_zoho.simulator import control, services
from codat_zoho.simulator.services import Reply, Request
from codat_zoho.simulator.world import Call, Dropped, Fault, Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SERVICES = {"codat": services.codat, "zoho": services.zoho}
_NOTHING_WRONG = Fault()


class App:
    """Serves one :class:`Simulator` as a WSGI application."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a WSGI request, or raise Dropped where a fault cuts the connection."""
        whole = _request(environ)
        service, _, rest = whole.path.removeprefix("/").partition("/")
        request = replace(whole, path=f"/{rest}")
        fault = _NOTHING_WRONG
        with self.simulator.lock:
            if service == "_control":
                reply = control.answer(self.simulator, request)
            elif service in _SERVICES:
                striking = (one for one in self.simulator.faults if one.strikes(whole.method, whole.path))
                fault = next(striking, _NOTHING_WRONG)
                reply = self._reply(service, request, fault)
            else:
                reply = Reply(404, {"error": "The simulator serves /codat, /zoho/<data centre> and /_control."})
        if fault.delay:
            time.sleep(fault.delay)
        if fault.drop:
            raise Dropped
        body, content_type = b"" if reply.body is None else json.dumps(reply.body).encode(), "application/json"
        if fault.body is not None:
            body, content_type = fault.body, fault.content_type
        headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **reply.headers, **fault.headers}
        start_response(f"{reply.status} {http.client.responses.get(reply.status, 'Unknown')}", list(headers.items()))
        return [body]

    def _reply(self, service: str, request: Request, fault: Fault) -> Reply:
        if (fault.status or fault.drop) and not fault.after:
            reply = services.error(fault.status or 0, "An injected fault.")
        else:
            reply = _SERVICES[service](self.simulator, request)
            reply = replace(reply, status=fault.status or reply.status)
        kind = "probe" if service == "zoho" else "write"
        if request.method == "GET":
            kind = "read"
        status = 0 if fault.drop else reply.status
        self.simulator.calls.append(Call(service, kind, request.method, request.path, status, reply.detail))
        return reply


def _request(environ: WSGIEnvironment) -> Request:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    told = environ.get("CONTENT_LENGTH", "")
    body: bytes = environ["wsgi.input"].read(int(told)) if told.isdecimal() else b""
    path, query = environ.get("PATH_INFO", "/"), environ.get("QUERY_STRING", "")
    return Request(environ["REQUEST_METHOD"], path, query, headers, body)


class Server(http.server.ThreadingHTTPServer):
    """One app on a port of 127.0.0.1; 0 takes a free one. The app can be replaced while the server runs."""

    request_queue_size = 64

    def __init__(self, app: WSGIApplication, port: int) -> None:
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
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length or "0").isdecimal():
            self.close_connection = True  # Where this request ends is not known.
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path, "iso-8859-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": length,
            "wsgi.input": self.rfile,
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        try:
            for part in self.server.app(environ, self._start):
                self.wfile.write(part)
        except Dropped:
            self.close_connection = True

    def _start(self, status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        code, _, phrase = status.partition(" ")
        self.send_response_only(int(code), phrase)
        if not any(name.lower() == "date" for name, _ in headers):
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815


def make_server(simulator: Simulator, port: int = 0) -> Server:
    """Bind a server to 127.0.0.1; port 0 takes a free one. Call its ``serve_forever``."""
    return Server(App(simulator), port)


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

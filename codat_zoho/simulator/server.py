"""Serves the simulator over a socket, on loopback only."""

from __future__ import annotations

import contextlib
import http.server
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from codat_zoho.simulator.app import App
from codat_zoho.simulator.faults import Dropped
from codat_zoho.simulator.world import Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Server(http.server.ThreadingHTTPServer):
    """One app on a port of 127.0.0.1.

    Args:
        app: what answers; it can be replaced while the server runs.
        port: 0 takes a free one.
    """

    request_queue_size = 64

    def __init__(self, app: WSGIApplication, port: int) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, as the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection: clients keep theirs open."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

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

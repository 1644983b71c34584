"""Serves the simulator over a socket, on loopback only."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from codat_zoho.simulator.app import App
from codat_zoho.simulator.faults import Dropped
from codat_zoho.simulator.world import Simulator

__all__ = ["make_server", "serve"]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, as the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a dropped connection, is nothing to print."""


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the simulator keeps its own log."""

    def handle(self) -> None:
        with contextlib.suppress(Dropped, ConnectionError):
            super().handle()


class _DroppingApp:
    """Cuts the connection where wsgiref would answer 500 for an exception."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        try:
            return self._app(environ, start_response)
        except Dropped:
            raise ConnectionAbortedError from None


def make_server(simulator: Simulator, port: int = 0) -> WSGIServer:
    """Bind a server to 127.0.0.1; port 0 takes a free one. Call its ``serve_forever``."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.set_app(_DroppingApp(App(simulator)))
    return server


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

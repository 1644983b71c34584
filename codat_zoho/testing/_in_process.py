"""Requests answered by a simulator in this process: no socket, no thread, no HTTP library."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from codat_zoho._version import __version__
from codat_zoho.errors import Unreachable
from codat_zoho.remote.http import Answer, Deadline, Http
from codat_zoho.simulator import Dropped, Simulator
from codat_zoho.simulator.app import App

BASE = "http://127.0.0.1"
"""Where the requests seem to go: loopback, so that nothing would leave the machine if they did."""


class InProcess(Http):
    """Sends requests to a simulator without waiting and without repeating."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._app = App(simulator)

    def send(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        headers: Mapping[str, str] | None = None,
        json_body: object = None,
        form: Mapping[str, str] | None = None,
        retry: bool = True,
        **_later: object,
    ) -> Answer:
        """Answer as the network would."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != BASE:
            raise Unreachable("A mocked program reaches nothing but the simulator.")
        body = urlencode(form).encode() if form is not None else b""
        if json_body is not None:
            body = json.dumps(json_body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": "application/json" if form is None else "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_USER_AGENT": f"codat-zoho/{__version__}",
            "wsgi.input": io.BytesIO(body),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, named: list[tuple[str, str]], exc_info: object = None) -> Any:
            started.append((status, named))

        try:
            content = b"".join(self._app(environ, start_response))
        except Dropped:
            raise Unreachable("The simulator dropped the connection.") from None
        status, named = started[0]
        return Answer(int(status.split()[0]), {name.lower(): value for name, value in named}, content)

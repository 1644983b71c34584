"""Secrets that a test can find again in whatever was written, and a remote that gives away all it was told."""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

KEY = "cAnary+key/7f=3a~%2Fq&zZ81"
"""An API key with all that encodings change, of no shape that anybody knows."""
SECRET = "cAnary-secret_9$1;(w)%41=Vx"
PROXY_PASSWORD = "cAnary:proxy/p4$$w0rd"
_PIECE = 8
"""So many characters in a row give a secret away; a mask shows four."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}")
_UNICODE = re.compile(r"\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")


def leaks(text: str, *secrets: str) -> list[str]:
    """The pieces of the secrets that are in a text, as they are or in any usual encoding."""
    pieces = {secret[at : at + _PIECE].casefold() for secret in secrets for at in range(len(secret) - _PIECE + 1)}
    return [piece for view in _views(text) for piece in pieces if piece in view]


def _views(text: str) -> Iterator[str]:
    """The text as whoever looks for a secret would read it."""
    views = [text, unquote(text), unquote(unquote(text)), unquote(text.replace("+", " ")), html.unescape(text)]
    views += [_UNICODE.sub(lambda found: chr(int(found[1] or found[2], 16)), view) for view in views]
    for view in views:
        yield view.casefold()
        yield view.replace("\\", "").casefold()
    for found in _HEX.findall(text):
        yield bytes.fromhex(found).decode("latin-1").casefold()
    for found in _BASE64.findall(text.replace("\\", "")):
        for start in range(4):
            run = found[start:].replace("-", "+").replace("_", "/")
            with contextlib.suppress(binascii.Error):
                plain = base64.b64decode(run[: len(run) // 4 * 4])
                yield plain.decode("latin-1").casefold()
                yield plain.decode("utf-16-le", "replace").casefold()


def leaks_in(folder: Path, *secrets: str) -> list[str]:
    """The files below a folder that hold a secret."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return [str(path) for path in files if leaks(path.read_bytes().decode("latin-1"), *secrets)]


def encoded(secret: str) -> str:
    """A secret in many encodings, as remotes and libraries quote what they were sent."""
    raw = secret.encode()
    every = "".join(f"%{byte:02x}" for byte in raw), "".join(f"\\u{byte:04x}" for byte in raw)
    nested = json.dumps({"a": json.dumps({"b": secret})})
    forms = (
        *(secret, secret.upper(), quote(secret, safe=""), quote(quote(secret, safe=""), safe=""), *every, nested),
        *(html.escape(secret), "".join(f"&#{byte};" for byte in raw), raw.hex(), repr(raw)),
        *(base64.b64encode(before + raw + b"!").decode() for before in (b"", b"u", b"u:")),
        *(base64.urlsafe_b64encode(before + raw).decode() for before in (b"", b"u", b"u:")),
        f"Basic {base64.b64encode(raw).decode()}",
    )
    return " | ".join(forms)


class Echo:
    """A remote that puts every secret it was ever sent into everything it answers.

    ``mode`` is a status, or ``names`` for a good answer whose every text is a secret, or ``garbage`` for no HTTP.
    """

    def __init__(self) -> None:
        self.mode: int | str = 400
        self.heard: list[str] = []

    def hear(self, header: str, body: str) -> None:
        with contextlib.suppress(ValueError):
            header = base64.b64decode(header.partition(" ")[2]).decode()
        told = json.loads(body) if body.startswith("{") else {name: given[0] for name, given in parse_qs(body).items()}
        secrets = [header, *(value for name, value in told.items() if name in ("clientSecret", "client_secret"))]
        self.heard += [secret for secret in secrets if secret and secret not in self.heard]

    def text(self, *, line: bool = False) -> str:
        found = " | ".join(map(encoded, self.heard))
        return found[:4000] if line else found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    echo: Echo

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        echo, length = self.echo, int(self.headers.get("Content-Length") or 0)
        echo.hear(self.headers.get("Authorization", ""), self.rfile.read(length).decode())
        if echo.mode == "garbage":
            self.wfile.write(f"{echo.text(line=True)} 200 {echo.text(line=True)}\r\n\r\n".encode())
            self.close_connection = True
            return
        status = echo.mode if isinstance(echo.mode, int) else 200
        text = echo.text()
        body: dict[str, object] = {"error": text, "correlationId": (echo.heard or [""])[0], "service": text}
        if status == 200 and "credentials" in self.path:
            body = {text[:60]: "XXXX1234", "clientId": f"XXXX{text}", "clientSecret": echo.heard[-1]}
        elif status == 200:
            body = {"key": "rwuv", "enabled": True, "name": text, "integrationId": text, "linkedConnectionsCount": 0}
        content = json.dumps(body).encode()
        self.send_response(status, echo.text(line=True))
        for name in ("X-Correlation-Id", "X-Rate-Limit-Reset", "X-Rate-Limit-Limit", "Set-Cookie", "Location"):
            self.send_header(name, echo.text(line=True))
        for name, value in (("Retry-After", "0"), ("Content-Type", f"application/json; x={echo.text(line=True)}")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815


@contextlib.contextmanager
def echoing() -> Iterator[tuple[Echo, str]]:
    """Serve an :class:`Echo`, and give it and its base address."""
    echo = Echo()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"echo": echo}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield echo, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class CommandLines:
    """Reads the command lines of all processes of this machine, over and over, while a block runs."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.wait(0.002):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    with contextlib.suppress(OSError):
                        self.seen.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1"))

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

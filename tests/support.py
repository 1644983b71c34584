"""What tests share: made-up keys, and an HTTP client whose network is a simulator in this process."""

from __future__ import annotations

import base64
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.codat import ApiKey, Codat
from codat_zoho.remote.concurrency import Once
from codat_zoho.remote.http import Http
from codat_zoho.simulator import Simulator
from codat_zoho.testing import _mocks as testing
from codat_zoho.texts import redact as _redact

API_KEY = "test-api-key-7f3a"
HEADERS = {"Authorization": f"Basic {base64.b64encode(API_KEY.encode()).decode()}"}
ID = "1000.GFXJNB9VM0KE5C9C4CMSRQEX0CTDPH"
OTHER_ID = "1000.Z2QTW7RH5PYL8D3K9AMVXB4NC6EJ0U"
SECRET = "3f1a9c04e7b25d68013f9a7c4e2b8d5601f37ac9e4"
OTHER_SECRET = "a04d6e19b73f8c25ee61d7049b3c58f210e9a6d73b"
REGIONS = ["eu", "uk", "us"]
UNKNOWN_SWITCHES: dict[str, tuple[object, ...]] = {
    "absent_keys": ("empty", "404", "204"),
    "saving": ("replace", "merge"),
    "saving_keeps_enabled": (True, False),
    "disabling_keeps_keys": (True, False),
    "mask_client_id": (True, False),
    "mask": ("last4", "opaque"),
    "linked_count": (True, False),
}
"""Every value of the switches for what nobody knows of Codat's answers and side effects."""


def node_tool(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of `node_modules`, or skip the test where it is not installed."""
    program = Path(__file__).parents[1] / "node_modules" / ".bin" / name
    if not program.exists():
        pytest.skip(f"no {name} in node_modules; CONTRIBUTING.md says how to get it")
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def keys(client_id: str = ID, client_secret: str = SECRET) -> dict[str, str]:
    """Stored keys as Codat names them."""
    return {"clientId": client_id, "clientSecret": client_secret}


def forget_secrets() -> None:
    """Redact nothing any more that was registered: what is a secret in one test is a word in the next."""
    _redact._known.clear()
    _redact._forms.clear()


class InProcess(testing.InProcess):
    """Hands requests to a simulator without a socket. Requests to any other host fail the test."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self.hosts: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(request.url.host)
        assert request.url.host == "127.0.0.1", f"a test tried to reach {request.url.host}"
        return super().handle_request(request)


def in_process(simulator: Simulator, **parts: Any) -> Http:
    """An ``Http`` in front of a simulator that never really sleeps: a wait moves its clock instead."""
    clock = Clock()
    settings: dict[str, Any] = {"clock": clock, "sleep": clock.sleep, "jitter": lambda: 1.0} | parts
    return Http(transport=InProcess(simulator), **settings)


class Clock:
    """A clock that only moves when somebody waits; ``waits`` remembers for how long."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


def codat_of(simulator: Simulator, **parts: Any) -> Codat:
    """A Codat client of the simulator's client ``API_KEY``."""
    return Codat(in_process(simulator), ApiKey.parse(API_KEY, "CODAT_API_KEY"), url="http://127.0.0.1/codat", **parts)


def answering(handler: Callable[[httpx.Request], httpx.Response], **parts: Any) -> Http:
    """An ``Http`` whose every request is answered by ``handler``."""
    clock = Clock()
    settings: dict[str, Any] = {"clock": clock, "sleep": clock.sleep, "jitter": lambda: 1.0} | parts
    return Http(transport=httpx.MockTransport(handler), **settings)


def new_process() -> None:
    """Forget what a provider's process knows, as the next one does; the network stays."""
    CONTEXT.http.asked = Once()
    CONTEXT.__init__(CONTEXT.http, CONTEXT.environment)  # type: ignore[misc]


def new_secret() -> str:
    """A secret of the usual shape that no other test has seen."""
    return secrets.token_hex(21)

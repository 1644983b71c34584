"""A real headless browser, driven by the WebDriver protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here (Debian packages chromium, chromium-driver)"
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,1000",
]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
TAB, ENTER = "\ue004", "\ue007"


class Browser:
    """Just enough of the WebDriver protocol."""

    def __init__(self, base: str, folder: Path) -> None:
        self._base = base
        options = {"binary": CHROMIUM, "args": [*FLAGS, f"--user-data-dir={folder}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/session/{answer['sessionId']}"

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        self._send("POST", "/url", {"url": url})

    def run(self, script: str) -> Any:
        return self._send("POST", "/execute/sync", {"script": f"return {script}", "args": []})

    def command(self, name: str, **parameters: Any) -> Any:
        return self._send("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def find(self, selector: str) -> list[str]:
        found = self._send("POST", "/elements", {"using": "css selector", "value": selector})
        return [one[ELEMENT] for one in found]

    def text(self, selector: str) -> str:
        return str(self._send("GET", f"/element/{self.find(selector)[0]}/text"))

    def click(self, selector: str) -> None:
        self._send("POST", f"/element/{self.find(selector)[0]}/click", {})

    def follow(self, selector: str) -> None:
        """Click, and wait until the page with what was clicked is gone: the driver does not always."""
        element = self.find(selector)[0]
        self._send("POST", f"/element/{element}/click", {})
        deadline = time.monotonic() + 60
        with contextlib.suppress(urllib.error.HTTPError):
            while time.monotonic() < deadline:
                self._send("GET", f"/element/{element}/name")
            pytest.fail(f"nothing happened after a click on {selector}")

    def role(self, element: str) -> str:
        return str(self._send("GET", f"/element/{element}/computedrole"))

    def label(self, element: str) -> str:
        return str(self._send("GET", f"/element/{element}/computedlabel"))

    def press(self, key: str) -> None:
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._send("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    def log(self) -> list[Any]:
        return list(self._send("POST", "/se/log", {"type": "browser"}))

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def close(self) -> None:
        self._send("DELETE", "")


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """Start a browser whose profile is in this folder."""
    driver = subprocess.Popen([str(DRIVER), "--port=0"], stdout=subprocess.PIPE, text=True)
    assert driver.stdout
    try:
        port = next(found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
        browser = Browser(f"http://127.0.0.1:{port}", folder / "profile")
        yield browser
        browser.close()
    finally:
        driver.terminate()
        driver.wait(30)
        driver.stdout.close()

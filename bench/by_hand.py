"""The same job without this package: a shell script with curl and jq, and a script with httpx (``bench/without``)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from bench.calls import counted
from bench.harness import in_turn
from bench.place import Place
from codat_zoho.simulator import Simulator
from tests.support import ID, SECRET

SCRIPTS = Path(__file__).parent / "without"
KEY = "api-key-by-hand"


def measure(
    place: Place, base: str, simulator: Simulator, pairs: int
) -> tuple[dict[str, Any], dict[str, dict[str, int]]]:
    """Time beside each script, which is the floor here, and the calls that each makes."""
    simulator.add_codat_client(KEY)
    tools = {"httpx script": [sys.executable, str(SCRIPTS / "zoho_books.py")]}
    if all(map(shutil.which, ("curl", "jq", "base64"))):
        tools["curl and jq script"] = [str(SCRIPTS / "zoho_books.sh")]
    secrets = (f"{number:042x}" for number in count(0xA000))
    now = {"secret": SECRET}

    def script(tool: str, word: str) -> float:
        environment = os.environ | {
            "CODAT_API_KEY": KEY,
            "CODAT_URL": f"{base}/codat",
            "CLIENT_ID": ID,
            "CLIENT_SECRET": now["secret"],
            "ENABLED": "true",
        }
        began = time.perf_counter()
        subprocess.run([*tools[tool], word], env=environment, check=True)
        return time.perf_counter() - began

    def ours(*words: str) -> float:
        return place.seconds("ours", 1, *words)

    def rotate() -> None:
        now["secret"] = simulator.zoho[ID].secret = next(secrets)
        place.configure("ours", 1, secret=now["secret"])

    def rotated(act: Callable[[], float]) -> Callable[[], float]:
        def timed() -> float:
            rotate()
            return act()

        return timed

    up = ("up", "--yes", "--skip-preview")
    figures: dict[str, Any] = {}
    calls: dict[str, dict[str, int]] = {}
    for tool in tools:
        script(tool, "apply")
        jobs: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
            "no change": (lambda tool=tool: script(tool, "apply"), lambda: ours(*up)),  # type: ignore[misc]
            "drift check": (lambda tool=tool: script(tool, "check"), lambda: ours("refresh", "--preview-only")),  # type: ignore[misc]
            "rotate the secret": (rotated(lambda tool=tool: script(tool, "apply")), rotated(lambda: ours(*up))),  # type: ignore[misc]
        }
        for job, (floor, act) in jobs.items():
            figures[f"{job}; the floor is the {tool}, s"] = in_turn(floor, act, pairs).figures()
            calls[f"{job}, {tool}"] = counted(simulator, floor)
    simulator.zoho[ID].secret = SECRET
    place.configure("ours", 1, secret=SECRET)
    ours(*up)
    return figures, calls

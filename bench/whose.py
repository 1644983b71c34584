"""Whose a refresh's time in the provider process is: the SDK's, this package's, httpx's, or that of the calls."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

from bench.place import ROOT
from codat_zoho.simulator import Simulator
from tests.support import SECRET

KEY = "api-key-of-whose"
STEPS = """
import json, time
t = [time.perf_counter()]
def step():
    t.append(time.perf_counter())
import grpc, pulumi, pulumi.dynamic
step()
from codat_zoho.provider import Books
from codat_zoho.provider import books as integration
from codat_zoho.provider import client
from codat_zoho.provider.process import CONTEXT
CONTEXT.environment
step()
import httpx, httpcore
step()
Books().read("default", {"enabled": False, "connection": "default"})
step()
Books().read("default", {"enabled": False, "connection": "default"})
step()
CONTEXT.http.close()
print(json.dumps([(b - a) * 1000 for a, b in zip(t, t[1:])]))
"""
NAMES = (
    "loading pulumi's SDK (the floor has it too)",
    "loading this package",
    "loading httpx and httpcore",
    "the first read: client, connections, two calls",
    "a further read: two calls",
)


def measure(base: str, simulator: Simulator, times: int) -> dict[str, float]:
    """Median milliseconds of each part, in a process of its own each time."""
    simulator.add_codat_client(KEY, keys={"clientId": "1000.X", "clientSecret": SECRET})
    environment = os.environ | {"CODAT_URL": f"{base}/codat", "CODAT_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
    found = []
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", STEPS], env=environment, check=True, capture_output=True, text=True
        )
        found.append(json.loads(done.stdout))
    return dict(zip(NAMES, map(statistics.median, zip(*found, strict=True)), strict=True))

"""What a call takes in the provider process, gRPC in and out, beside the empty provider."""

from __future__ import annotations

import base64
import os
import pickle
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx

from bench.echo import Echo
from bench.harness import Bar, in_turn
from codat_zoho.simulator import Simulator
from tests import mini_engine
from tests.mini_engine import Grpc
from tests.support import ID, OTHER_SECRET, SECRET

KEY = "api-key-overhead"


def measure(base: str, simulator: Simulator, calls: int) -> tuple[dict[str, Any], list[Bar]]:
    """In turn, call by call, on two provider processes; p50 and p99 of each, and their difference."""
    simulator.add_codat_client(KEY)
    simulator.zoho[ID].secret = SECRET
    mini_engine.PICKLED["echo"] = base64.b64encode(pickle.dumps(Echo(), protocol=4)).decode()
    environment = os.environ | {"CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho", "CODAT_API_KEY": KEY}
    declared = {"name": "x", "client_id": ID, "client_secret": SECRET, "enabled": True, "connection": "default"}
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    with (
        Grpc(environment) as empty,
        Grpc(environment) as real,
        httpx.Client(headers={"Authorization": _basic()}) as bare,
    ):
        echo_inputs, _ = empty.check("echo", {}, declared)
        inputs, _ = real.check("books", {}, {name: value for name, value in declared.items() if name != "name"})
        _, echo_outs = empty.create("echo", echo_inputs)
        id_, outs = real.create("books", inputs)

        def http() -> None:
            for path in ("integrations/rwuv", "integrations/credentials/rwuv"):
                bare.get(f"{base}/codat/{path}").raise_for_status()

        def echo_read_and_http() -> None:
            empty.read("echo", "x", echo_outs)
            http()

        flip = [SECRET, OTHER_SECRET]

        def update() -> None:
            nonlocal outs
            flip.reverse()
            news, _ = real.check("books", inputs, inputs | {"client_secret": flip[0]})
            outs = real.update("books", id_, outs, news)

        def echo_update() -> None:
            empty.check("echo", echo_inputs, echo_inputs)
            empty.update("echo", "x", echo_outs, echo_inputs)

        sides: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "check": (
                lambda: empty.check("echo", echo_inputs, echo_inputs),
                lambda: real.check("books", inputs, inputs),
            ),
            "diff": (
                lambda: empty.diff("echo", "x", echo_outs, echo_inputs),
                lambda: real.diff("books", id_, outs, inputs),
            ),
            "read": (lambda: empty.read("echo", "x", echo_outs), lambda: real.read("books", id_, outs)),
            # Whose cost is whose: what is left is ours; the simulator's and the network's time is in the floor.
            "read (floor: the empty read, then two bare GETs)": (
                echo_read_and_http,
                lambda: real.read("books", id_, outs),
            ),
            "check and update": (echo_update, update),
        }
        for name, (floor, ours) in sides.items():
            # What calls Codat stays below the 900 calls a minute at which the package paces itself.
            times = {"read": calls // 7, "check and update": calls // 50}.get(name.partition(" (")[0], calls)
            taken = in_turn(_milliseconds(floor), _milliseconds(ours), times)
            p99 = _p99(taken.floor), _p99(taken.ours)
            figures[f"call: {name}, ms"] = taken.figures() | {"p99": {"floor": p99[0], "ours": p99[1]}}
            if name in ("check", "diff") or name.startswith("read ("):
                bars.append(Bar(f"call: {name}, p99 added", p99[1] - p99[0], 2, "ms"))
    return figures, bars


def _milliseconds(act: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        began = time.perf_counter()
        act()
        return (time.perf_counter() - began) * 1000

    return timed


def _p99(values: tuple[float, ...]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def _basic() -> str:
    return "Basic " + base64.b64encode(KEY.encode()).decode()

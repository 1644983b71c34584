"""What a thousand stacks cost ``codat-zoho drift`` itself: a stand-in for ``pulumi`` answers at once.

Each stack has an API key of its own, and a state of some sixty resources. Codat's limit a minute is left out on both
sides: it is waiting, and no cost.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from bench.harness import Bar
from bench.place import ROOT
from codat_zoho.declare.platform import CLIENT
from codat_zoho.simulator import Simulator, serve
from tests.pulumi_stand_in import StandIn, books, resource, secret, state
from tests.support import ID, REGIONS, SECRET, keys

CPU_MS, PEAK_MIB = 8.0, 120.0
_OTHERS = 57
_RUN = """\
import re, resource, sys
from codat_zoho.remote import budget
budget.MINUTE_LIMIT = sys.maxsize
from codat_zoho.cli import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
# The peak in rusage is that of the parent, where that was higher before this program was loaded.
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
print(used.ru_utime + used.ru_stime, peak / 1024, file=sys.stderr)
sys.exit(code)
"""


def measure(root: Path, count: int) -> tuple[dict[str, Any], list[Bar]]:
    """CPU time a stack and peak memory, of a run over ``count`` stacks, and of one over a single stack."""
    simulator = Simulator()
    simulator.minute_limit = sys.maxsize
    simulator.add_zoho_client(ID, SECRET)
    stand_in = StandIn(root)
    with serve(simulator) as base:
        states = {f"s{number}": _state(simulator, base, token_urlsafe(30)) for number in range(count)}
        stand_in.project("many", {name: one.replace("::shop::", "::many::") for name, one in states.items()})
        stand_in.project("one", {"s0": states["s0"].replace("::shop::", "::one::")})
        alone, many = _run(stand_in, "one"), _run(stand_in, "many")
    a_stack = 1000 * (many[0] - alone[0]) / (count - 1)
    figures = {
        f"drift, {count:,} stacks, CPU ms a stack; the floor is all of a run over 1": {
            "floor": 1000 * alone[0],
            "ours": a_stack,
            "ratio": a_stack / (1000 * alone[0]),
        },
        f"drift, {count:,} stacks, peak MiB; the floor is a run over 1": {
            "floor": alone[1],
            "ours": many[1],
            "ratio": many[1] / alone[1],
        },
    }
    return figures, [
        Bar(f"drift, CPU of {count:,} stacks", 1000 * many[0] / count, CPU_MS, "ms a stack"),
        Bar(f"drift, peak memory with {count:,} stacks", many[1], PEAK_MIB, "MiB"),
    ]


def _state(simulator: Simulator, base: str, key: str) -> str:
    client = simulator.add_codat_client(key)
    client.integration.enabled, client.integration.keys = True, keys()
    declared = {"client_id": ID, "regions": REGIONS, "at": "2026-01-01T00:00:00Z"}
    inputs = {"client_id": ID, "client_secret": secret(SECRET), "regions": REGIONS}
    zoho = resource(CLIENT, inputs, {"declared": secret(declared)})
    others = [
        {
            "urn": f"urn:pulumi:dev::many::aws:s3/bucket:Bucket::bucket{number}",
            "type": "aws:s3/bucket:Bucket",
            "inputs": {"tags": {f"tag{tag}": "value" for tag in range(10)}, "token": secret("x" * 40)},
        }
        for number in range(_OTHERS)
    ]
    config = {"apiKey": secret(key), "codatUrl": f"{base}/codat", "zohoUrl": f"{base}/zoho"}
    return state(books(), zoho, *others, config=config)


def _run(stand_in: StandIn, project: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, "drift", project, "--all-stacks", "--quiet"],
        cwd=stand_in.root,
        env={"PATH": stand_in.path, "PYTHONPATH": str(ROOT), "HOME": os.environ.get("HOME", "")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    seconds, mebibytes = done.stderr.split()[-2:]
    return float(seconds), float(mebibytes)

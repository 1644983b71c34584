"""A YAML program with the provider plugin, beside the same with an echo; the start of its process."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from bench.harness import Bar, in_turn
from bench.place import ROOT, Place
from codat_zoho.declare.platform import CLIENT, INTEGRATION

EXECUTABLE = "pulumi-resource-codat-zoho"
STUBS = "plugin_pb2", "provider_pb2", "provider_pb2_grpc"
FLOOR = f"""\
import grpc
from codat_zoho.plugin.stubs import stub
for name in {STUBS}:
    stub(name)
print(0, flush=True)
"""


def _program(name: str, folder: Path) -> dict[str, object]:
    keys = {"clientId": "${id}", "clientSecret": "${secret}"}
    client = {"type": f"{name}:index:{CLIENT}", "properties": {**keys, "regions": ["eu", "us"]}}
    declared = {**keys, "enabled": True, "connection": "c1", "allowDisruption": True}
    books = {
        "type": f"{name}:index:{INTEGRATION}",
        "properties": declared,
        "options": {"dependsOn": ["${zoho-1}"]},
    }
    return {
        "runtime": "yaml",
        "plugins": {"providers": [{"name": name, "path": str(folder)}]},
        "config": {"id": {"type": "string"}, "secret": {"type": "string", "secret": True}},
        "resources": {"zoho-1": client, "books-1": books},
    }


def measure(place: Place, pairs: int) -> tuple[dict[str, Any], list[Bar]]:
    """Both programs are deployed once; then a no-op ``up`` and a refresh of each in turn."""
    plugins = place.root / "plugins"
    plugins.mkdir()
    echo = plugins / "pulumi-resource-echo"
    words = f"{shlex.quote(sys.executable)} -c 'from bench.echo_plugin import main; main()'"
    echo.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    echo.chmod(0o755)
    for project, name, folder in (
        ("yaml-floor", "echo", plugins),
        ("yaml-ours", "codat-zoho", Path(sys.executable).parent),
    ):
        (place.root / project).mkdir()
        program = {"name": project} | _program(name, folder)
        (place.root / project / "Pulumi.yaml").write_text(yaml.safe_dump(program))
        place.deploy(project, 1)
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    runs = {"up": ("up", "--yes", "--skip-preview"), "refresh --preview-only": ("refresh", "--preview-only")}
    for name, words in runs.items():
        taken = in_turn(
            lambda words=words: place.seconds("yaml-floor", 1, *words),  # type: ignore[misc]
            lambda words=words: place.seconds("yaml-ours", 1, *words),  # type: ignore[misc]
            pairs,
        )
        figures[f"{name}, a YAML program; the floor has an echo plugin, s"] = taken.figures()
        if name == "up":
            bars.append(Bar("up, a YAML program with the plugin", taken.ratio.median, 1.05))
    executable = str(Path(sys.executable).with_name(EXECUTABLE))
    started = in_turn(lambda: _first_line(sys.executable, "-c", FLOOR), lambda: _first_line(executable), pairs * 3)
    figures["start of the plugin; the floor imports gRPC and the protocol stubs, s"] = started.figures()
    bars.append(Bar("start of the plugin over gRPC and the protocol stubs", started.added.median * 1000, 60, "ms"))
    return figures, bars


def _first_line(*words: str) -> float:
    """Seconds until a process has printed a line; it is ended then."""
    began = time.perf_counter()
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        taken = time.perf_counter() - began
        process.kill()
    return taken

"""The engine's protocol: gRPC's stubs out of Pulumi's SDK, without the SDK where nothing has loaded it yet.

Importing ``pulumi.runtime.proto`` runs the whole SDK, and each run would wait for that. The stubs need nothing of it,
so in a process of ours bare packages of the same names and places stand in for the three above them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


def stub(name: str) -> Any:
    """Load a module of ``pulumi.runtime.proto``."""
    if "pulumi" not in sys.modules and (spec := find_spec("pulumi")):
        places = [Path(place).parent for place in spec.submodule_search_locations or ()]
        package = ""
        for part in ("pulumi", "runtime", "proto"):
            package, places = f"{package}.{part}".lstrip("."), [place / part for place in places]
            bare = sys.modules[package] = ModuleType(package)
            bare.__path__ = [*map(str, places)]
    return import_module(f"pulumi.runtime.proto.{name}")

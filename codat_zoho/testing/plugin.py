"""Pytest fixtures, switched on by the topmost ``conftest.py``.

pytest_plugins = ["codat_zoho.testing.plugin"]
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from codat_zoho.testing._running import SimulatedCodat, simulated


@pytest.fixture
def simulated_codat(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedCodat]:
    """A running, seeded simulator, to which this process and those it starts are pointed by the environment.

    Settings of the machine that would lead elsewhere are taken away for the test.
    """
    for name in [name for name in os.environ if name.startswith(("CODAT_", "ZOHO_"))]:
        monkeypatch.delenv(name)
    with simulated() as codat:
        for name, value in codat.environment.items():
            monkeypatch.setenv(name, value)
        yield codat

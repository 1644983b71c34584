"""What a program needs to test itself: a simulator to run against, assertions, and Pulumi mocks that check input.

With pytest, switch the fixtures on in the topmost ``conftest.py``; nothing is loaded unasked::

    pytest_plugins = ["codat_zoho.testing.plugin"]

Everything else works with any test runner. A simulated Codat on a loopback address, without pytest:

>>> from codat_zoho.testing import assert_no_writes, simulated
>>> with simulated(linked=2) as codat:
...     sorted(codat.environment)
...     assert_no_writes(codat)
['CODAT_API_KEY', 'CODAT_URL', 'ZOHO_URL']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from codat_zoho.testing._converges import assert_converges
from codat_zoho.testing._running import CLIENT_ID, CLIENT_SECRET, SimulatedCodat, assert_no_writes, simulated

if TYPE_CHECKING:
    from codat_zoho.testing._mocks import Mocks

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "Mocks",
    "SimulatedCodat",
    "assert_converges",
    "assert_no_writes",
    "simulated",
]


if not TYPE_CHECKING:  # A type checker would take every name for one that exists.

    def __getattr__(name: str) -> object:
        # Only the mocks need pulumi, and it takes a while to import.
        if name != "Mocks":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = importlib.import_module(f"{__name__}._mocks").Mocks
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

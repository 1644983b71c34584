"""Zoho client credentials and the Codat Zoho Books integration as Pulumi resources.

Names are imported when they are first used, so that the command line and the simulator do without pulumi.

>>> import codat_zoho as cz
>>> sorted(cz.DATA_CENTRES)
['ae', 'au', 'ca', 'eu', 'in', 'jp', 'sa', 'sg', 'uk', 'us']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from codat_zoho._version import __version__

if TYPE_CHECKING:
    from codat_zoho.declare.datacentres import DATA_CENTRES
    from codat_zoho.declare.platform import REDIRECT_URI
    from codat_zoho.errors import CodatZohoError
    from codat_zoho.resources import ZohoBooksIntegration, ZohoClientCredentials

__all__ = [
    "DATA_CENTRES",
    "REDIRECT_URI",
    "CodatZohoError",
    "ZohoBooksIntegration",
    "ZohoClientCredentials",
    "__version__",
]

_HOME = {
    "CodatZohoError": "errors",
    "DATA_CENTRES": "declare.datacentres",
    "REDIRECT_URI": "declare.platform",
    "ZohoBooksIntegration": "resources",
    "ZohoClientCredentials": "resources",
}


if not TYPE_CHECKING:  # A type checker would take every name for one that exists.

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

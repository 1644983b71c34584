"""Zoho client credentials and the Codat Zoho Books integration as Pulumi resources.

>>> import codat_zoho as cz
>>> sorted(cz.DATA_CENTRES)
['ae', 'au', 'ca', 'eu', 'in', 'jp', 'sa', 'uk', 'us']
"""

from codat_zoho._version import __version__
from codat_zoho.datacentres import DATA_CENTRES
from codat_zoho.errors import CodatZohoError
from codat_zoho.resources import ZohoBooksIntegration, ZohoClientCredentials
from codat_zoho.settings import REDIRECT_URI

__all__ = [
    "DATA_CENTRES",
    "REDIRECT_URI",
    "CodatZohoError",
    "ZohoBooksIntegration",
    "ZohoClientCredentials",
    "__version__",
]

"""Stand-ins for Codat and Zoho, to try things and to test programs.

They behave as documented, and where nobody knows how the real ones behave there is a switch for each possibility.

>>> from codat_zoho.simulator import Simulator
>>> simulator = Simulator()
>>> client = simulator.add_codat_client("an-api-key", linked=2)
>>> client.integration.enabled
False

Run it on its own with ``python -m codat_zoho.simulator``.
"""

from codat_zoho.simulator.server import serve
from codat_zoho.simulator.switches import Switches
from codat_zoho.simulator.world import Call, CodatClient, Dropped, Fault, Integration, Simulator, ZohoClient

__all__ = [
    "Call",
    "CodatClient",
    "Dropped",
    "Fault",
    "Integration",
    "Simulator",
    "Switches",
    "ZohoClient",
    "serve",
]

"""Programs that type checkers must accept: the ways in which arguments are given."""

from __future__ import annotations

import pulumi

import codat_zoho as cz
from codat_zoho.simulator import Simulator, Switches
from codat_zoho.testing import Mocks, SimulatedCodat, assert_converges, assert_no_writes, simulated

config = pulumi.Config()

client = cz.ZohoClientCredentials(
    "client",
    client_id=config.require("clientId"),
    client_secret=config.require_secret("clientSecret"),
    regions=["us", pulumi.Output.from_input("uk")],
    verify="on-change",
)
books = cz.ZohoBooksIntegration(
    "books", credentials=client, enabled=config.get_bool("enabled"), on_delete="keep", opts=pulumi.ResourceOptions()
)
read = cz.ZohoBooksIntegration.get("read", "eu")
linked: pulumi.Output[int | str] = books.linked_companies
steps: pulumi.Output[list[str]] = client.manual_steps.apply(list)
centre: str = cz.DATA_CENTRES["uk"].code

mocks = Mocks(Simulator(Switches(mask="opaque")))
secret: dict[str, str] = mocks.codat("eu").integration.keys


def test(codat: SimulatedCodat) -> None:
    """Use the helpers as a test does."""
    assert_no_writes(codat)
    assert_converges(lambda: {"same": 1}, codat)
    assert_converges(".", codat, config={"clientId": "1000.X"})
    with simulated(linked=2) as other:
        address: str = other.environment["CODAT_URL"]
        print(address)

"""What the program declares: a function, so that tests can call it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

import codat_zoho as cz


def declare(client_id: str, client_secret: pulumi.Input[str], regions: Sequence[str]) -> cz.ZohoBooksIntegration:
    """Declare the Zoho client and the integration that uses it."""
    client = cz.ZohoClientCredentials(
        "zoho-client", client_id=client_id, client_secret=client_secret, regions=list(regions)
    )
    return cz.ZohoBooksIntegration("zoho-books", credentials=client, enabled=True)

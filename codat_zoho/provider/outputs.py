"""The integration's outputs: what a deployment records, what is read back from them, and whose integration it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codat_zoho.core.observe import ActualIntegration, CodatClient, Recorded
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.provider.process import CONTEXT

Props = Mapping[str, Any]
CLEARED = "keys_cleared_while_disabled"
CODAT_CLIENT = ("codat_client", "codat_client_name")


def deployed_to(props: Props) -> CodatClient:
    """The Codat client on record."""
    return CodatClient(props.get("codat_client"), props.get("codat_client_name"))


def confirm_client(connection: str, props: Props) -> None:
    """Refuse to go on where the API key opens another Codat client than the one on record."""
    codat = CONTEXT.codat(connection)
    codat.confirm(codat.client(), deployed_to(props))


def client_outs(client: CodatClient) -> dict[str, Any]:
    return {name: value for name, value in zip(CODAT_CLIENT, (client.id, client.name), strict=True) if value}


def recorded_of(props: Props) -> Recorded:
    return Recorded(
        client_id=props.get("client_id"),
        client_secret=props.get("client_secret"),
        client_secret_fingerprint=props.get(FINGERPRINT),
        enabled=props.get("enabled"),
        keys_cleared_while_disabled=bool(props.get(CLEARED)),
    )


def metadata(actual: ActualIntegration, cannot_tell: tuple[str, ...] = ()) -> dict[str, Any]:
    """What Codat says beside the managed values, and what could not be told."""
    untold = [*cannot_tell]
    if actual.codat_client.why:
        untold.append(f"codat_client: {actual.codat_client.why}.")
    if actual.linked is None:
        untold.append("linked_companies: Codat does not say how many companies are linked.")
    found = {
        "integration_id": actual.integration_id,
        "integration_name": actual.name,
        "linked_companies": "unknown" if actual.linked is None else actual.linked,
        "cannot_tell": untold,
    }
    return {name: value for name, value in found.items() if value is not None}

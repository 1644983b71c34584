"""The floor: two dynamic resources that do nothing, imported by name as ours are.

``SHAPE`` gives them the properties that ours have on top, to tell what those cost from what our code costs.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider


class Echo(ResourceProvider):
    """Keeps what it is given."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make nothing."""
        return CreateResult(f"echo-{props['name']}", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Say what was given."""
        return ReadResult(id_, props)


SHAPE = {
    "First": {
        "client_secret_fingerprint": "0123456789abcdef",
        "same_credentials_everywhere": True,
        "verify": "on-change",
        "verdicts": {"eu": "accepted", "us": "accepted"},
        "verified_at": "2026-01-01T00:00:00Z",
        "redirect_uri": "https://zohobooks.codat.io/oauth/callback",
        "manual_steps": ["x" * 120, "x" * 120],
        "cannot_tell": [],
    },
    "Second": {
        "client_secret_fingerprint": "0123456789abcdef",
        "on_delete": "remove",
        "integration_id": "00000000-0000-0000-0000-000000000000",
        "integration_name": "Zoho Books",
        "linked_companies": 0,
        "cannot_tell": ["x" * 120],
    },
}


class First(Resource, module="bench", name="First"):
    """Stands where the credentials stand."""

    def __init__(self, name: str, **declared: Any) -> None:
        super().__init__(Echo(), name, declared | {"name": name}, pulumi.ResourceOptions())


class Second(Resource, module="bench", name="Second"):
    """Stands where the integration stands."""

    def __init__(self, name: str, after: First, **declared: Any) -> None:
        super().__init__(Echo(), name, declared | {"name": name}, pulumi.ResourceOptions(depends_on=[after]))

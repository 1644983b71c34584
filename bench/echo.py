"""The floor: two dynamic resources that do nothing, imported by name as ours are, with as many inputs."""

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


class First(Resource, module="bench", name="First"):
    """Stands where the credentials stand."""

    def __init__(self, name: str, **declared: Any) -> None:
        super().__init__(Echo(), name, declared | {"name": name}, pulumi.ResourceOptions())


class Second(Resource, module="bench", name="Second"):
    """Stands where the integration stands."""

    def __init__(self, name: str, after: First, **declared: Any) -> None:
        super().__init__(Echo(), name, declared | {"name": name}, pulumi.ResourceOptions(depends_on=[after]))

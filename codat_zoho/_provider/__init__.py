"""The dynamic providers: thin faces over the core.

Frozen: the path of this module and the names of both classes. The engine's state holds instances pickled by reference,
that is, these names; renaming one orphans every deployed resource. Instances are stateless for the same reason, and
``tests/test_frozen.py`` pins the strings. The names are short because the string is in each resource's inputs.
"""

from __future__ import annotations

import sys
from typing import Any

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from codat_zoho._provider import client, integration
from codat_zoho._provider.context import CONTEXT, clean, debugging

Props = dict[str, Any]


class _Face(ResourceProvider):
    serialize_as_secret_always = False

    @clean
    def configure(self, req: ConfigureRequest) -> None:
        if not debugging():
            sys.tracebacklimit = 0
        CONTEXT.configure(req.config.get)


class Books(_Face):
    """Provider of ``ZohoBooksIntegration``."""

    @clean
    def check(self, _olds: Props, news: Props) -> CheckResult:
        return integration.check(news)

    @clean
    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return integration.diff(olds, news)

    @clean
    def create(self, props: Props) -> CreateResult:
        return integration.create(props)

    @clean
    def read(self, id_: str, props: Props) -> ReadResult:
        return integration.read(id_, props)

    @clean
    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        return integration.update(olds, news)

    @clean
    def delete(self, _id: str, props: Props) -> None:
        integration.delete(props)


class Zoho(_Face):
    """Provider of ``ZohoClientCredentials``."""

    @clean
    def check(self, _olds: Props, news: Props) -> CheckResult:
        return client.check(news)

    @clean
    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        return client.diff(olds, news)

    @clean
    def create(self, props: Props) -> CreateResult:
        return client.create(props)

    @clean
    def read(self, id_: str, props: Props) -> ReadResult:
        return client.read(id_, props)

    @clean
    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        return client.update(olds, news)

    @clean
    def delete(self, _id: str, _props: Props) -> None:
        client.delete(_id)

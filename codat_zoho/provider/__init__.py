"""The dynamic providers: thin faces over the core.

Frozen: the path of this module and the names of both classes. The engine's state holds instances pickled by reference,
that is, these names; renaming one orphans every deployed resource. Instances are stateless for the same reason, and
``tests/test_frozen.py`` pins the strings. The names are short because the string is in each resource's inputs.

What does the work is imported on the first call: the program that declares resources needs only the names.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from codat_zoho.texts.debug_flags import debugging

P = ParamSpec("P")
R = TypeVar("R")
Props = dict[str, Any]


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let nothing but a one-line error out of a provider method, see ``guard``."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        from codat_zoho.provider.boundary import cleanly

        return cleanly(method, *args, **kwargs)

    return call


class _Face(ResourceProvider):
    serialize_as_secret_always = False

    @clean
    def configure(self, req: ConfigureRequest) -> None:
        if not debugging():
            sys.tracebacklimit = 0
        from codat_zoho.provider.process import CONTEXT

        CONTEXT.configure(req.config.get)


class Books(_Face):
    """Provider of ``ZohoBooksIntegration``."""

    @clean
    def check(self, olds: Props, news: Props) -> CheckResult:
        from codat_zoho.provider import books as integration

        return integration.check(olds, news)

    @clean
    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from codat_zoho.provider import books as integration

        return integration.diff(olds, news)

    @clean
    def create(self, props: Props) -> CreateResult:
        from codat_zoho.provider import books_changes as integration_changes

        return integration_changes.create(props)

    @clean
    def read(self, id_: str, props: Props) -> ReadResult:
        from codat_zoho.provider import books as integration

        return integration.read(id_, props)

    @clean
    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        from codat_zoho.provider import books_changes as integration_changes

        return integration_changes.update(olds, news)

    @clean
    def delete(self, _id: str, props: Props) -> None:
        from codat_zoho.provider import books_changes as integration_changes

        integration_changes.delete(props)


class ZohoClient(_Face):
    """Provider of ``ZohoClientCredentials``."""

    @clean
    def check(self, olds: Props, news: Props) -> CheckResult:
        from codat_zoho.provider import client

        return client.check(olds, news)

    @clean
    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        from codat_zoho.provider import client

        return client.diff(olds, news)

    @clean
    def create(self, props: Props) -> CreateResult:
        from codat_zoho.provider import client_verdicts

        return client_verdicts.create(props)

    @clean
    def read(self, id_: str, props: Props) -> ReadResult:
        from codat_zoho.provider import client

        return client.read(id_, props)

    @clean
    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        from codat_zoho.provider import client_verdicts

        return client_verdicts.update(olds, news)

    @clean
    def delete(self, _id: str, _props: Props) -> None:
        from codat_zoho.provider import client

        client.delete(_id)

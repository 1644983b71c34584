"""The dynamic providers: thin faces over the modules beside them.

Frozen: the path of this module and the names of both classes. The engine's state holds instances pickled by reference,
that is, these names; renaming one orphans every deployed resource. Instances are stateless for the same reason. The
names are short because they are in each resource's inputs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar, ParamSpec, TypeVar

from pulumi.dynamic import ConfigureRequest, ResourceProvider

from codat_zoho.texts.debug_flags import debugging

P = ParamSpec("P")
R = TypeVar("R")
Props = dict[str, Any]


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let nothing but a one-line error out of a provider method, see ``boundary``."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        from codat_zoho.provider.boundary import cleanly

        return cleanly(method, *args, **kwargs)

    return call


class _Face(ResourceProvider):
    serialize_as_secret_always = False
    _module: ClassVar[str]
    """What does the work, imported on the first call."""

    @clean
    def configure(self, req: ConfigureRequest) -> None:
        if not debugging():
            sys.tracebacklimit = 0
        from codat_zoho.provider.process import CONTEXT

        CONTEXT.configure(req.config.get)

    @clean
    def check(self, olds: Props, news: Props) -> Any:
        return import_module(self._module).check(olds, news)

    @clean
    def diff(self, _id: str, olds: Props, news: Props) -> Any:
        return import_module(self._module).diff(olds, news)

    @clean
    def read(self, id_: str, props: Props) -> Any:
        return import_module(self._module).read(id_, props)

    @clean
    def create(self, props: Props) -> Any:
        return import_module(self._module).create(props)

    @clean
    def update(self, _id: str, olds: Props, news: Props) -> Any:
        return import_module(self._module).update(olds, news)

    @clean
    def delete(self, _id: str, props: Props) -> None:
        import_module(self._module).delete(_id, props)


class Books(_Face):
    """Provider of ``ZohoBooksIntegration``."""

    _module = "codat_zoho.provider.books"


class ZohoClient(_Face):
    """Provider of ``ZohoClientCredentials``."""

    _module = "codat_zoho.provider.client"

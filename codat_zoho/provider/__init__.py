"""The dynamic providers: thin faces over the modules beside them.

Frozen: the path of this module and the names of both classes. The engine's state holds instances pickled by reference,
that is, these names; renaming one orphans every deployed resource. Instances are stateless for the same reason. The
names are short because they are in each resource's inputs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, ClassVar

from pulumi.dynamic import ConfigureRequest, ResourceProvider

from codat_zoho.texts.environment_variables import debugging

Props = dict[str, Any]


class _Face(ResourceProvider):
    serialize_as_secret_always = False
    _module: ClassVar[str]
    """What does the work, imported on the first call: a program that declares resources needs only the names."""

    def configure(self, req: ConfigureRequest) -> None:
        if not debugging():
            sys.tracebacklimit = 0
        from codat_zoho.provider.process import CONTEXT, clean, end_with_engine

        end_with_engine()
        clean(CONTEXT.configure)(req.config.get)

    def check(self, olds: Props, news: Props) -> Any:
        return self._call("check", olds, news)

    def diff(self, _id: str, olds: Props, news: Props) -> Any:
        return self._call("diff", olds, news)

    def read(self, id_: str, props: Props) -> Any:
        return self._call("read", id_, props)

    def create(self, props: Props) -> Any:
        return self._call("create", props)

    def update(self, _id: str, olds: Props, news: Props) -> Any:
        return self._call("update", olds, news)

    def delete(self, _id: str, props: Props) -> None:
        self._call("delete", _id, props)

    def _call(self, method: str, *args: Any) -> Any:
        from codat_zoho.provider.process import clean

        return clean(lambda *given: getattr(import_module(self._module), method)(*given))(*args)


class Books(_Face):
    """Provider of ``ZohoBooksIntegration``."""

    _module = "codat_zoho.provider.books"


class ZohoClient(_Face):
    """Provider of ``ZohoClientCredentials``."""

    _module = "codat_zoho.provider.client"

"""The dynamic providers: thin faces over the modules beside them, in the terms of Pulumi's SDK.

Frozen: that the package beside this names them, and the names of both classes. The engine's state holds instances
pickled by reference, that is, these names; renaming one orphans every deployed resource. Instances are stateless for
the same reason. The names are short because they are in each resource's inputs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from codat_zoho.declare.describe import respelled, snake_case
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

    def check(self, olds: Props, news: Props) -> CheckResult:
        moved = _spelled(olds)
        found = self._call("check", {} if moved.keys() == olds.keys() else moved, news)
        # With a property name the engine would print the property's value, a secret among them.
        return CheckResult(found.inputs, [CheckFailure("", problem) for problem in found.problems])

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        found = self._call("diff", before := _spelled(olds), news)
        # What is the same in the plugin's spelling has to be recorded in this one.
        changes = found.changes if before.keys() == olds.keys() else True
        return DiffResult(changes=changes, replaces=[*found.replaces])

    def read(self, id_: str, props: Props) -> ReadResult:
        found = self._call("read", id_, props)
        return ReadResult(found.id, found.outs, found.inputs)

    def create(self, props: Props) -> CreateResult:
        made = self._call("create", props)
        return CreateResult(made.id, made.outs)

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        return UpdateResult(self._call("update", _spelled(olds), news))

    def delete(self, _id: str, props: Props) -> None:
        self._call("delete", _id, props)

    def _call(self, method: str, *args: Any) -> Any:
        from codat_zoho.provider.process import clean

        return clean(lambda *given: getattr(import_module(self._module), method)(*given))(*args)


def _spelled(olds: Props) -> Props:
    """Outputs as they are spelled here, also those of the plugin, whose place an alias may let a resource take."""
    return respelled(snake_case, olds)


class Books(_Face):
    """Provider of ``ZohoBooksIntegration``."""

    __module__ = "codat_zoho.provider"
    _module = "codat_zoho.provider.books"


class ZohoClient(_Face):
    """Provider of ``ZohoClientCredentials``."""

    __module__ = "codat_zoho.provider"
    _module = "codat_zoho.provider.client"

"""A small engine: what Pulumi does with a provider, over plain calls or over its own gRPC protocol.

It keeps to what the real one was seen to do: secrets unwrapped, integers as floats, nothing that is None, ``olds`` of
``check`` are old inputs, ``olds`` of the rest are old outputs, and a refresh asks for a diff without a check.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.dynamic import ResourceProvider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from codat_zoho.provider import Books, ZohoClient
from tests.support import new_process

Props = dict[str, Any]
FACES: dict[str, type[ResourceProvider]] = {"client": ZohoClient, "books": Books}
PICKLED = {
    "client": "gASVKQAAAAAAAACME2NvZGF0X3pvaG8ucHJvdmlkZXKUjApab2hvQ2xpZW50lJOUKYGULg==",
    "books": "gASVJAAAAAAAAACME2NvZGF0X3pvaG8ucHJvdmlkZXKUjAVCb29rc5STlCmBlC4=",
}


class Failed(Exception):
    """A provider method failed; the text is what the user would see."""


class Wire(Protocol):
    """How the engine reaches a provider."""

    def renew(self) -> None:
        """Start a new provider process, as each deployment does."""

    def check(self, kind: str, olds: Props, news: Props) -> tuple[Props, list[str]]: ...
    def diff(self, kind: str, id_: str, olds: Props, news: Props) -> tuple[bool | None, list[str], bool]: ...
    def create(self, kind: str, props: Props) -> tuple[str, Props]: ...
    def read(self, kind: str, id_: str, props: Props) -> tuple[str | None, Props, Props | None]: ...
    def update(self, kind: str, id_: str, olds: Props, news: Props) -> Props: ...
    def delete(self, kind: str, id_: str, props: Props) -> None: ...


def wired(value: Any) -> Any:
    """A value as it is after the wire."""
    if isinstance(value, Mapping):
        return {name: wired(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [wired(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Plain:
    """Calls the provider classes in this process."""

    def renew(self) -> None:
        new_process()

    def _do(self, kind: str, method: str, *args: Any) -> Any:
        try:
            return getattr(FACES[kind](), method)(*args)
        except Exception as error:  # noqa: BLE001
            raise Failed(f"{type(error).__name__}: {error}") from None

    def check(self, kind: str, olds: Props, news: Props) -> tuple[Props, list[str]]:
        result = self._do(kind, "check", wired(olds), wired(news))
        return wired(result.inputs), [failure.reason for failure in result.failures]

    def diff(self, kind: str, id_: str, olds: Props, news: Props) -> tuple[bool | None, list[str], bool]:
        result = self._do(kind, "diff", id_, wired(olds), wired(news))
        return result.changes, result.replaces or [], bool(result.delete_before_replace)

    def create(self, kind: str, props: Props) -> tuple[str, Props]:
        result = self._do(kind, "create", wired(props))
        return result.id, wired(result.outs)

    def read(self, kind: str, id_: str, props: Props) -> tuple[str | None, Props, Props | None]:
        result = self._do(kind, "read", id_, wired(props))
        return result.id, wired(result.outs), wired(result.inputs) if result.inputs is not None else None

    def update(self, kind: str, id_: str, olds: Props, news: Props) -> Props:
        return dict(wired(self._do(kind, "update", id_, wired(olds), wired(news)).outs))

    def delete(self, kind: str, id_: str, props: Props) -> None:
        self._do(kind, "delete", id_, wired(props))


class Grpc:
    """Speaks the engine's own protocol to a provider process. Use it in a ``with`` block."""

    def __init__(
        self,
        environment: Mapping[str, str],
        config: Mapping[str, str] | None = None,
        *,
        stderr: int | IO[str] = subprocess.DEVNULL,
    ) -> None:
        self._environment = dict(environment)
        self._config = json_format.ParseDict(dict(config or {}), struct_pb2.Struct())
        self._stderr = stderr
        self._running = ExitStack()
        self._stub: Any = None

    def __enter__(self) -> Grpc:
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def renew(self) -> None:
        self._running.close()
        process = self._running.enter_context(
            subprocess.Popen(
                [sys.executable, "-u", "-m", "pulumi.dynamic", "no-engine"],
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=self._environment,
            )
        )
        self._running.callback(process.terminate)
        assert process.stdout is not None
        channel = self._running.enter_context(grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}"))
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self._stub.Configure(provider_pb2.ConfigureRequest(args=self._config))

    def _do(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            raise Failed(str(error.details()).strip()) from None

    @staticmethod
    def _to(kind: str, props: Props) -> struct_pb2.Struct:
        return json_format.ParseDict({**wired(props), "__provider": PICKLED[kind]}, struct_pb2.Struct())

    @staticmethod
    def _from(struct: struct_pb2.Struct) -> Props:
        props: Props = json_format.MessageToDict(struct)
        props.pop("__provider", None)
        return props

    def check(self, kind: str, olds: Props, news: Props) -> tuple[Props, list[str]]:
        request = provider_pb2.CheckRequest(urn=kind, olds=self._to(kind, olds), news=self._to(kind, news))
        answer = self._do("Check", request)
        assert not any(failure.property for failure in answer.failures), "the engine would print the property's value"
        return self._from(answer.inputs), [failure.reason for failure in answer.failures]

    def diff(self, kind: str, id_: str, olds: Props, news: Props) -> tuple[bool | None, list[str], bool]:
        request = provider_pb2.DiffRequest(id=id_, urn=kind, olds=self._to(kind, olds), news=self._to(kind, news))
        answer = self._do("Diff", request)
        changes = {provider_pb2.DiffResponse.DIFF_NONE: False, provider_pb2.DiffResponse.DIFF_SOME: True}
        return changes.get(answer.changes), list(answer.replaces), answer.deleteBeforeReplace

    def create(self, kind: str, props: Props) -> tuple[str, Props]:
        answer = self._do("Create", provider_pb2.CreateRequest(urn=kind, properties=self._to(kind, props)))
        return answer.id, self._from(answer.properties)

    def read(self, kind: str, id_: str, props: Props) -> tuple[str | None, Props, Props | None]:
        answer = self._do("Read", provider_pb2.ReadRequest(id=id_, urn=kind, properties=self._to(kind, props)))
        inputs = self._from(answer.inputs) if answer.HasField("inputs") else None
        return answer.id or None, self._from(answer.properties), inputs

    def update(self, kind: str, id_: str, olds: Props, news: Props) -> Props:
        request = provider_pb2.UpdateRequest(id=id_, urn=kind, olds=self._to(kind, olds), news=self._to(kind, news))
        return self._from(self._do("Update", request).properties)

    def delete(self, kind: str, id_: str, props: Props) -> None:
        self._do("Delete", provider_pb2.DeleteRequest(id=id_, urn=kind, properties=self._to(kind, props)))


@dataclass
class Resource:
    """What the engine's state holds of one resource."""

    id: str
    inputs: Props
    outputs: Props


@dataclass
class MiniEngine:
    """Runs ``up``, ``refresh`` and ``destroy`` over a wire, keeping state as the real one does."""

    wire: Wire
    state: dict[str, Resource] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def drift(self) -> dict[str, set[str]]:
        """What ``refresh --preview-only`` would show: the inputs that changed, per resource."""
        found = {}
        for kind, old in self.state.items():
            id_, outs, inputs = self.wire.read(kind, old.id, old.outputs)
            if id_ is None:
                found[kind] = {"gone"}
                continue
            inputs = old.inputs if inputs is None else inputs
            changes, _, _ = self.wire.diff(kind, old.id, outs, old.inputs)
            if changes is not False and inputs != old.inputs:
                found[kind] = {n for n in {*inputs, *old.inputs} if inputs.get(n) != old.inputs.get(n)}
        return found

    def refresh(self) -> None:
        """Write to state what is read."""
        for kind, old in list(self.state.items()):
            id_, outs, inputs = self.wire.read(kind, old.id, old.outputs)
            if id_ is None:
                del self.state[kind]
            else:
                self.state[kind] = Resource(id_, old.inputs if inputs is None else inputs, outs)

    def up(self, program: Mapping[str, Props], *, refresh: bool = False) -> None:
        """Deploy. ``changed`` names afterwards what was created, updated, replaced or deleted."""
        self.changed = []
        if refresh:
            self.refresh()
        for kind, declared in program.items():
            self._deploy(kind, declared)
        for kind in [kind for kind in reversed(self.state) if kind not in program]:
            self._delete(kind)

    def destroy(self) -> None:
        """Delete everything, the last created first."""
        self.up({})

    def _deploy(self, kind: str, declared: Props) -> None:
        old = self.state.get(kind)
        inputs, failures = self.wire.check(kind, old.inputs if old else {}, declared)
        if failures:
            raise Failed("; ".join(failures))
        if old is None:
            id_, outs = self.wire.create(kind, inputs)
            self.changed.append(f"create {kind}")
            self.state[kind] = Resource(id_, inputs, outs)
            return
        changes, replaces, delete_first = self.wire.diff(kind, old.id, old.outputs, inputs)
        if changes is False or (changes is None and inputs == old.inputs):
            self.state[kind] = Resource(old.id, inputs, old.outputs)
        elif replaces:
            if delete_first:
                self._delete(kind)
            id_, outs = self.wire.create(kind, inputs)
            if not delete_first:
                self.wire.delete(kind, old.id, old.outputs)
            self.changed.append(f"replace {kind}")
            self.state[kind] = Resource(id_, inputs, outs)
        else:
            outs = self.wire.update(kind, old.id, old.outputs, inputs)
            self.changed.append(f"update {kind}")
            self.state[kind] = Resource(old.id, inputs, outs)

    def _delete(self, kind: str) -> None:
        self.wire.delete(kind, self.state[kind].id, self.state[kind].outputs)
        del self.state[kind]
        self.changed.append(f"delete {kind}")

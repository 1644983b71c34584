"""The provider plugin behind gRPC, in this process: a server as the engine starts it, an engine that listens, a stub."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from codat_zoho.declare.describe import camel_case, snake_case
from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX, SECRET, SIGNATURE
from codat_zoho.plugin.servicer import Provider
from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.concurrency import Once
from tests.canaries import leaks
from tests.mini_engine import Failed, Props, wired

TYPES = {"client": CLIENT, "books": INTEGRATION}


def urn(kind: str, project: str = "shop") -> str:
    """The URN of a resource of the plugin."""
    return f"urn:pulumi:dev::{project}::{PLUGIN_PREFIX}{TYPES.get(kind, kind)}::{kind}"


def sealed(value: Any) -> Any:
    """A value as the engine marks a secret."""
    return {SIGNATURE: SECRET, "value": value}


def opened(value: Any) -> Any:
    """A value without marks."""
    if isinstance(value, dict):
        inner = value["value"] if SIGNATURE in value else value
        return {k: opened(v) for k, v in inner.items()} if isinstance(inner, dict) else opened(inner)
    return [opened(one) for one in value] if isinstance(value, list) else value


def in_clear(value: Any) -> Any:
    """What of a value is not marked as secret."""
    if isinstance(value, dict):
        return {name: in_clear(one) for name, one in value.items() if name != "value" or SIGNATURE not in value}
    return [in_clear(one) for one in value] if isinstance(value, list) else value


def struct(props: Props) -> struct_pb2.Struct:
    return json_format.ParseDict(wired(props), struct_pb2.Struct())


def plain(sent: struct_pb2.Struct) -> Props:
    return dict(json_format.MessageToDict(sent))


def to_wire(props: Props, secret: tuple[str, ...] = ("client_secret", "declared")) -> struct_pb2.Struct:
    """Properties by the core's names, as the engine would send them."""
    named = {camel_case(name): sealed(value) if name in secret else value for name, value in props.items()}
    if isinstance(declared := props.get("declared"), dict):
        named["declared"] = sealed({camel_case(name): value for name, value in declared.items()})
    return struct({name: one for name, one in named.items() if props.get(snake_case(name)) is not None})


def from_wire(sent: struct_pb2.Struct) -> Props:
    """The same the other way round."""
    props = {snake_case(name): opened(one) for name, one in plain(sent).items()}
    if isinstance(props.get("declared"), dict):
        props["declared"] = {snake_case(name): value for name, value in props["declared"].items()}
    return props


@dataclass
class Engine:
    """What the engine serves to a plugin: its log."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def Log(self, request: Any, context: Any) -> Empty:  # noqa: N802
        self.lines.append((request.urn, engine_pb2.LogSeverity.Name(request.severity), request.message))
        self.new.append(request.message)
        return Empty()

    def said(self) -> list[str]:
        found = [line for _, _, line in self.lines]
        self.lines.clear()
        return found


class Plugin:
    """Speaks the engine's protocol to a plugin in this process. Use it in a ``with`` block."""

    def __init__(self, config: Props | None = None, *, secrets: tuple[str, ...] = (), urn: str = "") -> None:
        self.urn = urn
        self.config, self.secrets, self.engine = config or {}, secrets, Engine()
        self._running = ExitStack()

    def __enter__(self) -> Plugin:
        self.stub: Any = provider_pb2_grpc.ResourceProviderStub(self._serve(provider_pb2_grpc, Provider()))
        self.address = self._serve_engine()
        self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=self.address))
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _listen(self, add: Any, servicer: Any) -> str:
        server = grpc.server(ThreadPoolExecutor(8))
        add(servicer, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        self._running.callback(lambda: server.stop(0).wait())
        return address

    def _serve(self, module: Any, servicer: Any) -> Any:
        address = self._listen(module.add_ResourceProviderServicer_to_server, servicer)
        return self._running.enter_context(grpc.insecure_channel(address))

    def _serve_engine(self) -> str:
        class Servicer(engine_pb2_grpc.EngineServicer):
            Log = staticmethod(self.engine.Log)

        return self._listen(engine_pb2_grpc.add_EngineServicer_to_server, Servicer())

    def renew(self) -> None:
        """Configure it, as each deployment does."""
        if CONTEXT._given is not None:
            CONTEXT._given.asked = Once()
        self.do("Configure", provider_pb2.ConfigureRequest(args=struct(self.config), urn=self.urn))

    def do(self, method: str, request: Any, timeout: float = 60) -> Any:
        """Make a call; neither its answer nor what was logged may give a secret away."""
        try:
            answer = getattr(self.stub, method)(request, timeout=timeout)
        except grpc.RpcError as error:
            text = str(error.details())
            assert "\n" not in text and not leaks(text, *self.secrets), text
            raise Failed(text) from None
        shown = str(in_clear(json_format.MessageToDict(answer)))
        seen, self.engine.new = self.engine.new, []
        for text in (shown, *seen):
            assert not leaks(text, *self.secrets), text
        return answer

    # --- as the mini engine wants it ---

    def check(self, kind: str, olds: Props, news: Props) -> tuple[Props, list[str]]:
        answer = self.do("Check", provider_pb2.CheckRequest(urn=urn(kind), olds=to_wire(olds), news=to_wire(news)))
        assert not any(failure.property for failure in answer.failures), "the engine would print the property's value"
        return from_wire(answer.inputs), [failure.reason for failure in answer.failures]

    def diff(self, kind: str, id_: str, olds: Props, news: Props) -> tuple[bool | None, list[str], bool]:
        answer = self.do("Diff", self.diff_request(kind, id_, olds, news))
        changes = {provider_pb2.DiffResponse.DIFF_NONE: False, provider_pb2.DiffResponse.DIFF_SOME: True}
        return changes[answer.changes], [*map(snake_case, answer.replaces)], answer.deleteBeforeReplace

    @staticmethod
    def diff_request(kind: str, id_: str, olds: Props, news: Props) -> Any:
        return provider_pb2.DiffRequest(
            id=id_, urn=urn(kind), olds=to_wire(olds), old_inputs=to_wire(olds), news=to_wire(news)
        )

    def create(self, kind: str, props: Props) -> tuple[str, Props]:
        answer = self.do("Create", provider_pb2.CreateRequest(urn=urn(kind), properties=to_wire(props)))
        return answer.id, from_wire(answer.properties)

    def read(self, kind: str, id_: str, props: Props) -> tuple[str | None, Props, Props | None]:
        request = provider_pb2.ReadRequest(id=id_, urn=urn(kind), properties=to_wire(props), inputs=to_wire(props))
        answer = self.do("Read", request)
        inputs = from_wire(answer.inputs) if answer.HasField("inputs") else None
        return answer.id or None, from_wire(answer.properties), inputs

    def update(self, kind: str, id_: str, olds: Props, news: Props) -> Props:
        olds_, news_ = to_wire(olds), to_wire(news)
        request = provider_pb2.UpdateRequest(id=id_, urn=urn(kind), olds=olds_, old_inputs=olds_, news=news_)
        return from_wire(self.do("Update", request).properties)

    def delete(self, kind: str, id_: str, props: Props) -> None:
        self.do("Delete", provider_pb2.DeleteRequest(id=id_, urn=urn(kind), properties=to_wire(props)))

"""The floor of the plugin: it keeps what it is given, and its schema is as long as ours.

It is written as Pulumi's guide has it, on `pulumi.runtime.proto`. Ours does not load the SDK behind
that, so it may be faster than this floor; the bar for its start has the bare stubs below it.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as _pb

SCHEMA = Path(__file__).resolve().parent.parent / "codat_zoho/plugin/schema.json"
# ruff: noqa: N802, D102


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Makes nothing."""

    def Handshake(self, request: Any, context: Any) -> Any:
        return _pb.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.1.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return _pb.GetSchemaResponse(
            schema=SCHEMA.read_text().replace("codat-zoho:", "echo:").replace("codat-zoho", "echo", 1)
        )

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return _pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return _pb.DiffResponse(changes=_pb.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return _pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        return _pb.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        same = request.old_inputs == request.news
        return _pb.DiffResponse(changes=_pb.DiffResponse.DIFF_NONE if same else _pb.DiffResponse.DIFF_SOME)

    def Create(self, request: Any, context: Any) -> Any:
        return _pb.CreateResponse(id="echo", properties=request.properties)

    def Read(self, request: Any, context: Any) -> Any:
        return _pb.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return Empty()


def main() -> None:
    """Serve until the engine ends."""
    server = grpc.server(ThreadPoolExecutor(16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()  # The engine holds it open as long as it lives.
    server.wait_for_termination()


if __name__ == "__main__":
    main()

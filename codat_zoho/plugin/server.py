"""``pulumi-resource-codat-zoho``: what the engine starts."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

_THREADS = 256
"""Calls at a time: more than the engine makes, so that Cancel never waits behind them."""


def main() -> None:
    """Serve until the engine ends. The first line on stdout is the port, which is all that the engine reads there."""
    import grpc

    from codat_zoho.plugin.servicer import Provider
    from codat_zoho.plugin.stubs import stub
    from codat_zoho.provider.process import end_with_engine

    end_with_engine(surely=True)
    server = grpc.server(ThreadPoolExecutor(_THREADS))
    engine = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    stub("provider_pb2_grpc").add_ResourceProviderServicer_to_server(Provider(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(0)

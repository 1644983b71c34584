"""``codat-zoho simulate``: runs the simulator until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import get_type_hints

from codat_zoho.errors import ConfigurationError
from codat_zoho.simulator.control import checked
from codat_zoho.simulator.server import make_server
from codat_zoho.simulator.switches import Switches
from codat_zoho.simulator.world import Simulator
from codat_zoho.terminal.console import Parser, publish, say
from codat_zoho.texts.redact import one_line

DEMO_KEY = "simulator-api-key"
DEMO_CLIENT_ID = "1000.SIMULATEDCLIENT000000000000001"
DEMO_SECRET = "5111a7ed5ec2e7000000000000000000000000c0de"


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = Parser(
        prog="codat-zoho simulate",
        description="Stand-ins for Codat and for Zoho's token endpoints, on this machine only. Nothing is kept.",
        epilog="Change things as a person would in the Portal or the console, and inject faults, with the control\n"
        "interface below /_control: see the page Simulator, or the documentation of codat_zoho.simulator.control.\n\n"
        "exit codes: 0 ended with Ctrl-C, 1 the port or the contract file cannot be used, 2 wrong use",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=8765, help="port on 127.0.0.1; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--empty", action="store_true", help="start without the ready-made Codat and Zoho client")
    parser.add_argument(
        "--contract", type=Path, metavar="FILE", help="behave as `codat-zoho contract` observed it (its JSON result)"
    )
    parser.add_argument("--linked", type=int, default=0, metavar="N", help="how many companies are linked (default: 0)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print what to set, then serve until Ctrl-C."""
    try:
        simulator = Simulator(observed(arguments.contract) if arguments.contract else None)
    except ConfigurationError as error:
        say(str(error))
        return 1
    if not arguments.empty:
        simulator.add_codat_client(DEMO_KEY, linked=arguments.linked)
        simulator.add_zoho_client(DEMO_CLIENT_ID, DEMO_SECRET)
    try:
        server = make_server(simulator, arguments.port)
    except (OSError, OverflowError) as error:
        say(f"Port {arguments.port} cannot be used ({error}); choose another with --port.")
        return 1
    base = f"http://127.0.0.1:{server.server_port}"
    with server, contextlib.suppress(KeyboardInterrupt):
        publish(f"export CODAT_URL={base}/codat ZOHO_URL={base}/zoho\n")
        if not arguments.empty:
            publish(f"export CODAT_API_KEY={DEMO_KEY}\n")
            publish(f"# Zoho client id {DEMO_CLIENT_ID}, secret {DEMO_SECRET} (made up)\n")
        publish("# Ctrl-C ends it.\n")
        server.serve_forever()
    return 0


def observed(path: Path) -> Switches:
    """Read a result of ``codat-zoho contract`` as switches; what was not observed keeps its default."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(result, dict) or result.get("codat-zoho-contract") != 1:
            raise ValueError("it is not a result of this version of `codat-zoho contract`")
        seen = {row["name"]: row["seen"] for row in result["assumptions"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        why = one_line(str(problem)) or type(problem).__name__
        raise ConfigurationError(f"{path} cannot be read: {why}.", "Make one: codat-zoho contract --output") from None
    known = get_type_hints(Switches)
    try:
        return Switches(**checked(known, {name: seen[name] for name in known if seen.get(name) is not None}))
    except ValueError as problem:
        raise ConfigurationError(
            f"{path} says something which the simulator cannot imitate: {problem}.",
            "Remove that row, and report it to the codat-zoho project.",
        ) from None

"""``codat-zoho doctor``: one screen that says what is wrong, and what to do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from codat_zoho._version import __version__
from codat_zoho.doctor.finding import Finding, Situation, Verdict, fail, trouble
from codat_zoho.errors import CodatZohoError, ConfigurationError
from codat_zoho.remote.http import Http
from codat_zoho.terminal.console import Parser, at_terminal, publish, remark, show
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.redact import redact
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project, find_project

SECONDS = 120.0
"""For all calls together; a host that is slow costs those behind it."""
Check = Callable[[Situation], Iterator[Finding]]
_COLOURS: dict[Verdict, str] = {"ok": "\033[32m", "warn": "\033[33m", "fail": "\033[31m"}


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = Parser(
        prog="codat-zoho doctor",
        description="Looks at everything that a deployment needs and says what is wrong and what to do. It reads only, "
        "and shows no key or secret.",
        epilog="exit codes: 0 nothing fails (there may be warnings), 1 something fails, 2 wrong use",
    )
    parser.add_argument("--stack", metavar="NAME", help="the stack to look at (default: the selected one)")
    parser.add_argument("--connection", metavar="NAME", help="name of the Codat API key (default: as configured)")
    parser.add_argument("--cwd", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project")
    parser.add_argument(
        "--verify", action="store_true", help="ask each Zoho data centre once whether it accepts the client"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print it (default: text)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Look, print, and say by the exit code whether anything fails."""
    findings = list(examine(arguments))
    if arguments.format == "json":
        content = {"codat-zoho": __version__, "checks": [asdict(one) for one in findings]}
        publish(redact(json.dumps(content, indent=2)) + "\n", "json")
    else:
        for one in findings:
            show(_line(one), coloured=True)
        show(_sum(findings))
    return int(any(one.verdict == "fail" for one in findings))


def examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Run all checks. One that stumbles says so, and the others go on."""
    from codat_zoho.doctor import local, plugin, pythons, remote

    project: Project | None = None
    try:
        project = find_project(arguments.cwd)
    except ConfigurationError as error:
        yield fail("project", error.what, "Mend the file.")
    pulumi = Pulumi.find(project.folder if project else arguments.cwd.resolve())
    http = Http(record=True).reporting(remark)
    http = http.within(http.deadline(SECONDS))
    now = Situation(project, pulumi, http, arguments.stack, connection=arguments.connection or "")
    checks: list[tuple[str, Check]] = [
        ("Pulumi CLI", local.pulumi_command),
        ("project", local.project),
        (pythons.PROVIDER, pythons.pythons),
        (plugin.PLUGIN, plugin.plugin),
        ("stack", local.stack),
        ("configuration", local.configuration),
        ("proxies", local.proxies),
        ("TLS trust", local.tls_trust),
        ("API key", remote.codat),
        ("Zoho hosts", remote.zoho),
    ]
    if arguments.verify:
        checks.append((remote.VERIFIED, remote.verified))
    for topic, check in checks:
        found = list(_safely(topic, check, now))
        yield from found
        if topic == "TLS trust" and any(one.verdict == "fail" for one in found):
            return  # Nothing can be sent then.


def _safely(topic: str, check: Check, now: Situation) -> Iterator[Finding]:
    try:
        yield from check(now)
    except CodatZohoError as error:
        yield trouble(topic, error)
    except Exception as error:  # noqa: BLE001
        what = f"could not be looked at ({type(error).__name__})."
        yield fail(topic, what, "Report this to the codat-zoho project.")


def _line(one: Finding) -> str:
    word = f"{one.verdict:<4}"
    if at_terminal(sys.stdout) and "NO_COLOR" not in os.environ:
        word = f"{_COLOURS[one.verdict]}{word}\033[0m"
    step = f"\n{'':29}-> {one.next_step}" if one.next_step else ""
    return f"{word}  {harmless(f'{one.topic:<22} {one.what}{step}')}"


def _sum(findings: list[Finding]) -> str:
    count = {verdict: sum(one.verdict == verdict for one in findings) for verdict in ("fail", "warn")}
    if not any(count.values()):
        return f"\nEverything is in order ({len(findings)} checks)."
    return f"\n{count['fail']} failed, {count['warn']} warned, of {len(findings)} checks."

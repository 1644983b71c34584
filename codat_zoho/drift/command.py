"""``codat-zoho drift``: did anybody change Codat or Zoho behind our back?"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from codat_zoho.declare.recorded import utc_now
from codat_zoho.drift.driver import READERS, Fleet
from codat_zoho.drift.formats.json import Key, drifts_of, since_before
from codat_zoho.drift.report import Report, State
from codat_zoho.drift.stacks import Checks
from codat_zoho.errors import ConfigurationError, Exit
from codat_zoho.remote.concurrency import start
from codat_zoho.remote.http import Http
from codat_zoho.terminal.console import Parser, at_terminal, interactive, publish, remark
from codat_zoho.terminal.signals import handling, interrupt
from codat_zoho.texts.report_json import redacted
from codat_zoho.workspace.command import Children

CALLS_AT_ONCE = 3
"""What reading one integration sends at the same time."""

_EPILOG = """\
exit codes (where several apply, the first one wins):
  130  interrupted; nothing is left behind
  1    a stack could not be checked, or --remediate failed
  3    the same, and only because of authentication (Codat's API key, the login to Pulumi's backend)
  2    the command line is wrong
  7    drift
  0    no drift

examples:
  codat-zoho drift                                   the selected stack of the project in this folder
  codat-zoho drift billing crm --all-stacks          all stacks of two projects
  codat-zoho drift --all-stacks --report json=drift.json --report junit=drift.xml
  codat-zoho drift --stack prod --remediate          asks, then runs pulumi up --refresh where there is drift

  codat-zoho drift --state prod.json                 a state that was exported elsewhere, without any pulumi

It reads each stack's state with 'pulumi stack export --show-secrets' and asks Codat and Zoho: no program is run,
nothing is written, no lock is taken, and the selected stack stays selected. It needs the login to the backend, the
passphrase where there is one, and the API keys: from the environment, stack configuration, or ESC environments.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = Parser(
        prog="codat-zoho drift",
        description="Tell whether anybody changed Codat or Zoho behind the code's back, in any number of stacks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("project", nargs="*", help="folders of Pulumi projects (default: this one)")
    which = parser.add_argument_group("which stacks").add_mutually_exclusive_group()
    which.add_argument("--stack", action="append", metavar="NAME", help="this stack; may be given several times")
    which.add_argument("--all-stacks", action="store_true", help="all stacks of each project")
    states = "states from 'pulumi stack export --show-secrets', - for standard input"
    which.add_argument("--state", action="extend", nargs="+", metavar="FILE", default=[], help=states)
    parser.add_argument("--shard", type=_shard, metavar="I/N", help="the I-th of N parts of the stacks, stable by name")

    what = parser.add_argument_group("what is checked")
    what.add_argument("--no-verify", action="store_true", help="do not ask Zoho whether it accepts the client")
    what.add_argument("--pending", action="store_true", help="also run the program, and name undeployed code changes")
    what.add_argument("--strict", action="store_true", help="what cannot be told counts as drift")
    what.add_argument("--previous", type=Path, metavar="FILE", help="an earlier JSON report, which dates known drift")

    drawn = parser.add_argument_group("reports")
    drawn.add_argument("--format", choices=FORMATS, default="text", help="what is printed (default: %(default)s)")
    drawn.add_argument("--output", type=writable, metavar="FILE", help="write it to a file instead")
    more = "one more report; repeatable"
    drawn.add_argument("--report", type=output, action="append", default=[], metavar="FORMAT=FILE", help=more)
    drawn.add_argument("--quiet", action="store_true", help="print nothing when all is as declared, and no progress")
    drawn.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")

    how = parser.add_argument_group("how")
    jobs = "commands of pulumi at a time (default: one a core, %(default)s)"
    how.add_argument("--jobs", type=_positive, default=_cores(), metavar="N", help=jobs)
    seconds = "seconds for one stack (default: %(default)s)"
    how.add_argument("--timeout", type=_positive, default=300, metavar="S", help=seconds)
    restore = "run pulumi up --refresh where there is drift; asks first"
    how.add_argument("--remediate", action="store_true", help=restore)
    how.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _cores() -> int:
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - not on Linux


def _positive(text: str) -> int:
    # Seconds, or commands at a time: more is a typing error, and more than the system's calls take.
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:12]) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} must be a whole number from 1 to 1,000,000")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    index, slash, count = text.partition("/")
    if not (slash and index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 2/5: the second of five parts")
    return int(index), int(count)


def run(arguments: argparse.Namespace) -> int:
    """Check, remediate where asked, and write the reports."""
    _refuse_what_contradicts(arguments)
    arguments.project = arguments.project or ["."]
    drawn = outputs(arguments)
    started, began = utc_now(), time.monotonic()
    before = _previous(arguments.previous)
    children = Children()
    client = Http(sleep=children.wait, connections=CALLS_AT_ONCE * READERS).reporting(remark)
    client.budget.say = lambda text: None  # It is in the report.
    fleet = Fleet(children, client, arguments.jobs, arguments.timeout, verified=not arguments.no_verify)
    with interruptible(children):
        start(client.load)
        checks = Checks(fleet, arguments)
        stacks = checks.run()
        report = Report(
            stacks=stacks,
            started=started,
            seconds=time.monotonic() - began,
            verified=not arguments.no_verify,
            strict=arguments.strict,
            notes=(*checks.notes, *client.budget.notes()),
        )
        report = since_before(report, before)
        if arguments.remediate:
            report = checks.remediate(report, ask=not arguments.yes)
        fleet.close()
    report = redacted(report)
    fine = not report.exit_code and all(stack.state is State.AS_DECLARED for stack in report.stacks)
    unwritten = False
    for one in drawn:
        if arguments.quiet and fine and one.path is None:
            continue
        try:
            one.write(report)
        except BrokenPipeError:  # Nobody reads any more, and the other reports are for others.
            unwritten = True
        except ConfigurationError as problem:
            remark(str(problem))
            unwritten = True
    return Exit.ERROR if unwritten else Exit(report.exit_code)


def _refuse_what_contradicts(arguments: argparse.Namespace) -> None:
    paths = [os.path.realpath(one.path) for one in outputs(arguments) if one.path]
    if len(set(paths)) < len(paths):
        parser().error("two reports would be written to the same file")
    if arguments.yes and not arguments.remediate:
        parser().error("--yes needs --remediate")
    for name in ("project", "shard", "pending", "remediate"):
        if arguments.state and getattr(arguments, name):
            word = "folders of projects" if name == "project" else f"--{name}"
            parser().error(f"--state checks files alone: it does not go together with {word}")
    if arguments.remediate and not arguments.yes and not interactive():
        parser().error("--remediate asks first, and there is no terminal to ask at: add --yes")


def _previous(path: Path | None) -> Mapping[Key, str]:
    if path is None:
        return {}
    try:
        return drifts_of(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remark(f"there is no earlier report {path} yet; drift is dated from this run on")
        return {}
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"--previous {path} cannot be used: {problem}.") from None


@contextlib.contextmanager
def interruptible(children: Children) -> Iterator[None]:
    """End all children when the run ends with an exception.

    SIGTERM, as CI systems send it, and SIGHUP end the run as Ctrl-C does; a second one does not wait for the children.
    """
    with handling(interrupt, "SIGTERM", "SIGHUP"):
        try:
            yield
        except BaseException:
            try:
                children.stop()
            except KeyboardInterrupt:
                children.stop()
            raise


FORMATS = ("text", "json", "markdown", "junit", "html")
"""Each is a module of its own in ``formats``, imported when it is asked for."""


@dataclass(frozen=True)
class Output:
    """One report to write; without a path it is printed."""

    format: str
    path: Path | None = None
    color: bool = False

    def write(self, report: Report) -> None:
        """Draw the report and write it, see ``publish``."""
        options = {"color": self.color} if self.format == "text" else {}
        text = import_module(f"codat_zoho.drift.formats.{self.format}").draw(report, **options)
        publish(text, self.format, self.path, coloured=self.color and self.format == "text")


def output(text: str) -> Output:
    """Read what ``--report`` is given."""
    name, _, path = text.partition("=")
    if name not in FORMATS or not path:
        raise ArgumentTypeError(f"{text!r} is not like json=drift.json; the formats are {', '.join(FORMATS)}")
    return Output(name, writable(path))


def writable(text: str) -> Path:
    """Refuse a file that cannot be written, before anything runs."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path} cannot be written: it is a folder")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path} cannot be written: its folder does not exist")
    return path


def outputs(arguments: argparse.Namespace) -> list[Output]:
    """The reports to write: what is printed, or written instead, and further ones."""
    return [Output(arguments.format, arguments.output, _color(arguments)), *arguments.report]


def _color(arguments: argparse.Namespace) -> bool:
    if arguments.no_color or os.environ.get("NO_COLOR") or arguments.output:
        return False
    return at_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"

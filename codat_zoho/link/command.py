"""``codat-zoho test-link``: does a customer get through? A person links a test company, which is deleted again."""

from __future__ import annotations

import argparse
import datetime
import os
import re
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

from codat_zoho.core import linking
from codat_zoho.core.linking import Company, Outcome
from codat_zoho.declare.recorded import utc_now
from codat_zoho.errors import ConfigurationError, Exit
from codat_zoho.link import record
from codat_zoho.link.look import Looked, look
from codat_zoho.link.report import Report
from codat_zoho.link.run import SECONDS, Place, Seen, Trial, new_tag, remove
from codat_zoho.remote.companies import Companies
from codat_zoho.remote.http import Http
from codat_zoho.terminal.console import (
    Parser,
    animated,
    aside,
    confirmed,
    interactive,
    publish,
    redraw,
    refuse_unwritable,
    remark,
    reveal,
    say,
    write_new,
)
from codat_zoho.terminal.signals import handling, interrupt
from codat_zoho.texts.redact import redact
from codat_zoho.texts.report_json import redacted
from codat_zoho.workspace.pulumi_yaml import Project, find_project, plain_name

FORMATS = ("text", "json", "junit")
_DAY = 24 * 60 * 60
_UNITS = {"s": 1, "m": 60, "h": 60 * 60}
_EPILOG = f"""\
It creates a company whose name says that it is a test, and a Zoho Books connection of it; shows the link on the
terminal; waits until somebody signs in to Zoho and consents; says what that proves; and deletes the company again,
also after Ctrl-C, SIGTERM, SIGHUP and errors. It asks first. Sign in as the owner of a Zoho test organisation.

Whoever has the link can connect books, so it is shown on the terminal itself, and in no output, report or log. Where
there is no terminal, --link-file writes it to a file for your eyes, and --open gives it to the browser of this machine.

--record keeps the result in {record.FILE} beside Pulumi.yaml, to be committed: doctor, drift and review
read it, and say when the keys have changed since a link was last proved. It holds no secret.

exit codes: 0 linked; 7 not linked, or with --data no data came; 1 refused, failed, or the company could not be deleted;
2 wrong use; 3 API key refused; 130 stopped, and the company is deleted then, too
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    made = Parser(
        prog="codat-zoho test-link",
        description="Proves that a customer can link: you link a test company, and it is deleted again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--connection", default="default", metavar="NAME", help="name of the Codat API key to use (default: default)")
    stack = "the stack to test: its API key, its address, what Zoho said of its client, and which secret it deployed"
    add("--stack", metavar="NAME", help=stack)
    add("--cwd", type=Path, default=Path(), metavar="DIR", help="folder of the Pulumi project")
    add("--company-name", type=_name, default="Test company", metavar="TEXT", help="begins the name of the company")
    wait = "how long to wait for somebody to link, and again for data: 900s, 15m, 2h (default: 15m)"
    add("--wait", type=_duration, default=15 * 60.0, metavar="TIME", help=wait)
    add("--open", action="store_true", help="open the link in the browser of this machine")
    add("--link-file", type=Path, metavar="FILE", help="write the link to a new file for your eyes, deleted at the end")
    add("--data", action="store_true", help="wait for the first data set, too, and say which came")
    add("--keep", action="store_true", help="leave the company in Codat, to look at it")
    yes = "do not ask; deletes unasked what earlier tests left more than a day ago and nobody linked"
    add("--yes", action="store_true", help=yes)
    add("--record", action="store_true", help=f"with --stack, keep the result in {record.FILE} beside Pulumi.yaml")
    add("--format", choices=FORMATS, default="text", help="how to print the result (default: text)")
    return made


def _name(text: str) -> str:
    if redact(text) != text:
        raise argparse.ArgumentTypeError("what is given looks like a key or a secret, and names are for all to see")
    if not linking.NAME.fullmatch(text):
        what = "at most 60 letters, digits, blanks between them and - ' , & @ . ? !, since Codat drops others"
        raise argparse.ArgumentTypeError(f"{text[:20]!a} must be {what}")
    return text


def _duration(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,6})([smh])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 10 <= seconds <= _DAY:
        raise argparse.ArgumentTypeError(
            f"{redact(text)[:20]!a} is not like 900s, 15m or 2h, from 10s to 24h: a link lasts a day"
        )
    return float(seconds)


def run(arguments: argparse.Namespace) -> int:
    """Look, ask, test, and say what came of it."""
    with handling(interrupt, "SIGTERM", "SIGHUP"):
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    project = find_project(arguments.cwd) if arguments.stack else None
    _check(arguments, project)
    http = Http().reporting(remark)
    found = look(http, arguments, project)
    for line in found.lines():
        say(line)
    open_codat = partial(Companies, http, found.key, url=found.url, seconds=SECONDS)
    with _handing_out(arguments) as hand_out:
        progress = redraw if animated() else _Told()
        place = Place(http, open_codat, say, progress, hand_out)
        _offer_to_delete(place, found.tests, arguments)
        linking.refuse(found.actual, found.verdicts)
        name = linking.company_name(arguments.company_name, _moment(http.now())[:10], new_tag())
        _ask(name, found, arguments)
        began, at = http.clock(), utc_now()
        seen = Trial(place, name, arguments.wait, arguments.data, arguments.keep).run()
        seconds = http.clock() - began
    return _finish(arguments, project, _report(arguments, found, seen, name, at, seconds), seen)


def _moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}"


def _check(arguments: argparse.Namespace, project: Project | None) -> None:
    """Refuse what cannot go well before anything is asked or created."""
    if arguments.record and not arguments.stack:
        parser().error("--record needs --stack: without it, which keys were proved is not known")
    if not arguments.yes and not interactive():
        raise ConfigurationError("There is no terminal to ask at; nothing was created.", "Use --yes to go on unasked.")
    if arguments.link_file:
        refuse_unwritable(arguments.link_file)
    elif not arguments.open and not reveal():
        raise ConfigurationError(
            "There is no terminal to show the link on, and it belongs into no log; nothing was created.",
            "Run this in a terminal; or give --link-file FILE, or --open for the browser of this machine.",
        )
    if arguments.open:
        try:
            webbrowser.get()
        except webbrowser.Error:
            raise ConfigurationError("--open finds no browser; nothing was created.", "Leave it out.") from None
    if not arguments.record:
        return
    if project is None:
        raise ConfigurationError("--record writes beside Pulumi.yaml, and there is none here or above.", "Use --cwd.")
    record.load(project.folder)
    if not os.access(project.folder, os.W_OK):
        raise ConfigurationError(f"--record cannot write into {project.folder}; nothing was created.", "Leave it out.")


class _Told:
    """Says each line once, where none can be redrawn: not the time, which changes with each look."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, line: str) -> None:
        told = line.partition(": ")[2]
        if told and told != self._last:
            say(f"{told[0].upper()}{told[1:]}.")
        self._last = told or self._last


@contextmanager
def _handing_out(arguments: argparse.Namespace) -> Iterator[Callable[[str], None]]:
    """Give the link to the person who asked for it, and to nobody else; its file is deleted at the end."""
    written: list[Path] = []

    def hand_out(link: str) -> None:
        say(_INSTRUCTIONS)
        if arguments.link_file:
            write_new(arguments.link_file, f"{link}\n")
            written.append(arguments.link_file)
            say(f"The link is in {arguments.link_file}, for your eyes only; it is deleted at the end.")
        shown = reveal(f"\n  {link}\n")
        opened = False
        if arguments.open:
            with aside():
                opened = webbrowser.open(link)
        if not (shown or written or opened):
            browser = "The browser did not open, and there" if arguments.open else "There"
            raise ConfigurationError(f"{browser} is no terminal to show the link on.")

    try:
        yield hand_out
    finally:
        for file in written:
            file.unlink(missing_ok=True)


_INSTRUCTIONS = """\
Open the link, sign in to Zoho as the owner of a test organisation, and accept. It lets whoever has it connect books: do
not pass it on. It lasts a day, and where the Codat account has one-time links it works once. No test organisation yet?
In Zoho Books, create a new organisation and make it the default one (Manage, then ... > Mark as Default)."""


def _offer_to_delete(place: Place, tests: list[Company], arguments: argparse.Namespace) -> None:
    """Delete what earlier tests left, where that is wanted; unasked, only what nobody can need any more."""
    day_ago = _moment(place.http.now() - _DAY)
    doubts = {one: linking.doubt(one, day_ago) for one in tests}
    gone = [one for one in tests if not doubts[one]]
    for one in gone:
        say(_left_before(one))
    if gone and not arguments.yes and not confirmed(f"Delete {'it' if len(gone) == 1 else f'these {len(gone)}'}?"):
        gone = []
    for one, why in doubts.items():
        if not why:
            continue
        say(_left_before(one))
        if arguments.yes:
            say(f"Not deleted unasked, since {why}.")
        elif confirmed(f"Delete it, although {why}?"):
            gone.append(one)
    for one in gone:
        left = remove(place, one)
        say(str(left) if left else f"Deleted: {one.name!r}.")


def _left_before(one: Company) -> str:
    return f"Left by an earlier test: {one.name!r} (id {one.id}), created {one.created or 'at an unknown time'}."


def _ask(name: str, found: Looked, arguments: argparse.Namespace) -> None:
    if found.linked:
        linked = "1 company is" if found.linked == 1 else f"{found.linked} companies are"
        say(
            f"Caution: {linked} linked, so this Codat client is in use. A company that is created and linked may be "
            "billed, as the contract with Codat says: a test client is better."
        )
    after = "It stays there (--keep)." if arguments.keep else "It is deleted at the end, for good."
    say(f"This creates the company {name!r} in that Codat client, with one Zoho Books connection. {after}")
    if not arguments.yes and not confirmed("Create it?"):
        raise ConfigurationError("Nothing was created.")


def _report(arguments: argparse.Namespace, found: Looked, seen: Seen, name: str, at: str, seconds: float) -> Report:
    connection = seen.connection
    return Report(
        at=at,
        connection=arguments.connection,
        company=name,
        outcome=seen.outcome,
        status=connection.status if connection else "",
        seconds=seconds,
        stack=arguments.stack,
        codat_client=found.client.id,
        fingerprint=found.fingerprint,
        data_centre=linking.data_centre(connection.info) if connection and seen.outcome is Outcome.LINKED else None,
        errors=connection.errors if connection else (),
        data=seen.data,
        data_failed=seen.data_failed,
        left=seen.left,
        kept=arguments.keep,
    )


def _finish(
    arguments: argparse.Namespace,
    project: Project | None,
    report: Report,
    seen: Seen,
) -> int:
    """Print the result, keep it, and say by the exit code how it went."""
    report = redacted(report)
    if arguments.format != "text" or seen.error:
        for left in report.left:
            remark(str(left))
    if seen.error and report.outcome is Outcome.UNTOLD:
        raise seen.error
    for problem in filter(None, (seen.error, seen.trouble)):
        remark(str(problem))
    try:
        publish(import_module(f"codat_zoho.link.formats.{arguments.format}").draw(report), arguments.format)
    finally:  # Also where nobody reads the result to its end.
        if arguments.record and project is not None and report.outcome is not Outcome.UNTOLD:
            _keep(project, report)
    return Exit.ERROR if seen.error else Exit(report.exit_code)


def _keep(project: Project, report: Report) -> None:
    new = record.LinkTest(
        at=report.at,
        connection=report.connection,
        outcome=report.outcome.value,
        stack=plain_name(report.stack) if report.stack else None,
        codat_client=report.codat_client,
        fingerprint=report.fingerprint,
        data_centre=report.data_centre,
    )
    before = record.load(project.folder) or ()  # Another test may have been recorded meanwhile.
    publish(record.text(before, new), "json", project.folder / record.FILE)
    say(f"Recorded in {project.folder / record.FILE}: commit it, and doctor, drift and review read it.")

"""``codat-zoho review``: what a change of configuration will do to an environment, before anybody deploys it."""

from __future__ import annotations

import argparse
import difflib
import importlib
from dataclasses import replace
from pathlib import Path

from codat_zoho.errors import Exit
from codat_zoho.review.report import Environment, Review
from codat_zoho.terminal.console import Parser, publish, say
from codat_zoho.texts.report_json import redacted

_HELP = """\
Offline, it compares the stack-config files of two git revisions: nothing is checked out, decrypted or sent anywhere.
With --preview it reads what `pulumi preview --json` printed instead.

exit codes:
  0  nothing that --fail-on names
  7  a danger (--fail-on danger) or any change (--fail-on change)
  1  a side cannot be read, or breaks a rule of the settings (not if that is as before, and untouched);
     with --strict also then, and where something was not reviewed
  2  the command line is wrong
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    made = Parser(
        prog="codat-zoho review",
        description="Says what a change of configuration will do, what is dangerous in it, and what a person must do.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--base", metavar="REF", type=_given, help="compare with where the head left this revision (origin/HEAD, ...)")
    add("--head", metavar="REF", type=_given, help="a revision, worktree (the default) or index")
    add("--stack", metavar="NAME", type=_given, action="append", default=[], help="only this stack; may be repeated")
    add("--directory", metavar="DIR", type=_path, default=Path(), help="a folder of the repository")
    help_ = "read these outputs of `pulumi preview --json`; - is stdin"
    add("--preview", metavar="FILE", type=_given, nargs="+", default=[], help=help_)
    formats = ("text", "markdown", "json", "annotations")
    add("--format", choices=formats, default="text", help="how to print it (text)")
    add("--output", metavar="FILE", type=_path, help="write it to this file instead of printing it")
    reasons = ("danger", "change", "never")
    add("--fail-on", choices=reasons, default="danger", help="what exit code 7 stands for (danger)")
    help_ = "fail (1) where something cannot be reviewed from files, as programs of one's own cannot"
    add("--strict", action="store_true", help=help_)
    help_ = "look for nothing but secrets in clear, new or not; exit code 7"
    add("--clear-secrets", action="store_true", help=help_)
    return made


def _given(text: str) -> str:
    """An argument that must say something: without it another thing would be reviewed than was meant."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty: is the variable unset that it was taken from?")
    return text


def _path(text: str) -> Path:
    return Path(_given(text))


def run(arguments: argparse.Namespace) -> int:
    """Review, print, and say by the exit code how it looks."""
    made = redacted(_review(arguments))
    if arguments.stack:
        unknown = _unknown_stack(made, arguments.stack)
        if unknown:
            say(f"codat-zoho review: --stack: {unknown}")
            return Exit.USAGE
        made = replace(made, environments=tuple(one for one in made.environments if _names(one) & {*arguments.stack}))
    if arguments.clear_secrets:
        made = replace(made, environments=tuple(map(_clear_secrets, made.environments)), cannot_know=())
    text: str = importlib.import_module(f"codat_zoho.review.formats.{arguments.format}").render(made)
    publish(text, arguments.format, arguments.output)
    if made.broken or (arguments.strict and (made.not_reviewed or any(one.problems for one in made.environments))):
        return Exit.ERROR
    failed = {"danger": made.dangerous, "change": made.dangerous or made.changes_something, "never": False}
    return Exit.CHANGES if failed[arguments.fail_on] else Exit.OK


def _review(arguments: argparse.Namespace) -> Review:
    if arguments.preview:
        from codat_zoho.review import previews

        if arguments.base or arguments.head or arguments.clear_secrets:
            parser().error("--preview reads previews and no revisions: leave --base, --head and --clear-secrets out")
        return previews.review(arguments.preview)
    from codat_zoho.review import git, revisions

    if not arguments.directory.is_dir():
        parser().error(f"--directory: {arguments.directory} is no folder")
    return revisions.review(git.Repository(arguments.directory), arguments.base, arguments.head or git.WORKTREE)


def _names(one: Environment) -> set[str]:
    return {one.stack, f"{one.project}/{one.stack}"}


def _unknown_stack(made: Review, asked: list[str]) -> str:
    """A stack that was asked for and is not there is a typo, and must not pass for one without changes."""
    names = {name for one in made.environments for name in _names(one)}
    for stack in asked:
        if stack not in names:
            close = difflib.get_close_matches(stack, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            there = ", ".join(sorted(one.stack for one in made.environments)) or "none"
            return f"no stack {stack!r}{hint} (there: {there})"
    return ""


def _clear_secrets(one: Environment) -> Environment:
    """The secrets in clear alone; broken sides stay, since nobody could look there."""
    found = tuple(finding for finding in one.findings if finding.rule == "secret-in-clear")
    status = one.status if one.problems else "unchanged"
    return Environment(
        one.project, one.stack, one.file, status, findings=found, problems=one.problems, touched=one.touched
    )

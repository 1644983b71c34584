"""``codat-zoho review``: what a change of configuration will do to an environment, before anybody deploys it."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from dataclasses import replace
from pathlib import Path

from codat_zoho.errors import ConfigurationError, Exit
from codat_zoho.review.report import Environment, Review

_HELP = """\
Offline, it compares the stack-config files of two git revisions: nothing is checked out, decrypted or sent anywhere.
With --preview it reads what `pulumi preview --json` printed instead.

exit codes:
  0  nothing that --fail-on names
  7  a danger (--fail-on danger) or any change (--fail-on change)
  1  a side cannot be read, or breaks a rule of the settings (not if that is as before, and untouched)
  2  the command line is wrong
"""


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    made = argparse.ArgumentParser(
        prog="codat-zoho review",
        description="Says what a change of configuration will do, what is dangerous in it, and what a person must do.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--base", metavar="REF", help="compare with where the head left this revision (origin/HEAD, ...)")
    add("--head", metavar="REF", help="a revision, worktree (the default) or index")
    add("--stack", metavar="NAME", action="append", default=[], help="only this stack; may be repeated")
    add("--directory", metavar="DIR", type=Path, default=Path(), help="a folder of the repository")
    help_ = "read these outputs of `pulumi preview --json`; - is stdin"
    add("--preview", metavar="FILE", nargs="+", default=[], help=help_)
    formats = ("text", "markdown", "json", "annotations")
    add("--format", choices=formats, default="text", help="how to print it (text)")
    add("--output", metavar="FILE", type=Path, help="write it to this file instead of printing it")
    reasons = ("danger", "change", "never")
    add("--fail-on", choices=reasons, default="danger", help="what exit code 7 stands for (danger)")
    help_ = "look for nothing but secrets in clear, new or not; exit code 7"
    add("--clear-secrets", action="store_true", help=help_)
    return made


def run(arguments: argparse.Namespace) -> int:
    """Review, print, and say by the exit code how it looks."""
    made = _review(arguments)
    if arguments.stack:
        unknown = _unknown_stack(made, arguments.stack)
        if unknown:
            print(f"codat-zoho review: --stack: {unknown}", file=sys.stderr)
            return Exit.USAGE
        made = replace(made, environments=tuple(one for one in made.environments if _names(one) & {*arguments.stack}))
    if arguments.clear_secrets:
        made = replace(made, environments=tuple(map(_clear_secrets, made.environments)), cannot_know=())
    text: str = importlib.import_module(f"codat_zoho.review.formats.{arguments.format}").render(made)
    if arguments.output:
        try:
            arguments.output.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise ConfigurationError(f"--output: {arguments.output} cannot be written: {problem.strerror}.") from None
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
    if made.broken:
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

"""``codat-zoho review``: what a change of configuration will do to an environment, before anybody deploys it."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from pathlib import Path

from codat_zoho.errors import ConfigurationError
from codat_zoho.review.report import Review
from codat_zoho.terminal.exits import Exit

_FORMATS = ("text", "markdown", "json", "annotations")
_HELP = """\
Offline, it compares the stack-config files of two git revisions: nothing is checked out, decrypted or sent anywhere.
With --preview it reads what `pulumi preview --json` printed instead.

exit codes:
  0  nothing that --fail-on names
  7  a danger (--fail-on danger) or any change (--fail-on change)
  1  a side cannot be read, or breaks a rule of the settings
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
    made.add_argument("--base", metavar="REF", help="compare with where the head left this revision (origin/HEAD, ...)")
    made.add_argument("--head", metavar="REF", default=None, help="a revision, worktree (the default) or index")
    made.add_argument("--stack", metavar="NAME", action="append", default=[], help="only this stack; may be repeated")
    made.add_argument("--directory", metavar="DIR", type=Path, default=Path(), help="a folder of the repository")
    made.add_argument(
        "--preview",
        metavar="FILE",
        nargs="+",
        default=[],
        help="read these outputs of `pulumi preview --json`; - is stdin",
    )
    made.add_argument("--format", choices=_FORMATS, default="text", help="how to print it (text)")
    made.add_argument("--output", metavar="FILE", type=Path, help="write it to this file instead of printing it")
    made.add_argument(
        "--fail-on",
        choices=("danger", "change", "never"),
        default="danger",
        help="what exit code 7 stands for (danger)",
    )
    made.add_argument(
        "--clear-secrets", action="store_true", help="look for nothing but secrets in clear, new or not; exit code 7"
    )
    return made


def run(arguments: argparse.Namespace) -> int:
    """Review, print, and say by the exit code how it looks."""
    if arguments.preview and (arguments.base or arguments.head or arguments.clear_secrets):
        parser().error("--preview reads previews and no revisions: leave --base, --head and --clear-secrets out")
    made = _previews(arguments) if arguments.preview else _revisions(arguments)
    if made is None:
        return Exit.USAGE
    if arguments.clear_secrets:
        made = made.only("secret-in-clear")
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


def _revisions(arguments: argparse.Namespace) -> Review | None:
    from codat_zoho.review.git import WORKTREE, Repository
    from codat_zoho.review.revisions import review

    if not arguments.directory.is_dir():
        parser().error(f"--directory: {arguments.directory} is no folder")
    repository = Repository(arguments.directory)
    made = review(repository, arguments.base, arguments.head or WORKTREE)
    return _only(made, arguments.stack)


def _previews(arguments: argparse.Namespace) -> Review | None:
    from codat_zoho.review.previews import review

    return _only(review(arguments.preview), arguments.stack)


def _only(made: Review, stacks: list[str]) -> Review | None:
    """The stacks that were asked for. One that is not there is a typo, and must not pass for one without changes."""
    names = {name for one in made.environments for name in one.names}
    for stack in stacks:
        if stack not in names:
            close = difflib.get_close_matches(stack, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            there = ", ".join(sorted(one.stack for one in made.environments)) or "none"
            print(f"codat-zoho review: --stack: no stack {stack!r}{hint} (there: {there})", file=sys.stderr)
            return None
    return made.of(stacks) if stacks else made

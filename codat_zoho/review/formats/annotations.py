"""A review as workflow commands of GitHub Actions: each shows at its file and line in the pull request.

GitHub shows ten errors, ten warnings and ten notices per step, so what matters most comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.review.formats.text import change_words
from codat_zoho.review.report import Environment, Level, Review, grouped


def render(review: Review) -> str:
    """Draw it.

    >>> render(Review("main", "worktree"))
    ''
    """
    commands = [command for environment in review.sorted for command in _environment(environment)]
    commands.sort(key=lambda command: ("error", "warning", "notice").index(command[0]))
    return "".join(f"{_command(*command)}\n" for command in commands)


def _environment(one: Environment) -> Iterator[tuple[str, str, int | None, str, str]]:
    for problem in one.problems:
        # A line of the base is no line of the file that GitHub shows.
        line = None if problem.side == "base" else problem.line
        side = "At the base: " if problem.side == "base" else ""
        yield "error", problem.file, line, f"{one.title}: broken", f"{side}{problem.text}"
    for finding in one.findings:
        if finding.new or finding.rule == "secret-in-clear":
            level = "error" if finding.level is Level.DANGER else "warning"
            yield level, finding.file or one.file, finding.line, f"{one.title}: {finding.rule}", finding.text
    for change, resources in grouped(one.changes):
        line = change.line if change.after is not None else None
        yield "notice", change.file or one.file, line, f"{one.title}: {change.field}", change_words(change, resources)


def _command(level: str, file: str, line: int | None, title: str, text: str) -> str:
    place = f",line={line}" if line else ""
    return f"::{level} file={_property(file)}{place},title={_property(title)}::{_message(text)}"


def _message(text: str) -> str:
    """As GitHub's toolkit escapes it: a new line would begin another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

"""A review as workflow commands of GitHub Actions: each shows at its file and line in the pull request.

GitHub shows ten errors, ten warnings and ten notices per step, so what matters most comes first.
"""

from __future__ import annotations

from codat_zoho.review.formats.text import change_words
from codat_zoho.review.report import Review, grouped
from codat_zoho.texts.printed import harmless


def render(review: Review) -> str:
    """Draw it.

    >>> render(Review("main", "worktree"))
    ''
    """
    commands: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}

    def add(level: str, file: str, line: int | None, title: str, text: str) -> None:
        place = f",line={line}" if line else ""
        commands[level].append(f"::{level} file={_property(file)}{place},title={_property(title)}::{_message(text)}\n")

    for one in review.sorted:
        for problem in one.problems:
            # A line of the base is no line of the file that GitHub shows.
            at_base = problem.side == "base"
            text = f"At the base: {problem.text}" if at_base else problem.text
            add("error", problem.file, None if at_base else problem.line, f"{one.title}: broken", text)
        for finding in one.findings:
            if finding.new or finding.rule == "secret-in-clear":
                level = "error" if finding.level == "danger" else "warning"
                add(level, finding.file or one.file, finding.line, f"{one.title}: {finding.rule}", finding.text)
        for change, resources in grouped(one.changes):
            line = None if change.after is None else change.line
            text = change_words(change, resources)
            add("notice", change.file or one.file, line, f"{one.title}: {change.field}", text)
    return "".join(line for lines in commands.values() for line in lines)


def _message(text: str) -> str:
    """As GitHub's toolkit escapes it: a new line would begin another command."""
    return harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

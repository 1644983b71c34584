"""A review as Markdown, for a comment that a pipeline updates in place."""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.review.formats import text as words
from codat_zoho.review.report import Environment, FieldChange, Finding, Review, grouped
from codat_zoho.texts.markdown import code, escape, fit, table

MARKER = "<!-- codat-zoho review -->"
"""The first line: by it a pipeline finds its earlier comment."""
LIMIT = 64_000
"""Characters; GitHub takes 65,536 in a comment, and whoever posts it may add a line of their own."""
_ICONS = {"broken": "❌", "danger": "🛑", "deleted": "🛑", "not reviewed": "⚠️", "unchanged": "✅"}
_LEVELS = {"danger": "🛑", "caution": "⚠️"}


def render(review: Review) -> str:
    r"""Draw it.

    >>> print(render(Review("main", "worktree")), end="")
    <!-- codat-zoho review -->
    ## Review of the Zoho Books configuration
    <BLANKLINE>
    No stack configuration of codat\-zoho found.
    <BLANKLINE>
    Review of `worktree`, compared with `main`.
    """
    compared = f", compared with {code(review.base)}" if review.base else ""
    blocks = [
        f"{MARKER}\n## Review of the Zoho Books configuration",
        _prose(review.headline),
        f"Review of {code(review.head)}{compared}.",
    ]
    blocks += ["\n\n".join(_environment(one)) for one in review.sorted if not one.quiet]
    quiet = [one for one in review.sorted if one.quiet]
    if quiet:
        listed = "\n".join(f"- {_prose(one.title)} ({code(one.file)}){words.touched(one)}" for one in quiet)
        blocks.append(f"<details><summary>{len(quiet)} unchanged</summary>\n\n{listed}\n\n</details>")
    if review.other_stacks:
        blocks.append(words.skipped(review))
    if review.cannot_know:
        blocks.append(_list(words.nobody_knows(review), [_prose(text) for text in review.cannot_know]))
    return fit(blocks, LIMIT - 1, _left_out) + "\n"


def _left_out(count: int) -> str:
    what = "One section does" if count == 1 else f"{count} sections do"
    return f"**{what} not fit into a comment.** Read the whole in the job's log, or run `codat-zoho review`."


def _environment(one: Environment) -> Iterator[str]:
    status = f", {one.status}" if one.verdict != one.status else ""
    yield f"### {_ICONS.get(one.verdict, '✏️')} {_prose(one.title)}: {one.verdict}{status}"
    yield code(one.file)
    parts = {title: [_prose(text) for text in texts] for title, texts in words.sections(one).items()}
    parts[words.FINDINGS] = [_finding(finding) for finding in one.findings]
    # By hand there is no box to tick: the next run of the pipeline would clear it.
    for title in ("Cannot be read", words.FINDINGS, words.CHANGES, words.STEPS, "By hand", "Cannot be known here"):
        if title == words.CHANGES and one.changes:
            rows = [_row(*pair) for pair in grouped(one.changes)]
            yield table(["resource", "field", "before", "after", "where"], rows)
        elif title == words.STEPS and one.only_in_state:
            yield words.ONLY_IN_STATE
        elif parts.get(title):
            yield _list(title, parts[title], numbered=title == words.STEPS)


def _list(title: str, texts: list[str], *, numbered: bool = False) -> str:
    marks = [f"{number}." if numbered else "-" for number in range(1, len(texts) + 1)]
    lines = "\n".join(f"{mark} {text}" for mark, text in zip(marks, texts, strict=True))
    return f"**{title}**\n\n{lines}"


def _finding(finding: Finding) -> str:
    old = "" if finding.new else " (not new)"
    at = f" ({_place(finding)})" if finding.file else ""
    return f"{_LEVELS[finding.level]} **{finding.rule}**{old}: {_prose(finding.text)}{at}"


def _row(change: FieldChange, resources: str) -> list[str]:
    before, after = ("*not set*" if value is None else code(value) for value in (change.before, change.after))
    remark = _prose(words.remark(change))
    return [_prose(resources), code(change.field), before, f"{after} {remark}".rstrip(), _place(change)]


def _place(of: Finding | FieldChange) -> str:
    return code(words.where(of.file, of.line)) if of.file else ""


def _prose(text: str) -> str:
    """Escape a text, but show what stands in backticks, and the redirect URI, ready to be copied."""
    parts = text.replace(REDIRECT_URI, f"`{REDIRECT_URI}`").split("`")
    return "".join(code(part) if at % 2 else _escaped(part) for at, part in enumerate(parts))


def _escaped(text: str) -> str:
    # escape() drops white space at the ends, which separates a text from the code beside it.
    before, after = (" " if text[end : end + 1].isspace() else "" for end in (0, len(text) - 1))
    return f"{before}{escape(text)}{after}" if text.strip() else text

"""A review as Markdown, for a comment that a pipeline updates in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.review.formats.text import ONLY_IN_STATE, UNTOUCHED, problem_words, remark, step_words, where
from codat_zoho.review.report import Environment, Level, Review, grouped
from codat_zoho.texts.markdown import code, escape, fit, table

MARKER = "<!-- codat-zoho review -->"
"""The first line: by it a pipeline finds its earlier comment."""
LIMIT = 64_000
"""Characters; GitHub takes 65,536 in a comment, and whoever posts it may add a line of their own."""
_ICONS = {"broken": "❌", "danger": "🛑", "deleted": "🛑", "unchanged": "✅"}
_LEVELS = {Level.DANGER: "🛑", Level.CAUTION: "⚠️"}


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
    loud = [one for one in review.sorted if not one.quiet]
    quiet = [one for one in review.sorted if one.quiet]
    blocks = [
        f"{MARKER}\n## Review of the Zoho Books configuration",
        _prose(review.headline),
        f"Review of {code(review.head)}" + (f", compared with {code(review.base)}." if review.base else "."),
        *("\n\n".join(_environment(one)) for one in loud),
    ]
    if quiet:
        names = "\n".join(
            f"- {_prose(one.title)} ({code(one.file)}){f': {UNTOUCHED}' if one.touched else ''}" for one in quiet
        )
        blocks.append(f"<details><summary>{len(quiet)} unchanged</summary>\n\n{names}\n\n</details>")
    if review.other_stacks:
        blocks.append(f"Skipped: {review.other_stacks} without settings of codat-zoho.")
    if review.cannot_know:
        which = "review of files" if review.offline else "preview"
        blocks.append(f"**No {which} can know**\n\n{_list(map(_prose, review.cannot_know))}")
    return fit(blocks, LIMIT - 1, _left_out) + "\n"


def _prose(text: str) -> str:
    """Escape a text, but show what stands in backticks, and the redirect URI, ready to be copied."""
    parts = text.replace(REDIRECT_URI, f"`{REDIRECT_URI}`").split("`")
    return "".join(code(part) if at % 2 else _escaped(part) for at, part in enumerate(parts))


def _escaped(text: str) -> str:
    # escape() drops white space at the ends, which separates a text from the code beside it.
    before, after = (" " if text[end : end + 1].isspace() else "" for end in (0, len(text) - 1))
    return f"{before}{escape(text)}{after}" if text.strip() else text


def _left_out(count: int) -> str:
    what = "One section does" if count == 1 else f"{count} sections do"
    return f"**{what} not fit into a comment.** Read the whole in the job's log, or run `codat-zoho review`."


def _environment(one: Environment) -> Iterator[str]:
    status = f", {one.status}" if one.verdict != one.status else ""
    yield f"### {_ICONS.get(one.verdict, '✏️')} {_prose(one.title)}: {one.verdict}{status}"
    yield code(one.file)
    if one.problems:
        yield f"**Cannot be read**\n\n{_list(_prose(problem_words(problem)) for problem in one.problems)}"
    if one.findings:
        found = [
            f"{_LEVELS[finding.level]} **{finding.rule}**{'' if finding.new else ' (not new)'}: "
            f"{_prose(finding.text)}{_place(finding.file, finding.line)}"
            for finding in one.findings
        ]
        yield f"**To look at**\n\n{_list(found)}"
    if one.changes:
        rows = [
            [
                _prose(resources),
                code(change.field),
                _side(change.before),
                f"{_side(change.after)} {_prose(remark(change))}".rstrip(),
                where_,
            ]
            for change, resources in grouped(one.changes)
            for where_ in [_place(change.file, change.line).strip(" ()")]
        ]
        yield table(["resource", "field", "before", "after", "where"], rows)
    if one.steps:
        steps = "\n".join(f"{at}. {_prose(step_words(step))}" for at, step in enumerate(one.steps, start=1))
        yield f"**What pulumi up does**\n\n{steps}"
    elif one.only_in_state:
        yield ONLY_IN_STATE
    if one.by_hand:
        # No box to tick: the next run of the pipeline would clear it.
        yield f"**By hand**\n\n{_list(map(_prose, one.by_hand))}"
    if one.cannot_know:
        yield f"**Cannot be known here**\n\n{_list(map(_prose, one.cannot_know))}"


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _side(value: str | None) -> str:
    return "*not set*" if value is None else code(value)


def _place(file: str, line: int | None) -> str:
    return f" ({code(where(file, line))})" if file else ""

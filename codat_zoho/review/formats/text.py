"""A review as plain text, for a terminal or a log; its words stand in the other formats, too."""

from __future__ import annotations

from collections.abc import Iterator

from codat_zoho.review.report import Environment, FieldChange, Finding, Review, grouped

STEPS, CHANGES, FINDINGS = "What pulumi up does", "Changes", "To look at"
ONLY_IN_STATE = "pulumi up sends nothing to Codat and asks nothing of Zoho; only the state changes."
_LAID_OUT = "its files differ, no setting does (comments, order, line ends or file mode)"
_ELSE = "its files differ, in something else than what this stack sets of codat-zoho: read the difference"


def render(review: Review) -> str:
    """Draw it.

    >>> print(render(Review("main (0a1b2c3d)", "worktree")), end="")
    Review of worktree, compared with main (0a1b2c3d)
    No stack configuration of codat-zoho found.
    """
    compared = f", compared with {review.base}" if review.base else ""
    lines = [f"Review of {review.head}{compared}", review.headline]
    if review.other_stacks:
        lines.append(skipped(review))
    for one in review.sorted:
        if not one.quiet:
            lines += ["", *_environment(one)]
    quiet = [one for one in review.sorted if one.quiet]
    if quiet:
        lines.append("")
    for one in quiet:
        lines.append(f"{'unchanged':<10}{one.title}  ({one.file}){touched(one)}")
    if review.cannot_know:
        lines += ["", nobody_knows(review), *(f"  - {text}" for text in review.cannot_know)]
    # Whatever a name holds must not steer a terminal.
    return "".join(f"{''.join(c if c.isprintable() else ' ' for c in line)}\n" for line in lines)


def _environment(one: Environment) -> Iterator[str]:
    verdict = one.verdict.upper() if one.verdict in ("broken", "danger") else one.verdict
    status = f", {one.status}" if one.verdict != one.status else ""
    yield f"{verdict:<9} {one.title}  ({one.file}{status})"
    parts = sections(one)
    parts[CHANGES] = [change_words(*pair) + _at(one, pair[0]) for pair in grouped(one.changes)]
    parts[FINDINGS] = [_finding(one, finding) for finding in one.findings]
    for title in ("Cannot be read", CHANGES, STEPS, "By hand", FINDINGS, "Cannot be known here"):
        if parts[title]:
            yield f"  {title}"
        for number, text in enumerate(parts[title], start=1):
            yield f"    {f'{number}.' if title == STEPS else '-'} {text}"
        if title == STEPS and one.only_in_state:
            yield f"  {ONLY_IN_STATE}"


def _finding(one: Environment, finding: Finding) -> str:
    old = "" if finding.new else ", not new"
    return f"{finding.level} {finding.rule}{old}: {finding.text}{_at(one, finding)}"


def _at(one: Environment, place: FieldChange | Finding) -> str:
    if place.file and place.file != one.file:
        return f"  [{where(place.file, place.line)}]"
    return f"  [line {place.line}]" if place.file and place.line else ""


def sections(one: Environment) -> dict[str, list[str]]:
    """What every format that people read says in the same words, by its title."""
    problems = []
    for problem in one.problems:
        side = f"{problem.side}: " if problem.side else ""
        problems.append(f"{side}{where(problem.file, problem.line)}: {problem.text}")
    return {
        "Cannot be read": problems,
        STEPS: [f"{step.text}, {step.condition}" if step.condition else step.text for step in one.steps],
        "By hand": list(one.by_hand),
        "Cannot be known here": list(one.cannot_know),
    }


def touched(one: Environment) -> str:
    """That the files of an environment differ although it is unchanged, and in what; "" where they do not."""
    return f": {_LAID_OUT if one.laid_out else _ELSE}" if one.touched else ""


def skipped(review: Review) -> str:
    """How many stacks were left out."""
    return f"Skipped: {review.other_stacks} without settings of codat-zoho, of programs that do not name it."


def nobody_knows(review: Review) -> str:
    """The title over what holds for all environments."""
    return "No review of files can know" if review.offline else "No preview can know"


def change_words(change: FieldChange, resources: str) -> str:
    """A change in one line."""
    before, after = ("not set" if value is None else value for value in (change.before, change.after))
    return f"{resources}: {change.field}: {before} -> {after}{remark(change)}"


def remark(change: FieldChange) -> str:
    """What is to be said of a change besides its values."""
    said = []
    if change.origin == "drift":
        said.append("drift: changed outside Pulumi")
    if not change.certain:
        said.append("whether it differs cannot be known")
    return f" ({'; '.join(said)})" if said else ""


def where(file: str, line: int | None) -> str:
    """A place as editors and terminals know it."""
    return f"{file}:{line}" if line else file

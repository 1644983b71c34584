"""A review as plain text, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from codat_zoho.review.report import Environment, FieldChange, Finding, Problem, Review, Step, grouped

ONLY_IN_STATE = "pulumi up sends nothing to Codat and asks nothing of Zoho; only the state changes."
UNTOUCHED = "its files differ, no setting does (comments, order, line ends or file mode)"


def render(review: Review) -> str:
    """Draw it.

    >>> print(render(Review("main (0a1b2c3d)", "worktree")), end="")
    Review of worktree, compared with main (0a1b2c3d)
    No stack configuration of codat-zoho found.
    """
    compared = f", compared with {review.base}" if review.base else ""
    lines = [f"Review of {review.head}{compared}", review.headline]
    if review.other_stacks:
        lines.append(f"Skipped: {review.other_stacks} without settings of codat-zoho.")
    for environment in review.sorted:
        if not environment.quiet:
            lines += ["", *_environment(environment)]
    quiet = [one for one in review.sorted if one.quiet]
    if quiet:
        lines += ["", *(f"{'unchanged':<10}{one.title}  ({one.file}){_touched(one)}" for one in quiet)]
    if review.cannot_know:
        lines += ["", "No review of files can know" if review.offline else "No preview can know"]
        lines += [f"  - {text}" for text in review.cannot_know]
    # Whatever a name holds must not steer a terminal.
    return "".join(f"{''.join(c if c.isprintable() else ' ' for c in line)}\n" for line in lines)


def _touched(one: Environment) -> str:
    return f": {UNTOUCHED}" if one.touched else ""


def _environment(one: Environment) -> Iterator[str]:
    verdict = one.verdict.upper() if one.verdict in ("broken", "danger") else one.verdict
    status = f", {one.status}" if one.verdict != one.status else ""
    yield f"{verdict:<10}{one.title}  ({one.file}{status})"
    yield from _part("Cannot be read", (problem_words(problem) for problem in one.problems))
    yield from _part("Changes", (change_words(*pair) + _at(one, pair[0]) for pair in grouped(one.changes)))
    yield from _part("What pulumi up does", (step_words(step) for step in one.steps), numbered=True)
    if one.only_in_state:
        yield f"  {ONLY_IN_STATE}"
    yield from _part("By hand", one.by_hand)
    yield from _part("To look at", (_finding(one, finding) for finding in one.findings))
    yield from _part("Cannot be known here", one.cannot_know)


def _part(title: str, texts: Iterable[str], *, numbered: bool = False) -> Iterator[str]:
    for at, text in enumerate(texts, start=1):
        if at == 1:
            yield f"  {title}"
        yield f"    {f'{at}.' if numbered else '-'} {text}"


def problem_words(problem: Problem) -> str:
    """Why a side cannot be read, and where."""
    side = f"{problem.side}: " if problem.side else ""
    return f"{side}{where(problem.file, problem.line)}: {problem.text}"


def change_words(change: FieldChange, resources: str) -> str:
    """A change in one line."""
    before = "not set" if change.before is None else change.before
    after = "not set" if change.after is None else change.after
    return f"{resources}: {change.field}: {before} -> {after}{remark(change)}"


def remark(change: FieldChange) -> str:
    """What is to be said of a change besides its values."""
    said = []
    if change.origin == "drift":
        said.append("drift: changed outside Pulumi")
    if not change.certain:
        said.append("whether it differs cannot be known")
    return f" ({'; '.join(said)})" if said else ""


def step_words(step: Step) -> str:
    """A step, and what it depends on."""
    return f"{step.text}, {step.condition}" if step.condition else step.text


def where(file: str, line: int | None) -> str:
    """A place as editors and terminals know it."""
    return f"{file}:{line}" if line else file


def _at(one: Environment, change: FieldChange | Finding) -> str:
    if not change.file:
        return ""
    place = where(change.file, change.line) if change.file != one.file else f"line {change.line}" if change.line else ""
    return f"  [{place}]" if place else ""


def _finding(one: Environment, finding: Finding) -> str:
    old = "" if finding.new else ", not new"
    return f"{finding.level.value} {finding.rule}{old}: {finding.text}{_at(one, finding)}"

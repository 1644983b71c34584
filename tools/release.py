"""Says what a release would do: `release.py`; `release.py --check` only says whether anything prevents it.

Tags nothing and uploads nothing. `make release` builds and tests in between.
"""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NotReady(Exception):
    """Something prevents a release; the text says what to do."""


def git(*arguments: str) -> str:
    """Run git, which must succeed."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except OSError as problem:
        raise NotReady(f"`git` cannot be run: {problem.strerror}.") from None


def version() -> str:
    """The version as the build reads it."""
    return str(re.findall(r'__version__ = "(.+)"', (ROOT / "codat_zoho/_version.py").read_text())[0])


def releasable(today: datetime.date) -> str:
    """Check that the tree is clean and the changelog's newest release is this version, dated; returns its notes."""
    if changed := git("status", "--porcelain").splitlines():
        shown = ", ".join(line[3:] for line in changed[:5]) + (" and more" if len(changed) > 5 else "")
        raise NotReady(f"The working tree has changes: {shown}. Commit or stash them first.")
    return notes((ROOT / "CHANGELOG.md").read_text(), version(), git("tag", "--list").split(), today)


def notes(changelog: str, number: str, tags: Sequence[str], today: datetime.date) -> str:
    """The changelog's section of a version that can be released."""
    sections = re.findall(r"(?ms)^## \[(.+?)\]([^\n]*)\n(.*?)(?=^## \[|\Z)", changelog)
    heading = f"## [{number}] - {today.isoformat()}"
    if f"v{number}" in tags:
        raise NotReady(f"v{number} is tagged already. Raise __version__ in codat_zoho/_version.py.")
    if sections and sections[0][0] == "Unreleased" and sections[0][2].strip():
        raise NotReady(f"CHANGELOG.md has entries under Unreleased. Move them below a heading: {heading}")
    released = [section for section in sections if section[0] != "Unreleased"]
    if not released or released[0][0] != number:
        newest = f"is {released[0][0]}" if released else "is missing"
        raise NotReady(
            f"The newest release in CHANGELOG.md {newest}, and the version in codat_zoho/_version.py is {number}. "
            f"Make them agree; a new release has a heading like: {heading}"
        )
    _, dated, text = released[0]
    try:
        future = datetime.date.fromisoformat(dated.removeprefix(" - ")) > today
    except ValueError:
        raise NotReady(f"[{number}] in CHANGELOG.md has no date. Write its heading as: {heading}") from None
    if future:
        raise NotReady(f"[{number}] in CHANGELOG.md is dated in the future. Write its heading as: {heading}")
    if not text.strip():
        raise NotReady(f"[{number}] in CHANGELOG.md has no entries. Say what changes for a user.")
    return str(text).strip()


def plan(text: str) -> str:
    """What to do for a release with these notes."""
    tag, commit = f"v{version()}", git("rev-parse", "--short", "HEAD").strip()
    wheel, sdist = f"codat_zoho-{version()}-py3-none-any.whl", f"codat_zoho-{version()}.tar.gz"
    return (
        "This was a dry run: nothing is tagged, nothing is uploaded. A release would be:\n"
        f"  git tag -a {tag} {commit}\n"
        f"  git push origin {tag}    # .github/workflows/release.yml builds and uploads both\n"
        f"  twine upload dist/{wheel} dist/{sdist}    # only where no workflow does\n"
        f"with these notes:\n\n{text}"
    )


def main(arguments: Sequence[str]) -> int:
    """Serve the command line."""
    if list(arguments) not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = releasable(datetime.datetime.now(datetime.timezone.utc).date())
        if not arguments:
            print(plan(text))
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Builds and checks the wheel and the sdist: `package.py dist`; `package.py release` says what a release would do."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKED = ROOT / "requirements-newest.txt"


class NotReady(Exception):
    """Something keeps the package from being released; the text says what to do."""


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed; its output shows only when it does not."""
    try:
        done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True)
    except OSError as problem:
        raise NotReady(f"`{command[0]}` cannot be run: {problem.strerror}.") from None
    if done.returncode:
        raise NotReady(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def build(out: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from the sdist, as a stranger would; returns wheel and sdist."""
    shutil.rmtree(out, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def inspect(wheel: Path, sdist: Path) -> None:
    """Let twine and check-wheel-contents look at both."""
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run(Path(sys.executable).parent / "check-wheel-contents", wheel)


def try_out(wheel: Path) -> str:
    """Install the wheel and its locked requirements in an empty environment, and test it away from the checkout."""
    with tempfile.TemporaryDirectory(prefix="codat-zoho-wheel-") as name:
        place = Path(name)
        run(sys.executable, "-m", "venv", place / "venv")
        python = place / "venv/bin/python"
        install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*install, "--require-hashes", "-r", LOCKED, cwd=place)
        run(*install, "--no-deps", wheel, cwd=place)
        check_types(place)
        shutil.copytree(ROOT / "tests/public", place / "public", ignore=shutil.ignore_patterns("__pycache__"))
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COVERAGE"))}
        where = run(python, "-c", "import codat_zoho; print(codat_zoho.__file__)", cwd=place, env=environment)
        if not where.startswith(name):
            raise NotReady(f"The wheel's environment imports {where.strip()}, not what was installed.")
        return run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "public", cwd=place, env=environment)


def check_types(place: Path) -> None:
    """Let both type checkers look at the typing examples, with the types that the wheel in ``place/venv`` ships."""
    examples = shutil.copytree(ROOT / "tests/typing", place / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    tools = Path(sys.executable).parent
    python = ("--python-executable", place / "venv/bin/python")
    run(tools / "mypy", "--strict", *python, *sorted(examples.glob("*.py")), cwd=place)
    options = json.loads((ROOT / "pyrightconfig.json").read_text())
    here = {"include": [examples.name], "extraPaths": [], "venvPath": ".", "venv": "venv"}
    (place / "pyrightconfig.json").write_text(json.dumps(options | here))
    run(tools / "basedpyright", "--level", "error", cwd=place)


def version() -> str:
    """The version as the build reads it."""
    return str(re.findall(r'__version__ = "(.+)"', (ROOT / "codat_zoho/_version.py").read_text())[0])


def releasable(today: datetime.date) -> str:
    """Check that the tree is clean and the changelog's newest release is this version, dated; returns its notes."""
    if changed := run("git", "status", "--porcelain").splitlines():
        shown = ", ".join(line[3:] for line in changed[:5]) + (" and more" if len(changed) > 5 else "")
        raise NotReady(f"The working tree has changes: {shown}. Commit or stash them first.")
    return notes((ROOT / "CHANGELOG.md").read_text(), version(), run("git", "tag", "--list").split(), today)


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


def main(arguments: Sequence[str]) -> int:
    """Serve the command line."""
    if list(arguments) not in (["dist"], ["release"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = releasable(datetime.datetime.now(datetime.timezone.utc).date()) if arguments[0] == "release" else ""
        wheel, sdist = build(ROOT / "dist")
        inspect(wheel, sdist)
        print(f"Built and checked {wheel.name} and {sdist.name}. Testing the wheel ...", flush=True)
        print(
            f"In an empty environment: {try_out(wheel).strip().splitlines()[-1]}; types as mypy and pyright want them."
        )
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    if text:
        tag, commit = f"v{version()}", run("git", "rev-parse", "--short", "HEAD").strip()
        print("\nThis was a dry run: nothing is tagged, nothing is uploaded. A release would be:")
        print(f"  git tag -a {tag} {commit}\n  git push origin {tag}")
        print(f"  twine upload dist/{wheel.name} dist/{sdist.name}\nwith these notes:\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs zizmor and actionlint over the workflows, our own and the examples: part of ``make check``.

zizmor comes with the locked requirements and asks nobody. actionlint is taken from PATH, or built by Go as it is locked
in `actionlint/go.sum`; where neither can be done, that is one line and not a failure, unless ``WORKFLOWS_STRICT=1``
demands it, as in CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACTIONLINT = (
    "run",
    "-C",
    str(ROOT / "tools/actionlint"),
    "-mod=readonly",
    "github.com/rhysd/actionlint/cmd/actionlint",
)
EXAMPLES = sorted(ROOT.glob("examples/pipelines/github-*.yml"))
WORKFLOWS = [*sorted(ROOT.glob(".github/workflows/*.yml")), *EXAMPLES]
ZIZMOR = (str(Path(sys.executable).parent / "zizmor"), "--offline", "--no-progress", "--quiet", "--color", "never")


def zizmor(*files: Path) -> subprocess.CompletedProcess[str]:
    """Look for what an attacker could use: rights, secrets, actions that somebody else can swap, injection."""
    return subprocess.run([*ZIZMOR, *map(str, files)], capture_output=True, text=True)


def actionlint(command: Sequence[str], *files: Path) -> subprocess.CompletedProcess[str]:
    """Look for what does not work: expressions, contexts, needs, which a schema cannot see."""
    return subprocess.run(
        [*command, "-no-color", "-shellcheck=", "-pyflakes=", *map(str, files)], capture_output=True, text=True
    )


def actionlint_command() -> tuple[list[str], str]:
    """How to run actionlint, or why it cannot be."""
    if found := shutil.which("actionlint"):
        return [found], ""
    go = shutil.which("go")
    if not go:
        return [], "there is neither actionlint nor Go on PATH"
    built = subprocess.run([go, *ACTIONLINT, "-version"], capture_output=True, text=True)
    return ([], built.stderr.strip().rpartition("\n")[2]) if built.returncode else ([go, *ACTIONLINT], "")


def main() -> int:
    """Run both, and say what they found."""
    code = 0
    runs = [("zizmor", zizmor(ROOT / ".github", *EXAMPLES))]
    command, why_not = actionlint_command()
    if command:
        runs.append(("actionlint", actionlint(command, *WORKFLOWS)))
    else:
        code = int(os.environ.get("WORKFLOWS_STRICT", "") not in ("", "0"))
        print(f"workflows: actionlint: {'FAILED' if code else 'skipped'}: {why_not[:300]}")
    for name, done in runs:
        code = max(code, int(done.returncode != 0))
        print(f"workflows: {name}: {'FAILED' if done.returncode else 'nothing found'}")
        if done.returncode:
            print(f"{done.stdout}{done.stderr}".strip())
    return code


if __name__ == "__main__":
    sys.exit(main())

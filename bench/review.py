"""Times a review of 200 stack files, all of them changed, and of what git alone takes for the same reading."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho.review import git, revisions  # noqa: E402
from tests.review_cases import PROJECT, STACK, Repo  # noqa: E402

STACKS, RUNS = 200, 7


def median(act: Callable[[], object]) -> float:
    """Seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print both, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo(Path(folder) / "repo")
        repo.commit({"Pulumi.yaml": PROJECT} | {f"Pulumi.s{n}.yaml": STACK for n in range(STACKS)})
        changed = STACK.replace("enabled: true", "enabled: false")
        repo.commit({f"Pulumi.s{n}.yaml": f"# {n}\n{changed}" for n in range(STACKS)})
        there = git.Repository(repo.folder)

        def reading() -> None:
            base, head = there.commit("HEAD~1", "--base"), there.commit("HEAD", "--head")
            there.merge_base(base, head)
            trees = there.tree(base), there.tree(head)
            there.changed(base, head)
            there.read(*trees)

        alone = median(reading)
        start = time.process_time()
        revisions.review(there, "HEAD~1", "HEAD")
        cpu = time.process_time() - start
        whole = median(lambda: revisions.review(there, "HEAD~1", "HEAD"))
        command = [sys.executable, "-m", "codat_zoho", "review", "--directory", str(repo.folder), "--base", "HEAD~1"]
        process = median(lambda: subprocess.run([*command, "--head", "HEAD"], capture_output=True, cwd=ROOT))
        empty = median(
            lambda: subprocess.run([sys.executable, "-m", "codat_zoho", "--version"], capture_output=True, cwd=ROOT)
        )
    print(f"{STACKS} changed stack files: git {alone:.2f} s, review {whole - alone:.2f} s on top ({cpu:.2f} s CPU)")
    print(f"the command: {process:.2f} s in all, of which {empty:.2f} s to start the command line")


if __name__ == "__main__":
    main()

"""Runs pip-audit on the locked requirements: part of ``make check``.

pip-audit exits with 1 both for a vulnerable package and if no source of advisories can be reached. Here the latter is
one line and not a failure, unless ``AUDIT_STRICT=1`` demands an answer, as in CI with a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LOCKS = sorted((Path(__file__).resolve().parent.parent / "requirements").glob("*.txt"))
# Strict: an unknown package is not an answer either.
OPTIONS = ("--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "3")
COMMAND = (sys.executable, "-m", "pip_audit", *OPTIONS)


def audit(lock: Path, *, strict: bool, command: Sequence[str] = COMMAND) -> int:
    """Audit one locked file, and pass on what pip-audit says of it."""
    done = subprocess.run([*command, "--requirement", str(lock)], capture_output=True, text=True)
    said = done.stderr.strip().rpartition("\n")[2] or f"pip-audit ended with {done.returncode}"
    if done.returncode and not done.stdout.strip():  # Vulnerabilities come with a table.
        word = "FAILED" if strict else "skipped"
        print(f"audit: {lock.name}: {word}: no advisory source can be asked: {said[:300]}")
        return int(strict)
    print(f"audit: {lock.name}: {said}\n{done.stdout}".strip())
    return done.returncode


if __name__ == "__main__":
    sys.exit(max(audit(lock, strict=os.environ.get("AUDIT_STRICT", "") not in ("", "0")) for lock in LOCKS))

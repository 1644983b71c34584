"""Asks whether a package of the locked files has a known vulnerability: part of ``make check``.

Without an advisory source at hand (no network, a closed one) it says so in one line and is no failure; set
``AUDIT_STRICT=1`` where there has to be one, as in CI with a network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements-dev.txt", "requirements-policy.txt")
COMMAND = (sys.executable, "-m", "pip_audit")
_OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json", "--timeout", "3")
FIRST_SECONDS = 6.0
"""For one package: whether anybody answers at all."""
SECONDS = 300.0


class Unanswered(Exception):
    """There is no answer from an advisory source; the text says why."""


@dataclass(frozen=True)
class Audit:
    """Runs pip-audit, or a double of it.

    Args:
        command: its words.
        locks: files to audit.
        first_seconds: for the first question, about one package.
        seconds: for each file.
    """

    command: Sequence[str] = COMMAND
    locks: Sequence[Path] = tuple(ROOT / name for name in LOCKS)
    first_seconds: float = FIRST_SECONDS
    seconds: float = SECONDS

    def run(self) -> tuple[int, list[str], list[str]]:
        """Return how many packages were looked at, a line for each that is vulnerable, and which were not looked at.

        Raises:
            Unanswered: nobody answered.
        """
        with tempfile.TemporaryDirectory(prefix="codat-zoho-audit-") as folder:
            first = Path(folder, "first.txt")
            first.write_text(_first_of(self.locks[0].read_text(encoding="utf-8")), encoding="utf-8")
            for package in self._ask(first, self.first_seconds):
                if package.get("skip_reason"):  # A closed network may answer like one that knows no package at all.
                    raise Unanswered(str(package["skip_reason"])[:300])
        looked_at, found, missed = 0, [], []
        for lock in self.locks:
            for package in self._ask(lock, self.seconds):
                if package.get("skip_reason"):
                    missed.append(f"{lock.name}: {package['name']}: {package['skip_reason']}")
                    continue
                looked_at += 1
                found += [f"{lock.name}: {line}" for line in _vulnerable(package)]
        return looked_at, found, missed

    def _ask(self, file: Path, seconds: float) -> list[dict[str, Any]]:
        words = [*self.command, *_OPTIONS, "--requirement", str(file)]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unanswered(f"no answer within {seconds:g} s") from None
        except OSError as problem:
            raise Unanswered(f"{self.command[0]} does not run: {problem.strerror}") from None
        # It ends with 1 both for a vulnerability and for a closed network; only the former comes with a report.
        try:
            packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError, TypeError):
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise Unanswered(said[-1][:300] if said else f"pip-audit ended with {done.returncode}") from None
        return packages


def _first_of(lock: str) -> str:
    """The first requirement of a locked file that needs no marker, with its hashes."""
    lines = lock.splitlines()
    start = next(at for at, line in enumerate(lines) if "==" in line and ";" not in line)
    end = next((at for at in range(start + 1, len(lines)) if not lines[at].startswith(" ")), len(lines))
    return "\n".join(lines[start:end]) + "\n"


def _vulnerable(package: Mapping[str, Any]) -> list[str]:
    return [
        f"{package['name']} {package['version']}: {one['id']}, "
        f"{'fixed in ' + ', '.join(one['fix_versions']) if one.get('fix_versions') else 'not fixed yet'}"
        for one in package.get("vulns") or ()
    ]


def main(audit: Audit, *, strict: bool) -> int:
    """Audit, and say in a few lines how it looks."""
    try:
        looked_at, found, missed = audit.run()
    except Unanswered as why:
        print(f"audit: {'FAILED' if strict else 'skipped'}: no advisory source can be asked: {why}")
        return int(strict)
    for line in missed:
        print(f"audit: not looked at: {line}")
    for line in found:
        print(f"audit: {line}")
    known = f"{len(found) or 'no'} known {'vulnerability' if len(found) == 1 else 'vulnerabilities'}"
    print(f"audit: {looked_at} locked packages, {known}")
    return int(bool(found) or (strict and bool(missed)))


if __name__ == "__main__":
    try:
        sys.exit(main(Audit(), strict=os.environ.get("AUDIT_STRICT", "") not in ("", "0")))
    except KeyboardInterrupt:
        sys.exit(130)

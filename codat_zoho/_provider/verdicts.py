"""Shares Zoho's verdicts between the provider processes of one run.

Each stack's refresh has a provider process of its own, and Zoho allows about ten token requests in ten minutes. So a
run over many stacks (``codat-zoho drift``) names a folder in ``CODAT_ZOHO_VERDICTS``, and each data centre is asked
once per client in the whole run. Files are named by a hash and hold verdicts only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from codat_zoho.plan import Probe, ProbeResult

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock: there each process asks for itself.
    fcntl = None  # type: ignore[assignment]

__all__ = ["FOLDER", "shared"]

FOLDER = "CODAT_ZOHO_VERDICTS"


def shared(question: tuple[str, ...], ask: Callable[[], ProbeResult]) -> ProbeResult:
    """Return the verdict that another process got on the same question, else ``ask``, while others wait for it."""
    folder = os.environ.get(FOLDER)
    if not folder or fcntl is None:
        return ask()
    path = Path(folder, hashlib.sha256("\0".join(question).encode()).hexdigest()[:32])
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+", encoding="utf-8")
    except OSError:  # The folder went away with the run that made it.
        return ask()
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # Ends with this process, whatever ends it.
        found = _read(file.read())
        if found is None:
            found = ask()
            file.seek(0)
            file.truncate()
            json.dump({"probe": found.probe.value, "why": found.why}, file)
        return found


def _read(text: str) -> ProbeResult | None:
    try:
        said = json.loads(text)
        return ProbeResult(Probe(said["probe"]), str(said["why"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # Empty, or half written by a process that was killed.

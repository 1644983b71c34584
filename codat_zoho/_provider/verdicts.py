"""Shares Zoho's verdicts between the provider processes of one run: Zoho allows about ten requests in ten minutes.

Each data centre is asked once per client in the whole run. Files are named by a hash and hold verdicts only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from codat_zoho.actual import Probe, ProbeResult
from codat_zoho.run_folder import rewrite, shared_file

__all__ = ["shared"]


def shared(question: tuple[str, ...], ask: Callable[[], ProbeResult]) -> ProbeResult:
    """Return the verdict that another process got on the same question, else ``ask``, while others wait for it."""
    with shared_file(hashlib.sha256("\0".join(question).encode()).hexdigest()[:32]) as file:
        found = _read(file.read()) if file else None
        if found is None:
            found = ask()
            if file:
                rewrite(file, json.dumps({"probe": found.probe.value, "why": found.why}))
        return found


def _read(text: str) -> ProbeResult | None:
    try:
        said = json.loads(text)
        return ProbeResult(Probe(said["probe"]), str(said["why"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # Empty, or half written by a process that was killed.

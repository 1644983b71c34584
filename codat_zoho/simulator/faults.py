"""Faults to inject: what a network and a busy service do now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class Dropped(Exception):
    """The connection is cut without an answer."""


@dataclass
class Fault:
    """Something that goes wrong on matching requests.

    Args:
        method: only on this method; empty for all.
        path: only where the path contains this; empty for all.
        status: answer this status instead; None lets the answer through.
        headers: headers to add.
        body: body to send instead; None for a Codat error body, or the real one where ``status`` is None.
        content_type: of ``body``.
        drop: cut the connection.
        after: do what was asked first, so that only the answer is lost or wrong.
        delay: seconds to wait before answering.
        times: how often it happens; negative for always.
        skip: let this many matching requests through first.
    """

    method: str = ""
    path: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    drop: bool = False
    after: bool = False
    delay: float = 0.0
    times: int = 1
    skip: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether it happens now; counts down when it does."""
        if self.times == 0 or self.method not in ("", method) or self.path not in path:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True

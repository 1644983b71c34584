"""Environment variables that switch something on: ``1`` does, ``0`` and nothing do not."""

from __future__ import annotations

import os


def switched_on(variable: str) -> bool:
    """Tell whether an environment variable is set to anything but ``0``."""
    return os.environ.get(variable, "") not in ("", "0")


def debugging() -> bool:
    """``CODAT_ZOHO_DEBUG=1`` asks for tracebacks and a request log, both redacted, on stderr."""
    return switched_on("CODAT_ZOHO_DEBUG")


def counting() -> bool:
    """``CODAT_ZOHO_CALLS=1`` asks how many calls were made and what is left of the day."""
    return switched_on("CODAT_ZOHO_CALLS")

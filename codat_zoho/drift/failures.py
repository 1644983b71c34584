"""Errors of this package, foreseen or not, as failures of a check."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from codat_zoho.errors import CodatZohoError
from codat_zoho.texts.debug_flags import debugging
from codat_zoho.texts.redact import one_line, redact
from codat_zoho.workspace.failures import LENGTH, Failure, kind_of


def from_error(error: CodatZohoError) -> Failure:
    """Read an error of this package."""
    return Failure(kind_of(type(error).__name__), one_line(str(error), LENGTH))


def from_bug(error: Exception) -> Failure:
    """Read an error that nobody foresaw; its text may quote anything, so it stays out."""
    if debugging():
        print(redact("".join(traceback.format_exception(error))), file=sys.stderr)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = f"{type(error).__name__}{where}: a bug in codat-zoho. Run it again with CODAT_ZOHO_DEBUG=1 and report it."
    return Failure("bug", text)

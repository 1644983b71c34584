"""What commands say on stderr, and the files that they write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import redact


def say(text: str) -> None:
    """Narrate on stderr, so that the result on stdout can be piped."""
    print(redact(text), file=sys.stderr, flush=True)


def remark(text: str) -> None:
    """Say on stderr what the result does not, and who says so."""
    say(f"codat-zoho: {text}")


def refuse_existing(*files: Path) -> None:
    """Refuse to overwrite any of these files; call it before the first is written."""
    there = [file.name for file in files if file.exists()]
    if there:
        raise ConfigurationError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already, and nothing is overwritten.",
            "Move what is there away.",
        )


def write_new(file: Path, text: str) -> None:
    """Write a new file for its owner's eyes: whoever else may read it is for the owner to say."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)

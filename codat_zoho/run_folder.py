"""What the processes of one run share: a private folder, named in ``CODAT_ZOHO_RUN``, with small locked files.

Each stack's refresh has a provider process of its own, but Codat and Zoho count what comes from the whole machine. So
a run over many stacks (``codat-zoho drift``) names a folder. Nothing secret is written to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock: there each process counts for itself.
    fcntl = None  # type: ignore[assignment]

__all__ = ["FOLDER", "rewrite", "shared_file"]

FOLDER = "CODAT_ZOHO_RUN"


@contextmanager
def shared_file(name: str) -> Iterator[TextIO | None]:
    """Open a file of the run's folder for this process alone, for as long as the block lasts.

    Gives None where there is no such run, or its folder went away with it.
    """
    folder = os.environ.get(FOLDER)
    file = None
    if folder and fcntl is not None:
        try:
            descriptor = os.open(Path(folder, name), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            pass
        else:
            file = os.fdopen(descriptor, "r+", encoding="utf-8")
    if file is None:
        yield None
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # Ends with this process, whatever ends it.
        yield file


def rewrite(file: TextIO, text: str) -> None:
    """Replace what the file holds."""
    file.seek(0)
    file.truncate()
    file.write(text)

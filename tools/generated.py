"""Files that are drawn from the code: written, or with `--check` compared with what is there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def write_or_compare(drawn: Mapping[Path, str], folder: str, arguments: list[str]) -> int:
    """Write the files, or compare them; the exit code is 1 where one is stale."""
    if arguments != ["--check"]:
        for path, text in drawn.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path.name for path, text in drawn.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if stale:
        print(f"{folder} is stale: {', '.join(stale)}. Run: make reference", file=sys.stderr)
    return int(bool(stale))

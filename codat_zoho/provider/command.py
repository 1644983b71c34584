"""Which command the engine runs that this process serves. Pulumi tells a provider nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

_DESTROY = {b"destroy", b"down", b"dn"}
_GENERATIONS = 3


def destroy_is_previewed() -> bool:
    """Tell whether it is ``pulumi destroy --preview-only``; false where that cannot be found out.

    It decides only what is said, never what is done.
    """
    pid = os.getppid()
    try:
        for _ in range(_GENERATIONS):
            program, *words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if Path(program.decode(errors="replace")).name == "pulumi":
                return bool(_DESTROY & set(words)) and b"--preview-only" in words
            # Behind the command in parentheses, which may hold anything: the state, then the parent.
            pid = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        pass
    return False

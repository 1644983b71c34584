"""Draws docs/pictures/drift.svg: a real run of `codat-zoho drift`, on the real engine against the simulator."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho.testing import CLIENT_ID, CLIENT_SECRET  # noqa: E402
from tools.engine import find_or_build  # noqa: E402
from tools.stage import normalised, plain, staged  # noqa: E402

PICTURE = ROOT / "docs/pictures/drift.svg"
COMMAND = ("codat-zoho", "drift")
WIDTH = 110


def perform() -> tuple[str, int]:
    """Deploy the quickstart, click in the Portal; return what `codat-zoho drift` prints on a terminal, and its code."""
    with staged(find_or_build(), ROOT / "examples/quickstart", "billing") as stage:
        (stage.folder / "Pulumi.dev.yaml").unlink(missing_ok=True)  # a reader's own
        stage.pulumi("stack", "init", "prod")
        stage.pulumi("config", "set", "clientId", CLIENT_ID)
        stage.pulumi("config", "set", "--secret", "clientSecret", typed=CLIENT_SECRET)
        stage.pulumi("up", "--yes", "--skip-preview")
        stage.codat.client.integration.enabled = False
        stage.codat.client.integration.keys["clientSecret"] = "0" * 38 + "0bad"
        stage.codat.simulator.zoho[CLIENT_ID].enabled.discard("uk")
        # A terminal, but no progress line: that would show only while it runs.
        return _on_a_terminal(stage.folder, {**stage.environment, "CI": "1", "TERM": "xterm", "COLUMNS": str(WIDTH)})


def _on_a_terminal(folder: Path, environment: Mapping[str, str]) -> tuple[str, int]:
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).parent / COMMAND[0]), *COMMAND[1:]]
    with subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = bytearray()
        with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
            while chunk := os.read(ours, 65536):
                said += chunk
        os.close(ours)
    return said.decode().replace("\r\n", "\n"), process.returncode


def svg(text: str, code: int) -> str:
    """Draw a terminal window; each line is text that can be selected and searched."""
    command = " ".join(COMMAND)
    console = Console(record=True, file=StringIO(), width=WIDTH, force_terminal=True, highlight=False)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(text))
    console.print(Text("$ echo $?", style="bold"), Text(str(code)), sep="\n")
    drawn = console.export_svg(title=command, unique_id="drift")
    return re.sub(r"(?s)@font-face \{.*?\}\s*", "", drawn)  # The picture fetches nothing.


def main() -> int:
    """Draw it again, unless only times would differ."""
    text, code = perform()
    drawn = svg(text, code)
    if not PICTURE.exists() or normalised(PICTURE.read_text(encoding="utf-8")) != normalised(drawn):
        PICTURE.write_text(drawn, encoding="utf-8")
    print(plain(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())

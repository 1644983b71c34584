"""Draws the terminals in docs/pictures: real runs of `codat-zoho drift`, and `codat-zoho review`."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
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
OF_REVIEW = ROOT / "docs/pictures/review.svg"
DRIFT = ("codat-zoho", "drift")
REVIEW = ("codat-zoho", "review", "--base", "main")
WIDTH = 110
# A terminal, but no progress line: that would show only while it runs.
TERMINAL = {"CI": "1", "TERM": "xterm", "COLUMNS": str(WIDTH)}
STACK_FILE = """\
config:
  codat-zoho:zohoClientId: {client}
  codat-zoho:zohoClientSecret:
    secure: v1:Zmlyc3Q=:c2VjcmV0
  codat-zoho:regions: {regions}
  codat-zoho:enabled: {enabled}
"""
GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2026-01-31T12:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
GIT |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in GIT.items() if "AUTHOR" in name}


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
        return _on_a_terminal(DRIFT, stage.folder, {**stage.environment, **TERMINAL})


def perform_review() -> tuple[str, int]:
    """Disable production and add a data centre to staging on a branch; return what `codat-zoho review` prints of it."""
    with tempfile.TemporaryDirectory(prefix="codat-zoho-picture-") as place:
        folder, environment = Path(place), os.environ | GIT

        def git(*words: str) -> None:
            subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)

        def write(stack: str, regions: str, enabled: str = "true") -> None:
            client = CLIENT_ID if stack == "prod" else CLIENT_ID[:-4] + "TEST"
            text = STACK_FILE.format(client=client, regions=regions, enabled=enabled)
            (folder / f"Pulumi.{stack}.yaml").write_text(text)

        git("init", "--quiet", "--initial-branch=main")
        shutil.copy(ROOT / "Pulumi.yaml", folder)
        write("prod", "[us, uk, eu]")
        write("staging", "[us]")
        shutil.copy(ROOT / "__main__.py", folder)
        git("add", ".")
        git("commit", "--quiet", "-m", "As deployed")
        git("switch", "--quiet", "-c", "tidy-up")
        write("prod", "[us, uk, eu]", "false")
        write("staging", "[us, uk]")
        git("commit", "--quiet", "-am", "Tidy up")
        return _on_a_terminal(REVIEW, folder, environment | TERMINAL)


def _on_a_terminal(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[str, int]:
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
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


def svg(text: str, code: int, words: Sequence[str] = DRIFT) -> str:
    """Draw a terminal window; each line is text that can be selected and searched."""
    command = " ".join(words)
    console = Console(record=True, file=StringIO(), width=WIDTH, force_terminal=True, highlight=False)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(text))
    console.print(Text("$ echo $?", style="bold"), Text(str(code)), sep="\n")
    drawn = console.export_svg(title=command, unique_id=words[1])
    return re.sub(r"(?s)@font-face \{.*?\}\s*", "", drawn)  # The picture fetches nothing.


def main() -> int:
    """Draw them again, unless only times would differ."""
    for picture, words, run in ((PICTURE, DRIFT, perform), (OF_REVIEW, REVIEW, perform_review)):
        text, code = run()
        drawn = svg(text, code, words)
        before = picture.read_text(encoding="utf-8") if picture.exists() else ""
        if normalised(before.replace("&#160;", " ")) != normalised(drawn.replace("&#160;", " ")):
            picture.write_text(drawn, encoding="utf-8")
            print(f"{picture.name} is new: commit it.")
        print(plain(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())

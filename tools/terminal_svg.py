"""Draws docs/pictures/drift.svg: a real run of `codat-zoho drift`, on the real engine against the simulator."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho.testing import CLIENT_ID, CLIENT_SECRET  # noqa: E402
from tools.engine import find_or_build  # noqa: E402
from tools.stage import staged  # noqa: E402

PICTURE = ROOT / "docs/pictures/drift.svg"
COMMAND = ("codat-zoho", "drift")
WIDTH, LINE, SIZE, EDGE = 110, 19, 14, 18
COLOURS = {"31": "#f47067", "32": "#57ab5a", "33": "#daaa3f", "36": "#39c5cf", "2": "#768390", "90": "#768390"}
TEXT, GROUND, BAR = "#cdd9e5", "#1c2128", "#2d333b"


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


def plain(text: str) -> str:
    """The text without colours."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)


def normalised(text: str) -> str:
    """The text with what differs in each run replaced."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?UTC|Z)?", "<time>", plain(text))
    text = re.sub(r"\d+(\.\d+)? s\b", "<seconds>", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def wrapped(text: str) -> list[str]:
    """The lines as a terminal of this width breaks them, colours kept."""
    lines = []
    for line in text.rstrip("\n").split("\n"):
        column, current, colour = 0, "", ""
        for part in re.findall(r"\x1b\[[0-9;]*m|.", line):
            if part.startswith("\x1b"):
                colour = "" if part in ("\x1b[0m", "\x1b[m") else colour + part
                current += part
                continue
            if column == WIDTH:
                lines.append(current)
                column, current = 0, colour
            column, current = column + 1, current + part
        lines.append(current)
    return lines


def svg(text: str, code: int) -> str:
    """Draw a terminal window; each line is text that can be selected and searched."""
    lines = [f"\x1b[1m$ {' '.join(COMMAND)}\x1b[0m", *wrapped(text), "\x1b[1m$ echo $?\x1b[0m", str(code)]
    width, height = int(WIDTH * SIZE * 0.602) + 2 * EDGE, len(lines) * LINE + 2 * EDGE + 28
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>A run of {' '.join(COMMAND)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
        f'<path d="M0 8a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v20H0z" fill="{BAR}"/>',
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="{SIZE}" fill="{TEXT}">',
    ]
    for number, line in enumerate(lines):
        y = 28 + EDGE + SIZE + number * LINE
        out.append(f'<text x="{EDGE}" y="{y}" xml:space="preserve">{_spans(line)}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


def _spans(line: str) -> str:
    out, style = "", ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            codes = part[2:-1].split(";")
            colour = next((COLOURS[code] for code in codes if code in COLOURS), "")
            bold = ' font-weight="bold"' if "1" in codes else ""
            style = bold + (f' fill="{colour}"' if colour else "")
        elif part:
            out += f"<tspan{style}>{escape(part, quote=False)}</tspan>" if style else escape(part, quote=False)
    return out


def main() -> int:
    """Draw it, unless only times would differ."""
    text, code = perform()
    drawn = svg(text, code)
    if not PICTURE.exists() or normalised(PICTURE.read_text(encoding="utf-8")) != normalised(drawn):
        PICTURE.write_text(drawn, encoding="utf-8")
    print(plain(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Takes docs/pictures/drift-report.png: the HTML report of a real `codat-zoho drift`, in a real browser.

The report comes from the real engine and the simulator, over three stacks of examples/multi-environment in which
somebody has changed things by hand. The picture remembers which report it shows and is only replaced when that has
changed, so `make docs` leaves no difference behind. Without a browser or an engine, the committed picture stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho.testing import CLIENT_SECRET  # noqa: E402
from tools.engine import EngineMissing, find  # noqa: E402
from tools.stage import staged, without_times  # noqa: E402

PICTURE = ROOT / "docs/pictures/drift-report.png"
EXAMPLE = ROOT / "examples/multi-environment"
STACKS = ("dev", "prod", "staging")
SIZE = 1240, 840
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_MARK = b"codat-zoho report"


def browser() -> str | None:
    """An installed browser that can take pictures by itself."""
    return next(filter(None, map(shutil.which, (*_CHROMIUMS, "firefox"))), None)


def report() -> str:
    """Deploy the example's stacks, click about, and return what `codat-zoho drift --format html` writes."""
    with staged(find(), EXAMPLE, "zoho-books") as stage:
        folder, simulator = stage.folder, stage.codat.simulator
        dev = (folder / "Pulumi.dev.yaml").read_text()
        (folder / "Pulumi.staging.yaml").write_text(dev.replace("DEVELOPMENTCLIENT000", "STAGINGCLIENT0000000"))
        for stack in STACKS:
            stage.environment[f"CODAT_API_KEY_{stack.upper()}"] = f"made-up-api-key-of-{stack}"
            client = simulator.add_codat_client(f"made-up-api-key-of-{stack}")
            (client_id,) = re.findall(r"clientId: (\S+)", (folder / f"Pulumi.{stack}.yaml").read_text())
            simulator.add_zoho_client(client_id, CLIENT_SECRET)
            stage.pulumi("stack", "init", stack)
            stage.pulumi("config", "set", "--secret", "clientSecret", typed=CLIENT_SECRET)
            stage.pulumi("up", "--yes", "--skip-preview")
            if stack == "prod":
                client.integration.enabled = False
                client.integration.keys["clientSecret"] = "0" * 38 + "0bad"
                simulator.zoho[client_id].enabled.discard("uk")
                client.linked = 12
            if stack == "staging":
                simulator.zoho[client_id].throttled.add("us")
        command = [sys.executable, "-m", "codat_zoho", "drift", "--all-stacks", "--format", "html", "--quiet"]
        done = subprocess.run(command, cwd=folder, env=stage.environment, capture_output=True, text=True)
        if done.returncode != 7:
            raise RuntimeError(f"drift was expected: {done.stderr}")
        return done.stdout


def shown(html: str) -> bytes:
    """Which report it is: a hash of everything but times."""
    return hashlib.sha256(without_times(html).encode()).hexdigest().encode()


def photograph(html: str, by: str, target: Path) -> None:
    """Open the report in a browser, and write the picture of it."""
    with tempfile.TemporaryDirectory(prefix="codat-zoho-picture-") as place:
        page, raw = Path(place, "drift.html"), Path(place, "raw.png")
        page.write_text(html, encoding="utf-8")
        width, height = SIZE
        if Path(by).name == "firefox":
            words = ["--headless", "--profile", place, "--screenshot", str(raw), f"--window-size={width},{height}"]
        else:
            words = ["--headless", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb"]
            words += [f"--user-data-dir={place}/profile", f"--window-size={width},{height}", f"--screenshot={raw}"]
            words += ["--no-sandbox"] if os.geteuid() == 0 else []
        subprocess.run([by, *words, page.as_uri()], check=True, capture_output=True, timeout=120)
        png = raw.read_bytes()
    first = 8 + 25  # the signature and the header
    chunk = b"tEXt" + _MARK + b"\0" + shown(html)
    length, check = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    target.write_bytes(png[:first] + length + chunk + check + png[first:])


def remembered(picture: Path) -> bytes:
    """Which report a picture shows."""
    found = re.search(rb"tEXt" + _MARK + rb"\0([0-9a-f]{64})", picture.read_bytes()) if picture.exists() else None
    return found[1] if found else b""


def main() -> int:
    """Take the picture again if the report has changed."""
    by = browser()
    if by is None:
        print(f"No browser here (chromium, chrome, edge, firefox): {PICTURE.name} stays as committed.")
        return 0
    try:
        html = report()
    except EngineMissing:
        print(f"No pulumi engine here: {PICTURE.name} stays as committed.")
        return 0
    if shown(html) != remembered(PICTURE):
        photograph(html, by, PICTURE)
        print(f"{PICTURE.name} is new: commit it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

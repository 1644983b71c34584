"""The HTML report in a real browser, in light and in dark."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.plan import How
from codat_zoho.reports.drift import Failure, Finding, Report, Resource, Stack, State
from codat_zoho.reports.drift_html import html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no chromium or google-chrome on PATH")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOK = """
const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const page = node => { for (; node; node = node.parentElement) {
  const color = rgb(getComputedStyle(node).backgroundColor);
  if (color.length === 3) return color; } return [255, 255, 255]; };
const contrast = node => { const a = light(rgb(getComputedStyle(node).color)), b = light(page(node));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
const texts = [...document.querySelectorAll("h1, h2, h3, p, a, th, td, dt, dd, code, caption, .state, .tag")]
  .filter(node => node.textContent.trim() && !node.classList.contains("skip"));
const links = [...document.querySelectorAll("a")];
const named = [...document.querySelectorAll("[id]")];
links.forEach(link => link.focus());
const found = {
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  worst: Math.min(...texts.map(contrast)),
  lost: links.filter(link => !document.querySelector(link.getAttribute("href"))).map(link => link.textContent),
  focused: document.activeElement.tagName,
  unnamed: [...document.querySelectorAll("th")].filter(head => !head.scope).length,
  wide: document.documentElement.scrollWidth > innerWidth,
  ids: named.length - new Set(named.map(node => node.id)).size,
};
document.body.innerHTML = "";
document.body.textContent = "FOUND" + JSON.stringify(found) + "DNUOF";
"""


def sample() -> Report:
    """Every state, a name that tries to break out, and an error."""
    drift = Finding(
        "enabled",
        State.DRIFT,
        True,
        False,
        How.READ,
        where="Codat Portal",
        todo="Restore it.",
        command="pulumi up --refresh --stack prod",
        since="2026-01-02T03:04:05Z",
    )
    untold = Finding("regions.uk", State.CANNOT_TELL, "accepted", None, How.PROBE, why="it is throttling")
    fine = Finding("client_id", State.AS_DECLARED, "1000.A", "1000.A", How.MASK)
    books = Resource("books", "ZohoBooksIntegration", "urn", (drift, untold, fine), linked_companies=3)
    clean = Resource("books", "ZohoBooksIntegration", "urn", (fine,), linked_companies=0)
    return Report(
        (
            Stack("crm", "dev", "crm", (clean,)),
            Stack("crm", "<script>alert(1)</script>", "crm", (books,), deployed_at="2026-01-01T00:00:00Z"),
            Stack("crm", "gone", "crm", failure=Failure("unreachable", "Codat cannot be reached.")),
            Stack("crm", "empty", "crm"),
        ),
        started="2026-01-02T03:04:05Z",
        seconds=1.5,
    )


def test_it_loads_nothing_and_runs_nothing() -> None:
    """The page is whole in itself: no script, no address to fetch, and names in it stay text."""
    page = html(sample())
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert not re.search(r"""(?:src|href)=["'](?!#)|url\(|@import""", page)
    assert "default-src 'none'" in page


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_reads_well_in_a_browser(tmp_path: Path, dark: bool) -> None:
    """Every text has the contrast that WCAG asks for (4.5), every link leads somewhere and takes the keyboard's focus.

    Every header cell says what it heads, no id is there twice, and on a small screen only the table scrolls.
    """
    # The page itself allows no script; a copy that does lets the browser tell what it sees.
    page = re.sub(r"<meta http-equiv=[^>]*>", "", html(sample())).replace("</body>", f"<script>{LOOK}</script></body>")
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    assert BROWSER
    done = subprocess.run(
        [
            BROWSER,
            *QUIET,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--window-size=500,800",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(unescape(re.findall("FOUND(.*)DNUOF", done.stdout)[-1]))
    assert found["dark"] is dark
    assert found["worst"] >= 4.5
    assert (found["lost"], found["unnamed"], found["ids"], found["focused"]) == ([], 0, 0, "A")
    assert not found["wide"]

"""The HTML report in a real headless browser: it stands alone, in light and dark, by keyboard and screen reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from codat_zoho.drift.formats.html import draw as html
from tests.browser import ENTER, TAB, Browser, needs_browser, started
from tests.drift_samples import SAMPLE
from tests.real_engine import ROOT

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that shows the report."""
    folder = tmp_path_factory.mktemp("browser")
    page = folder / "drift.html"
    page.write_text(html(SAMPLE), encoding="utf-8")
    with started(folder) as browser:
        browser.open(page.as_uri())
        yield browser


def test_it_loads_nothing_and_complains_of_nothing(browser: Browser) -> None:
    """One file is all there is: no request but for the page itself, no error on the console."""
    assert browser.run("performance.getEntriesByType('resource').length") == 0
    assert not [entry for entry in browser.log() if entry["level"] == "SEVERE"]
    assert browser.run("document.querySelectorAll('b').length") == 0, "a name became markup"


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_light_and_dark_are_readable(browser: Browser, scheme: str, dark: bool, tmp_path: Path) -> None:
    """The page follows the reader's setting, and every text keeps the contrast that WCAG AA asks for (4.5 to 1)."""
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    script = """[...document.querySelectorAll('h1, h2, h3, p, th, td, td a, th a, dt, dd, code, span')].map(node => {
        let behind = node;
        while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
        return [getComputedStyle(node).color, getComputedStyle(behind || document.body).backgroundColor];
    })"""
    pairs = {(text, page) for text, page in browser.run(script)}
    assert min(contrast(text, page) for text, page in pairs) >= 4.5
    assert (luminance(browser.run("getComputedStyle(document.body).backgroundColor")) < 0.5) is dark
    browser.screenshot(tmp_path / f"{scheme}.png")


def luminance(color: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_screen_reader_gets_a_table_with_headers(browser: Browser) -> None:
    """Environments are row headers, settings column headers, and each state is a word."""
    assert browser.role(browser.find("table")[0]) == "table"
    rows, columns = browser.find("tbody th"), browser.find("thead th")
    assert {browser.role(one) for one in rows} == {"rowheader"} and len(rows) == len(SAMPLE.stacks)
    assert {browser.role(one) for one in columns} == {"columnheader"}
    assert [browser.label(one) for one in columns][:3] == ["Environment", "Together", "Enabled"]
    words = browser.run("[...document.querySelectorAll('td .state')].map(node => node.innerText)")
    assert all(re.search("error|drift|cannot tell|as declared|nothing", word) for word in words)
    signs = browser.run("[...document.querySelectorAll('[aria-hidden]')].map(node => node.innerText.trim())")
    assert set(signs) <= set("✖▲?○✔–"), "only signs are hidden from a screen reader"


def test_the_keyboard_reaches_table_and_details(browser: Browser) -> None:
    """Tab: skip link, table (it scrolls), then the cells that need attention; Enter leads to their details."""
    browser.run("document.activeElement.blur()")
    browser.press(TAB)
    assert browser.run("document.activeElement.textContent") == "Skip to the details"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0, "it shows when it is reached"
    browser.press(TAB)
    assert browser.run("document.activeElement.className") == "scroll"
    browser.press(TAB)
    assert browser.run("document.activeElement.tagName") == "A"
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    browser.press(ENTER)
    target = browser.run("location.hash.slice(1)")
    assert target.startswith("stack-")
    assert browser.run("document.querySelector(':target').getBoundingClientRect().top < innerHeight")


def test_no_column_is_too_narrow_for_a_word(browser: Browser) -> None:
    """A table of many columns scrolls, and does not break words such as "unknown" in two."""
    browser.command("Emulation.setDeviceMetricsOverride", width=700, height=800, deviceScaleFactor=1, mobile=False)
    widths = browser.run("[...document.querySelectorAll('tbody td')].map(cell => cell.getBoundingClientRect().width)")
    cell = "document.querySelector('td.none')"
    long = browser.run(f"{cell}.replaceChildren('internationally') || {cell}.getBoundingClientRect().width")
    browser.run(f"{cell}.replaceChildren('–')")
    browser.command("Emulation.clearDeviceMetricsOverride")
    assert min(widths) >= 6 * 16 and long > 7 * 16


@pytest.fixture
def phone(browser: Browser) -> Iterator[Browser]:
    """The browser, as narrow as a phone."""
    browser.command("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    yield browser
    browser.command("Emulation.clearDeviceMetricsOverride")


def test_it_fits_a_phone(phone: Browser) -> None:
    """The table scrolls by itself; the page does not, commands wrap, and what is said of the table stays in place."""
    assert phone.run("innerWidth") == 360
    assert phone.run("document.documentElement.scrollWidth") <= 360
    assert phone.run("document.querySelector('.scroll').scrollWidth") > 360
    title = "document.querySelector('h3').firstChild.textContent"
    assert (
        phone.run(
            f"(() => {{ const was = {title}; {title} = 'x'.repeat(80); const all = "
            f"document.documentElement.scrollWidth; {title} = was; return all; }})()"
        )
        <= 360
    )
    inside = "[...document.querySelectorAll('pre, code, #about, h1, h2, h3, dd')].every(one => {{ const box = {}; "
    inside += "return one.closest('.scroll') || (box.left >= 0 && box.right <= 360); }})"
    assert phone.run(inside.format("one.getBoundingClientRect()"))
    phone.run("document.querySelector('.scroll').scrollTo(10000, 0)")
    assert phone.run("document.querySelector('.scroll').scrollLeft") > 0
    assert phone.run(inside.format("one.getBoundingClientRect()"))


def test_each_folder_leads_to_what_it_means(phone: Browser) -> None:
    """A folder says little by itself on a phone that somebody sent the report to: a link says what it is."""
    links = phone.find("section.stack a[href='#folder']")
    assert len(links) == len(phone.find("section.stack"))
    phone.run("document.querySelector(\"section.stack a[href='#folder']\").click()")
    assert "the commands on this page are to be run from there" in phone.run(
        "document.querySelector(':target').textContent"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(phone: Browser, scheme: str) -> None:
    """Deque's axe, with all of its rules, on a phone."""
    axe = ROOT / "node_modules/axe-core/axe.min.js"
    if not axe.exists():
        pytest.skip("no axe-core in node_modules; CONTRIBUTING.md says how to get it")
    phone.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    phone.run(f"(() => {{ {axe.read_text(encoding='utf-8')}; }}).call(window)")
    found = phone.run("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    assert found["passes"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []

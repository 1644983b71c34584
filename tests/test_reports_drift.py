"""Every format of the drift report says the same, to the readers it is for."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from codat_zoho.core.plan import How
from codat_zoho.drift.formats.html import draw as html
from codat_zoho.drift.formats.json import FORM, drifts_of, since_before
from codat_zoho.drift.formats.json import draw as json_text
from codat_zoho.drift.formats.junit import draw as junit
from codat_zoho.drift.formats.markdown import draw as markdown
from codat_zoho.drift.formats.text import draw as text
from codat_zoho.drift.report import Remediation, Report, State
from codat_zoho.errors import Exit
from codat_zoho.workspace.failures import Failure
from tests.drift_samples import DRIFT, FINE, HARM, REJECTED, SAMPLE, UNTOLD, books, stack
from tests.support import node_tool

SCHEMA = json.loads(FORM.schema.read_text())
CLEAN = Report((stack("dev", books(FINE)),), "2026-01-02T03:04:05Z")


# --- the data ---------------------------------------------------------------------------------------------------------


def of(*findings: object, strict: bool = False, verified: bool = True) -> Report:
    """A report on one stack."""
    return Report((stack("prod", books(*findings)),), "2026-01-02T03:04:05Z", strict=strict, verified=verified)  # type: ignore[arg-type]


def failed(kind: str) -> Report:
    """A report on one stack that could not be checked, and one with drift."""
    return Report((stack("a", failure=Failure(kind, "no")), stack("b", books(DRIFT))), "2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (of(REJECTED), "Zoho was asked"),
        (of(replace(FINE, field="regions.us", how=How.PROBE)), "Zoho was asked"),
        (of(FINE, replace(UNTOLD, field="regions.us", how=How.PROBE)), "no verdict from Zoho"),
        (failed("authentication"), "Zoho was not asked"),
        (of(FINE), "Zoho was not asked"),
        (of(FINE, verified=False), "Zoho was not asked"),
    ],
)
def test_no_report_claims_an_answer_of_zoho_that_it_has_not(report: Report, words: str) -> None:
    """A stack that failed before, or that has no secret to ask with, is not said to be verified."""
    assert all(words in drawn for drawn in (text(report), markdown(report), html(report)))


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (CLEAN, Exit.OK),
        (of(DRIFT), Exit.CHANGES),
        (of(UNTOLD), Exit.OK),
        (of(UNTOLD, strict=True), Exit.CHANGES),
        (of(replace(UNTOLD, how=How.PROBE), strict=True, verified=False), Exit.OK),
        (failed("unreachable"), Exit.ERROR),
        (failed("authentication"), Exit.AUTHENTICATION),
        (replace(SAMPLE), Exit.ERROR),
        (Report((stack("a", books(FINE), pending_failure=Failure("project", "no")),), ""), Exit.ERROR),
        (Report((stack("a", books(DRIFT), remediation=Remediation("done")),), ""), Exit.OK),
        (Report((stack("a", books(DRIFT), remediation=Remediation("declined")),), ""), Exit.CHANGES),
        (Report((stack("a", books(DRIFT), remediation=Remediation("failed")),), ""), Exit.ERROR),
        (Report((), ""), Exit.OK),
    ],
)
def test_exit_codes(report: Report, code: Exit) -> None:
    """The worst wins: an error over drift. Strict takes what cannot be told for drift, unless nobody was to ask."""
    assert report.exit_code == code


def test_known_drift_keeps_its_date() -> None:
    """A drift that an earlier report holds is as old as that; a changed one starts anew."""
    first = since_before(of(DRIFT, REJECTED), {})
    later = replace(of(DRIFT, replace(REJECTED, actual="wrong secret"), FINE), started="2026-05-05T00:00:00Z")
    again = since_before(later, drifts_of(json_text(first)))
    dates = [finding.since for finding in again.stacks[0].resources[0].findings]
    assert dates == ["2026-01-02T03:04:05Z", "2026-05-05T00:00:00Z", None]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99, "stacks": []}', '{"version": 1, "stacks": [1]}'])
def test_an_unusable_earlier_report_is_refused(text: str) -> None:
    """It is said, not ignored: otherwise all drift would look new."""
    with pytest.raises(ValueError, match=r"no drift report|version 99"):
        drifts_of(text)


# --- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [SAMPLE, CLEAN, Report((), "2026-01-02T03:04:05Z"), since_before(SAMPLE, {})])
def test_json_is_of_the_documented_form(report: Report) -> None:
    """The schema is shipped in the package, and what is written is valid in it, with no field left undescribed."""
    validator = jsonschema.Draft202012Validator
    validator.check_schema(SCHEMA)
    closed = json.loads(json.dumps(SCHEMA), object_hook=_closed)
    validator(closed).validate(json.loads(json_text(report)))


def _closed(part: dict[str, object]) -> dict[str, object]:
    return {"additionalProperties": False, **part} if "properties" in part and "type" in part else part


def test_no_name_leads_out_of_an_anchor_or_a_block() -> None:
    """A data centre and a date come from a state that anybody wrote, and a command quotes folders."""
    odd = replace(REJECTED, field='regions."><b>', command="pulumi up --cwd '```'")
    report = Report((stack("prod", books(odd), deployed_at="<b>*x*</b>"),), "<b>")
    assert "<b>" not in html(report) and 'id="stack-0-0-regions----b-"' in html(report)
    assert "*x*" not in markdown(report) and "````sh\n  pulumi up --cwd '```'\n  ````" in markdown(report)


def test_html_says_once_what_to_do_about_several_data_centres() -> None:
    """Three that refuse the client need one thing done."""
    refused = [replace(REJECTED, field=f"regions.{code}") for code in ("eu", "uk", "us")]
    assert html(Report((stack("prod", books(*refused)),), "")).count("Enable uk.") == 1


# --- JUnit ------------------------------------------------------------------------------------------------------------


def test_junit_counts_add_up() -> None:
    """Readers trust the counts: they are those of the cases, and each setting is one case."""
    root = ET.fromstring(junit(SAMPLE))
    assert [suite.get("name") for suite in root][:2] == ["shop/dev", "shop/prod"]
    for node in (root, *root):
        assert int(node.get("tests", "")) == len(node.findall(".//testcase"))
        for tag, name in {"failure": "failures", "error": "errors", "skipped": "skipped"}.items():
            if (node, name) != (root, "skipped"):
                assert int(node.get(name, "")) == len(node.findall(f".//{tag}"))
    cases = root.findall(".//testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)


def test_junit_is_as_its_readers_schemas_say() -> None:
    """Jenkins' xUnit plugin (junit-10.xsd) and, within a suite, Surefire's: elements, their order and their attributes."""
    counts = {"name", "tests", "failures", "errors"}
    rules: dict[str, tuple[set[str], set[str], str]] = {  # What must stand there, what else may, and what is in it.
        "testsuites": (set(), {*counts, "time"}, "(testsuite )*"),  # No "skipped" for Jenkins.
        "testsuite": ({*counts, "skipped"}, {"time"}, "(testcase )*"),
        "testcase": ({"name", "classname", "time"}, set(), "((failure|error|skipped) )?"),
        "failure": ({"type"}, {"message"}, ""),
        "error": ({"type"}, {"message"}, ""),
        "skipped": (set(), {"message"}, ""),
    }
    root = ET.fromstring(junit(SAMPLE))
    assert root.tag == "testsuites" and {node.tag for node in root.iter()} == rules.keys()
    for node in root.iter():
        required, optional, children = rules[node.tag]
        assert required <= set(node.attrib) <= required | optional, node.tag
        assert re.fullmatch(children, "".join(f"{child.tag} " for child in node)), node.tag
        assert node.get("type") != "" and re.fullmatch(r"\d+(\.\d{0,3})?", node.get("time", "0"))
        assert all(re.fullmatch(r"\d+", node.get(name, "0")) for name in ("tests", "failures", "errors", "skipped"))


def test_junit_says_what_each_case_means() -> None:
    """Drift fails, an error is an error, what cannot be told is skipped with the reason, the rest passes."""
    cases = {
        (case.get("classname", ""), case.get("name", "")): case
        for case in ET.fromstring(junit(SAMPLE)).iter("testcase")
    }
    assert not list(cases["shop.dev.zoho-books", "enabled"])
    failure = cases["shop.prod.zoho-books", "enabled"].find("failure")
    assert failure is not None and failure.get("message") == "enabled: declared true, now false"
    assert "pulumi up --refresh --stack prod" in str(failure.text)
    skipped = cases["shop.prod.zoho-books", "client_secret"].find("skipped")
    assert skipped is not None and "Codat hides it." in str(skipped.get("message"))
    error = cases["shop.down.zoho-books", "read"].find("error")
    assert error is not None and error.get("type") == "unreachable"
    assert cases["shop.lost.stack", "check"].find("error") is not None
    assert cases["shop.empty.stack", "check"].find("skipped") is not None


# --- HTML -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_html_validate_finds_nothing(tmp_path: Path) -> None:
    """Its recommended rules hold for a report of everything, a quiet one and an empty one."""
    (tmp_path / ".htmlvalidate.json").write_text('{"extends": ["html-validate:recommended"], "root": true}')
    for name, report in (("all", SAMPLE), ("quiet", CLEAN), ("none", Report((), CLEAN.started))):
        (tmp_path / f"{name}.html").write_text(html(report), encoding="utf-8")
    done = node_tool("html-validate", "all.html", "quiet.html", "none.html", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    (tmp_path / "all.html").write_text("<p><div></p>")
    assert node_tool("html-validate", "all.html", folder=tmp_path).returncode, "it finds nothing at all"


# --- Markdown ---------------------------------------------------------------------------------------------------------


def test_markdown_names_everything_and_nothing_is_live() -> None:
    """What is wrong has a table and the command; a name that means harm stays a name."""
    shown = markdown(SAMPLE)
    assert "| `enabled` | `true` | **`false`** |" in shown
    assert "pulumi up --refresh --stack prod" in shown
    assert "Not deployed yet" in shown and "main.py does not run" in shown
    assert "<b>" not in re.sub("`+.*?`+", "", shown) and not re.search(r"@\w", re.sub("`+.*?`+", "", shown))
    assert "`shop/dev`: as declared" in shown and "`shop/empty`: nothing of codat\\-zoho is deployed" in shown


def test_long_markdown_is_cut_with_a_count() -> None:
    """A comment has a limit: the worst comes first, whole stacks go, and it is said how many."""
    many = Report(tuple(stack(f"s{number}", books(DRIFT)) for number in range(300)), "2026-01-02T03:04:05Z")
    shown = markdown(many)
    assert len(shown) <= 65_536
    count = int(re.findall(r"Cut here: (\d+) more", shown)[0])
    assert shown.count("### ") == 300 - count
    assert len(markdown(many, limit=300)) <= 300


# --- text -------------------------------------------------------------------------------------------------------------


def test_text_tells_a_person_all_of_it() -> None:
    """The summary first, the worst next, what to do with each, and the clean stacks on one line each."""
    shown = text(since_before(SAMPLE, {}))
    lines = shown.splitlines()
    assert lines[0].startswith(
        "10 stacks: 3 could not be checked, 2 with drift, 1 where something cannot be told, 3 as"
    )
    assert "    drift  enabled: declared true, now false (read at Codat)" in lines
    assert "          pulumi up --refresh --stack prod" in lines
    assert "        known since 2026-01-02T03:04:05Z" in lines
    assert "    cannot tell  client_secret: Codat hides it." in lines
    assert "shop/dev: as declared" in lines and "shop/empty: nothing of codat-zoho is deployed" in lines
    assert "\x1b" not in text(CLEAN)
    assert "\x1b[33mdrift\x1b[0m" in text(SAMPLE, color=True)


# --- HTML -------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What matters of a page: its tags, its ids and the targets of its links."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_is_well_formed() -> None:
    """Nothing is loaded or run, every tag is closed, every link leads somewhere, no name becomes markup."""
    page = Page(html(SAMPLE))
    assert not page.open
    assert not {"script", "link", "img", "iframe", "b"} & {tag for tag, _ in page.tags}
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    assert links and {link.removeprefix("#") for link in links} <= {str(one) for one in ids}
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")


def test_the_table_has_every_stack_and_setting() -> None:
    """At a glance: a row per environment, a column per setting, a state in words in each cell."""
    shown = html(SAMPLE)
    assert shown.count('<th scope="row">') == len(SAMPLE.stacks)
    assert shown.count('<th scope="col">') == 2 + len(SAMPLE.fields)
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", shown)
    assert len({row.count("<td") for row in rows}) == 1
    assert "Everything that was checked is as declared" in html(CLEAN)


@pytest.mark.parametrize("draw", [text, markdown, junit, html, json_text])
def test_each_format_names_each_state(draw: object) -> None:
    """No format is silent about a stack, and none leaves out a reason."""
    shown = draw(SAMPLE)  # type: ignore[operator]
    for one in SAMPLE.stacks:
        assert one.stack == HARM or one.stack in shown
    for words in ("Codat could not be reached.", "There is no stack", "Codat hides it.", "unknown client"):
        assert words in shown.replace("&#x27;", "'")
    assert State.DRIFT.value in shown

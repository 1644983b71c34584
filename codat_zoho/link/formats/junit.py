"""A link test as JUnit XML: one case for the link, one for the data where that was asked for, one for tidying up."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from codat_zoho.core.linking import Outcome
from codat_zoho.link.report import Report
from codat_zoho.texts.report_json import xml_text


def draw(report: Report) -> str:
    """Draw it."""
    suite = ET.Element("testsuite", name="codat-zoho test-link", time=f"{report.seconds:.3f}")
    causes = [f"{one.seen}: {one.means} {one.cure}" for one in report.causes]
    text = "\n".join([report.headline, *report.errors, *causes])
    kind = "error" if report.outcome is Outcome.UNTOLD else "failure"
    _case(suite, report, "link", "" if report.linked else kind, report.headline, text)
    if report.data is not None:
        missing = "" if report.data else "failure"
        _case(suite, report, "data", missing, "No data set came in time.", ", ".join(report.data_failed))
    left = "\n".join(map(str, report.left))
    _case(suite, report, "deleted", "error" if left and not report.kept else "", "A company is left.", left)
    for name, tag in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        suite.set(name, str(len(suite.findall(tag))))
    root = ET.Element("testsuites", suite.attrib)
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, report: Report, name: str, tag: str, message: str, text: str) -> None:
    where = f"test-link.{report.connection}"
    case = ET.SubElement(suite, "testcase", classname=xml_text(where), name=name, time="0")
    if tag:
        ET.SubElement(case, tag, message=xml_text(message), type=report.outcome.value).text = xml_text(text or message)

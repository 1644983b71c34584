"""A link test as JSON, of the form that ``link-test.schema.json`` beside this module describes."""

from __future__ import annotations

from pathlib import Path

from codat_zoho.link.report import Report
from codat_zoho.texts.report_json import Form

FORM = Form(
    Report,
    Path(__file__).with_name("link-test.schema.json"),
    {
        Report: {
            "exitCode": "exit_code",
            "linked": "linked",
            "headline": "headline",
            "proves": "proves",
            "leavesOpen": "leaves_open",
            "causes": "causes",
        }
    },
)
draw = FORM.text

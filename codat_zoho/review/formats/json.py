"""A review as JSON, of the form that ``review.schema.json`` beside this module describes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from codat_zoho.review.report import Environment, Review
from codat_zoho.texts.report_json import Form

FORM = Form(
    Review,
    Path(__file__).with_name("review.schema.json"),
    {
        Review: {
            "headline": "headline",
            "broken": "broken",
            "dangerous": "dangerous",
            "notReviewed": "not_reviewed",
            "changes": "changes_something",
        },
        Environment: {"verdict": "verdict", "dangerous": "dangerous", "notReviewed": "not_reviewed"},
    },
)


def render(review: Review) -> str:
    """Draw it."""
    return FORM.text(replace(review, environments=review.sorted))

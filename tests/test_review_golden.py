"""Text and Markdown of a review, to the letter, for each kind of change in a whole repository."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from codat_zoho.cli import main
from codat_zoho.review.formats import json as review_json
from tests.review_golden import CASES, Case
from tests.support import OTHER_SECRET, SECRET

GOLDEN = Path(__file__).parent / "golden" / "review"


def golden(name: str, said: str) -> None:
    """Compare with a golden file; ``UPDATE_GOLDEN=1`` writes it, to be read before it is committed."""
    said = re.sub(r"\b[0-9a-f]{8}\b", "<commit>", said)
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
    assert said == path.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_kind_of_change_to_the_letter(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text, Markdown and annotations say exactly what is right; JSON keeps to its schema; nothing secret is said."""
    repo = case.build(tmp_path / "repo")
    said = {}
    for form in ("text", "markdown", "annotations", "json"):
        where = ["--directory", str(repo.folder), "--base", "main", "--head", "change"]
        assert main(["review", *where, "--format", form]) == case.exit
        said[form] = capsys.readouterr().out
        assert not [secret for secret in (SECRET, OTHER_SECRET, "an-api-key-in-clear", "v1:") if secret in said[form]]
    jsonschema.validate(json.loads(said["json"]), json.loads(review_json.FORM.schema.read_text()))
    golden(f"{case.name}.txt", said["text"])
    golden(f"{case.name}.md", said["markdown"])
    golden(f"{case.name}.annotations", said["annotations"])

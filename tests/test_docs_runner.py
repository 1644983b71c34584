"""What runs the documentation notices when a page is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs_runner import Reader, blocks, exit_code, outside, shows

PAGE = """\
Text.

```sh session=one given=before then=after
echo $((6 * 7))      # exit 0
```

```text session=one
42
```

```json session=one save=a.json
{}
```

```sh session=one typed=yes
read answer && echo "$answer: $(cat a.json) \\
  MINE"
```

```text session=one
yes: {} ...
```

```sh session=one terminal=other
false                # exit 1
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def _reader(folder: Path, happened: list[str]) -> Reader:
    events = {name: lambda name=name: happened.append(name) for name in ("before", "after")}
    return Reader(folder, os.environ, {"MINE": "mine"}, events)


def test_a_right_page_is_read_to_its_end(page: Path, tmp_path: Path) -> None:
    """Lines, answers, files, what happens meanwhile and other terminals are all there."""
    happened: list[str] = []
    reader = _reader(tmp_path, happened)
    reader.reads(page, "one")
    assert happened == ["before", "after"]
    assert reader.said.split() == ["42", "yes:", "{}", "mine"]


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("# exit 0", "# exit 7", r"page.md:3: echo .*\s+exit 0"),
        ("\n42", "\n43", "page.md:7 shows not what is printed:\n42"),
        ("false", "true ", "page.md:24: true"),
        ("false  ", "exit 1", "the shell ended"),
        ("read answer", "reed answer", "page.md:15: .*\n.*reed"),
        ("{} ...", "[] ...", "page.md:20"),
    ],
)
def test_a_wrong_page_is_found(page: Path, tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    """Another exit code, another output, a command that is not there: each is told with its line."""
    page.write_text(PAGE.replace(right, wrong))
    with pytest.raises(AssertionError, match=complaint):
        _reader(tmp_path, []).reads(page, "one")


def test_an_output_is_written_on_request(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`UPDATE_GOLDEN=1` puts what is printed in place of what is shown, and touches nothing else."""
    page.write_text(PAGE.replace("\n42", "\nsomething old\nof two lines"))
    monkeypatch.setenv("UPDATE_GOLDEN", "1")
    _reader(tmp_path, []).reads(page, "one")
    assert page.read_text() == PAGE


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\n", "b\na\n", False),
        ("...\nb\n", "a\nb\nc\n", False),
        ("a ... c", "a b c\n", True),
        ("a ... c", "a b d\n", False),
        ("at 2026-01-02T03:04:05Z, in 1.2 s", "at 2026-11-24T12:02:17Z, in 13 s", True),
        ("origin/HEAD (0123abcd)", "origin/HEAD (7bda3ce2)", True),
        ("http://127.0.0.1:8765/codat", "http://127.0.0.1:40123/codat", True),
        ("3 stacks", "4 stacks", False),
    ],
)
def test_what_may_be_another(shown: str, printed: str, same: bool) -> None:
    """Only what differs in each run may differ, and only what says so is left out."""
    assert shows(shown, printed) is same


@pytest.mark.parametrize(
    ("line", "code"),
    [("true", 0), ("x  # exit 7: something differs", 7), ("x # 0: as declared, else exit 7", 7), ("exit 3", 0)],
)
def test_exit_codes_are_those_of_the_page(line: str, code: int) -> None:
    """A comment says what a line exits with."""
    assert exit_code(line) == code


def test_what_is_typed(tmp_path: Path) -> None:
    """A comment is no part of a line, what is the reader's own is filled in, and who is asked says yes."""
    reader = _reader(tmp_path, [])
    assert reader.types("pulumi up --refresh     # say yes") == "pulumi up --refresh --yes"
    assert reader.types("KEY=MINE pulumi up") == "KEY=mine pulumi up --yes"
    assert reader.types("codat-zoho adopt --stack prod --run") == "codat-zoho adopt --stack prod --run --yes"
    assert reader.types("pulumi preview  # up") == "pulumi preview"
    assert reader.types("# only words") == ""


def test_all_fences_are_found(page: Path) -> None:
    """Nothing that looks like a block is left over, and what is none stays for other tests to find."""
    assert len(blocks(page)) == 6 and "```" not in outside(page)
    page.write_text("- in a list:\n  ```sh\n  rm -rf /\n  ```\n")
    assert not blocks(page) and "```sh" in outside(page)

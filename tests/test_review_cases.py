"""Each kind of change, reviewed from the command line as a person would."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codat_zoho.cli import main
from codat_zoho.review.formats import json as review_json
from tests.real_engine import ROOT
from tests.review_cases import CASES, PROD, PROJECT, STACK, Case, Repo
from tests.support import OTHER_ID, SECRET

KINDS = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one stack, committed."""
    made = Repo(tmp_path / "repo")
    made.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    return made


def changed(repo: Repo, case: Case) -> None:
    """The repository with the change on a branch, while the main branch has moved on."""
    if case.base:
        repo.commit({PROD: STACK + "".join(f"  {line}\n" for line in case.base)})
    repo.git("checkout", "--quiet", "-b", "change")
    case.act(repo)
    repo.commit()
    repo.git("checkout", "--quiet", "main")
    repo.commit({PROD: (repo.folder / PROD).read_text() + "  codat-zoho:verify: always\n"})
    repo.git("checkout", "--quiet", "change")


def run(repo: Repo, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Review, and return the exit code and what was printed."""
    code = main(["review", "--directory", str(repo.folder), "--base", "main", *arguments])
    said = capsys.readouterr()
    assert not said.err, said.err
    return code, said.out


@KINDS
def test_each_kind_of_change(case: Case, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Changes, steps, findings and exit code are exactly right, seen from where the branch left main."""
    changed(repo, case)
    code, out = run(repo, capsys, "--format", "json")
    told = json.loads(out)
    jsonschema.validate(told, json.loads(review_json.FORM.schema.read_text()))
    [environment] = told["environments"]
    assert [(c["resource"], c["field"], c["before"], c["after"]) for c in environment["changes"]] == list(case.changes)
    assert [_words(step) for step in environment["steps"]] == list(case.steps)
    assert [f"{found['level']} {found['rule']}" for found in environment["findings"]] == list(case.findings)
    assert (code, environment["verdict"]) == (case.exit, case.verdict)


def _words(step: dict[str, Any]) -> str:
    return f"{step['text']}, {step['condition']}" if step["condition"] else str(step["text"])


@KINDS
def test_each_kind_in_words(case: Case, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Text, Markdown and annotations say all of it, and never the secret."""
    changed(repo, case)
    _, text = run(repo, capsys)
    _, markdown = run(repo, capsys, "--format", "markdown")
    _, annotations = run(repo, capsys, "--format", "annotations")
    for phrase in case.says:
        assert phrase in text, text
    for finding in case.findings:
        level, rule = finding.split()
        assert f"- {finding}: " in text
        assert f"**{rule}**: " in markdown
        assert f"%3A {rule}::" in annotations
        assert annotations.count("::error " if level == "danger" else "::warning ")
    for number, step in enumerate(case.steps, start=1):
        assert f"    {number}. {step}\n" in text
    for _, field, before, after in case.changes:
        if before != after:
            assert f"{field}: {before or 'not set'} -> {after}" in text
            assert f"`{field}`" in markdown
    assert markdown.startswith("<!-- codat-zoho review -->\n")
    for said in (text, markdown, annotations):
        assert SECRET not in said
        assert "test-api-key" not in said


def test_text_to_the_letter(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole text of one review, as a stranger reads it."""
    changed(repo, CASES[0])
    _, text = run(repo, capsys, "--head", "change")
    base, head = (repo.git("rev-parse", name).strip()[:8] for name in ("main^", "change"))
    assert (
        text
        == f"""\
Review of change ({head}), compared with where it left main ({base})
1 environment: 1 dangerous.

DANGER    codat-zoho/prod  (Pulumi.prod.yaml, changed)
  Changes
    - zoho-books: enabled: true -> false  [line 7]
  What pulumi up does
    1. disable the integration in Codat, unless companies are linked: then it is refused
  To look at
    - danger disable: Customers cannot link Zoho Books any more, and what becomes of linked companies is documented \
nowhere. It is refused while companies are linked.  [line 7]
  Cannot be known here
    - How many companies are linked: `pulumi preview --refresh` counts them.

No review of files can know
  - Whether Codat and Zoho are as the base declares (drift): `pulumi preview --refresh` or `codat-zoho drift` tell.
  - What a program other than the ready-to-use one makes of the settings: `codat-zoho review --preview` tells.
"""
    )


def test_a_broken_base_is_named(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A side that cannot be read is an error, the base's too, with file and line."""
    repo.commit({PROD: STACK.replace("[us, uk, eu]", "[us, uk")})
    repo.write({PROD: STACK})
    code, text = run(repo, capsys)
    assert code == 1
    assert "base: Pulumi.prod.yaml:7: is not valid YAML" in text


def test_a_new_stack_with_the_same_client(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A client id that two environments share is found, in both, and an added stack is said to adopt."""
    repo.write({"Pulumi.dev.yaml": STACK.replace("Zmlyc3Q", "ZGV2")})
    _, text = run(repo, capsys)
    assert text.count("client-id-shared: The same Zoho client id as in") == 2
    assert "stack-added: A new environment." in text
    repo.write(
        {"Pulumi.dev.yaml": STACK.replace("Zmlyc3Q", "ZGV2").replace("GFXJNB9VM0KE5C9C4CMSRQEX0CTDPH", OTHER_ID[5:])}
    )
    assert "client-id-shared" not in run(repo, capsys)[1]


def test_clear_secrets_alone(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The pre-commit check looks at what would be committed, finds old clear secrets too, and nothing else."""
    repo.write({PROD: STACK.replace("enabled: true", "enabled: false")})
    repo.git("add", "--all")
    assert run(repo, capsys, "--clear-secrets", "--head", "index")[0] == 0
    clear = STACK.replace(":\n    secure: v1:Zmlyc3Q=:c2VjcmV0", f": {SECRET}")
    repo.commit({PROD: clear})
    code, text = run(repo, capsys, "--clear-secrets", "--head", "index")
    assert code == 7
    assert "danger secret-in-clear, not new" in text
    assert SECRET not in text


def test_a_repository_without_commits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The very first commit can be reviewed: everything is new."""
    repo = Repo(tmp_path / "repo")
    repo.write({"Pulumi.yaml": PROJECT, PROD: STACK})
    repo.git("add", "--all")
    assert main(["review", "--directory", str(repo.folder), "--base", "HEAD", "--head", "index"]) == 0
    assert "stack-added" in capsys.readouterr().out


def test_typos_are_told(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong stack, revision or folder is an error with a hint, never a review that finds nothing."""
    where = ["review", "--directory", str(repo.folder)]
    assert main([*where, "--base", "main", "--stack", "prdo"]) == 2
    assert "did you mean 'prod'?" in capsys.readouterr().err
    assert main([*where, "--base", "mian"]) == 1
    assert "--base: git knows no commit 'mian' here." in capsys.readouterr().err
    assert main(["review", "--directory", str(repo.folder.parent)]) == 1
    assert "in no git repository" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main([*where, "--base", "main", "--preview", "x.json"])
    assert stopped.value.code == 2


def test_fail_on(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 7 stands for what was asked."""
    repo.write({PROD: STACK + "  codat-zoho:onDelete: keep\n"})
    codes = [run(repo, capsys, "--fail-on", what)[0] for what in ("danger", "change", "never")]
    repo.write({PROD: STACK.replace("enabled: true", "enabled: false")})
    codes += [run(repo, capsys, "--fail-on", what)[0] for what in ("danger", "change", "never")]
    assert codes == [0, 7, 0, 7, 7, 0]


def test_no_network_and_nothing_written(
    repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No socket is opened, git is kept from any, and neither the checkout nor its .git changes."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    changed(repo, CASES[0])
    before = {path: path.stat().st_mtime_ns for path in repo.folder.rglob("*")}
    monkeypatch.setattr(socket, "socket", refuse)
    real, environments = subprocess.run, []

    def spy(*args: Any, **kwargs: Any) -> Any:
        environments.append(kwargs["env"])
        return real(*args, **kwargs)

    monkeypatch.setattr(subprocess, "run", spy)
    assert main(["review", "--directory", str(repo.folder), "--base", "main"]) == 7
    assert all(one["GIT_ALLOW_PROTOCOL"] == "none" and one["GIT_NO_LAZY_FETCH"] == "1" for one in environments)
    assert environments
    assert {path: path.stat().st_mtime_ns for path in repo.folder.rglob("*")} == before


def test_review_does_without_pulumi_and_httpx(repo: Repo) -> None:
    """The command is quick because it loads neither pulumi nor httpx."""
    code = (
        "import sys; from codat_zoho.cli import main; "
        f"main(['review', '--directory', {str(repo.folder)!r}, '--base', 'main']); "
        "sys.exit(bool({'pulumi', 'httpx', 'grpc'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0


def test_markdown_fits_a_comment(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """However many environments change, the comment stays within 64,000 characters and says what it left out."""
    repo.commit({f"Pulumi.s{n}.yaml": STACK for n in range(150)})
    for n in range(150):
        repo.write({f"Pulumi.s{n}.yaml": STACK.replace("enabled: true", "enabled: false")})
    code, markdown = run(repo, capsys, "--format", "markdown")
    assert code == 7
    assert len(markdown) <= 64_000
    assert "not fit into a comment" in markdown

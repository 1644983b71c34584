"""Each kind of change, reviewed from the command line as a person would."""

from __future__ import annotations

import json
import re
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
from tests.review_cases import CASES, PROD, PROJECT, STACK, Case, Repo, add
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


def test_many_stacks_with_the_same_client(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Five of the others are named and the rest counted: with each one named a review of many stacks is unreadable."""
    repo.write({f"Pulumi.s{n}.yaml": STACK for n in range(1, 8)})
    _, text = run(repo, capsys)
    assert text.count("client-id-shared") == 8
    assert "as in prod (Pulumi.prod.yaml), s2 (Pulumi.s2.yaml), s3 (Pulumi.s3.yaml)" in text
    assert "s5 (Pulumi.s5.yaml) and 2 more: rotating" in text


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


@pytest.mark.parametrize("option", ["--base", "--head", "--directory", "--stack", "--output", "--preview"])
def test_an_unset_variable_reviews_nothing_else(
    option: str, repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty argument is a usage error that names the likely cause, not the review of a default."""
    monkeypatch.chdir(repo.folder)
    for empty in ("", " "):
        with pytest.raises(SystemExit) as stopped:
            main(["review", option, empty])
        assert stopped.value.code == 2
        assert f"argument {option}: is empty: is the variable unset" in capsys.readouterr().err


OWN = "import codat_zoho as cz\ncz.ZohoBooksIntegration('zoho-books', enabled=True)\n"
APP = {"app/Pulumi.yaml": "name: app\nruntime: python\n", "app/__main__.py": OWN}
APPS = {
    "with a stack file": APP | {"app/Pulumi.live.yaml": "config:\n  app:plan: gold\n"},
    "with settings": APP | {"app/Pulumi.live.yaml": "config:\n  codat-zoho:enabled: true\n"},
    "without a stack file": APP,
    "by a requirement": APP | {"app/__main__.py": "import more\n", "app/requirements.txt": "codat-zoho\n"},
    "by shared code": APP | {"app/__main__.py": "import more\n", "shared/more.py": OWN},
}
HIDDEN = [
    {"app/__main__.py": OWN.replace("True", "False")},
    {"app/__main__.py": "\n"},
    {"app/settings.json": "{}"},
    {"app/tests/zoho.py": "enabled = False\n"},
    {"shared/more.py": "enabled = False\n"},
    {"app/Pulumi.yaml": "name: app\nruntime: nodejs\n"},
]


@pytest.mark.parametrize("files", APPS.values(), ids=lambda one: "")
@pytest.mark.parametrize("change", HIDDEN, ids=str)
def test_programs_of_their_own_are_not_reviewed(
    files: dict[str, str], change: dict[str, str], repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a program decides is a result of its own, with an exit code where that is asked, and never "nothing"."""
    alone = "shared/more.py" not in files  # Else there is a ready-to-use project above them.
    repo.commit(files | {".gitattributes": "* binary\n"} | ({"Pulumi.yaml": None, PROD: None} if alone else {}))
    assert "not-reviewed" not in run(repo, capsys, "--strict")[1]
    repo.write(change)
    code, text = run(repo, capsys)
    assert "Not reviewed: programs of their own" in text
    assert "\nnot reviewed app" in text or "\nDANGER    app" in text
    assert "No stack configuration" not in text and "sends nothing" not in text
    assert code == (7 if "app/Pulumi.yaml" in change else 0)
    assert run(repo, capsys, "--strict")[0] == 1
    assert run(repo, capsys, "--strict", "--fail-on", "never")[0] == 1
    assert run(repo, capsys, "--fail-on", "change")[0] == 7


def test_programs_that_do_not_concern_it(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Other projects, and documents beside a program of one's own, raise no alarm."""
    repo.commit(APP | {"other/Pulumi.yaml": "name: other\nruntime: go\n", "other/Pulumi.x.yaml": "config: {}\n"})
    repo.write({"other/main.go": "package main\n", "app/README.md": "# App\n", "shared/notes.md": "codat-zoho\n"})
    code, text = run(repo, capsys, "--strict")
    assert (code, "not reviewed" in text, "Skipped: 1 without" in text) == (0, False, True)


def test_a_replacement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview of `up --replace` shows that the integration is deleted and created, whichever steps it lists."""
    inputs = {"client_id": OTHER_ID, "client_secret": "[secret]", "enabled": True, "connection": "default"}
    kind = "pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration"
    state = {"type": kind, "inputs": inputs, "outputs": {**inputs, "linked_companies": 3}}
    urn = f"urn:pulumi:prod::codat-zoho::{kind}::zoho-books"
    file = tmp_path / "preview.json"
    for listed in (["replace"], ["create-replacement", "delete-replaced"], ["create-replacement", "replace"]):
        steps = [{"op": op, "urn": urn, "oldState": state, "newState": state} for op in listed]
        file.write_text(json.dumps({"steps": steps}))
        assert main(["review", "--preview", str(file)]) == 7
        text = capsys.readouterr().out
        assert "1. replace zoho-books: create it anew, then delete the old one" in text
        assert "danger replaced: Pulumi deletes and creates the integration." in text
        assert text.count("replace zoho-books") == 1


def test_a_preview_of_what_a_component_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The URN has the component's type before the resource's: it is reviewed like any other."""
    kind = "pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration"
    inputs = {"client_id": OTHER_ID, "client_secret": "[secret]", "enabled": True, "connection": "default"}
    old, new = ({"type": kind, "inputs": inputs | {"enabled": enabled}} for enabled in (True, False))
    urn = f"urn:pulumi:prod::shop::acme:app:Billing$acme:codat:Books${kind}::books"
    file = tmp_path / "preview.json"
    for states in ({"oldState": old, "newState": new}, {"oldState": old}):
        op = "update" if "newState" in states else "delete"
        file.write_text(json.dumps({"steps": [{"op": op, "urn": urn, **states}]}))
        assert main(["review", "--preview", str(file)]) == 7
        assert ("danger disable:" if op == "update" else "danger removed:") in capsys.readouterr().out


ON = {"connection": "default", "enabled": True, "allow_disruption": False, "client_id": OTHER_ID, "on_delete": "keep"}
ASKED = {"client_id": OTHER_ID, "regions": ["eu", "uk"], "verify": "on-change"}
UNKNOWN_YET = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.mark.parametrize("name", [*ON, "regions", "verify"])
@pytest.mark.parametrize("hides", ["[secret]", UNKNOWN_YET])
def test_a_preview_hides_a_value(name: str, hides: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What decides about live customers and is hidden by the engine is a danger, before and after; nothing is assumed."""
    file = tmp_path / "preview.json"
    known, kind = (ON, "ZohoBooksIntegration") if name in ON else (ASKED, "ZohoClientCredentials")
    kind = f"pulumi-python:dynamic/codat-zoho:{kind}"
    level = "caution" if name == "verify" else "danger"
    sides = [(known, {**known, name: hides})]
    if hides == "[secret]":
        sides += [({**known, name: hides}, {**known, name: hides}), ({**known, name: hides}, {**known, name: "other"})]
    for old, new in sides:
        states = {key: {"type": kind, "inputs": one} for key, one in (("oldState", old), ("newState", new))}
        step = {"op": "update", "urn": f"urn:pulumi:prod::shop::{kind}::zoho-books", "detailedDiff": {name: {}}}
        file.write_text(json.dumps({"steps": [step | states]}))
        code = main(["review", "--preview", str(file)])
        text = capsys.readouterr().out
        assert (code, text.count(f"{level} hidden-value: {name} goes from ")) == (7 if level == "danger" else 0, 1), (
            text
        )
        assert "sends nothing" not in text and "CODAT_API_KEY" not in text and "A preview tells" not in text


def test_a_preview_of_a_new_resource_hides_a_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new integration with hidden values is as dangerous as offline, and what is not known yet is named."""
    file = tmp_path / "preview.json"
    kind = "pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration"
    for inputs, code, said in (
        ({"enabled": "[secret]"}, 7, "danger hidden-value: enabled is now [secret]"),
        ({"enabled": UNKNOWN_YET}, 0, "The value of enabled: not known before pulumi up."),
    ):
        state = {"type": kind, "inputs": ON | inputs}
        step = {"op": "create", "urn": f"urn:pulumi:prod::shop::{kind}::zoho-books", "newState": state}
        file.write_text(json.dumps({"steps": [step]}))
        assert main(["review", "--preview", str(file)]) == code
        text = capsys.readouterr().out
        assert said in text and "sends nothing" not in text


OFF_BY_DEFAULT = PROJECT.replace(
    "    default: true\n    description: Whether", "    default: false\n    description: Whether"
)
DEFAULTS = {
    "enabled": (OFF_BY_DEFAULT, "hidden-value: enabled goes from {} (true) to {} (false)", "disable: "),
    "regions": (
        PROJECT.replace("[us, uk, eu]", "[us]"),
        "hidden-value: regions goes from {} (us, uk, eu) to {} (us)",
        "region-dropped: eu, uk are dropped",
    ),
    "codatUrl": (
        f"{PROJECT}  codat-zoho:codatUrl: {{value: 'https://codat.example.net'}}\n",
        "sent to another address: https://codat.example.net, unless the ESC environment says otherwise.",
        "sent to another address: https://codat.example.net.",
    ),
}


@pytest.mark.parametrize(("project", "with_esc", "alone"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_that_nobody_may_override(
    project: str, with_esc: str, alone: str, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """A default of the project is compared where ESC environments may override it, and where there is no stack file."""
    esc = "".join(line for line in STACK.splitlines(True) if "enabled" not in line and "regions" not in line)
    repo.commit({PROD: f"environment: [live]\n{esc}"})
    repo.write({"Pulumi.yaml": project})
    code, text = run(repo, capsys)
    assert (code, with_esc.replace("{}", "the ESC environment's, or a default") in text) == (7, True), text
    repo.commit({PROD: None, "Pulumi.yaml": PROJECT})
    repo.write({"Pulumi.yaml": project})
    code, text = run(repo, capsys)
    assert (code, alone in text) == (7, True), text
    assert "is not set" not in text and "sends nothing" not in text


@pytest.mark.parametrize("key", ["codatUrl: {value: https://codat.example.net}", "enabled: {value: 'false'}"])
def test_a_project_of_its_own_without_stack_files(key: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What a project sets in this package's namespace counts, also where its folder does not name the package."""
    repo.commit({PROD: None, "Pulumi.yaml": "name: shop\nruntime: python\n"})
    repo.write({"Pulumi.yaml": f"name: shop\nruntime: python\nconfig:\n  codat-zoho:{key}\n"})
    code, text = run(repo, capsys)
    assert code == 7 and ("another address" in text or "disable" in text or "hidden-value" in text), text
    assert "not-reviewed" in text


LOOKS = "name: shop\nruntime: python\nconfig:\n  verify: {type: string, default: always}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (APP["app/Pulumi.yaml"], LOOKS),
        (LOOKS, APP["app/Pulumi.yaml"]),
        (LOOKS, LOOKS),
        (f"{PROJECT}  plan: {{type: string, default: gold}}\n",) * 2,
    ],
)
def test_ready_made_by_declaration_alone(
    before: str, after: str, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program is taken for the ready-to-use one where both sides declare just what that reads; else it is one's own."""
    repo.commit({PROD: None, "Pulumi.yaml": None, **APP, "app/Pulumi.yaml": before, "app/data.json": "true"})
    repo.write({"app/Pulumi.yaml": after, "app/data.json": "false"})
    text = run(repo, capsys)[1]
    assert "not-reviewed: Not reviewed: programs of their own decide what is declared (app/data.json changed)" in text
    assert run(repo, capsys, "--strict")[0] == 1


def test_no_assurance_for_a_program_that_reads_more(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """That a change sends nothing is said of the ready-to-use program alone, and not of one that declares more."""
    keep = {PROD: f"{STACK}  codat-zoho:onDelete: keep\n"}
    repo.write(keep)
    assert "sends nothing" in run(repo, capsys)[1]
    repo.commit({PROD: STACK, "Pulumi.yaml": f"{PROJECT}  plan: {{type: string, default: gold}}\n"})
    repo.write(keep)
    text = run(repo, capsys)[1]
    assert "sends nothing" not in text and "not-reviewed" in text


def test_broken_before_but_another_program(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What was broken before and is untouched does not count, but a change of its program is told and does."""
    repo.commit({"Pulumi.yml": "name: x\n", "__main__.py": "import codat_zoho\n"})
    assert run(repo, capsys)[0] == 0
    repo.write({"__main__.py": "import more\n"})
    code, text = run(repo, capsys)
    assert (code, "not-reviewed: Not reviewed: " in text, "(__main__.py changed)" in text) == (1, True, True)


@pytest.mark.parametrize(
    ("key", "level"),
    [
        ("main: app", "danger"),
        ("runtime: nodejs", "danger"),
        ("runtime: {name: python, options: {toolchain: uv, virtualenv: .venv}}", "danger"),
        ("backend: {url: s3://elsewhere}", "danger"),
        ("plugins: {providers: [{name: random, path: bin}]}", "danger"),
        ("packages: {random: random@4.0.0}", "danger"),
        ("options: {refresh: always}", "caution"),
        ("requiredPulumiVersion: '>=4'", "caution"),
        ("license: MIT", ""),
    ],
)
def test_the_projects_other_keys(key: str, level: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What decides which program runs, and where, is named with what follows; only layout is called layout."""
    name = key.partition(":")[0]
    before = re.sub(r"runtime:\n(  .*\n)+", "", PROJECT) if name == "runtime" else PROJECT
    repo.write({"Pulumi.yaml": f"{before}{key}\n"})
    code, text = run(repo, capsys)
    assert (f"{level} project-changed: {name} of Pulumi.yaml changes: " in text) == bool(level)
    assert code == (7 if level == "danger" else 0)
    assert "no setting does" not in text
    assert ("read the difference" in text) != bool(level)
    repo.commit()
    repo.write({"Pulumi.yaml": f"# Other layout.\n\n{before}{key}   # here\n"})
    assert "no setting does" in run(repo, capsys)[1]


@pytest.mark.parametrize("line", ["codat-zoho:verify: 'on-change'", "shop:plan: gold", "codat-zoho:enabeld: true"])
def test_another_value_is_no_layout(line: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """That no setting differs, and that only the layout does, is said where it is so."""
    add(line)(repo)
    assert "no setting does" not in run(repo, capsys)[1]


def test_the_value_before_is_hidden(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What was encrypted before, or is encrypted anew, hides as much; what cannot do harm raises no danger."""
    for before, after, code in (
        ("{secure: v1:b25l}", "false", 7),
        ("{secure: v1:b25l}", "{secure: v1:dHdv}", 7),
        ("{secure: v1:b25l}", "true", 0),
        ("false", "{secure: v1:b25l}", 0),
    ):
        repo.commit({PROD: STACK.replace("enabled: true", f"enabled: {before}")})
        repo.write({PROD: STACK.replace("enabled: true", f"enabled: {after}")})
        made = run(repo, capsys)
        assert (made[0], "danger hidden-value" in made[1]) == (code, code == 7), (before, after)
        assert "sends nothing" not in made[1]


CLEAR = {
    "a comment": {PROD: f"{STACK}# {SECRET}\n"},
    "a longer value": {PROD: f"{STACK}  codat-zoho:note: https://x.example/?secret={SECRET}&more\n"},
    "an escape": {PROD: f'{STACK}  shop:note: "was \\x{ord(SECRET[0]):x}{SECRET[1:]}!"\n'},
    "outside config": {PROD: f"note: {SECRET}\n{STACK}"},
    "a key": {PROD: f"{STACK}  shop:{SECRET}: 1\n"},
    "secure, but in clear": {PROD: STACK.replace("v1:Zmlyc3Q=:c2VjcmV0", SECRET)},
    "the project file": {"Pulumi.yaml": f"{PROJECT}# {SECRET}\n"},
    "a default that loses": {
        "Pulumi.yaml": PROJECT.replace("secret: true\n", f"secret: true\n    default: {SECRET}\n")
    },
    "a file that loses": {"Pulumi.prod.yml": f"# {SECRET}\n{STACK}"},
    "a file that cannot be read": {PROD: f"{STACK}  - [\n# {SECRET}\n"},
    "a project without stack files": {"app/Pulumi.yaml": f"name: app\nruntime: go\n# {SECRET}\n"},
    "another project": {"app/Pulumi.yaml": "name: app\nruntime: go\n", "app/Pulumi.x.yaml": f"# {SECRET}\n"},
    "another shape": {PROD: f"{STACK}  shop:zohoClientSecret: test-api-key-7f3a\n"},
    "another spelling": {PROD: f"{STACK}  shop:zoho: {{zoho_client_secret: test-api-key-7f3a}}\n"},
    "a token": {PROD: f"{STACK}# (1000.{SECRET[:32]}.{SECRET[:32]})\n"},
    "upper case": {PROD: f"{STACK}# {SECRET.upper()}\n"},
    "its name in a comment": {PROD: f"{STACK}# codat-zoho:zohoClientSecret: test-api-key-7f3a\n"},
    "an escape outside config": {"Pulumi.yaml": f'{PROJECT}author: "\\x{ord(SECRET[0]):x}{SECRET[1:]}"\n'},
    "UTF-16": {PROD: f"{STACK}# {SECRET}\n".encode("utf-16")},
}


@pytest.mark.parametrize("files", CLEAR.values(), ids=CLEAR)
def test_secrets_in_clear_anywhere(
    files: dict[str, str | bytes], repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever a secret stands in the files, readable or not, taken by the engine or not, it is found, once."""
    repo.write(files)
    for options in ((), ("--clear-secrets",)):
        code, text = run(repo, capsys, *options)
        assert text.count("danger secret-in-clear: ") == 1, text
        assert code in (1, 7) and SECRET not in text and "test-api-key" not in text
    repo.commit()
    assert run(repo, capsys, "--clear-secrets")[0] in (1, 7)


def test_a_secret_that_was_in_a_comment(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that is taken out stays in git's history, wherever it stood."""
    repo.commit({PROD: f"{STACK}# {SECRET}\n"})
    repo.write({PROD: STACK})
    assert "caution secret-was-in-clear: A Zoho client secret stood in clear before" in run(repo, capsys)[1]


@pytest.mark.parametrize(
    "line",
    [
        f"# commit {SECRET[:40]}",
        f"# sha256 {SECRET}{SECRET[:22]}",
        f"  shop:digest: sha256:{SECRET}{SECRET[:22]}",
        "  datadog:apiKey: test-api-key-7f3a",
        "# zohoClientSecret: set it with pulumi config set --secret",
        "# zohoClientSecret: <your-secret-1>",
        f"  shop:token: {{secure: v1:{SECRET[:40]}:{SECRET[:40]}}}",
        f"encryptedkey: A{SECRET}B==",
    ],
)
def test_what_is_no_secret(line: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Commits, checksums, ciphertexts and other tools' settings raise no alarm."""
    repo.write({PROD: f"{STACK}{line}\n"})
    assert run(repo, capsys, "--clear-secrets")[0] == 0


def test_a_slip_in_the_project_file(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What a project declares in place of a setting is nothing that the ready-to-use program reads."""
    project = PROJECT.replace("name: codat-zoho", "name: shop", 1)
    repo.commit({"Pulumi.yaml": project, PROD: STACK.replace("codat-zoho:", "shop:")})
    repo.write({"Pulumi.yaml": f"{project}  enable: false\n"})
    assert "unknown-setting: shop:enable is no setting of codat-zoho" in run(repo, capsys)[1]


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

"""Project and stack files: read as Pulumi reads them, or refused in one line that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from codat_zoho.cli import main
from codat_zoho.policy.files import clear_settings
from codat_zoho.workspace import yaml_lines
from codat_zoho.workspace.failures import Failed
from codat_zoho.workspace.pulumi_yaml import environments, find_project, read_project, read_stack
from codat_zoho.workspace.yaml_lines import Broken
from tests.review_cases import PROD, PROJECT, STACK, Repo
from tests.support import ID

HEAD = "name: shop\nruntime: python\n"
ANCHORS = "inner: &inner {shop:a: 1, shop:b: 2}\nouter: &outer {<<: *inner, shop:b: 3}\n"


@pytest.fixture(params=["libyaml", "PyYAML"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both readers of YAML, whichever is installed."""
    if request.param == "PyYAML":
        monkeypatch.setattr(yaml_lines, "_Loader", yaml_lines._loader(yaml.BaseLoader))
    elif not hasattr(yaml, "CBaseLoader"):
        pytest.skip("libyaml is not there")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("written", "text"),
    [
        *(("text", "text"), ("5", "5"), ("1.0", "1"), ("1.50", "1.5"), ("-0", "0"), ("'010'", "010")),
        *(("TRUE", "true"), ("False", "false"), ("yes", "yes"), ("~", ""), ("null", ""), ("''", "")),
        *(("[us, eu]", '["us","eu"]'), ("{a: 1.0}", '{"a":1}'), ("{secure: 5}", '{"secure":5}')),
        *(("1000.ABCDEF", "1000.ABCDEF"), ("190:20:30", "190:20:30"), ("_1", "_1"), ("'2001-01-01'", "2001-01-01")),
    ],
)
def test_a_value_is_the_text_that_a_program_gets(written: str, text: str) -> None:
    """What people commonly write is read as the engine reads it, whichever library reads the YAML."""
    value = read_stack(f"config: {{shop:a: {written}}}\n".encode(), "shop").settings["shop", "a"]
    assert (value.text, value.unread) == (text, "")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    "written",
    [
        *("010", "+1", "08", "0o10", "0x10", "-0X1F", "0b11", "1_000", "0x_1", ".5", "5.", "1e3", "1_0.5", ".inf"),
        *(".NaN", "1234567890123456", "0.00001", "2001-01-01", "2001-1-1 10:00:00", "[010]", "{k: 2001-01-01}"),
        "{secure: 2001-01-01}",
    ],
)
def test_a_value_that_pulumi_rewrites_is_not_guessed(written: str) -> None:
    """Dates and unusual numbers are said to be unread; what to do stands there."""
    value = read_stack(f"config: {{shop:a: {written}}}\n".encode(), "shop").settings["shop", "a"]
    assert "write it in quotes" in value.unread


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("merge", "settings"),
    [
        ("<<: *inner", {"a": "1", "b": "2"}),
        ("<<: *outer", {"a": "1", "b": "3"}),
        ("<<: *outer, shop:b: 4", {"a": "1", "b": "4"}),
        ("<<: [*inner, *outer]", {"a": "1", "b": "2"}),
        ("<<: [*outer, *inner]", {"a": "1", "b": "3"}),
        ("<<: {<<: {shop:c: 5}, shop:a: 0}", {"c": "5", "a": "0"}),
        ("<<: []", {}),
        ("'<<': *inner, shop:c: 5", None),
    ],
)
def test_merges_hide_nothing(merge: str, settings: dict[str, str] | None) -> None:
    """Merged settings are there, nested ones too: a map's own keys win, then those of the map named first."""
    content = f"{ANCHORS}config: {{{merge}}}\n".encode()
    found = {name: value.text for (_, name), value in read_stack(content, "shop").settings.items()}
    assert found == (settings if settings is not None else {"<<": '{"shop:a":1,"shop:b":2}', "c": "5"})


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("config: {shop:a: 1, a: 2}", "another spelling"),
        ("config: {shop:config:a: 1, shop:a: 2}", "another spelling"),
        ("config: {<<: {a: 1}, shop:a: 2}", "another spelling"),
        ("config: {shop:a: 1, shop:a: 2}", "twice"),
        ("config: {shop:a: 1}\nother: {a: 1, a: 2}", "twice"),
        ("config: {<<: {shop:a: 1}, <<: {shop:b: 1}}", "twice"),
        ("config: {<<: {shop:a: 1, shop:a: 2}}", "twice"),
        ("config: {shop:a: !!str 010}", "tag"),
        ("config: {shop:a: !foo {k: v}}", "tag"),
        ("config: {!!str a: 1}", "tag"),
        ("config: {!!merge '<<': {shop:a: 1}}", "tag"),
        ("config: {<<: !foo {shop:a: 1}}", "tag"),
        ("other: [!!int 5]\nconfig: {shop:a: 1}", "tag"),
        ("config: {<<: [[{shop:a: 1}]]}", "no map"),
        ("config: {<<: text}", "no map"),
        ("config: {<<: ~}", "no map"),
        ("config: {010: 1}", "key that is no text"),
        ("config: {~: 1}", "key that is no text"),
        ("config: {[a]: 1}", "key that is no text"),
        ("5: 6\nconfig: {shop:a: 1}", "key that is no text"),
        ("config: {a:b:c: 1}", "no key of the form"),
        ("config: ''", "not a map"),
        ("config: {secure: AAAA}", "not a map"),
        ("[config]", "not a map"),
        ("%YAML 1.2\n---\nconfig: {shop:a: 1}", "directive"),
        ("a: &a {<<: *a}", "nested too deeply"),
    ],
)
def test_what_was_not_compared_with_the_engine_is_refused(content: str, why: str) -> None:
    """Tags, odd keys, two spellings of one key (the engine takes either) and broken merges: refused wherever they are."""
    with pytest.raises(Broken, match=why):
        read_stack(content.encode(), "shop")


def test_merges_of_merges_end() -> None:
    """A file of a few lines that stands for a billion keys is refused, and soon."""
    wide = "".join(f"k{number}: 1, " for number in range(1000))
    content = f"a: &a {{{wide}}}\nb: [{'{<<: *a}, ' * 1000}]\n"
    with pytest.raises(Broken, match="too large"):
        read_stack(content.encode(), "shop")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("runtime: python\n", "no name"),
        ("name: 010\nruntime: python\n", "name is no text"),
        ("name: [shop]\n", "name is no text"),
        ("name: shop\nruntime: 5\n", "runtime"),
        (HEAD + "main: 5\n", "main is no text"),
        (HEAD + "config: conf\nstackConfigDir: conf\n", "twice"),
        (HEAD + "config: {a: 1, shop:a: 2}\n", "another spelling"),
        (HEAD + "config: {a: {default: 1, value: 2}}\n", "both default and value"),
        (HEAD + "config: {a: {secure: AAAA}}\n", "does not take"),
        (HEAD + "config: {a: {default: {secure: AAAA}}}\n", "does not take"),
        (HEAD + "config: {a: 1.5}\n", "does not take"),
        (HEAD + "config: {a: 010}\n", "write it in quotes"),
        (HEAD + "config: {a: ~}\n", "does not take"),
        (HEAD + "config: {a: {type: string, default: 5}}\n", "type"),
        (HEAD + "config: {a: {type: text}}\n", "type"),
        (HEAD + "config: {a: {type: array, default: [a]}}\n", "type"),
        (HEAD + "config: {a: {type: array, items: {type: integer}, default: [a]}}\n", "type"),
        (HEAD + "config: {other:a: {default: 1}}\n", "not the project's own"),
        (HEAD + "config: {other:a: {type: string, value: a}}\n", "not the project's own"),
        (HEAD + "config: {other:a: {value: ~}}\n", "not the project's own"),
    ],
)
def test_a_project_that_pulumi_refuses_is_refused(content: str, why: str) -> None:
    """A project file is held to the rules of the engine's own schema where they concern settings and files."""
    with pytest.raises(Broken, match=why):
        read_project(content.encode())


def test_a_project_as_people_write_it() -> None:
    """Plain values, declarations with and without a default, and a folder for the stack files are read."""
    project = read_project(
        f"{HEAD}stackConfigDir: /conf\nconfig:\n  a: 1\n  b: {{type: array, items: {{type: string}}, default: [x]}}\n"
        "  c: {type: string, secret: true}\n  other:d: text\n  other:e: {value: {k: 1.5}}\n".encode()
    )
    assert project.defaults == {"shop:a": "1", "shop:b": '["x"]', "other:d": "text", "other:e": '{"k":1.5}'}
    assert set(project.required) == {("shop", "c")}
    assert project.stack_folder == "conf"


# --- which file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["yaml", "yml", "json"])
def test_a_stack_file_has_the_extension_of_the_project_file(tmp_path: Path, extension: str) -> None:
    """Pulumi reads no other one, so neither does any command."""
    (tmp_path / f"Pulumi.{extension}").write_text('{"name": "shop", "runtime": "python"}')
    for other in ("yaml", "yml", "json"):
        (tmp_path / f"Pulumi.prod.{other}").write_text(f'{{"environment": ["{other}"]}}')
    project = find_project(tmp_path)
    assert project is not None
    assert environments(project, "organization/shop/prod") == (extension,)


@pytest.mark.parametrize("other", ["Pulumi.yml", "Pulumi.json"])
def test_two_project_files_are_refused(tmp_path: Path, other: str) -> None:
    """Which of them counts is Pulumi's choice, and whoever changes the other one is mistaken."""
    for name in ("Pulumi.yaml", other):
        (tmp_path / name).write_text(HEAD)
    with pytest.raises(Failed, match="leave only one of them"):
        find_project(tmp_path)


def test_a_pipe_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """Opening it would wait for a writer for ever."""
    (tmp_path / "Pulumi.yaml").write_text(HEAD)
    os.mkfifo(tmp_path / PROD)
    project = find_project(tmp_path)
    assert project is not None
    assert environments(project, "prod") == ()
    assert clear_settings([tmp_path], "shop", "prod") is None
    (tmp_path / "Pulumi.yaml").unlink()
    os.mkfifo(tmp_path / "Pulumi.yaml")
    with pytest.raises(Failed, match="no regular file"):
        find_project(tmp_path)


def test_secrets_in_clear_are_looked_for_in_the_file_that_counts(tmp_path: Path) -> None:
    """The policy pack reads the stack file that Pulumi reads, and says that it cannot where several compete."""
    (tmp_path / "Pulumi.yml").write_text(HEAD)
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.prod.yml").write_text("config: {codat-zoho:zohoClientSecret: in-clear}\n")
    [said] = clear_settings([tmp_path], "shop", "prod") or [""]
    assert said.startswith("Pulumi.prod.yml, line 1: ")
    (tmp_path / "Pulumi.json").write_text("{}")
    assert clear_settings([tmp_path], "shop", "prod") is None


# --- in a review ------------------------------------------------------------------------------------------------------

OFF = STACK.replace("enabled: true", "enabled: false")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one stack, committed."""
    made = Repo(tmp_path / "repo")
    made.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    return made


def reviewed(repo: Repo, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Review what differs from the last commit."""
    code = main(["review", "--directory", str(repo.folder), "--base", "HEAD", *arguments])
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"Pulumi.yml": PROJECT, "Pulumi.prod.yml": OFF, "Pulumi.yaml": None}, "Pulumi.prod.yml"),
        ({"Pulumi.prod.yml": OFF}, "leave only one of them"),
        ({"Pulumi.json": '{"name": "codat-zoho", "runtime": "python"}'}, "leave only one of them"),
        ({"Pulumi.prod.json": "{}"}, "leave only one of them"),
        ({"Pulumi.yaml": None, "Pulumi.json": '{"name": "codat-zoho"}', PROD: None, "Pulumi.prod.json": "{}"}, "JSON"),
        ({"Pulumi.yaml": None, "Pulumi.json": '{"name": "codat-zoho"}'}, "JSON"),
        ({"Pulumi.yaml": f"{PROJECT}\nstackConfigDir: conf\n"}, "Pulumi reads conf/Pulumi.prod.yaml instead"),
        ({"Pulumi.yaml": f"{PROJECT}\nstackConfigDir: conf\n", f"conf/{PROD}": OFF}, "leave only one of them"),
        (
            {"Pulumi.yaml": f"{PROJECT}\nstackConfigDir: ../repo/conf\n", PROD: None, f"conf/{PROD}": OFF},
            "leads out of",
        ),
        ({PROD: f"o: &o {{codat-zoho:enabled: !!bool false}}\n{STACK}  <<: *o\n"}, "tag"),
        ({PROD: f"{STACK}  codat-zoho:config:codatUrl: https://example.com\n  codat-zoho:codatUrl: x\n"}, "spelling"),
        ({PROD: f"{STACK}  codat-zoho:codatUrl: 2001-01-01\n"}, "write it in quotes"),
        ({PROD: f"{STACK}  codat-zoho:connection: 010\n"}, "write it in quotes"),
    ],
)
def test_what_pulumi_may_read_otherwise_stops_a_review(
    repo: Repo, capsys: pytest.CaptureFixture[str], files: dict[str, str | None], why: str
) -> None:
    """Files that compete or that are read by no rule compared with the engine are named, with exit code 1."""
    repo.write(files)
    code, said = reviewed(repo, capsys)
    assert code == 1
    assert why in said


def test_a_nested_merge_is_reviewed_as_what_it_sets(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A danger that comes by way of two anchors is the same danger."""
    text = STACK.replace("  codat-zoho:enabled: true\n", "  <<: *outer\n")
    repo.write({PROD: f"i: &i {{codat-zoho:enabled: false}}\no: &outer {{<<: *i}}\n{text}"})
    code, said = reviewed(repo, capsys)
    assert code == 7
    assert "enabled: true -> false" in said


def test_a_pipe_is_said_to_be_no_file(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Review neither waits for a writer nor takes the stack for one that is gone."""
    (repo.folder / PROD).unlink()
    os.mkfifo(repo.folder / PROD)
    code, said = reviewed(repo, capsys)
    assert code == 1
    assert "no regular file" in said


def test_a_submodule_is_said_to_be_no_file(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A commit of this very repository in place of the stack file is not read as one."""
    commit = repo.git("rev-parse", "HEAD").strip()
    repo.git("update-index", "--cacheinfo", f"160000,{commit},{PROD}")
    code, said = reviewed(repo, capsys, "--head", "index")
    assert code == 1
    assert "no regular file" in said


def test_what_was_broken_before_stops_no_review_of_something_else(
    repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named; as soon as one of its files is touched, or breaks otherwise, it counts."""
    repo.commit({"Pulumi.old.yaml": f"{STACK}  a: !!str b\n", "Pulumi.older.yml": STACK})
    repo.write({PROD: f"# a comment\n{STACK}"})
    code, said = reviewed(repo, capsys)
    assert (code, "tag" in said, "Pulumi.older.yml" in said) == (0, True, True)
    repo.write({"Pulumi.older.yml": OFF})
    assert reviewed(repo, capsys)[0] == 1
    repo.write({"Pulumi.older.yml": STACK, "Pulumi.old.yaml": f"# a comment\n{STACK}  a: !!str b\n"})
    assert reviewed(repo, capsys)[0] == 1


def test_stack_files_of_a_project_that_cannot_be_read(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Where they are, the project would say: no folder below it is read as if it were nobody's."""
    repo.write({"Pulumi.yaml": None, PROD: None, "Pulumi.json": '{"name": "shop"}', "conf/Pulumi.prod.yaml": OFF})
    code, said = reviewed(repo, capsys)
    assert code == 1
    assert "conf/Pulumi.prod.yaml" in said
    assert ID not in said

"""What a review of files cannot see, and where somebody could hide a change: it is said, and never called nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review_cases import PROD, PROJECT, STACK, Repo
from tests.test_review_cases import APP, OWN, run

OFF = STACK.replace("enabled: true", "enabled: false")
FOLDER = f"{PROJECT}stackConfigDir: envs\n"
MODULES = '[submodule "lib"]\n\tpath = lib\n\turl = https://git.example/lib\n\tignore = all\n'
PROGRAM = {"Pulumi.yaml": PROJECT, PROD: STACK, "__main__.py": "import codat_zoho\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository."""
    return Repo(tmp_path / "repo")


def submodule(repo: Repo, path: str, commit: str) -> None:
    """Record a commit of a submodule that nobody has fetched."""
    (repo.folder / path).mkdir(exist_ok=True)
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit * 40},{path}")


@pytest.mark.parametrize("name", ["codat-zoho", "shop"])
@pytest.mark.parametrize("head", ["HEAD", "index", "worktree"])
def test_stack_files_behind_a_link(name: str, head: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of stack files that is a link: not reviewed, whatever changes behind it, and whatever the project is."""
    renamed = [one.replace("codat-zoho", name) for one in (FOLDER, STACK, OFF)]
    (repo.folder / "envs").symlink_to("other")
    repo.commit({"Pulumi.yaml": renamed[0], f"other/{PROD}": renamed[1]})
    repo.git("checkout", "--quiet", "-b", "change")
    repo.commit({f"other/{PROD}": renamed[2]})
    code, text = run(repo, capsys, "--head", head)
    assert "envs: is a link or a submodule: the files of Pulumi behind it are not reviewed" in text
    assert "broken" in text
    assert code == 1


@pytest.mark.parametrize("behind", ["envs", "infra"])
def test_what_goes_behind_a_link(behind: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that becomes a link deletes no stack: what is behind it is not reviewed."""
    project, stack = ("infra/Pulumi.yaml", f"infra/{PROD}") if behind == "infra" else ("Pulumi.yaml", f"envs/{PROD}")
    repo.commit({project: PROJECT if behind == "infra" else FOLDER, stack: STACK})
    (repo.folder / behind).rename(repo.folder / "moved")
    (repo.folder / behind).symlink_to("../elsewhere")
    for path in (repo.folder / "moved").iterdir():
        path.unlink()
    repo.git("add", "--all")
    code, text = run(repo, capsys, "--head", "index")
    assert f"{behind}: is a link or a submodule" in text
    assert "stack-deleted" not in text
    assert code == 1


def test_stack_files_in_a_submodule(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Another commit of a submodule with the stack files is not reviewed; elsewhere it is said to be unseen."""
    repo.commit({"Pulumi.yaml": FOLDER})
    for commit in ("1", "2"):
        submodule(repo, "envs", commit)
        repo.git("commit", "--quiet", "--message", commit)
    code, text = run(repo, capsys, "--base", "main^", "--head", "main")
    assert "envs: is a link or a submodule" in text
    assert code == 1
    repo.commit({"Pulumi.yaml": None})
    submodule(repo, "infra", "1")
    assert "What is in submodules and behind links: infra." in run(repo, capsys, "--head", "index")[1]


@pytest.mark.parametrize("files", [PROGRAM, APP], ids=["ready-made", "of its own"])
def test_a_submodule_that_hides(files: dict[str, str], repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A .gitmodules that lets git ignore a submodule does not hide that code in it changes."""
    repo.commit(files | {".gitmodules": MODULES})
    for commit in ("1", "2"):
        submodule(repo, "lib", commit)
        repo.git("commit", "--quiet", "--message", commit)
    path = "lib" if files is PROGRAM else "app"
    text = run(repo, capsys, "--base", "main^", "--head", "main", "--strict")
    assert (text[0], f"({path} changed)" in text[1] or "(lib changed)" in text[1]) == (1, True)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        *((".venv/lib/python3.11/site-packages/evil.pth", True), ("pulumi.pyc", True), ("codat_zoho.so", True)),
        *(("requirements/base.txt", True), ("constraints.txt", True), ("uv.toml", True), ("vendor/cz.whl", True)),
        *(("data.json", True), ("docs/app/__main__.py", True), (".gitattributes", True), ("Pulumi.py", True)),
        *(("docs/page.txt", False), ("tests/test_x.py", False), ("README.md", False), ("examples/x.py", False)),
        *(("LICENSE", False), (".gitignore", False), (".github/workflows/a.yml", False)),
    ],
)
def test_what_belongs_to_the_ready_made_program(
    path: str, counts: bool, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever may be loaded counts as its program, code or not, and what is known to be harmless does not."""
    repo.commit(PROGRAM | {"Pulumi.yaml": f"{PROJECT}main: docs/app\n"})
    repo.write({path: "changed\n"})
    repo.git("add", "--all", "--force")
    code, text = run(repo, capsys, "--head", "index", "--strict")
    assert (code, f"not-reviewed: Not reviewed: the program ({path} changed)" in text) == (int(counts), counts)


def test_a_link_into_tests(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A link is part of the program, and where there is one, so is what it may point to."""
    repo.commit(PROGRAM | {"tests/more/__init__.py": ""})
    (repo.folder / "codat_zoho").symlink_to("tests/more")
    assert "the program (codat_zoho changed)" in run(repo, capsys)[1]
    repo.commit()
    repo.write({"tests/more/__init__.py": "enabled = False\n"})
    assert "the program (tests/more/__init__.py changed)" in run(repo, capsys)[1]


@pytest.mark.parametrize("main", ["../app", "../app/", "../app/__main__.py", "./../app"])
def test_a_program_elsewhere(main: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that the project names by `main`, outside its folder, is found, and its changes are not reviewed."""
    project = f"name: shop\nruntime: python\nmain: {main}\n"
    repo.commit({"infra/Pulumi.yaml": project, "infra/Pulumi.x.yaml": "config: {}\n", "app/__main__.py": OWN})
    assert run(repo, capsys, "--strict")[0] == 0
    repo.write({"app/data.json": "{}"})
    code, text = run(repo, capsys, "--strict")
    assert (code, "programs of their own decide what is declared (app/data.json changed)" in text) == (1, True)


@pytest.mark.parametrize(("before", "after"), [("[on, off]", "[off, on]"), ("0x1", "'0x1'"), ("[0x1]", "['0x1']")])
def test_layout_is_not_another_value(before: str, after: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The order of a list and a number that becomes a text are no layout; the order of regions is."""
    repo.commit({"Pulumi.yaml": PROJECT, PROD: f"{STACK}  shop:states: {before}\n"})
    repo.write({PROD: f"{STACK}  shop:states: {after}\n"})
    assert "no setting does" not in run(repo, capsys)[1]
    repo.write({PROD: f"{STACK.replace('us, uk, eu', 'eu, us, uk')}  shop:states: {before}\n"})
    assert "no setting does" in run(repo, capsys)[1]


@pytest.mark.parametrize("attribute", ["working-tree-encoding=ASCII//TRANSLIT", "filter=odd", "ident"])
def test_a_checkout_that_differs(attribute: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What git rewrites on checkout is not what stands in the revision, and is not reviewed there."""
    repo.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    repo.git("checkout", "--quiet", "-b", "change")
    repo.commit({".gitattributes": f"*.png {attribute}\n*.yaml text eol=lf -filter\n", "__main__.py": ""})
    assert "no regular file" not in run(repo, capsys, "--head", "change")[1]
    repo.commit({"sub/.gitattributes": f"*.yaml {attribute}\n"})
    assert "no regular file" not in run(repo, capsys, "--head", "change")[1]
    repo.commit({".gitattributes": f"[attr]odd {attribute}\nPulumi.prod.* odd\n"})
    for head in ("change", "index"):
        code, text = run(repo, capsys, "--head", head)
        assert (code, "let a checkout differ from it" in text) == (1, True)


def test_a_sparse_checkout(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """What a sparse checkout leaves out is not deleted: it is as the index has it."""
    repo.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    repo.git("update-index", "--skip-worktree", PROD)
    (repo.folder / PROD).unlink()
    code, text = run(repo, capsys)
    assert (code, "1 environment: 1 unchanged." in text) == (0, True)


def test_no_environment_is_none(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """`environment: null` imports nothing, so that nothing comes from elsewhere."""
    repo.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    repo.write({PROD: f"environment: null\n{STACK}"})
    code, text = run(repo, capsys, "--fail-on", "change")
    assert (code, "imports-changed" in text) == (0, False)

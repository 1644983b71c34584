"""What is published: the files of a release, the changelog, the forms of the repository."""

from __future__ import annotations

import ast
import datetime
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import noxfile
from tests.real_engine import ROOT
from tools import release

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
TODAY = datetime.date(2026, 1, 31)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A wheel and an sdist of the checkout."""
    return noxfile.build(tmp_path_factory.mktemp("dist"))


@pytest.mark.slow
def test_both_pass_the_index_checks(built: tuple[Path, Path]) -> None:
    """The index would take both, and renders the README."""
    for command in noxfile.checks(*built):
        subprocess.run(command, check=True)


@pytest.mark.slow
def test_the_sdist_holds_what_a_build_needs(built: tuple[Path, Path], tmp_path: Path) -> None:
    """A stranger builds the same wheel from it; nothing of the repository comes along that a build does not need."""
    wheel, sdist = built
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
        archive.extractall(tmp_path, filter="data")
    beside = {name for name in names if name and not name.startswith("codat_zoho/")} - {"codat_zoho"}
    assert beside == {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    (unpacked,) = tmp_path.iterdir()
    build = (noxfile.BIN / "uv", "build", "--wheel", "--no-build-isolation", "--python", sys.executable)
    subprocess.run([*build, "--out-dir", tmp_path / "again", unpacked], check=True)
    (again,) = (tmp_path / "again").glob("*.whl")
    assert again.read_bytes() == wheel.read_bytes()


@pytest.mark.slow
def test_the_wheel_holds_the_package(built: tuple[Path, Path]) -> None:
    """All modules of the checkout are in it, and nothing else."""
    with zipfile.ZipFile(built[0]) as archive:
        packed = {name for name in archive.namelist() if name.startswith("codat_zoho/")}
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "codat_zoho"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert packed == set(tracked.stdout.split())


def test_the_changelog_has_its_shape() -> None:
    """Keep a Changelog: newest first, dated, known kinds in their order, each entry a full sentence."""
    assert CHANGELOG.startswith("# Changelog\n")
    heads = re.findall(r"(?m)^## (.*)$", CHANGELOG)
    assert heads[0] == "[Unreleased]"
    released = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", head) for head in heads[1:]]
    assert all(released), heads
    dates = [match[2] for match in released if match]
    assert dates == sorted(dates, reverse=True)
    for section in re.split(r"(?m)^## .*$", CHANGELOG)[1:]:
        kinds = re.findall(r"(?m)^### (.*)$", section)
        assert kinds == [kind for kind in KINDS if kind in kinds]
        entries = re.split(r"(?m)^- ", section)[1:]
        assert all(re.sub(r"\s*(###.*)?$", "", entry, flags=re.S).rstrip().endswith(".") for entry in entries)


def test_the_version_is_the_changelogs_or_comes_next() -> None:
    """The newest release in the changelog is this version; before the first there is none, only what is to come."""
    released = re.findall(r"(?m)^## \[(\d.*?)\]", CHANGELOG)
    assert re.fullmatch(r"\d+\.\d+\.\d+", release.version())
    assert released[:1] in ([], [release.version()])
    assert released or release.version() == "0.1.0"


RELEASED = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-01-31\n\n### Added\n\n- A thing.\n"


@pytest.mark.parametrize(
    ("changelog", "tags", "says"),
    [
        (RELEASED, ["v0.2.0"], r"^v0\.2\.0 is tagged already\. Raise __version__ in codat_zoho/_version\.py\.$"),
        (RELEASED.replace("0.2.0", "0.1.9"), [], r"is 0\.1\.9, and the version in codat_zoho/_version\.py is 0\.2\.0"),
        (
            "## [Unreleased]\n\n- A thing.\n",
            [],
            r"Unreleased\. Move them below a heading: ## \[0\.2\.0\] - 2026-01-31$",
        ),
        (
            "",
            [],
            r"is missing, .* is 0\.2\.0\. Make them agree; a new release has a heading like: ## \[0\.2\.0\] - 2026-01-31$",
        ),
        (RELEASED.replace(" - 2026-01-31", ""), [], r"has no date\. .*: ## \[0\.2\.0\] - 2026-01-31$"),
        (RELEASED.replace("2026-01-31", "today"), [], "has no date"),
        (RELEASED.replace("2026-01-31", "2026-02-01"), [], "is dated in the future"),
        (RELEASED.partition("### Added")[0], [], "has no entries"),
    ],
)
def test_a_release_that_is_not_ready_is_refused(changelog: str, tags: list[str], says: str) -> None:
    """Version and changelog disagree: the dry run says in one line what to do, before anything is built."""
    with pytest.raises(release.NotReady, match=says) as caught:
        release.notes(changelog, "0.2.0", tags, TODAY)
    assert "\n" not in str(caught.value)


def test_a_release_that_is_ready() -> None:
    """The notes are the version's own section."""
    assert release.notes(RELEASED, "0.2.0", ["v0.1.0"], TODAY) == "### Added\n\n- A thing."


@dataclass(frozen=True)
class Clone:
    """A clone of this repository, to be released."""

    folder: Path

    def git(self, *arguments: str) -> str:
        names = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *names, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout

    def date_the_changelog(self) -> None:
        """Do what the dry run asks for: what was to come is released today."""
        path, today = self.folder / "CHANGELOG.md", datetime.datetime.now(datetime.timezone.utc).date()
        text = path.read_text()
        if re.search(r"(?m)^## \[Unreleased\]\s*^## ", text) is None:
            path.write_text(
                text.replace("## [Unreleased]", f"## [Unreleased]\n\n## [{release.version()}] - {today}", 1)
            )
        self.git("commit", "--allow-empty", "-qam", "Date the changelog")

    def release(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The dry run, but for building and testing."""
        command = [sys.executable, "tools/release.py", *options]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone as it is committed, its tags left out."""
    folder = tmp_path_factory.mktemp("release") / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-tags", ROOT, folder], check=True)
    (folder / "tools/release.py").write_text((ROOT / "tools/release.py").read_text())  # Tested before it is committed.
    made = Clone(folder)
    made.git("add", "tools/release.py")
    made.git("commit", "--allow-empty", "-qam", "As it is now")
    return made


@pytest.mark.slow
def test_the_dry_run_of_a_release(clone: Clone) -> None:
    """In a clone, step by step: each thing that is missing is one line, and then it says what a release would do."""
    clone.date_the_changelog()
    (clone.folder / "README.md").write_text("Changed.\n")
    (clone.folder / "notes.txt").write_text("New.\n")
    dirty = clone.release("--check")
    assert (dirty.returncode, dirty.stdout) == (1, "")
    assert dirty.stderr == ("The working tree has changes: README.md, notes.txt. Commit or stash them first.\n")
    clone.git("checkout", "--quiet", "README.md")
    (clone.folder / "notes.txt").unlink()

    before = clone.git("for-each-ref")
    ready = clone.release()
    assert ready.returncode == 0, ready.stderr
    assert clone.release("--check").stdout == ""
    number, commit = release.version(), clone.git("rev-parse", "--short", "HEAD").strip()
    assert "This was a dry run: nothing is tagged, nothing is uploaded." in ready.stdout
    assert f"  git tag -a v{number} {commit}\n  git push origin v{number}    # " in ready.stdout
    assert "  twine upload dist/" in ready.stdout
    assert "with these notes:\n\n### Added\n\n" in ready.stdout
    assert clone.git("for-each-ref") == before
    assert not clone.git("status", "--porcelain")

    clone.git("tag", f"v{number}")
    tagged = clone.release("--check")
    assert (tagged.returncode, tagged.stdout) == (1, "")
    assert tagged.stderr == f"v{number} is tagged already. Raise __version__ in codat_zoho/_version.py.\n"


def test_a_release_needs_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line instead of a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert release.main(["--check"]) == 1
    assert capsys.readouterr().err == "`git` cannot be run: No such file or directory.\n"


@pytest.mark.parametrize("name", ["noxfile.py", "tools/release.py"])
def test_nothing_is_ever_uploaded(name: str) -> None:
    """What builds names the upload in a text and has no way to do it."""
    words = {one.value for one in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(one, ast.Constant)}
    assert not words & {"upload", "push", "publish", "tag -a", "-a"}


@pytest.mark.parametrize("name", ["bug", "fact", "config"])
def test_the_issue_forms_are_valid(name: str) -> None:
    """GitHub would show them."""
    schema = "vendor.github-issue-config" if name == "config" else "vendor.github-issue-forms"
    file = ROOT / f".github/ISSUE_TEMPLATE/{name}.yml"
    subprocess.run([noxfile.BIN / "check-jsonschema", "--builtin-schema", schema, file], check=True)


def test_contributing_names_what_is_there() -> None:
    """Every file and every make target that the page names exists."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert len(text.splitlines()) < 80
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= set(targets)
    named = {name for name in re.findall(r"`([\w./-]+(?:\.py|\.md|/))`", text) if "*" not in name}
    places = [ROOT, ROOT / "codat_zoho", ROOT / "tests"]
    assert not [name for name in named if not any((place / name).exists() for place in places)]


def test_make_help_is_one_screen() -> None:
    """At most eight targets, each with what it needs and how long it takes, the two of the README among them."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    listed = [line.split()[1] for line in shown if line.startswith("make ")]
    assert {"demo", "test"} <= set(listed) and len(listed) <= 8
    assert all(re.search(r" (engine|\.venv) +\d+ (s|min)$", line) for line in shown if line.startswith("make "))
    assert len(shown) <= 24 and max(map(len, shown)) <= 120

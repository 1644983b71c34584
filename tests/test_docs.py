"""The documentation says what is so: its lines are typed as they stand, its links lead somewhere, and the site builds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs_runner import Block, Terminal, blocks, exit_code
from tests.real_engine import ROOT
from tools.engine import Engine

START = ROOT / "docs" / "start.md"
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md"), ROOT / "README.md"])
# Blocks of these do not say yet how they are checked; test_newcomer and test_adopt_docs check those of adopt.md.
NOT_MARKED = {"docs/adopt.md", "docs/drift.md", "docs/review.md"}


def _clone(folder: Path) -> Path:
    """Copy what git knows, with an environment that uses the packages of this one: nothing is downloaded."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in filter(None, names.stdout.splitlines()):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    own = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(own)], check=True)
    (site,) = own.glob("lib/python*/site-packages")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "clone.pth").write_text(f"{folder}\n{packages}\n")
    script = own / "bin" / "codat-zoho"
    script.write_text(f"#!{own}/bin/python\nimport sys\nfrom codat_zoho.cli import main\nsys.exit(main())\n")
    script.chmod(0o755)
    (own / ".ready").touch()
    return folder


def _as_typed(line: str, base: str) -> str:
    """The line as a reader runs it, who says yes; another simulator's port may be taken on this machine."""
    command = line.partition("  #")[0].rstrip().replace("http://127.0.0.1:8765", base)
    return f"{command} --yes" if re.match(r"pulumi (up|destroy)\b", command) else command


@pytest.mark.engine
def test_the_start_page_from_a_clone_to_a_repaired_drift(engine: Engine, tmp_path: Path) -> None:
    """Every line of the page, in its order and in the terminal that it names, exits as the page says."""
    folder = _clone(tmp_path / "clone")
    environment = dict(os.environ) | {"NO_COLOR": "1", "PULUMI_HOME": str(tmp_path / "home")}
    terminals = {name: Terminal(folder, environment) for name in ("", "simulator")}
    base, said = "", ""
    try:
        for block in blocks(START):
            terminal = terminals[block.how.get("terminal", "")]
            for line in block.text.splitlines():
                if line == "codat-zoho simulate":
                    base = (
                        terminal.start(f"{line} --port 0", "export CODAT_URL=")
                        .split("=")[1]
                        .removesuffix("/codat ZOHO_URL")
                    )
                    continue
                code, printed = terminal.run(_as_typed(line, base), block.how.get("typed", ""))
                said += printed
                assert code == exit_code(line), f"{START.name}:{block.line}: {line}\n{printed}"
                if "_control/state" in line:
                    assert '"enabled": true' in printed
    finally:
        for terminal in terminals.values():
            terminal.close()
    assert "5111a7ed5ec2e7" not in said
    assert not (folder / "build/start").exists()


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"(?m)^#+ (.*)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file, and each anchor a heading, so that they also work where the files are shown."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in _anchors(aim), f"{page.name}: {target}"


def _checked(block: Block) -> bool:
    generated = block.page.parent.name == "reference"  # test_the_reference_is_what_the_code_says
    guide = block.page.name == "testing.md" and block.language == "python"  # test_every_block_of_the_guide_runs
    how = "session" in block.how or "tested" in block.how
    return generated or guide or how or block.language == "{toctree}" or _installs_an_extra(block)


def _installs_an_extra(block: Block) -> bool:
    """No index is asked in a test, but the extra that a line names has to be there."""
    named = re.fullmatch(r"pip install [\"']?codat-zoho\[(\w+)\][\"']?.*\n", block.text)
    return named is not None and f"\n{named[1]} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_is_without_a_checker(page: Path) -> None:
    """A new page cannot show a command that nothing runs."""
    if str(page.relative_to(ROOT)) in NOT_MARKED:
        pytest.skip("not all of its blocks are marked yet")
    assert [block.line for block in blocks(page) if not _checked(block)] == []


def test_the_site_builds(tmp_path: Path) -> None:
    """Sphinx has nothing to complain of: every page is reached, every link inside leads to a page and a heading."""
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-n",
        "-c",
        "docs",
        "-d",
        str(tmp_path / "trees"),
    ]
    done = subprocess.run([*command, ".", str(tmp_path / "site")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/docs/start.html").exists()


def test_the_reference_is_what_the_code_says() -> None:
    """A changed docstring, option or default cannot leave an old reference behind."""
    done = subprocess.run([sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

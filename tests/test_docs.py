"""The documentation says what is so: its lines are typed as they stand, its links lead somewhere, and the site builds."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from packaging.requirements import Requirement

import codat_zoho as cz
import codat_zoho.errors
from codat_zoho._version import __version__
from codat_zoho.cli import COMMANDS, main, module_of
from codat_zoho.declare.settings import KEYS, SECRET_KEYS
from codat_zoho.doctor.finding import Situation
from codat_zoho.doctor.pythons import pythons
from codat_zoho.remote.http import Http
from codat_zoho.workspace.pulumi_yaml import find_project
from tests import docs_sessions
from tests.docs_runner import Block, blocks, outside
from tests.real_engine import ROOT
from tests.review_cases import PROD, PROJECT, STACK, Repo
from tools.engine import Engine

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGES = sorted(
    [
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/README.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]
)
SESSIONS = sorted({(page, block.how["session"]) for page in PAGES for block in blocks(page) if "session" in block.how})


@pytest.mark.engine
@pytest.mark.parametrize(("page", "session"), SESSIONS, ids=lambda part: getattr(part, "name", part))
def test_a_reader_can_do_what_a_page_says(engine: Engine, tmp_path: Path, page: Path, session: str) -> None:
    """Every line exits as the page says, in its order and in the terminal that it names, and prints what is shown."""
    with docs_sessions.SESSIONS[session](engine, tmp_path) as reader:
        reader.reads(page, session)


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


def test_what_proves_a_promise_is_there() -> None:
    """Each promise names tests, and each of them exists: one that is renamed takes its line along."""
    _, *promises = re.split(r"(?m)^- ", (ROOT / "docs/promises.md").read_text(encoding="utf-8"))
    assert promises
    for promise in promises:
        proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promise)
        assert proofs, promise
        for file, test in proofs:
            assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{test}"


THIS = "tests/test_docs.py"
GENERATED = "<!-- Written by tools/reference.py"  # test_the_reference_is_what_the_code_says
OF_SPHINX = "{toctree}"  # test_the_site_builds
DRAWN = "mermaid"  # tests/test_pictures.py


def _unchecked(block: Block) -> bool:
    """Tell whether nothing would notice that what the block shows is wrong."""
    if block.language in (OF_SPHINX, DRAWN) or block.page.read_text(encoding="utf-8").startswith(GENERATED):
        return False
    if "session" in block.how:
        return block.how["session"] not in docs_sessions.SESSIONS
    if "same-as" in block.how:
        return block.text not in (ROOT / block.how["same-as"]).read_text(encoding="utf-8")
    file, _, test = block.how.get("tested", "").partition("::")
    if not test:
        return True
    source = (ROOT / file).read_text(encoding="utf-8")
    takes_it = file == THIS or block.page.name in source  # _shown finds those of this file
    return f"def {test}(" not in source or not takes_it


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_is_without_a_checker(page: Path) -> None:
    """A page cannot show a command, a program or an output that nothing runs, nor one that is not found as a block."""
    assert [block.where for block in blocks(page) if _unchecked(block)] == []
    assert re.findall(r"(?m)^ *(?:```|~~~).*|^(?: {4}|\t)(?! *[-*|\d]).*", outside(page)) == []


def _shown(test: str) -> list[Block]:
    """The blocks that name a test of this file."""
    wanted = f"{THIS}::{test}"
    found = [block for page in PAGES for block in blocks(page) if block.how.get("tested") == wanted]
    assert found, f"no page shows anything for {test}"
    return found


def test_the_targets_of_make_are_there() -> None:
    """Each `make` line names targets of the Makefile; what the demo does is in test_examples."""
    for block in _shown("test_the_targets_of_make_are_there"):
        for line in block.lines():
            command = shlex.split(line, comments=True)
            assert command[0] == "make", block.where
            done = subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, f"{block.where}: {done.stderr}"


def test_what_is_installed_is_this_package() -> None:
    """The package is on no index: each page names a wheel or a git URL, of this version, with extras that there are."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements, pyproject = _shown("test_what_is_installed_is_this_package")
    lines = [*requirements.lines(), *tomllib.loads(pyproject.text)["project"]["dependencies"]]
    for one in map(Requirement, (line.replace("<owner>", "owner") for line in lines)):
        assert one.name == project["name"] and one.extras <= {*project["optional-dependencies"]}
        assert one.url and __version__ in one.url
    for page in PAGES:
        assert re.findall(r"pip install \S*codat-zoho(?!\S* @ )", page.read_text(encoding="utf-8")) == [], page


def test_a_toolchain_finds_its_python(tmp_path: Path) -> None:
    """With what the page shows in Pulumi.yaml, doctor finds the Python that pulumi takes, and no other reason to warn."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for block in _shown("test_a_toolchain_finds_its_python"):
        (tmp_path / "Pulumi.yaml").write_text(f"name: x\n{block.text}")
        found = pythons(Situation(find_project(tmp_path), None, Http()))
        assert {one.verdict for one in found} == {"ok"} and block.how["toolchain"] in block.text


def test_the_redirect_uri_is_codats() -> None:
    """The line to copy is the one that Codat's set-up page names, on every page that has it."""
    (block,) = _shown("test_the_redirect_uri_is_codats")
    assert block.text == f"{cz.REDIRECT_URI}\n"
    for page in PAGES:
        assert {*re.findall(r"https://zohobooks\.codat\.io[^\s`]*", page.read_text("utf-8"))} <= {cz.REDIRECT_URI}
    assert all(cz.REDIRECT_URI in (ROOT / page).read_text("utf-8") for page in ("README.md", "docs/start.md"))


def test_the_settings_of_the_client_are_keys() -> None:
    """What the page sets are the ready-to-use project's keys, the secret as a secret."""
    (block,) = _shown("test_the_settings_of_the_client_are_keys")
    for line in block.lines():
        (key,) = {*shlex.split(line, comments=True)} & {*KEYS}
        assert ("--secret" in line) is (key in SECRET_KEYS)


def test_the_report_reaches_a_chat(tmp_path: Path) -> None:
    """The line posts the whole report where there is something to say, and nothing else; then it succeeds."""
    (block,) = _shown("test_the_report_reaches_a_chat")
    told: list[object] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    drift = tmp_path / "codat-zoho"
    with HTTPServer(("127.0.0.1", 0), Chat) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for code in (0, 7):
            drift.write_text(f"#!/bin/sh\nprintf '# \"Drift\"\\n' > drift.md\nexit {code}\n")
            drift.chmod(0o755)
            environment = os.environ | {
                "CHAT_WEBHOOK": f"http://127.0.0.1:{server.server_port}",
                "NO_PROXY": "*",
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
            }
            subprocess.run(["bash", "-ec", block.text], cwd=tmp_path, env=environment, check=True)
        server.shutdown()
    assert told == [{"text": '# "Drift"\n'}]


def test_the_hooks_of_pre_commit_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines for .pre-commit-config.yaml name hooks and a version that exist, and what they run is no error."""
    (block,) = _shown("test_the_hooks_of_pre_commit_run")
    (shown,) = yaml.safe_load(block.text)["repos"]
    entries = {
        hook["id"]: hook["entry"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    }
    assert shown["rev"] == f"v{__version__}"
    repo = Repo(tmp_path)
    repo.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    for hook in shown["hooks"]:
        command, *words = shlex.split(entries[hook["id"]])
        assert command == "codat-zoho" and main([*words, "--directory", str(tmp_path)]) == 0, capsys.readouterr()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_are_taken(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A `codat-zoho` line in a sentence or a table is one that its command understands."""
    for line in re.findall(r"`codat-zoho ([a-z][^`]*)`", outside(page)):
        name, *words = shlex.split(line)
        assert name in COMMANDS, line
        try:
            module_of(name).parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"codat-zoho {line}: {capsys.readouterr().err}")


@pytest.mark.engine
def test_options_in_the_text_exist(engine: Engine) -> None:
    """An option in a sentence or a table is one of ours or pulumi's."""
    known = {
        option for name in COMMANDS for action in module_of(name).parser()._actions for option in action.option_strings
    }
    for command in ("config set", "destroy", "import", "preview", "refresh", "stack", "up"):
        told = subprocess.run([engine.pulumi, *command.split(), "--help"], capture_output=True, text=True, check=True)
        known |= set(re.findall(r"--[a-z][a-z-]+", told.stdout))
    for page in PAGES:
        named = re.findall(r"(?<![\w<!-])--[a-z][a-z-]+", outside(page))
        assert set(named) <= known, page.name


def test_the_readme_names_what_is_there() -> None:
    """Inputs, outputs, variables and errors in its tables are those of the code; all inputs are there. It stays short."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    assert "make demo" in text[:1500] and "make test" in text[:1500]
    rows = {row[0]: row[1:] for row in re.findall(r"(?m)^\| (inputs|outputs) \| (.*) \| (.*) \|$", text)}
    for column, resource in enumerate((cz.ZohoClientCredentials, cz.ZohoBooksIntegration)):
        declared = {*inspect.signature(resource).parameters} - {"resource_name", "opts"}
        named = set(re.findall(r"`([a-z_]+)[`=]", rows["inputs"][column]))
        assert named == declared
        outputs = set(re.findall(r"`(\w+)`", rows["outputs"][column]))
        assert outputs and outputs <= {*re.findall(r"(\w+): pulumi\.Output\[", inspect.getsource(resource))} - declared
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "codat_zoho").rglob("*.py"))
    variables = set(re.findall(r"`((?:CODAT|ZOHO)_[A-Z_]+)", text)) - {"CODAT_API_KEY_"}
    settings = set(re.findall(r"`codat-zoho:(\w+)`", text))
    assert len(variables) > 7 and len(settings) > 5
    assert not [name for name in variables | settings if f'"{name}"' not in code]
    errors = re.findall(r"(?m)^\| `([A-Z]\w+)` \|", text)
    assert len(errors) > 3 and all(hasattr(cz.errors, name) for name in errors)


@pytest.mark.slow
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

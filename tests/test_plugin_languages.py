"""The examples in TypeScript and Go, checked by the language's own compiler against an SDK made from the schema.

Neither language's host can be had from a registry, so these programs are compiled, not run. What is generated is what
`pulumi package add` writes: both use the same generators.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs_runner import blocks
from tests.real_engine import ROOT

pytestmark = pytest.mark.slow
SCHEMA = ROOT / "codat_zoho/plugin/schema.json"
_AWAY = re.compile(
    r"(?i)dial tcp|no such host|i/o timeout|connection (?:refused|reset)|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|"
    r"module version is not available|toolchain not available|go\.mod requires go >="
)
"""What Go and npm say where no registry can be reached, or where Go is too old."""


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=1500)


def _must(folder: Path, *words: str) -> None:
    done = _run(folder, *words)
    said = done.stdout + done.stderr
    if done.returncode and (away := _AWAY.search(said)):
        pytest.skip(f"{words[0]} cannot get what it needs: {said[away.start() :].splitlines()[0]}")
    assert done.returncode == 0, f"{' '.join(words)}\n{said}"


def _example(language: str, generator: str, folder: Path, *tools: str) -> Path:
    """A copy of an example beside the SDK that `pulumi package add` would write."""
    for tool in ("go", *tools):
        if not shutil.which(tool):
            pytest.skip(f"no {tool} on PATH")
    project = Path(shutil.copytree(ROOT / "examples" / language, folder / language))
    module = ROOT / "tools/pulumi-cli"
    flags = ("-mod=readonly", "-trimpath", "-tags=osusergo,grpcnotrace")
    _must(module, "go", "run", *flags, "./sdk", str(SCHEMA), generator, str(project / "sdks/codat-zoho"))
    (shown,) = blocks(project / "README.md")
    assert "pulumi package add .venv/bin/pulumi-resource-codat-zoho" in shown.text
    return project


def test_the_typescript_example(tmp_path: Path) -> None:
    """It compiles, and a misspelled property or data centre does not."""
    project = _example("typescript", "nodejs", tmp_path, "node", "npm")
    _must(project, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
    compiler = str(project / "node_modules/.bin/tsc")
    _must(project, compiler, "-p", "sdks/codat-zoho")
    _must(project, compiler, "-p", ".")
    program = (project / "index.ts").read_text()
    for right, wrong in (("enabled:", "enabld:"), ('"uk"', '"gb"'), ("linkedCompanies;", "linked;")):
        (project / "index.ts").write_text(program.replace(right, wrong))
        assert "error TS" in _run(project, compiler, "-p", ".").stdout, wrong


def test_the_go_example(tmp_path: Path) -> None:
    """It compiles, and a misspelled property or data centre does not."""
    project = _example("go", "go", tmp_path)
    _must(project, "go", "mod", "tidy")
    _must(project, "go", "vet", "./...")
    program = (project / "main.go").read_text()
    for right, wrong in (("Enabled:", "Enabld:"), ("DataCentreUk", "DataCentreGb"), (".LinkedCompanies", ".Linked")):
        (project / "main.go").write_text(program.replace(right, wrong))
        assert _run(project, "go", "vet", "./...").returncode != 0, wrong

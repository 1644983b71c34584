"""The example pipelines: their form by the best offline checker there is, and their shell steps on the real engine."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from codat_zoho.simulator import CodatClient, Simulator, serve
from tests.docs_runner import blocks
from tests.drift_fleet import Place, Scratch, codat_client, scratch
from tools.engine import Engine

ROOT = Path(__file__).resolve().parent.parent
PIPELINES = ROOT / "examples" / "pipelines"
KUBERNETES = ROOT / "examples" / "kubernetes"


def loaded(name: str) -> Any:
    return yaml.safe_load((PIPELINES / name).read_text())


def steps(name: str) -> dict[str, str]:
    """Shell steps by their names, from GitHub's and Azure's workflows."""
    jobs = loaded(name)["jobs"]
    return {
        step.get("name") or step.get("displayName"): step.get("run") or step["bash"]
        for job in (jobs.values() if isinstance(jobs, dict) else jobs)
        for step in job["steps"]
        if "run" in step or "bash" in step
    }


def matches_schema(schema: str, file: Path) -> None:
    # Azure's schema holds regular expressions that the default dialect does not know, and takes scalars as text.
    command = [sys.executable, "-m", "check_jsonschema", "--regex-variant", "nonunicode"]
    done = subprocess.run([*command, "--builtin-schema", f"vendor.{schema}", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-workflows", "github-actions.yml"),
        ("github-workflows", "github-review.yml"),
        ("gitlab-ci", "gitlab-ci.yml"),
        ("gitlab-ci", "gitlab-review.yml"),
        ("azure-pipelines", "azure-pipelines.yml"),
    ],
)
def test_workflows_match_the_schema_of_their_system(schema: str, name: str) -> None:
    """What the CI system would refuse is found here."""
    matches_schema(schema, PIPELINES / name)


WORKFLOWS = sorted(path.name for path in PIPELINES.glob("github-*.yml"))


@pytest.mark.parametrize("name", sorted(path.name for path in PIPELINES.iterdir() if path.suffix != ".md"))
def test_nothing_is_run_that_somebody_else_can_swap(name: str) -> None:
    """Actions by commit, no script from the network, images by version; no module of the checkout stands in for pip."""
    text = (PIPELINES / name).read_text()
    assert re.findall(r"uses: (?!\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n).*", text) == []
    assert re.findall(r"(?:curl|wget)[^\n]*\|.*|image: \S+:latest", text) == []
    assert re.findall(r"(?m)^(?! *#).*\bpip install", text) == re.findall(r".*python -I -m pip install", text)
    assert re.findall(r"python3? (?:-m|-) .*", text) == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_secrets_and_rights_go_where_they_are_needed(name: str) -> None:
    """In GitHub's workflows secrets stand in the env of steps that install nothing; only who logs in gets an id token."""
    workflow = loaded(name)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        uses = [step.get("uses", "") for step in job["steps"]]
        assert ("id-token" in job["permissions"]) is any(one.startswith("pulumi/auth-actions@") for one in uses)
        assert "secrets." not in str({key: value for key, value in job.items() if key != "steps"})
        for step in job["steps"]:
            assert "secrets." not in str({key: value for key, value in step.items() if key != "env"})
            assert "pip install" not in step.get("run", "") or "secrets." not in str(step)


def test_who_installs_has_no_secrets_elsewhere_either() -> None:
    """GitLab gives secrets to jobs of an environment, Jenkins to a stage, Azure to a step: each to one without pip."""
    for name in ("gitlab-ci.yml", "gitlab-review.yml"):
        jobs = loaded(name).values()
        assert any("environment" in job for job in jobs)
        assert not any("pip install" in str(job) and "environment" in job for job in jobs)
    install, _, drift = (PIPELINES / "Jenkinsfile").read_text().partition("stage('Drift')")
    assert "pip install" in install and "credentials('" not in install and "credentials('" in drift
    steps_of_azure = loaded("azure-pipelines.yml")["jobs"][0]["steps"]
    assert not any("pip install" in str(step) and "env" in step for step in steps_of_azure)


def test_jenkinsfile_is_groovy_with_what_a_pipeline_needs() -> None:
    """It parses, and has an agent, stages, a schedule and the JUnit step."""
    tree_sitter = pytest.importorskip("tree_sitter")
    groovy = pytest.importorskip("tree_sitter_groovy")
    source = (PIPELINES / "Jenkinsfile").read_bytes()
    tree = tree_sitter.Parser(tree_sitter.Language(groovy.language())).parse(source)
    assert not tree.root_node.has_error
    for word in (b"pipeline {", b"agent any", b"stages {", b"cron(", b"junit "):
        assert word in source


def test_manifests_use_fields_that_exist() -> None:
    """The operator's Stack has these fields (its documentation), with these types; a typing error is found here."""
    known = {
        "serviceAccountName": str,
        "stack": str,
        "projectRepo": str,
        "branch": str,
        "repoDir": str,
        "refresh": bool,
        "preview": bool,
        "continueResyncOnCommitMatch": bool,
        "resyncFrequencySeconds": int,
        "destroyOnFinalize": bool,
        "envRefs": dict,
        "workspaceTemplate": dict,
    }
    documents = list(yaml.safe_load_all((KUBERNETES / "stack.yaml").read_text()))
    (stack,) = [one for one in documents if one["kind"] == "Stack"]
    assert stack["apiVersion"] == "pulumi.com/v1"
    for name, value in stack["spec"].items():
        assert isinstance(value, known[name]), name
    for reference in stack["spec"]["envRefs"].values():
        assert set(reference) == {"type", reference["type"].lower()}
    assert stack["spec"]["refresh"] and not stack["spec"]["destroyOnFinalize"]
    (cron,) = yaml.safe_load_all((KUBERNETES / "cronjob.yaml").read_text())
    job = cron["spec"]["jobTemplate"]["spec"]
    (command,) = job["template"]["spec"]["containers"][0]["args"]
    assert f"/{job['completions']}" in command and job["completionMode"] == "Indexed"


def test_the_secret_has_what_the_manifests_take() -> None:
    """The README's `kubectl create secret` makes the Secret, with the keys, that both manifests refer to."""
    (block,) = blocks(KUBERNETES / "README.md")
    command = shlex.split(block.text)
    assert command[:4] == ["kubectl", "create", "secret", "generic"]
    name, *literals = command[4:]
    made = {literal.removeprefix("--from-literal=").partition("=")[0] for literal in literals}
    manifests = "".join((KUBERNETES / file).read_text() for file in ("stack.yaml", "cronjob.yaml"))
    taken = re.findall(r"name: (\S+?),?\s+key: (\w+)", manifests)
    assert len(taken) == 4 and set(taken) == {(name, key) for key in made}


@dataclass
class Night:
    """A drifted stack, and a machine with the CI system's own commands."""

    scratch: Scratch
    folder: Path
    client: CodatClient
    bin: Path

    def command(self, name: str, script: str) -> Path:
        """Put a stand-in for a command on PATH; it notes how it was called."""
        log = self.bin / f"{name}.log"
        path = self.bin / name
        path.write_text(f'#!/usr/bin/env bash\nprintf "%s\\n" "$*" >> {log}\n{script}\n')
        path.chmod(0o755)
        log.write_text("")
        return log

    def sh(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a step as CI systems do."""
        environment = self.scratch.environment | env
        environment["PATH"] = f"{self.bin}:{Path(sys.executable).parent}:{environment['PATH']}"
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def night(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    simulator = Simulator()
    root = tmp_path_factory.mktemp("pipelines")
    with serve(simulator) as base:
        place = scratch(root / "work", engine, f"{base}/zoho")
        stack = Place("books", "prod", base)
        place.deploy([stack], {base: simulator})
        (root / "bin").mkdir()
        folder = place.root / "books"
        (folder / ".venv").symlink_to(sys.prefix)
        yield Night(place, folder, codat_client(simulator, stack), root / "bin")


@pytest.fixture(params=[True, False], ids=["clean", "drifted"])
def enabled(night: Night, request: pytest.FixtureRequest) -> bool:
    night.client.integration.enabled = request.param
    return bool(request.param)


@pytest.mark.engine
def test_github_steps_keep_one_issue(night: Night) -> None:
    """Drift opens an issue, more drift updates it, and the clean night closes it."""
    shell = steps("github-actions.yml")
    output, summary = night.bin / "output", night.bin / "summary"
    for enabled, number, expected in (
        (False, "", "issue create --title Drift of Codat and Zoho"),
        (False, "7", "issue edit 7 --body-file drift.md"),
        (True, "7", "issue close 7"),
        (True, "", None),
    ):
        night.client.integration.enabled = enabled
        log = night.command("gh", f'[ "$2" != list ] || echo "{number}"')
        output.write_text("")
        looked = night.sh(shell["Look for drift"], GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))
        assert looked.returncode == 0, looked.stderr
        code = output.read_text().strip().removeprefix("code=")
        assert code == ("0" if enabled else "7")
        told = night.sh(shell["Open, update or close the issue"], CODE=code)
        assert told.returncode == 0, told.stderr
        done = [line for line in log.read_text().splitlines() if not re.match("label|issue list", line)]
        assert [line.startswith(expected) for line in done] == [True] if expected else done == []
        assert night.sh(shell["Pass on the exit code"], CODE=code).returncode == int(code)
    assert "## Drift of Codat and Zoho" in summary.read_text()


@pytest.mark.engine
def test_the_matrix_splits_the_workflow(night: Night, tmp_path: Path) -> None:
    """The README's matrix fits into the workflow, and exactly one part of its check finds the stack with the drift."""
    (block,) = blocks(PIPELINES / "README.md")
    job, separator, rest = (PIPELINES / "github-actions.yml").read_text().partition("    timeout-minutes: 30\n")
    split = tmp_path / "split.yml"
    split.write_text(job + separator + textwrap.indent(block.text, "    ") + rest)
    matches_schema("github-workflows", split)
    drift = yaml.safe_load(split.read_text())["jobs"]["drift"]
    (command,) = re.findall(r"#\s+(codat-zoho .*)", block.text)
    night.client.integration.enabled = False
    parts = drift["strategy"]["matrix"]["shard"]
    codes = [night.sh(command.replace("${{ matrix.shard }}", str(part))).returncode for part in parts]
    assert sorted(codes) == [0, 0, 0, 7]


@pytest.mark.engine
def test_github_step_tells_a_check_that_failed(night: Night) -> None:
    """A check that could not run leaves no old report behind, but one that says so, and its exit code."""
    output, summary = night.bin / "output-failed", night.bin / "summary-failed"
    (night.folder / "drift.md").write_text("an old report")
    night.command("codat-zoho", "exit 1")
    looked = night.sh(
        steps("github-actions.yml")["Look for drift"], GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary)
    )
    (night.bin / "codat-zoho").unlink()
    assert looked.returncode == 0 and output.read_text() == "code=1\n"
    assert summary.read_text() == "The drift check failed with exit code 1: see the log of this run.\n"


@pytest.mark.engine
def test_gitlab_jenkins_and_azure_steps(night: Night, enabled: bool) -> None:
    """Each runs the check, passes its exit code on, and leaves JUnit with a failure exactly where there is drift."""
    jenkins = re.findall(r"script: '''(.*?)'''", (PIPELINES / "Jenkinsfile").read_text(), re.DOTALL)[0]
    scripts = {
        "gitlab": "\n".join(loaded("gitlab-ci.yml")["drift"]["script"]),
        "jenkins": jenkins,
        "azure": steps("azure-pipelines.yml")["Look for drift"],
    }
    for name, script in scripts.items():
        (night.folder / "drift.xml").unlink(missing_ok=True)
        done = night.sh(script)
        assert done.returncode == (0 if enabled else 7), name + done.stdout + done.stderr
        assert ("<failure " in (night.folder / "drift.xml").read_text()) is not enabled


@pytest.mark.engine
def test_cron_mails_when_something_is_wrong_and_once_when_it_is_right_again(night: Night) -> None:
    """Drift is mailed every night, the first clean night too, and the next one is silent."""
    script = f'"{PIPELINES / "drift-cron.sh"}" .'
    for enabled, subject in ((False, "drift"), (True, "as declared again"), (True, None)):
        night.client.integration.enabled = enabled
        log = night.command("mail", f"cat > {night.bin}/mail.txt")
        done = night.sh(script, DRIFT_MAIL="ops@example.com")
        assert done.returncode == 0, done.stderr
        expected = [f"-s Codat and Zoho: {subject} ops@example.com"] if subject else []
        assert log.read_text().splitlines() == expected
        if subject == "drift":
            assert "enabled: declared true, now false" in (night.bin / "mail.txt").read_text()

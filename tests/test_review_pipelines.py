"""The example pipelines that review pull requests: their shell steps on a real repository, with stand-ins for the CI."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.real_engine import ROOT
from tests.review_cases import PROD, PROJECT, STACK, Repo

PIPELINES = ROOT / "examples" / "pipelines"
DANGER = STACK.replace("enabled: true", "enabled: false")
HARMLESS = STACK.replace("[us, uk, eu]", "[us, uk, eu]\n  codat-zoho:onDelete: keep")


@pytest.fixture(params=[(DANGER, 7), (HARMLESS, 0)], ids=["danger", "harmless"])
def change(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Repo, str, str, int]:
    """A repository, the commits of a pull request in it, and what its review exits with."""
    repo = Repo(tmp_path / "repo")
    base = repo.commit({"Pulumi.yaml": PROJECT, PROD: STACK})
    return repo, base, repo.commit({PROD: request.param[0]}), request.param[1]


def _sh(folder: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
def test_github_annotates_sums_up_and_keeps_one_comment(change: tuple[Repo, str, str, int], tmp_path: Path) -> None:
    """Annotations and summary are there whatever is found, the comment is made or updated, and the code comes last."""
    repo, base, head, expected = change
    steps = yaml.safe_load((PIPELINES / "github-review.yml").read_text())["jobs"]["review"]["steps"]
    shell = {step["name"]: step["run"] for step in steps if "name" in step}
    environment, summary, calls, answer = (tmp_path / name for name in ("env", "summary", "calls", "answer"))
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\necho "$*" >> {calls}\ncase "$*" in *--paginate*) cat {answer};; esac\n')
    gh.chmod(0o755)
    files = {"GITHUB_ENV": str(environment), "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(tmp_path)}
    reviewed = _sh(repo.folder, shell["Review"], BASE=base, HEAD=head, **files)
    assert reviewed.returncode == 0, reviewed.stderr
    assert ("::error file=Pulumi.prod.yaml,line=" in reviewed.stdout) is bool(expected)
    code = environment.read_text().strip().removeprefix("CODE=")
    assert summary.read_text() == (tmp_path / "review.md").read_text() != ""
    for known, sent in (
        ("", "api repos/x/issues/1/comments -F"),
        ("42", "api --method PATCH repos/x/issues/comments/42"),
    ):
        answer.write_text(known)
        comment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ISSUES": "repos/x/issues", "NUMBER": "1"}
        told = _sh(repo.folder, shell["Comment"], **files, **comment)
        assert told.returncode == 0, told.stderr
        assert calls.read_text().splitlines()[-1].startswith(sent)
    assert _sh(repo.folder, shell["Verdict"], CODE=code).returncode == expected


@pytest.fixture
def gitlab() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The notes of a merge request behind a socket."""
    notes: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = int(re.findall(r"[?&]page=(\d+)", self.path)[0])
            self._answer(notes if page == 1 else [])

        def do_POST(self) -> None:
            notes.append({"id": len(notes) + 1, **self._body()})
            self._answer(notes[-1])

        def do_PUT(self) -> None:
            notes[int(self.path.rpartition("/")[2]) - 1] |= self._body()
            self._answer({})

        def _body(self) -> dict[str, Any]:
            assert self.headers["PRIVATE-TOKEN"] == "a-token"
            return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, what: object) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(what).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", notes
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_gitlab_keeps_one_note_where_it_may(
    change: tuple[Repo, str, str, int], gitlab: tuple[str, list[dict[str, Any]]]
) -> None:
    """Without a token the log says it all; with one there is a note, updated by the next run. The review's code stays."""
    repo, base, head, expected = change
    address, notes = gitlab
    jobs = yaml.safe_load((PIPELINES / "gitlab-review.yml").read_text())
    review = "\n".join(line for line in jobs["codat-zoho-review"]["script"] if "pip install" not in line)
    note = "\n".join(jobs["codat-zoho-review-note"]["script"])
    variables = {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_COMMIT_SHA": head,
        "CI_API_V4_URL": address,
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "2",
    }
    notes.append({"id": 1, "body": "somebody else's"})
    for token, count in (("", 1), ("a-token", 2), ("a-token", 2)):
        done = _sh(repo.folder, review, **variables)
        assert done.returncode == expected and "Review of" in done.stdout, done.stdout + done.stderr
        told = _sh(repo.folder, note, REVIEW_TOKEN=token, **variables)
        assert told.returncode == 0 and len(notes) == count, told.stderr
    assert notes[1]["body"] == (repo.folder / "review.md").read_text()

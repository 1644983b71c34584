"""Runs the command line as a person does, in a process of its own, beside a project that the real engine runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.real_engine import Project


def codat_zoho(
    project: Project, *arguments: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``codat-zoho`` in the project's folder; what it says is remembered for the search for secrets."""
    done = subprocess.run(
        [sys.executable, "-m", "codat_zoho", *arguments],
        cwd=project.folder,
        env={**project.environment, **environment},
        input=typed,
        capture_output=True,
        text=True,
        timeout=180,
    )
    project.said.append(f"$ codat-zoho {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done


def must(project: Project, arguments: Sequence[str], **environment: str) -> str:
    """Run a ``codat-zoho`` command that must succeed."""
    done = codat_zoho(project, *arguments, **environment)
    assert done.returncode == 0, project.said[-1]
    return done.stdout

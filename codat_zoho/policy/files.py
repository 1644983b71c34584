"""Looks for secrets in clear in a project's files: the engine tells a policy pack nothing of stack configuration."""

from __future__ import annotations

from pathlib import Path

from codat_zoho.policy.rules import secret_in_clear
from codat_zoho.review.declared import declared
from codat_zoho.workspace.pulumi_yaml import read_project, read_stack
from codat_zoho.workspace.yaml_lines import Broken


def clear_settings(folder: Path, stack: str) -> list[str] | None:
    """One sentence per secret in clear in the files of a stack.

    Args:
        folder: where ``Pulumi.yaml`` is; the engine starts a pack there.
        stack: the stack's name.

    Returns:
        None where the files cannot be read, and so nothing is known.
    """
    try:
        project_file = next(path for path in (folder / "Pulumi.yaml", folder / "Pulumi.yml") if path.is_file())
        project = read_project(project_file.read_bytes())
        beside = folder / project.stack_folder
        path = next(one for one in (beside / f"Pulumi.{stack}.yaml", beside / f"Pulumi.{stack}.yml") if one.is_file())
        made = declared(stack, path.name, read_stack(path.read_bytes(), project.name), project, project_file.name)
    except (Broken, OSError, StopIteration):
        return None
    return [f"{one.file}, line {one.line}: {secret_in_clear(one.key, looks_like=one.looks_like)}" for one in made.clear]

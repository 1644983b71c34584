"""Files for those who want to read before they run: an import file, a shell script, lines of a program."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from codat_zoho.adopt.import_state import record
from codat_zoho.adopt.targets import Place
from codat_zoho.adopt.texts import import_file, program, script
from codat_zoho.errors import NotAdopted
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import Project, plain_name


def files(places: Sequence[Place], folder: Path, project: Project | None, cli: Pulumi | None) -> dict[Path, str]:
    """Draw the files of all stacks. Secrets are encrypted by the stack that they are for.

    Args:
        places: what goes where.
        folder: where the files go.
        project: the project.
        cli: encrypts.
    """
    drawn: dict[Path, str] = {}
    for place in places:
        found = record(place.stack, place.takeovers, project)

        def encrypt(text: str, stack: str = place.stack) -> dict[str, str]:
            assert cli is not None and project is not None
            return cli.encrypted(stack, project.settings_of(stack), text)

        base = f"adopt-{plain_name(place.stack)}"
        drawn[folder / f"{base}.json"] = json.dumps(import_file(found.entries, encrypt), indent=2) + "\n"
        drawn[folder / f"{base}.sh"] = script(found, f"{base}.json")
        if found.own:
            drawn[folder / f"{base}.py"] = program(place.takeovers)
    return drawn


def write(drawn: Mapping[Path, str]) -> None:
    """Write them, and overwrite nothing.

    Raises:
        NotAdopted: one of them is there already; none is written then.
    """
    there = [file.name for file in drawn if file.exists()]
    if there:
        raise NotAdopted(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already, and nothing is overwritten.",
            "Move them away, or look at what would be written with --dry-run.",
        )
    for file, text in drawn.items():
        # Encrypted or not: whoever may read it is for its owner to say.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)

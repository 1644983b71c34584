"""What a revision declares for one stack, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from codat_zoho.policy.files import Clear
from codat_zoho.review.report import Problem
from codat_zoho.workspace.values import Field, Fields


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, of a class or ``PROVIDER``, and its options by ``options.NAME``."""

    name: str
    kind: str
    fields: Fields
    options: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """One side of one environment; where it has problems, everything else is incomplete.

    ``resources`` are empty where the program decides them and nothing is known, unless it is in ``yaml``. The
    ciphertexts in ``encrypted`` are digested, ``encryption`` is how they were made, ``imports`` the ESC environments.
    What is allowed but looks wrong is in ``warnings``, by name and text; ``rest`` are the project's other keys. A stack
    that is not ``ours`` is another program's; one that is not ``ready_made`` has a program of its own, unless that is
    in ``yaml``, in the file ``template``, and read as far as it goes; it ``reads_more`` where other files may count.
    ``files`` are all that could have been read instead, its own and its project's; ``code`` the folders that the
    project names for its program and its Python.
    """

    project: str = ""
    stack: str = ""
    file: str = ""
    project_file: str = ""
    resources: tuple[Resource, ...] = ()
    provider: Fields = field(default_factory=dict)
    encrypted: Fields = field(default_factory=dict)
    encryption: Fields = field(default_factory=dict)
    imports: Fields = field(default_factory=dict)
    clear: tuple[Clear, ...] = ()
    unknown_settings: Fields = field(default_factory=dict)
    warnings: Mapping[tuple[str, str], Field] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    ours: bool = True
    ready_made: bool = True
    yaml: bool = False
    reads_more: bool = True
    rest: Fields = field(default_factory=dict)
    template: str = ""
    files: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """What it declares is known: of a program of its own nothing is."""
        return self.yaml or bool(self.resources)

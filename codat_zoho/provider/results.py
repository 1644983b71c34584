"""What the engine is answered, whichever protocol it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.errors import CodatZohoError

Props = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs in their final shape, or what is wrong with them."""

    inputs: Props
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Differs:
    """Whether inputs differ from what is recorded; None leaves that to the engine. ``names`` are those that do."""

    changes: bool | None
    replaces: Sequence[str] = ()
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What was created."""

    id: str
    outs: Props = field(repr=False)


class HalfWay(CodatZohoError):
    """A creation that failed after something was sent; ``made`` is what came of it."""

    def __init__(self, error: CodatZohoError, made: Made) -> None:
        super().__init__(error.what, error.next_step)
        self.error, self.made = error, made

    def __str__(self) -> str:
        return str(self.error)


@dataclass(frozen=True, slots=True)
class Found:
    """What was read; ``id`` is None where it is gone, ``inputs`` where nothing is managed."""

    id: str | None
    outs: Props = field(repr=False)
    inputs: Props | None = field(default=None, repr=False)

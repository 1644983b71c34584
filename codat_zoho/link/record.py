"""The results of link tests, kept beside ``Pulumi.yaml``, and what they say of the keys of today.

Meant to be committed: no secret is in it, and ``doctor``, ``drift`` and ``review`` read it wherever the project is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from codat_zoho.core.linking import Outcome
from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.errors import ConfigurationError

FILE = "codat-zoho-links.json"
_VERSION = 1
_MOST_BYTES = 1 << 20
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TEST = "codat-zoho test-link --stack NAME --record"


@dataclass(frozen=True, slots=True)
class LinkTest:
    """One test: when, of what, in which Codat client, with which secret, in which data centre, and what came of it.

    What is None was not known.
    """

    at: str
    connection: str
    outcome: str
    stack: str | None = None
    codat_client: str | None = None
    fingerprint: str | None = None
    data_centre: str | None = None

    @property
    def linked(self) -> bool:
        """It proved that a customer can link."""
        return self.outcome == Outcome.LINKED.value

    @property
    def where(self) -> str:
        """When and in which data centre, in words."""
        return f"{self.at}, data centre {self.data_centre or 'not known'}"

    def replaces(self, other: LinkTest) -> bool:
        """It says the same of the same, and later."""
        about = ("connection", "stack", "codat_client", "data_centre", "linked")
        return all(getattr(self, name) == getattr(other, name) for name in about)

    def concerns(self, connection: str, stack: str | None, codat_client: str | None) -> bool:
        """It is known to be about this integration."""
        if self.codat_client and codat_client:
            return self.codat_client.lower() == codat_client.lower()
        return (self.connection, self.stack) == (connection, stack) and stack is not None


_FORMS: Mapping[str, Callable[[str], object]] = {
    "at": _TIME.fullmatch,
    "outcome": lambda text: text in {one.value for one in Outcome},
    "fingerprint": is_fingerprint,
    "data_centre": re.compile("[a-z]{2}").fullmatch,
}
_NEEDED = ("at", "connection", "outcome")


def read(content: bytes) -> tuple[LinkTest, ...]:
    """Read a record.

    Raises:
        ValueError: it is none of this version.
    """
    try:
        whole = json.loads(content)
        if whole["version"] != _VERSION:
            raise ValueError("it has another version than this package knows")
        return tuple(map(_test, whole["tests"]))
    except (TypeError, KeyError, RecursionError, json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"it is no record of link tests ({type(problem).__name__})") from None


def _test(raw: Any) -> LinkTest:
    given = {one.name: raw[one.name] for one in fields(LinkTest)}
    for name, value in given.items():
        fits = isinstance(value, str) and value.isprintable() and (name not in _FORMS or _FORMS[name](value))
        if not fits and (value is not None or name in _NEEDED):
            raise ValueError(f"its {name} has a form that this package does not know")
    return LinkTest(**given)


def load(folder: Path) -> tuple[LinkTest, ...] | None:
    """Read the record of a project; None where it has none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    file = folder / FILE
    try:
        with file.open("rb") as opened:
            return read(opened.read(_MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise ConfigurationError(
            f"{file} cannot be read: {why}.", f"Delete it, and record another test: {_TEST}"
        ) from None


def text(tests: Sequence[LinkTest], new: LinkTest) -> str:
    """The record with one more test, which takes the place of what it replaces."""
    kept = [one for one in tests if not new.replaces(one)]
    drawn = [asdict(one) for one in sorted((*kept, new), key=lambda one: one.at)]
    return json.dumps({"version": _VERSION, "tests": drawn}, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a link was proved with the keys of today, and what to say of it."""

    proved: bool
    text: str
    kind: Literal["proved", "never", "changed", "untold", "failed"]


def standing(
    tests: Iterable[LinkTest],
    *,
    connection: str = "default",
    stack: str | None = None,
    codat_client: str | None = None,
    fingerprint: str | None = None,
) -> Standing:
    """Say whether the record proves that a customer can link with the secret of this ``fingerprint``."""
    mine = sorted((one for one in tests if one.concerns(connection, stack, codat_client)), key=lambda one: one.at)
    proofs = [one for one in mine if one.linked]
    if not proofs:
        since = f"; the last test ({mine[-1].where}) ended with: {mine[-1].outcome}" if mine else ""
        return Standing(False, f"never proved that a customer can link{since}", "never")
    now = fingerprint if is_fingerprint(fingerprint) else None
    if proof := next((one for one in reversed(proofs) if now and one.fingerprint == now), None):
        later = [one for one in mine if one.at > proof.at and not one.linked and one.fingerprint in (now, None)]
        proved = f"proved by a link with these keys ({proof.where})"
        if later:
            return Standing(
                False, f"{proved}, but a later test ({later[-1].where}) ended with: {later[-1].outcome}", "failed"
            )
        return Standing(True, proved, "proved")
    last = proofs[-1]
    if now and all(one.fingerprint for one in proofs):
        return Standing(False, f"the keys changed since a link was last proved ({last.where})", "changed")
    return Standing(False, f"a link was proved ({last.where}); whether with these keys cannot be told", "untold")

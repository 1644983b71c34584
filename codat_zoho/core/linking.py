"""What a test of the link decides: what cannot work, whose companies are its own, what became of a connection. Pure.

Facts: docs/facts.md, section Codat, on linking.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from codat_zoho.core.observe import ActualIntegration, Probe
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.errors import PlanBlocked

_MARK = "codat-zoho link test"
_OURS = re.compile(rf".+, {_MARK} (\d{{4}}-\d\d-\d\d) ([0-9a-f]{{8}}), may be deleted")
NAME = re.compile(r"(?=.{1,60}$)[A-Za-z0-9](?: ?[A-Za-z0-9\-',&@.?!])*")
"""What a person may name a test company: Codat drops other characters from names without a word."""
SHORTEST, _LONGEST, _SLOWER = 5.0, 20.0, 1.1
"""Seconds between two looks at a connection, and how they grow."""


class Outcome(str, Enum):
    """What became of a link."""

    LINKED = "linked"
    DEAUTHORIZED = "deauthorized"
    UNLINKED = "unlinked"
    ERRORS = "errors"
    NOBODY = "nobody came"
    UNTOLD = "cannot tell"


@dataclass(frozen=True, slots=True)
class Company:
    """A company at Codat, as far as a test of the link looks at it; ``linked`` to whatever platform, or may be."""

    id: str
    name: str
    created: str = ""  # as Codat writes it; "" where it does not say
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of a company, as Codat tells it; ``errors`` are those that are not resolved."""

    id: str
    status: str
    link: str = field(default="", repr=False)
    errors: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)


def company_name(text: str, day: str, tag: str) -> str:
    """Name a test company: what a person calls it, that it is a test and may be deleted, and which one it is."""
    return f"{text}, {_MARK} {day} {tag}, may be deleted"


def is_test(name: str) -> bool:
    """Tell whether a company's name says that a test of the link made it."""
    return _OURS.fullmatch(name) is not None


def is_same_test(name: str, other: str) -> bool:
    """Tell whether two names are of the company of one test, however Codat shows what a person called it."""
    one, another = _OURS.fullmatch(name), _OURS.fullmatch(other)
    return one is not None and another is not None and one.groups() == another.groups()


def refuse(actual: ActualIntegration, verdicts: Mapping[str, str]) -> None:
    """Refuse to begin where nobody could link; ``verdicts`` is what each data centre said when it was last asked.

    Raises:
        PlanBlocked: Zoho Books is disabled, no keys are stored, or every data centre refused the client.
    """
    if not actual.enabled:
        raise PlanBlocked(
            "Zoho Books is disabled in this Codat client, so nobody can link it; nothing was created.",
            f"Declare enabled=true and run 'pulumi up', or switch it on in the Codat Portal, {ZOHO_BOOKS.portal}.",
        )
    if actual.keys is None:
        raise PlanBlocked(
            "No keys of a Zoho client are stored in this Codat client, so nobody can link; nothing was created.",
            "Declare client id and secret and run 'pulumi up'.",
        )
    if verdicts and rejected(verdicts) == sorted(verdicts):
        raise PlanBlocked(
            f"Every data centre of Zoho that was asked refuses the client ({', '.join(sorted(verdicts))}), so nobody "
            "can link; nothing was created.",
            "Run 'pulumi up': it asks again, and says which switch to turn.",
        )


def rejected(verdicts: Mapping[str, str]) -> list[str]:
    """The data centres that said no, by their recorded verdicts."""
    words = {probe.value for probe in Probe if probe.rejected}
    return sorted(code for code, said in verdicts.items() if said in words)


def outcome(connection: Connection) -> Outcome | None:
    """What became of a connection; None while somebody may still come."""
    status = connection.status.lower()
    if status in (Outcome.DEAUTHORIZED.value, Outcome.UNLINKED.value):
        return Outcome(status)
    # Also where it counts as linked: what Codat complains of at the same time would make that no proof.
    if connection.errors:
        return Outcome.ERRORS
    return Outcome.LINKED if status == Outcome.LINKED.value else None


def pause(looks: int) -> float:
    """Seconds until the next look, after so many."""
    return min(_LONGEST, SHORTEST * _SLOWER**looks)


def data_centre(info: Mapping[str, Any]) -> str | None:
    """Which data centre of Zoho a connection leads to, where Codat's ``connectionInfo`` gives it away."""
    texts = [value for value in info.values() if isinstance(value, str)]
    found = {code for text in texts for domain, code in _CODES.items() if _names(text, domain)}
    named = (value for name, value in info.items() if name.lower() in _NAMES and isinstance(value, str))
    found |= {value for value in named if value in DATA_CENTRES}
    return found.pop() if len(found) == 1 else None


_NAMES = ("datacentre", "datacenter", "location", "region")
_CODES = {one.accounts.removeprefix("https://accounts."): code for code, one in DATA_CENTRES.items()}
"""Codes by domain."""


def _names(text: str, domain: str) -> bool:
    """A text holds an address below a domain, or below that of Zoho's APIs beside it: zohoapis.eu for zoho.eu."""
    apis = domain.replace("zoho.", "zohoapis.")
    return any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w.-])", text) for one in (domain, apis))


_DONE = "Complete"


def arrived(statuses: Mapping[str, Any]) -> tuple[str, ...]:
    """The data types of which a first set came, sorted (Codat's ``dataStatus``)."""
    return _types(statuses, lambda one: one.get("currentStatus") == _DONE or bool(one.get("lastSuccessfulSync")))


def failed(statuses: Mapping[str, Any]) -> tuple[str, ...]:
    """The data types whose first fetch ended in an error, sorted."""
    return _types(statuses, lambda one: str(one.get("currentStatus")).endswith("Error"))


def _types(statuses: Mapping[str, Any], fits: Any) -> tuple[str, ...]:
    names: Iterable[str] = (name for name, one in statuses.items() if isinstance(one, dict) and fits(one))
    return tuple(sorted(names))


def doubt(company: Company, before: str) -> str:
    """Why a test company may still be somebody's, in words that follow "since"; empty where nothing speaks for that.

    One created after ``before`` may be of a test that is running. Times are texts as Codat writes them, UTC.
    """
    if company.linked:
        return "it is linked, or may be"
    named, created = _OURS.fullmatch(company.name), company.created
    try:
        made, day = (datetime.date.fromisoformat(text) for text in (created[:10], named[1] if named else ""))
    except ValueError:
        return "when it was created is not known"
    if created[:19] > before[:19]:
        return "it is less than a day old and may be a test that is running"
    return "" if abs(made - day).days <= 1 else "it was not created on the day in its name"

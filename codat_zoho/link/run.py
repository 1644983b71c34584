"""The test itself: creates a company, hands out its link, waits, and deletes the company on every way out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from codat_zoho import errors
from codat_zoho.core import linking
from codat_zoho.core.linking import Company, Connection, Outcome
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.errors import CodatZohoError, RemoteError
from codat_zoho.link.report import Left
from codat_zoho.remote.budget import Deadline
from codat_zoho.remote.companies import Companies, company_of
from codat_zoho.remote.http import Http
from codat_zoho.terminal.signals import Stops, deferred

SECONDS = 60.0
"""For one operation: a person waits, or wants to go."""
_REFUSED = (errors.AccessDenied, errors.AccountLimit, errors.ApiKeyRefused, errors.NotFound, errors.NotOffered)
"""With these, nothing was created, and asking again gives the same."""
_DENIED = (400, 422, 429)
"""With these, nothing was created, if Codat's list agrees."""
_PASSING = (errors.Conflict, errors.RateLimited, errors.ServerFailed, errors.UnexpectedAnswer, errors.Unreachable)
"""What may be over at the next look."""
_BY_HAND = "Delete it there; or run this again, which finds it and offers to."
_UNSEEN = "whether Codat created it cannot be told; its list does not show it now. If it appears, delete it."


@dataclass(frozen=True)
class Place:
    """Where a test plays.

    Args:
        http: whose clock counts and whose ``sleep`` waits.
        open: starts an operation on the Codat client.
        say: narrates, one line each.
        progress: shows a line in the place of the one before it.
        hand_out: gives the link to the person, and to nobody else.
    """

    http: Http
    open: Callable[[], Companies]
    say: Callable[[str], None]
    progress: Callable[[str], None]
    hand_out: Callable[[str], None]


class Seen(NamedTuple):
    """What came of it."""

    outcome: Outcome
    connection: Connection | None
    data: tuple[str, ...] | None
    data_failed: tuple[str, ...]
    left: tuple[Left, ...]
    error: CodatZohoError | None  # what ended it
    trouble: RemoteError | None  # what the last look ran into


def new_tag() -> str:
    """What makes the name of a test company its own, so that it is found again."""
    return secrets.token_hex(4)


def survey(codat: Companies) -> tuple[int, list[Company]]:
    """Count the linked companies, and find those that earlier tests left: never one with another's connection."""
    linked, tests = 0, []
    for raw in codat.companies("looking for companies that are linked, or left by a test"):
        try:
            is_linked, name, own = codat.is_linked(raw), raw.get("name"), raw.get("dataConnections") or ()
            alien = len(own) > 1 or any(one.get("integrationKey") not in (None, ZOHO_BOOKS.key) for one in own)
            untold = raw.get("dataConnections") is None
            anywhere = untold or any(str(one.get("status")).lower() == "linked" for one in own)
        except (AttributeError, TypeError):
            raise errors.UnexpectedAnswer("Codat's list of companies cannot be read.", status=200) from None
        linked += is_linked
        if isinstance(name, str) and linking.is_test(name) and not alien and (found := company_of(raw, anywhere)):
            tests.append(found)
    return linked, tests


def remove(place: Place, company: Company) -> Left | None:
    """Delete a company and make sure of it; what could not be deleted is returned."""
    if not _why_left(place, company) or not (why := _why_left(place, company)):
        return None
    return Left(company.name, company.id, f"it could not be deleted. {why} {_BY_HAND}")


def _why_left(place: Place, company: Company) -> str:
    """Delete a company; say why it is left, or nothing where it is gone."""
    try:
        place.open().delete(company.id)
    except CodatZohoError as error:
        with suppress(CodatZohoError):
            if not place.open().exists(company.id):
                return ""
        return str(error)
    return ""


@dataclass
class Trial:
    """One test, of a company of this ``name``, that waits at most ``wait`` seconds."""

    place: Place
    name: str
    wait: float
    data: bool = False
    keep: bool = False
    _company: Company | None = None
    _unsure: bool = False
    _denied: bool = False
    _connection: Connection | None = None
    _trouble: RemoteError | None = None
    _stops: Stops = field(default_factory=Stops)

    def run(self) -> Seen:
        """Do it. Signals that would end the process are noted, and end it when the company is gone.

        What was left is in the result, or said where an interruption ends this.
        """
        outcome = Outcome.UNTOLD
        arrived: tuple[str, ...] | None = None
        failed: tuple[str, ...] = ()
        error: CodatZohoError | None = None
        stopped: BaseException | None = None
        with deferred() as self._stops:
            try:
                self._create()
                outcome = self._watch()
                if self.data and outcome is Outcome.LINKED:
                    arrived = ()
                    arrived, failed = self._first_data()
            except CodatZohoError as problem:
                error = problem
            except BaseException as problem:  # noqa: BLE001 - What was created is deleted first.
                stopped = problem
            self.place.progress("")
            left = self._tidy()
            if self._stops:
                stopped = stopped or KeyboardInterrupt()
        if stopped is not None:
            for one in left:
                self.place.say(str(one))
            raise stopped
        return Seen(outcome, self._connection, arrived, failed, left, error, self._trouble)

    def _create(self) -> None:
        self.place.say(f"Creating {self.name!r} in Codat.")
        self._unsure = True  # Whatever goes wrong now, it may be there all the same.
        try:
            self._company = self.place.open().create(self.name)
        except RemoteError as refusal:
            self._unsure, self._denied = not isinstance(refusal, _REFUSED), refusal.status in _DENIED
            raise
        self._stops.end()
        self._connection = self.place.open().connect(self._company.id)
        self._stops.end()
        if not self._connection.link:
            raise errors.UnexpectedAnswer("Codat gave no link for the new connection.", "Ask Codat support.")
        self.place.hand_out(self._connection.link)

    def _look_for(self) -> Company | None:
        """Find by its name what may have been created."""
        _, tests = survey(self.place.open())
        return next((one for one in tests if linking.is_same_test(one.name, self.name)), None)

    def _watch(self) -> Outcome:
        """Look until something came of it."""
        assert self._company and self._connection
        deadline = self.place.http.deadline(self.wait)
        looks = 0
        while self._pause(deadline, looks, f"waiting for somebody to link (Codat says {self._connection.status})"):
            looks += 1
            try:
                seen = self.place.open().connection(self._company.id, self._connection.id)
            except _PASSING as passing:
                self._trouble = passing
                continue
            self._connection, self._trouble = seen, None
            if found := linking.outcome(seen):
                return found
        return Outcome.UNTOLD if self._trouble else Outcome.NOBODY

    def _first_data(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Look until the first data set is there."""
        assert self._company
        self.place.progress("")
        self.place.say("Linked. Waiting for the first data.")
        deadline = self.place.http.deadline(self.wait)
        looks = 0
        failed: tuple[str, ...] = ()
        while self._pause(deadline, looks, "waiting for the first data"):
            looks += 1
            try:
                statuses = self.place.open().data_status(self._company.id)
            except _PASSING as passing:
                self._trouble = passing
                continue
            self._trouble, failed = None, linking.failed(statuses)
            if found := linking.arrived(statuses):
                return found, failed
        return (), failed

    def _pause(self, deadline: Deadline, looks: int, about: str) -> bool:
        """Wait until the next look, if there is to be one."""
        seconds = min(linking.pause(looks), deadline.left())
        if seconds < linking.SHORTEST:
            return False
        spent = self.wait - deadline.left()
        self.place.progress(f"{_clock(spent)} of {_clock(self.wait)}: {self._trouble or about}; Ctrl-C ends it")
        with self._stops.waiting():
            self.place.http.sleep(seconds)
        return True

    def _tidy(self) -> tuple[Left, ...]:
        """Delete what was created, unless it is to be kept."""
        company = self._company
        if company is None and self._unsure:
            try:
                company = self._look_for()
            except CodatZohoError as error:
                return (Left(self.name, "", f"whether Codat created it cannot be told. {error} {_BY_HAND}"),)
            if company is None and not self._denied:
                return (Left(self.name, "", _UNSEEN),)
        if company is None:
            return ()
        if self.keep:
            return (Left(company.name, company.id, f"it is kept, as asked for (--keep). {_BY_HAND}"),)
        self.place.say("Deleting the test company.")
        left = remove(self.place, company)
        if left is None:
            self.place.say("It is deleted.")
        return (left,) if left else ()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"

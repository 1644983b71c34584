"""What a test of the link found, as data. The JSON Schema in ``formats`` says what each field means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codat_zoho._version import __version__
from codat_zoho.core.linking import Outcome
from codat_zoho.link.advice import advice


@dataclass(frozen=True, slots=True)
class Cause:
    """What may be the cause of a failed link, and what to do."""

    seen: str
    means: str
    cure: str


@dataclass(frozen=True, slots=True)
class Left:
    """A company that is left at Codat, and why."""

    name: str
    id: str
    why: str

    def __str__(self) -> str:
        which = f"(id {self.id}) is" if self.id else "may be"
        return f"{self.name!r} {which} left in the Codat Portal, Companies: {self.why}"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole test. Neither a secret nor the link is in it."""

    at: str
    connection: str
    company: str
    outcome: Outcome
    status: str = ""
    seconds: float = 0.0
    stack: str | None = None
    codat_client: str | None = None
    fingerprint: str | None = None
    data_centre: str | None = None
    errors: tuple[str, ...] = ()
    data: tuple[str, ...] | None = None
    data_failed: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    kept: bool = False
    tool: str = f"codat-zoho {__version__}"

    @property
    def linked(self) -> bool:
        """Somebody linked it."""
        return self.outcome is Outcome.LINKED

    @property
    def exit_code(self) -> Literal[0, 1, 7]:
        """0 linked, 7 not linked or no data where that was asked for, 1 a company that should be gone is left."""
        if (self.left and not self.kept) or self.outcome is Outcome.UNTOLD:
            return 1
        return 0 if self.linked and self.data != () else 7

    @property
    def headline(self) -> str:
        """What came of it, in a sentence."""
        if self.linked:
            return "Linked: a person gave Codat access to a Zoho organisation."
        if self.outcome is Outcome.NOBODY:
            return f"Not linked: nobody finished in time; Codat's last word on the connection is {self.status}."
        if self.outcome is Outcome.UNTOLD:
            return "Whether it was linked cannot be told: Codat could not be asked to the end."
        if self.outcome is Outcome.ERRORS:
            return f"Not proved: Codat says {self.status}, and reports errors on the connection."
        return f"Not linked: Codat says {self.status}."

    @property
    def proves(self) -> str:
        """What it proves."""
        if not self.linked:
            return "nothing"
        keys = f"the keys last deployed (secret {self.fingerprint})" if self.fingerprint else _KEYS
        where = f"Zoho's data centre {self.data_centre}" if self.data_centre else _SOMEWHERE
        return f"customers in {where} can link with {keys}: client, redirect URI and consent work together"

    @property
    def leaves_open(self) -> tuple[str, ...]:
        """What it does not prove."""
        if not self.linked:
            return ()
        more = "every other data centre is only as good as Zoho's verdict on the client (codat-zoho doctor --verify)"
        return more, "that each customer may consent for their organisation, or what Codat will read of it"

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What most often explains it, and what to do."""
        if self.linked or self.outcome is Outcome.UNTOLD:
            return ()
        return tuple(Cause(one.seen, one.means, one.cure) for one in advice(self.outcome, self.errors))


_KEYS = "the keys that Codat holds now (which those are is not known here)"
_SOMEWHERE = "the data centre of whoever linked (Codat does not say which)"

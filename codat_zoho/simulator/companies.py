"""Companies and connections of a simulated Codat client, as Codat shows them, and the data that was read of them."""

from __future__ import annotations

import secrets
import string
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple

from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.simulator.switches import Switches

Status = Literal["PendingAuth", "Linked", "Unlinked", "Deauthorized"]
PLATFORMS = {ZOHO_BOOKS.key: ZOHO_BOOKS.name, "gbol": "Xero"}
"""What companies can be connected to, by platform key."""
DATA_TYPES = ("company", "chartOfAccounts", "customers", "suppliers", "invoices", "bills", "payments", "creditNotes")
"""What the first sync reads, in this order."""
SYNC_STATUSES = ("Initial", "Queued", "Fetching", "Mapping", "Complete", "FetchError", "AuthError", "PermissionsError")
"""What its state can be, of those that Codat names."""
SYNC_SECONDS = 2
"""How long it takes over each."""
LONG_AGO = 1_767_225_600.0
"""When the ready-made companies were linked: at the beginning of 2026."""
_LIFETIMES = {"day": 86_400, "hour": 3_600}


def moment(seconds: float) -> str:
    """A time as Codat writes it."""
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


class View(NamedTuple):
    """How things are looked at: from which address of the simulator, when, and with which switches."""

    base: str
    now: float
    switches: Switches


@dataclass(frozen=True)
class Grant:
    """What Zoho gives when a person consents: a code for one client, good in one data centre."""

    code: str = field(repr=False)
    client_id: str
    data_centre: str


@dataclass
class Connection:
    """One connection of a company.

    Args:
        key: the platform's key.
        integration_id: Codat's id of the integration.
        created: in seconds since 1970, as all times here.
        id: Codat's id of it.
        status: as Codat names it.
        errors: what Codat reports on it, as ``dataConnectionErrors``.
        linked_at: when a company linked it last; None for never.
        data: the state of data types that the control interface set, by data type.
    """

    key: str
    integration_id: str
    created: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: Status = "PendingAuth"
    errors: list[dict[str, Any]] = field(default_factory=list)
    linked_at: float | None = None
    data: dict[str, str] = field(default_factory=dict)
    password: str = field(default="", repr=False)  # Of its one-time link.
    password_at: float = 0.0
    used: bool = False
    state: str = field(default="", repr=False)  # Of the authorization that is under way.
    grant: Grant | None = None

    def link_problem(self, password: str, view: View) -> str:
        """Why a link that carries this password does not work; empty where it does."""
        if not view.switches.one_time_links:
            return ""
        if not self.password or not secrets.compare_digest(password.encode(), self.password.encode()):
            return "unknown_link"
        if self.used:
            return "used_link"
        return "expired_link" if self._expired(view) else ""

    def _expired(self, view: View) -> bool:
        return view.now >= self.password_at + _LIFETIMES[view.switches.link_lifetime]

    def _link(self, company_id: str, view: View) -> str:
        link = f"{view.base}/link/companies/{company_id}/connections/{self.id}/start"
        if not view.switches.one_time_links:
            return link
        if not self.password or (view.switches.link_renewed and (self.used or self._expired(view))):
            letters = string.ascii_uppercase + string.digits
            self.password = "".join(secrets.choice(letters) for _ in range(6))
            self.password_at, self.used = view.now, False
        return f"{link}?otp={self.password}"

    def shown(self, company_id: str, view: View) -> dict[str, Any]:
        """It as Codat shows it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "integrationId": self.integration_id,
            "integrationKey": self.key,
            "sourceId": str(uuid.UUID(int=1)),
            "platformName": PLATFORMS[self.key],
            "linkUrl": self._link(company_id, view),
            "status": self.status,
            "created": moment(self.created),
            "sourceType": "Accounting",
        }
        read = [one["lastSuccessfulSync"] for one in self.datasets(view).values() if len(one) == 5]
        if read:
            shown["lastSync"] = max(read)
        return shown | ({"dataConnectionErrors": self.errors} if self.errors else {})

    def datasets(self, view: View) -> dict[str, dict[str, str]]:
        """The state of each data type, as ``dataStatus`` shows it; empty before the first link."""
        if self.linked_at is None:
            return {}
        found = {}
        for number, kind in enumerate(dict.fromkeys((*DATA_TYPES, *self.data))):
            begin = self.linked_at + number * SYNC_SECONDS
            status = self.data.get(kind) or "Queued"
            if kind not in self.data and view.switches.data_arrives and view.now >= begin:
                status = "Complete" if view.now >= begin + SYNC_SECONDS else "Fetching"
            sync = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.id} {kind}"))
            found[kind] = {"dataType": kind, "currentStatus": status, "latestSyncId": sync}
            if status == "Complete":
                last = moment(view.now if kind in self.data else begin + SYNC_SECONDS)
                found[kind] |= {"lastSuccessfulSync": last, "latestSuccessfulSyncId": sync}
        return found


@dataclass
class Company:
    """One company of a Codat client.

    Args:
        name: as Codat keeps it.
        created: in seconds since 1970.
        id: Codat's id of it.
        description: what its creator said of it.
        tags: its tags.
        ready_made: it was there from the beginning.
        connections: its connections, by id.
    """

    name: str
    created: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    ready_made: bool = False
    connections: dict[str, Connection] = field(default_factory=dict)

    def shown(self, view: View) -> dict[str, Any]:
        """It as Codat shows it."""
        connections = [one.shown(self.id, view) for one in self.connections.values()]
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "platform": connections[0]["platformName"] if connections else "",
            "redirect": f"{view.base}/link/company/{self.id}",
            "created": moment(self.created),
            "dataConnections": connections,
            "products": [],
            "tags": self.tags,
            "referenceSubsidiaryCompanies": [],
        }


def ready_made(which: str, name: str, key: str, integration_id: str, status: Status) -> Company:
    """A company that was there from the beginning, with one connection; ``which`` makes the ids."""
    ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{what} {which}")) for what in ("company", "connection")]
    connection = Connection(key, integration_id, LONG_AGO, ids[1], status, linked_at=LONG_AGO)
    return Company(name, LONG_AGO, ids[0], ready_made=True, connections={connection.id: connection})

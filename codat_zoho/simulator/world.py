"""What the simulator holds: Codat clients, Zoho clients, switches, faults, and the log of what was asked."""

from __future__ import annotations

import math
import re
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Literal

from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import ZOHO_BOOKS


@dataclass
class Switches:
    """Everything about Codat and Zoho that nobody could find out, one switch each. The defaults are the likeliest.

    Args:
        absent_keys: how Codat says that no keys are stored: 200 with ``{}``, 404, or 204.
        saving: whether saving keys replaces the stored bag or merges into it.
        saving_keeps_enabled: False makes saving keys enable the integration.
        disabling_keeps_keys: False makes disabling delete the keys.
        mask_client_id: False shows the client id as it is.
        mask: ``last4`` shows the last four characters behind ``X``, length kept; ``opaque`` shows nothing.
        linked_count: whether answers carry ``linkedConnectionsCount``.
        client_told: False answers 403 to the question which Codat client an API key opens.
        keys_shown: False withdraws the call that reads stored keys, as Codat words it.
        writes_offered: False makes the undocumented write paths answer 404.
        zoho_client_before_token: False makes Zoho complain about the token before it looks at the client.
        zoho_wrong_secret: what Zoho answers to a known client id with a wrong secret.
        zoho_disabled: what a data centre answers that is not enabled for the client.
    """

    absent_keys: Literal["empty", "404", "204"] = "empty"
    saving: Literal["replace", "merge"] = "replace"
    saving_keeps_enabled: bool = True
    disabling_keeps_keys: bool = True
    mask_client_id: bool = True
    mask: Literal["last4", "opaque"] = "last4"
    linked_count: bool = True
    client_told: bool = True
    keys_shown: bool = True
    writes_offered: bool = True
    zoho_client_before_token: bool = True
    zoho_wrong_secret: Literal["invalid_client_secret", "invalid_client"] = "invalid_client_secret"
    zoho_disabled: Literal["invalid_client", "invalid_client_secret"] = "invalid_client"


_FRAMING = ("content-length", "transfer-encoding")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\xa0-\xff]*")


class Dropped(Exception):
    """The connection is cut without an answer."""


@dataclass
class Fault:
    """Something that goes wrong on matching requests.

    Args:
        method: only on this method; empty for all.
        path: only where the path contains this; empty for all.
        status: answer this status instead; None lets the answer through.
        headers: headers to add; ValueError for one with a line end or that says where an answer ends, and for a status
            that is none.
        body: body to send instead; None for a Codat error body, or the real one where ``status`` is None.
        content_type: of ``body``.
        drop: cut the connection.
        after: do what was asked first, so that only the answer is lost or wrong.
        delay: seconds to wait before answering.
        times: how often it happens; negative for always.
        skip: let this many matching requests through first.
    """

    method: str = ""
    path: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    drop: bool = False
    after: bool = False
    delay: float = 0.0
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        for name, value in {**self.headers, "Content-Type": self.content_type}.items():
            # A line end in one would begin another header, or another answer.
            if not _HEADER.fullmatch(f"{name}: {value}"):
                raise ValueError(f"{name!r}: {value!r} is no header")
            if name.lower() in _FRAMING:
                raise ValueError(f"{name} is no header to inject: the simulator says itself where an answer ends")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be from 200 to 599")

    def strikes(self, method: str, path: str) -> bool:
        """Whether it happens now; counts down when it does."""
        if self.times == 0 or self.method not in ("", method) or self.path not in path:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Integration:
    """The Zoho Books integration of one Codat client."""

    enabled: bool = False
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    integration_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    offered: bool = True


@dataclass
class CodatClient:
    """One Codat client, known by its API key.

    Args:
        name: as the Portal shows it.
        id: Codat's id of it.
        linked: how many companies are linked through Zoho Books; more companies exist, linked otherwise or not at all.
    """

    api_key: str = field(repr=False)
    linked: int = 0
    integration: Integration = field(default_factory=Integration)
    name: str = "Simulated"
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"Codat client of {self.api_key}"))

    def companies(self) -> list[dict[str, object]]:
        """Its companies: the linked ones, one that was linked once, one linked through another platform."""
        kinds = [(ZOHO_BOOKS.key, "Linked")] * self.linked + [(ZOHO_BOOKS.key, "Deauthorized"), ("gbol", "Linked")]
        return [self._company(number, key, status) for number, (key, status) in enumerate(kinds, start=1)]

    def _company(self, number: int, key: str, status: str) -> dict[str, object]:
        company_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"company-{number}"))
        ours = key == ZOHO_BOOKS.key
        connection = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"connection-{number}")),
            "integrationId": self.integration.integration_id if ours else str(uuid.UUID(int=0)),
            "integrationKey": key,
            "sourceId": str(uuid.UUID(int=1)),
            "platformName": ZOHO_BOOKS.name if ours else "Xero",
            "linkUrl": f"https://link-api.codat.io/companies/{company_id}/start",
            "status": status,
            "created": "2026-01-01T00:00:00Z",
            "sourceType": "Accounting",
        }
        return {
            "id": company_id,
            "name": f"Company {number}",
            "platform": connection["platformName"],
            "redirect": f"https://link.codat.io/company/{company_id}",
            "created": "2026-01-01T00:00:00Z",
            "dataConnections": [connection],
        }


@dataclass
class ZohoClient:
    """One OAuth client in Zoho's console.

    Args:
        client_id: its id.
        secret: its secret, everywhere while ``same_credentials``, else in its home data centre.
        home: the data centre it was registered in.
        enabled: the data centres it is enabled in.
        same_credentials: the console's switch "Use the same OAuth credentials for all data centers".
        throttled: data centres that answer that there were too many requests.
    """

    client_id: str
    secret: str = field(repr=False)
    home: str = "us"
    enabled: set[str] = field(default_factory=lambda: set(DATA_CENTRES))
    same_credentials: bool = True
    throttled: set[str] = field(default_factory=set)

    def secret_at(self, code: str) -> str:
        """The secret that a data centre accepts."""
        return self.secret if self.same_credentials or code == self.home else self.secret[::-1]


@dataclass(frozen=True)
class Call:
    """One request that came in. ``kind`` is ``read``, ``write`` or ``probe``; nothing secret is kept."""

    service: str
    kind: str
    method: str
    path: str
    status: int
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.service}: {self.method} {self.path} -> {self.status}{detail}"


class _ByKey(dict[str, CodatClient]):
    """Codat clients by API key, which printing them does not show."""

    def __repr__(self) -> str:
        return repr(list(self.values()))


class Simulator:
    """The whole stand-in. Threads may share it: each request holds ``lock`` while it is answered."""

    def __init__(self, switches: Switches | None = None) -> None:
        self.switches = switches or Switches()
        self.codat: dict[str, CodatClient] = _ByKey()
        self.zoho: dict[str, ZohoClient] = {}
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.daily_limit = 1000
        self.minute_limit = 1000
        self.clock = time.time
        self.lock = RLock()
        self._minute: deque[float] = deque()
        self._day = 0
        self._used: Counter[str] = Counter()

    def add_codat_client(
        self, api_key: str, *, enabled: bool = False, keys: dict[str, str] | None = None, linked: int = 0
    ) -> CodatClient:
        """Add a Codat client that ``api_key`` opens."""
        client = CodatClient(api_key, linked, Integration(enabled, dict(keys or {})))
        self.codat[api_key] = client
        return client

    def add_zoho_client(
        self, client_id: str, secret: str, *, enabled: Iterable[str] = tuple(DATA_CENTRES), home: str = "us"
    ) -> ZohoClient:
        """Add an OAuth client to Zoho's console."""
        client = ZohoClient(client_id, secret, home, set(enabled))
        self.zoho[client_id] = client
        return client

    def limits(self, client: CodatClient | None) -> tuple[int, int, int]:
        """Count one call to Codat; return the client's limit a day, what is left of it, and the seconds to wait."""
        now = self.clock()
        day, second = divmod(int(now), 86_400)
        if day != self._day:
            self._day = day
            self._used.clear()
        while self._minute and self._minute[0] <= now - 60:
            self._minute.popleft()
        if len(self._minute) >= self.minute_limit:
            return 0, 0, math.ceil(self._minute[0] + 60 - now)
        self._minute.append(now)
        if client is None:
            return 0, 0, 0
        limit = self.daily_limit * (1 + client.linked)
        if self._used[client.api_key] >= limit:
            return limit, 0, 86_400 - second
        self._used[client.api_key] += 1
        return limit, limit - self._used[client.api_key], 0

    def fail(self, fault: Fault) -> None:
        """Inject a fault."""
        self.faults.append(fault)

    def of_kind(self, *kinds: str) -> list[Call]:
        """The calls of these kinds, oldest first."""
        return [call for call in self.calls if call.kind in kinds]

    @property
    def writes(self) -> list[Call]:
        """Calls that changed, or tried to change, something at Codat."""
        return self.of_kind("write")

    @property
    def probes(self) -> list[Call]:
        """Requests to Zoho's token endpoint."""
        return self.of_kind("probe")

    def forget_calls(self) -> None:
        """Empty the log."""
        self.calls.clear()

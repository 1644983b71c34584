"""What the simulator holds: Codat clients, Zoho clients, switches, faults, and the log of what was asked."""

from __future__ import annotations

import itertools
import math
import re
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import RLock

from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import REDIRECT_URI, ZOHO_BOOKS
from codat_zoho.simulator.companies import Company, Connection, Status, ready_made
from codat_zoho.simulator.switches import Switches

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


class CodatClient:
    """One Codat client, known by its API key.

    Besides the linked companies it has one that was linked once, and one that is linked through another platform.

    Args:
        api_key: opens it.
        linked: how many companies are linked through Zoho Books.
        integration: its Zoho Books integration; a new one where it is left out.
        name: as the Portal shows it.
        id: Codat's id of it; derived from the key where it is left out.
    """

    def __init__(
        self,
        api_key: str,
        linked: int = 0,
        integration: Integration | None = None,
        name: str = "Simulated",
        id: str = "",
    ) -> None:
        self.api_key, self.integration, self.name = api_key, integration or Integration(), name
        self.id = id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"Codat client of {api_key}"))
        made = self._ready_made(1, ZOHO_BOOKS.key, "Deauthorized"), self._ready_made(2, "gbol", "Linked")
        self.companies = {one.id: one for one in made}
        self.linked = linked

    def __repr__(self) -> str:
        return f"CodatClient({self.name!r}, {self.id!r}, linked={self.linked}, {self.integration!r})"

    def _ready_made(self, number: int, key: str, status: Status) -> Company:
        return ready_made(f"{self.id} {number}", f"Company {number}", key, self.integration_id(key), status)

    def integration_id(self, key: str) -> str:
        """Codat's id of the integration with this platform key."""
        return self.integration.integration_id if key == ZOHO_BOOKS.key else str(uuid.UUID(int=0))

    def connections(self) -> list[Connection]:
        """The connections to Zoho Books."""
        companies = list(self.companies.values())
        return [one for company in companies for one in company.connections.values() if one.key == ZOHO_BOOKS.key]

    @property
    def linked(self) -> int:
        """How many connections are linked through Zoho Books. Setting it brings ready-made companies, or takes them."""
        return sum(one.status == "Linked" for one in self.connections())

    @linked.setter
    def linked(self, count: int) -> None:
        gone = self.linked - count
        companies = dict(self.companies)
        for company in sorted(self.companies.values(), key=lambda one: one.ready_made, reverse=True):
            for one in company.connections.values():
                if gone > 0 and one.key == ZOHO_BOOKS.key and one.status == "Linked":
                    gone, one.status = gone - 1, "Unlinked"
                    if company.ready_made:
                        companies.pop(company.id, None)
        numbers = itertools.count(3)
        while gone < 0:
            made = self._ready_made(next(numbers), ZOHO_BOOKS.key, "Linked")
            if made.id not in companies:
                companies[made.id], gone = made, gone + 1
        self.companies = companies


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
        name: what a person who links is shown.
        redirect_uris: where Zoho sends a person back to; compared exactly.
    """

    client_id: str
    secret: str = field(repr=False)
    home: str = "us"
    enabled: set[str] = field(default_factory=lambda: set(DATA_CENTRES))
    same_credentials: bool = True
    throttled: set[str] = field(default_factory=set)
    name: str = "Simulated"
    redirect_uris: set[str] = field(default_factory=lambda: {REDIRECT_URI})

    def secret_at(self, code: str) -> str:
        """The secret that a data centre accepts."""
        return self.secret if self.same_credentials or code == self.home else self.secret[::-1]


@dataclass(frozen=True)
class Call:
    """One request that came in. ``kind`` is ``read``, ``write``, ``probe`` or ``page``; nothing secret is kept."""

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

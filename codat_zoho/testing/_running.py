"""A simulated Codat and Zoho behind a loopback address, seeded with what most tests need, and what was sent there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.simulator import Call, CodatClient, Simulator, Switches, serve

API_KEY = "made-up-api-key-for-tests"
CLIENT_ID = "1000.MADEUPCLIENTFORTESTS0000000001"
"""Client id of the simulated Zoho client."""
CLIENT_SECRET = "7e57c11e0000000000000000000000000000c0ffee"
"""Its secret: made up, of the shape of real ones."""


@dataclass(frozen=True)
class SimulatedCodat:
    """A running simulator, seeded with one Codat client and one Zoho client.

    Args:
        simulator: all of it: switches, faults, further clients.
        base: its address, on loopback.
        client: the Codat client; set ``client.linked`` or ``client.integration.enabled`` as a person would in the
            Portal.
    """

    simulator: Simulator
    base: str
    client: CodatClient
    _api_key: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point a program here."""
        return {
            "CODAT_API_KEY": self._api_key,
            "CODAT_URL": f"{self.base}/codat",
            "ZOHO_URL": f"{self.base}/zoho",
        }

    @property
    def calls(self) -> list[Call]:
        """Every request that came in, oldest first; nothing secret is kept of it."""
        with self.simulator.lock:
            return list(self.simulator.calls)

    @property
    def writes(self) -> list[Call]:
        """The requests that changed, or tried to change, something at Codat."""
        return [call for call in self.calls if call.kind == "write"]

    @property
    def probes(self) -> list[Call]:
        """The requests to Zoho's token endpoint."""
        return [call for call in self.calls if call.kind == "probe"]

    def forget_calls(self) -> None:
        """Empty the log."""
        with self.simulator.lock:
            self.simulator.forget_calls()


@contextlib.contextmanager
def simulated(
    *,
    enabled: bool = False,
    keys: dict[str, str] | None = None,
    linked: int = 0,
    accepted_in: Iterable[str] = tuple(DATA_CENTRES),
    switches: Switches | None = None,
) -> Iterator[SimulatedCodat]:
    """Run a simulator until the block ends.

    Args:
        enabled: whether the integration is enabled already.
        keys: keys that Codat stores already: ``{"clientId": ..., "clientSecret": ...}``.
        linked: how many companies are linked.
        accepted_in: codes of the Zoho data centres that accept ``CLIENT_ID`` with ``CLIENT_SECRET``.
        switches: how Codat and Zoho behave where nobody knows.

    >>> with simulated(enabled=True) as codat:
    ...     codat.client.integration.enabled, codat.calls
    (True, [])
    """
    simulator = Simulator(switches)
    client = simulator.add_codat_client(API_KEY, enabled=enabled, keys=keys, linked=linked)
    simulator.add_zoho_client(CLIENT_ID, CLIENT_SECRET, enabled=accepted_in)
    with serve(simulator) as base:
        yield SimulatedCodat(simulator, base, client, API_KEY)


def assert_no_writes(seen: SimulatedCodat | Simulator) -> None:
    """Fail when Codat was sent a change since the log was last emptied, and name what was sent.

    Args:
        seen: the simulator that received the requests.

    Raises:
        AssertionError: something was written.

    >>> assert_no_writes(Simulator())
    """
    with (seen.simulator if isinstance(seen, SimulatedCodat) else seen).lock:
        writes = list(seen.writes)
    if writes:
        count = "1 write" if len(writes) == 1 else f"{len(writes)} writes"
        raise AssertionError(f"Codat was sent {count}, and none was expected:{listed(writes)}")


def listed(calls: Iterable[Call]) -> str:
    """The calls, one a line."""
    return "".join(f"\n  {call}" for call in calls)

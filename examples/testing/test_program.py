"""Tests of the program: its declarations with mocks, in milliseconds; the whole of it on the engine, in seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pulumi
import pytest
from infrastructure import declare

from codat_zoho import CodatZohoError
from codat_zoho.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    Mocks,
    SimulatedCodat,
    assert_converges,
    assert_no_writes,
)


@pytest.fixture
def mocks() -> Mocks:
    """Mocks that check what is declared."""
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    return mocks


@pulumi.runtime.test
def _declare(regions: list[str]) -> pulumi.Output[object]:
    books = declare(CLIENT_ID, CLIENT_SECRET, regions)
    return pulumi.Output.all(books.enabled, books.linked_companies).apply(_seen.append)


_seen: list[object] = []


def test_it_enables_the_integration(mocks: Mocks) -> None:
    """The outputs are those of a real deployment."""
    codat = mocks.codat()
    codat.integration.keys = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    codat.linked = 2
    _declare(["us", "uk"])
    assert _seen.pop() == [True, 2]
    assert mocks.codat().integration.enabled


def test_a_typing_error_is_found(mocks: Mocks) -> None:
    """What `pulumi up` would refuse fails here already, in the same words, and nothing is sent."""
    with pytest.raises(CodatZohoError, match="regions: 'gb'"):
        _declare(["us", "gb"])
    assert_no_writes(mocks.simulator)


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs pulumi on PATH")
def test_the_second_deployment_does_nothing(simulated_codat: SimulatedCodat) -> None:
    """The whole project, on the engine, twice."""
    assert_converges(
        Path(__file__).parent, simulated_codat, config={"clientId": CLIENT_ID}, secrets={"clientSecret": CLIENT_SECRET}
    )

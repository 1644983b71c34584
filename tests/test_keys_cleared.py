"""Where Codat keeps no keys while the integration is disabled, that is remembered for as long as it lasts."""

from __future__ import annotations

import pytest

from codat_zoho.core.observe import Recorded, observe
from codat_zoho.declare.settings import IntegrationSettings, load
from codat_zoho.remote.converge import apply
from codat_zoho.simulator import Simulator
from tests.support import API_KEY, ID, SECRET, codat_of, keys


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("stored", [True, False])
def test_what_turns_in_circles_ends_disabled(simulator: Simulator, enabled: bool, stored: bool) -> None:
    """Saving enables, disabling clears: wherever that starts, what is declared disabled is never left enabled."""
    client = simulator.add_codat_client(API_KEY, enabled=enabled, keys=keys() if stored else {})
    simulator.switches.disabling_keeps_keys = False
    simulator.switches.saving_keeps_enabled = False
    desired = load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET, "enabled": False})
    outcome = apply(codat_of(simulator), desired)
    assert client.integration.enabled is False
    assert outcome.keys_cleared_while_disabled == (not client.integration.keys)
    assert any("keeps no keys while" in text for text in outcome.cannot_tell) == (not client.integration.keys)


def test_another_run_does_not_forget_that_the_keys_were_cleared(simulator: Simulator) -> None:
    """A run that sends nothing, as after a change of another setting, must not turn absent keys into a drift."""
    client = simulator.add_codat_client(API_KEY)
    desired = load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET, "enabled": False})
    recorded = Recorded(ID, SECRET, Recorded.of(desired).client_secret_fingerprint, False, True)
    second = apply(codat_of(simulator), desired, recorded)
    assert not simulator.writes
    assert second.keys_cleared_while_disabled
    assert observe(recorded, second.actual).values == recorded

    client.integration.keys.update(keys())
    third = apply(codat_of(simulator), desired, recorded)
    assert not third.keys_cleared_while_disabled and not third.sent

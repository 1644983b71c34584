"""What a refresh shows is read right: drift, what cannot be told, who can act where. No engine, no network."""

from __future__ import annotations

from typing import Any

import pytest

from codat_zoho.actual import CONSISTENT
from codat_zoho.plan import How
from codat_zoho.reports.drift import Failure, Finding, Resource, State
from codat_zoho.reports.findings import CLIENT, INTEGRATION, Seen, pending, resource
from codat_zoho.settings import fingerprint
from tests.support import ID, SECRET

UP = "pulumi up --refresh --stack prod"
PRINT = fingerprint(ID, SECRET)
WRAPPED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
KEYS = {"client_id": ID, "client_secret": WRAPPED, "client_secret_fingerprint": PRINT}
DECLARED = {"enabled": True, "connection": "default", **KEYS}
TOLD = f"client_secret: whether Codat holds exactly the declared one: what it shows (ends in c9e4) {CONSISTENT}."
LIVE = {**DECLARED, "linked_companies": 3.0, "cannot_tell": [TOLD]}
REGIONS = {"client_id": ID, "client_secret": WRAPPED, "regions": ["eu", "uk", "us"]}


def integration(
    inputs: dict[str, Any] | None = None, operation: str = "same", differs: tuple[str, ...] = (), **now: Any
) -> Resource:
    """How an integration stands whose outputs changed like this."""
    declared = DECLARED if inputs is None else inputs
    outputs = {name: value for name, value in {**LIVE, **now}.items() if value is not None}
    return resource(Seen(f"urn::{INTEGRATION}::books", INTEGRATION, operation, declared, outputs, differs), up=UP)


def of(result: Resource, field: str) -> Finding:
    """The one finding about a setting."""
    (found,) = [one for one in result.findings if one.field == field]
    return found


def client(verdicts: dict[str, str], cannot_tell: tuple[str, ...] = (), **more: Any) -> Resource:
    """How a Zoho client stands of which Zoho said this."""
    inputs = more.pop("inputs", REGIONS)
    outputs = {**REGIONS, "verdicts": verdicts, "cannot_tell": list(cannot_tell), "verified_at": "2026-01-02T03:04:05Z"}
    outputs |= {"manual_steps": more.pop("steps", [])}
    return resource(Seen(f"urn::{CLIENT}::client", CLIENT, "same", inputs, outputs), up=UP, **more)


def test_nothing_differs() -> None:
    """What is as declared is said to be, with what a mask proves at most, and nothing counts as untold."""
    result = integration()
    assert result.state is State.AS_DECLARED and result.linked_companies == 3
    assert [one.field for one in result.findings] == ["enabled", "client_id", "client_secret"]
    assert CONSISTENT in of(result, "client_secret").why
    assert of(result, "client_secret").declared == f"fingerprint {PRINT}"


def test_switched_off_by_hand() -> None:
    """The report names both values, that it was read, the Portal page, the command, and the other way out."""
    found = of(integration(enabled=False), "enabled")
    assert (found.state, found.declared, found.actual, found.how) == (State.DRIFT, True, False, How.READ)
    assert "Portal, Settings > Integrations > Zoho Books" in found.where
    assert found.command == UP and "declare enabled=False" in found.todo


def test_restoring_that_cuts_off_companies_is_announced() -> None:
    """Who would run into a refusal is told before, unless nobody is linked or it is allowed."""
    off = {**DECLARED, "enabled": False}
    assert "the 3 linked companies" in of(integration(off), "enabled").todo
    assert "unknown number" in of(integration(off, linked_companies="unknown"), "enabled").todo
    assert "companies" not in of(integration(off, linked_companies=0), "enabled").todo
    assert "companies" not in of(integration({**off, "allow_disruption": True}), "enabled").todo


def test_another_client_id() -> None:
    """A mask proves it; where Codat shows ids as they are, it was read."""
    found = of(integration(client_id="XXXXXXXXEJ0U"), "client_id")
    assert (found.state, found.actual, found.how) == (State.DRIFT, "XXXXXXXXEJ0U", How.MASK)
    assert of(integration(client_id="1000.Z2QTW7RH5PYL8D3K9AMVXB4NC6EJ0U"), "client_id").how is How.READ


def test_a_rotated_secret() -> None:
    """It is named by its last four characters, the declared one by its fingerprint."""
    found = of(integration(client_secret_fingerprint="differs (ends in c0de)"), "client_secret")
    assert (found.state, found.actual, found.how) == (State.DRIFT, "ends in c0de", How.MASK)
    assert found.declared == f"fingerprint {PRINT}"


def test_keys_that_are_gone() -> None:
    """No keys at all is read, not guessed from a mask."""
    result = integration(client_id=None, client_secret_fingerprint="none stored")
    assert of(result, "client_id").actual == of(result, "client_secret").actual == "none stored"
    assert "refused" not in of(result, "client_id").todo, "the keys of the client on record may be saved again"
    alone = integration({"client_id": ID}, client_id=None, client_secret_fingerprint=None)
    assert "declare client_secret" in of(alone, "client_id").todo
    assert of(result, "client_id").how is of(result, "client_secret").how is How.READ


def test_a_gone_integration() -> None:
    """What Codat does not know any more is one finding, not one for each setting."""
    seen = Seen(f"urn::{INTEGRATION}::books", INTEGRATION, "delete", DECLARED, None)
    (found,) = resource(seen, up=UP).findings
    assert (found.field, found.state, found.actual) == ("integration", State.DRIFT, "gone")


def test_drift_that_a_plain_refresh_wrote_into_the_state() -> None:
    """The engine sees no difference then, and must not make it look clean."""
    recorded = {**DECLARED, "client_id": "XXXXXXXXEJ0U", "client_secret_fingerprint": "differs (ends in c0de)"}
    now = "differs (ends in c0de)"
    result = integration(recorded, client_id="XXXXXXXXEJ0U", client_secret_fingerprint=now)
    for field in ("client_id", "client_secret"):
        assert of(result, field).state is State.DRIFT
        assert "earlier plain 'pulumi refresh'" in of(result, field).why


def test_a_secret_that_is_back_is_as_declared() -> None:
    """Somebody undid a drift that was recorded."""
    recorded = {**DECLARED, "client_secret_fingerprint": "differs (ends in c0de)"}
    found = of(integration(recorded, "update"), "client_secret")
    assert (found.state, found.declared) == (State.AS_DECLARED, f"fingerprint {PRINT}")


def test_a_mask_that_hides_everything() -> None:
    """It is no pass: the reason is given, and no value is claimed."""
    reason = "whether Codat holds exactly the declared one: Codat hides the stored value completely."
    hidden = [f"client_id: {reason}", f"client_secret: {reason}"]
    result = integration(cannot_tell=hidden)
    for field in ("client_id", "client_secret"):
        found = of(result, field)
        assert (found.state, found.actual, found.why) == (State.CANNOT_TELL, None, reason)


def test_keys_cleared_while_disabled_concern_both() -> None:
    """A line about two settings is about each of them."""
    result = integration(cannot_tell=["client_id, client_secret: none can be compared."])
    assert of(result, "client_id").state is of(result, "client_secret").state is State.CANNOT_TELL


def test_a_secret_nobody_declared() -> None:
    """It cannot be compared, and that is said."""
    inputs = {"client_id": ID, "enabled": True}
    result = integration(inputs, cannot_tell=["client_secret: no secret is declared, so it cannot be compared."])
    assert of(result, "client_secret").state is State.CANNOT_TELL


def test_what_is_not_declared_is_no_finding() -> None:
    """Omitted never means false; what could not be told about it is a note."""
    result = integration(
        {"connection": "default"},
        cannot_tell=["linked_companies: Codat does not say how many companies are linked."],
        linked_companies="unknown",
    )
    assert not result.findings and result.state is State.AS_DECLARED
    assert result.notes == ("Codat does not say how many companies are linked.",)


def test_values_that_the_program_keeps_secret() -> None:
    """Where the engine hides a value, its list of differences tells; the value is not guessed."""
    inputs = {**DECLARED, "client_id": WRAPPED, "enabled": WRAPPED}
    assert integration(inputs, client_id=WRAPPED, enabled=WRAPPED).state is State.AS_DECLARED
    result = integration(inputs, "update", ("client_id", "enabled"), client_id=WRAPPED, enabled=WRAPPED)
    assert of(result, "client_id").state is of(result, "enabled").state is State.DRIFT
    assert of(result, "client_id").actual == "[secret]"


def test_each_data_centre_stands_for_itself() -> None:
    """Rejected is drift with the switch to turn, unclear cannot be told, accepted is as declared."""
    result = client(
        {"us": "accepted", "uk": "unknown client", "eu": "inconclusive"},
        ("regions: whether Zoho's data centre eu accepts the client: it is throttling.",),
        steps=["In Zoho's API console, open the client's Settings tab, enable uk."],
    )
    assert of(result, "regions.us").state is State.AS_DECLARED
    rejected = of(result, "regions.uk")
    assert (rejected.state, rejected.actual, rejected.how) == (State.DRIFT, "unknown client", How.PROBE)
    assert "enable uk" in rejected.todo and "API console" in rejected.where and not rejected.command
    assert of(result, "regions.eu").state is State.CANNOT_TELL and "throttling" in of(result, "regions.eu").why


@pytest.mark.parametrize(
    ("inputs", "verified", "reason"),
    [(REGIONS, False, "--no-verify"), ({"client_id": ID, "regions": ["us"]}, True, "no secret is declared")],
)
def test_who_was_not_asked_is_not_said_to_accept(inputs: dict[str, Any], verified: bool, reason: str) -> None:
    """A verdict of an earlier run is told as what it is."""
    found = of(client({"us": "accepted"}, inputs=inputs, verified=verified), "regions.us")
    assert found.state is State.CANNOT_TELL and reason in found.why
    assert "accepted when Zoho was last asked, 2026-01-02T03:04:05Z" in found.why


def test_a_data_centre_without_a_verdict() -> None:
    """No verdict is no pass."""
    assert of(client({}), "regions.us").state is State.CANNOT_TELL


def test_a_failed_read_has_no_findings() -> None:
    """Nothing is claimed about what could not be read."""
    seen = Seen(f"urn::{INTEGRATION}::books", INTEGRATION, "refresh", DECLARED, None)
    result = resource(seen, up=UP, failure=Failure("unreachable", "no answer"))
    assert result.state is State.ERROR and not result.findings


def test_undeployed_changes_are_named_without_secrets() -> None:
    """Which secret is told by its fingerprint; order of regions is no change."""
    olds = {**DECLARED, "regions": ["us", "uk"], "note": WRAPPED}
    news = {**olds, "enabled": False, "regions": ["uk", "us"], "client_secret_fingerprint": "0" * 16}
    change = pending(Seen(f"urn::{INTEGRATION}::books", INTEGRATION, "update", olds), news)
    assert change.fields == (("client_secret_fingerprint", PRINT, "0" * 16), ("enabled", True, False))

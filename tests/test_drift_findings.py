"""What is there is compared right with what was deployed: drift, what cannot be told, who can act where. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from codat_zoho.core.observe import ActualIntegration, Probe, ProbeResult
from codat_zoho.core.plan import How
from codat_zoho.declare.platform import CLIENT, INTEGRATION
from codat_zoho.declare.rules import fingerprint
from codat_zoho.drift import findings
from codat_zoho.drift.report import Finding, Resource, State
from codat_zoho.workspace.state import ENCRYPTED, Deployed
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET
from tests.test_plan import masked as masked_keys

UP = "pulumi up --refresh --stack prod"
PRINT = fingerprint(ID, SECRET)
DECLARED = {"enabled": True, "client_id": ID, "client_secret_fingerprint": PRINT, "at": "2026-01-01T00:00:00Z"}
INPUTS = {"connection": "default", "client_secret": SECRET, **{k: v for k, v in DECLARED.items() if k != "at"}}
THERE = ActualIntegration(enabled=True, keys=masked_keys(ID, SECRET), linked=3)
REGIONS = {"client_id": ID, "client_secret": SECRET, "regions": ["eu", "uk", "us"]}


def deployed(inputs: dict[str, Any] | None = None, /, **outputs: Any) -> Deployed:
    """An integration as the state has it, unless said otherwise with what was declared."""
    outputs.setdefault("declared", DECLARED)
    kept = {name: value for name, value in outputs.items() if value is not None}
    return Deployed(f"urn::{INTEGRATION}::books", INTEGRATION, "default", INPUTS if inputs is None else inputs, kept)


def integration(there: ActualIntegration = THERE, state: Deployed | None = None, **now: Any) -> Resource:
    """How an integration stands that is like this now."""
    return findings.integration(state or deployed(), replace(there, **now), UP)


def of(result: Resource, field: str) -> Finding:
    """The one finding about a setting."""
    (found,) = [one for one in result.findings if one.field == field]
    return found


def test_nothing_differs() -> None:
    """What is as declared is said to be, with what a mask proves at most, and nothing counts as untold."""
    result = integration()
    assert result.state is State.AS_DECLARED and result.linked_companies == 3
    assert [one.field for one in result.findings] == ["enabled", "client_id", "client_secret"]
    assert "is consistent with it and proves no more" in of(result, "client_secret").why
    assert of(result, "client_secret").declared == f"fingerprint {PRINT}"
    assert result.declared_at == "2026-01-01T00:00:00Z"


def test_switched_off_by_hand() -> None:
    """The report names both values, that it was read, the Portal page, the command, and the other way out."""
    found = of(integration(enabled=False), "enabled")
    assert (found.state, found.declared, found.actual, found.how) == (State.DRIFT, True, False, How.READ)
    assert "Portal, Settings > Integrations > Zoho Books" in found.where
    assert found.command == UP and "declare enabled=False" in found.todo and not found.why


def test_restoring_that_cuts_off_companies_is_announced() -> None:
    """Who would run into a refusal is told before, unless nobody is linked or it is allowed."""
    off = deployed({**INPUTS, "enabled": False}, declared={**DECLARED, "enabled": False})
    allowed = replace(off, inputs={**off.inputs, "allow_disruption": True})
    assert "the 3 linked companies" in of(integration(state=off), "enabled").todo
    assert "unknown number" in of(integration(state=off, linked=None), "enabled").todo
    assert "companies" not in of(integration(state=off, linked=0), "enabled").todo
    assert "companies" not in of(integration(state=allowed), "enabled").todo


def test_another_client_id() -> None:
    """A mask proves it; where Codat shows ids as they are, it was read."""
    found = of(integration(keys=masked_keys(OTHER_ID, SECRET)), "client_id")
    assert (found.state, found.actual, found.how) == (State.DRIFT, masked_keys(OTHER_ID)["clientId"], How.MASK)
    shown = {**masked_keys(ID, SECRET), "clientId": OTHER_ID}
    assert of(integration(keys=shown), "client_id").how is How.READ


def test_a_rotated_secret() -> None:
    """It is named by its last four characters, the declared one by its fingerprint."""
    found = of(integration(keys=masked_keys(ID, OTHER_SECRET)), "client_secret")
    assert (found.state, found.actual, found.how) == (State.DRIFT, f"ends in {OTHER_SECRET[-4:]}", How.MASK)
    assert found.declared == f"fingerprint {PRINT}"


def test_keys_that_are_gone() -> None:
    """No keys at all is read, not guessed from a mask."""
    result = integration(keys=None)
    assert of(result, "client_id").actual == of(result, "client_secret").actual == "none stored"
    assert "refused" not in of(result, "client_id").todo, "the keys of the client on record may be saved again"
    assert of(result, "client_id").how is of(result, "client_secret").how is How.READ
    alone = integration(keys=None, state=deployed({"client_id": ID}, declared={"client_id": ID, "at": "x"}))
    assert "declare client_secret" in of(alone, "client_id").todo


def test_a_gone_integration() -> None:
    """What Codat does not know any more is one finding, not one for each setting."""
    (found,) = findings.gone(deployed(), UP).findings
    assert (found.field, found.state, found.actual) == ("integration", State.DRIFT, "gone")


def test_a_mask_that_hides_everything() -> None:
    """It is no pass: the reason is given, and no value is claimed."""
    result = integration(keys={"clientId": "*" * len(ID), "clientSecret": "*" * len(SECRET)})
    for field in ("client_id", "client_secret"):
        found = of(result, field)
        assert (found.state, found.actual) == (State.CANNOT_TELL, None)
        assert found.why.endswith("Codat hides the stored value completely.")


def test_keys_cleared_while_disabled_concern_both() -> None:
    """Where disabling takes the keys away, none of them can be compared."""
    off = deployed(
        {**INPUTS, "enabled": False}, declared={**DECLARED, "enabled": False}, keys_cleared_while_disabled=True
    )
    result = integration(state=off, enabled=False, keys=None)
    assert of(result, "client_id").state is of(result, "client_secret").state is State.CANNOT_TELL


def test_a_secret_nobody_declared() -> None:
    """It cannot be compared, and that is said."""
    state = deployed({"client_id": ID, "enabled": True}, declared={"client_id": ID, "enabled": True, "at": "x"})
    found = of(integration(state=state), "client_secret")
    assert found.state is State.CANNOT_TELL and "no secret is declared" in found.why


def test_what_is_not_declared_is_no_finding() -> None:
    """Omitted never means false; what could not be told about it is a note."""
    result = integration(linked=None, state=deployed({"connection": "default"}, declared={"at": "x"}))
    assert not result.findings and result.state is State.AS_DECLARED
    assert result.notes == ("Codat does not say how many companies are linked.",)
    assert result.linked_companies == "unknown"


def test_values_that_the_program_keeps_secret() -> None:
    """They are compared, and not shown."""
    state = replace(deployed(), hidden=frozenset({"client_id", "enabled"}))
    assert integration(state=state).state is State.AS_DECLARED
    result = integration(state=state, enabled=False, keys=masked_keys(OTHER_ID, SECRET))
    for field in ("client_id", "enabled"):
        found = of(result, field)
        assert (found.state, found.declared, found.actual) == (State.DRIFT, "[secret]", "[secret]")
    gone = of(integration(state=state, keys=None), "client_id")
    assert (gone.declared, gone.actual) == ("[secret]", "none stored")
    assert not [one for one in (*result.findings, gone) if ID in repr(one) or OTHER_ID[-4:] in repr(one)]


# --- after a plain refresh --------------------------------------------------------------------------------------------


def test_drift_that_a_plain_refresh_has_taken_over() -> None:
    """The engine sees no difference any more; what was declared stands beside it, and that is what counts."""
    mask = masked_keys(OTHER_ID, OTHER_SECRET)
    inputs = {**INPUTS, "enabled": False, "client_id": mask["clientId"], "client_secret_fingerprint": "differs (x)"}
    result = integration(enabled=False, keys=mask, state=deployed(inputs))
    for field, declared in (("enabled", True), ("client_id", ID), ("client_secret", f"fingerprint {PRINT}")):
        found = of(result, field)
        assert (found.state, found.declared) == (State.DRIFT, declared)
        assert "a plain 'pulumi refresh' has taken it over" in found.why and "'pulumi up' restores" in found.why


def test_keys_whose_loss_a_plain_refresh_has_taken_over() -> None:
    """A refresh leaves no client id in the inputs then."""
    inputs = {name: value for name, value in INPUTS.items() if name != "client_id"}
    inputs["client_secret_fingerprint"] = "none stored"
    result = integration(keys=None, state=deployed(inputs))
    assert of(result, "client_id").declared == ID
    assert all("has taken it over" in of(result, field).why for field in ("client_id", "client_secret"))


def test_what_was_put_back_after_a_plain_refresh_is_as_declared() -> None:
    """What counts is what was declared and what is there, not what a refresh met in between."""
    state = deployed({**INPUTS, "enabled": False, "client_secret_fingerprint": "differs (x)"})
    assert integration(state=state).state is State.AS_DECLARED


def test_a_state_of_an_older_version() -> None:
    """It recorded no declaration; a mask in the inputs still tells that a refresh has found another id."""
    mask = masked_keys(OTHER_ID, OTHER_SECRET)
    recorded = {**INPUTS, "client_id": mask["clientId"], "client_secret_fingerprint": "differs (ends in c0de)"}
    state = deployed(recorded, declared=None)
    assert state.undeclared
    result = integration(keys=mask, state=state)
    for field in ("client_id", "client_secret"):
        assert of(result, field).state is State.DRIFT
        assert "a plain 'pulumi refresh'" in of(result, field).why
    assert integration(state=deployed(declared=None)).state is State.AS_DECLARED
    back = of(integration(state=deployed({**recorded, "client_id": ID}, declared=None)), "client_secret")
    assert (back.state, back.declared) == (State.AS_DECLARED, f"fingerprint {PRINT}")


# --- what is still encrypted ------------------------------------------------------------------------------------------


def test_secrets_that_are_still_encrypted() -> None:
    """An export without --show-secrets can prove a difference, and never that all is as declared."""
    state = deployed({**INPUTS, "client_secret": ENCRYPTED}, declared=ENCRYPTED)
    result = integration(state=state)
    assert {one.field: one.state for one in result.findings} == dict.fromkeys(
        ["enabled", "client_id", "client_secret"], State.CANNOT_TELL
    )
    assert all("export it with 'pulumi stack export --show-secrets'" in one.why for one in result.findings)
    changed = integration(state=state, enabled=False, keys=None)
    assert [one.state for one in changed.findings] == [State.DRIFT] * 3
    hidden = integration(state=deployed(dict.fromkeys(INPUTS, ENCRYPTED), declared=ENCRYPTED))
    assert [one.state for one in hidden.findings] == [State.CANNOT_TELL] * 3


# --- what cannot be checked, whatever is there ------------------------------------------------------------------------


@pytest.mark.parametrize("doing", ["creating", "updating", "deleting", "replacing"])
def test_what_the_last_deployment_did_not_finish(doing: str) -> None:
    """Nobody knows what came of it, so it is an error and never "as declared"."""
    found = findings.failure(replace(deployed(), unfinished=doing))
    assert found and found.kind == "unfinished" and doing in found.text and "Run 'pulumi up'" in found.text


def test_a_form_that_is_not_known() -> None:
    """Passing over it could pass over drift."""
    found = findings.failure(replace(deployed(), odd=("enabled",)))
    assert found and found.kind == "state" and "holds enabled in a form" in found.text
    assert findings.failure(deployed()) is None


def test_a_tainted_resource_is_checked_and_told_of() -> None:
    """It is as it was deployed; the next deployment replaces it."""
    result = integration(state=replace(deployed(), tainted=True))
    assert result.state is State.AS_DECLARED and "the next 'pulumi up' replaces it" in result.notes[0]


# --- the client -------------------------------------------------------------------------------------------------------

AT = "2026-05-05T00:00:00Z"
OUTPUTS = {"verdicts": {"eu": "accepted", "uk": "accepted", "us": "accepted"}, "verified_at": "2026-01-02T03:04:05Z"}


def client(
    verdicts: dict[str, Probe] | None, inputs: dict[str, Any] | None = None, /, *, asked: bool = True, **outputs: Any
) -> Resource:
    """How a Zoho client stands of which Zoho said this."""
    declared = {"client_id": ID, "regions": REGIONS["regions"], "at": "2026-01-01T00:00:00Z"}
    state = Deployed(
        f"urn::{CLIENT}::client",
        CLIENT,
        ID,
        REGIONS if inputs is None else inputs,
        {"declared": declared, **OUTPUTS, **outputs},
    )
    question = findings.question(state)
    found = {code: ProbeResult(probe, "it is throttling") for code, probe in (verdicts or {}).items()}
    return findings.client(state, question, found if asked else None, AT if verdicts else None)


def test_each_data_centre_stands_for_itself() -> None:
    """Rejected is drift with the switch to turn, unclear cannot be told, accepted is as declared."""
    result = client({"us": Probe.ACCEPTED, "uk": Probe.UNKNOWN_CLIENT, "eu": Probe.INCONCLUSIVE})
    assert of(result, "regions.us").state is State.AS_DECLARED and result.verified_at == AT
    rejected = of(result, "regions.uk")
    assert (rejected.state, rejected.actual, rejected.how) == (State.DRIFT, "unknown client", How.PROBE)
    assert "enable uk" in rejected.todo and "API console" in rejected.where and not rejected.command
    assert of(result, "regions.eu").state is State.CANNOT_TELL and "throttling" in of(result, "regions.eu").why
    assert rejected.todo.endswith("Then check again; 'pulumi up' alone does not change it.")


def test_a_wrong_secret_can_be_declared_anew() -> None:
    """Where no data centre takes the secret, it may be the declared one that is wrong: that is what Pulumi changes."""
    result = client(dict.fromkeys(("us", "uk", "eu"), Probe.WRONG_SECRET))
    assert "declare it, and run 'pulumi up'" in of(result, "regions.uk").todo


def test_a_data_centre_that_a_plain_refresh_has_taken_out() -> None:
    """With CODAT_ZOHO_VERIFY=always a refresh takes what Zoho rejects out of the state; it was declared all the same."""
    result = client(
        {"us": Probe.ACCEPTED, "uk": Probe.UNKNOWN_CLIENT, "eu": Probe.ACCEPTED}, {**REGIONS, "regions": ["eu", "us"]}
    )
    found = of(result, "regions.uk")
    assert found.state is State.DRIFT and "a plain 'pulumi refresh'" in found.why


@pytest.mark.parametrize(
    ("inputs", "asked", "reason"),
    [
        (REGIONS, False, "--no-verify"),
        ({"client_id": ID, "regions": ["us"]}, True, "no secret is declared"),
        ({**REGIONS, "client_secret": ENCRYPTED}, True, "export it with 'pulumi stack export --show-secrets'"),
    ],
)
def test_who_was_not_asked_is_not_said_to_accept(inputs: dict[str, Any], asked: bool, reason: str) -> None:
    """A verdict of an earlier run is told as what it is."""
    result = client(None, inputs, asked=asked)
    found = of(result, "regions.us")
    assert found.state is State.CANNOT_TELL and reason in found.why
    assert "accepted when Zoho was last asked, 2026-01-02T03:04:05Z" in found.why
    assert result.verified_at == "2026-01-02T03:04:05Z"


def test_a_data_centre_without_a_verdict() -> None:
    """No verdict is no pass."""
    found = of(client(None, asked=False, verdicts={}, verified_at=None), "regions.us")
    assert found.state is State.CANNOT_TELL and "last asked" not in found.why


def test_a_client_that_is_only_looked_up() -> None:
    """Nothing of it is declared."""
    state = Deployed(f"urn::{CLIENT}::client", CLIENT, ID)
    assert findings.question(state) is None
    assert not findings.client(state, None, {}).findings


def test_a_client_that_waits_to_be_deleted() -> None:
    """Another took its place, and deleting one does nothing: it is told of, and no error."""
    state = Deployed(f"urn::{CLIENT}::client", CLIENT, ID, REGIONS, unfinished="deleting")
    assert findings.failure(state) is None and findings.question(state) is None
    result = findings.client(state, None, {})
    assert not result.findings and "waits to be deleted" in result.notes[0]

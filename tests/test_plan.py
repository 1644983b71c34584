"""What the plan says of one situation after the other: changes, steps in their order, blockers, what cannot be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from codat_zoho.core.observe import ActualIntegration, Recorded, observe
from codat_zoho.core.plan import Change, How, Plan, Removal, Step, StepKind, plan
from codat_zoho.declare.rules import fingerprint
from codat_zoho.declare.settings import IntegrationSettings, Spelling, load
from codat_zoho.errors import PlanBlocked
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET, keys
from tests.test_masks import last4

SAVE = Step(StepKind.SAVE_KEYS)
ENABLE = Step(StepKind.SET_ENABLED, enabled=True)
DISABLE = Step(StepKind.SET_ENABLED, enabled=False)
DELETE = Step(StepKind.DELETE_KEYS)
FINGERPRINT = fingerprint(ID, SECRET)
OPAQUE = {"clientId": "********", "clientSecret": "********"}


def desired(client_id: str | None = ID, client_secret: str | None = SECRET, **more: Any) -> IntegrationSettings:
    return load(IntegrationSettings, {"client_id": client_id, "client_secret": client_secret, **more})


def masked(client_id: str = ID, client_secret: str = SECRET) -> dict[str, str]:
    return {name: last4(value) for name, value in keys(client_id, client_secret).items()}


def actual(enabled: bool = True, stored: dict[str, str] | None = None, linked: int | None = 0) -> ActualIntegration:
    return ActualIntegration(enabled, masked() if stored is None else stored or None, linked)


GOOD = Recorded.of(desired(enabled=True))


def test_keys_are_saved_before_customers_can_link() -> None:
    """A new integration gets its keys first and is enabled then; the texts name both steps."""
    todo = plan(desired(enabled=True), actual(enabled=False, stored={}))
    assert todo.changes == (
        Change("client_id", None, ID, How.READ),
        Change("client_secret", "none stored", f"fingerprint {FINGERPRINT}", How.READ),
        Change("enabled", False, True, How.READ),
    )
    assert todo.steps == (SAVE, ENABLE)
    assert [str(step) for step in todo.steps] == ["save keys", "enable the integration"]
    assert not todo.disruptive and not todo.blockers and not todo.empty


def test_disabling_comes_before_anything_else() -> None:
    """Nobody links with keys that are just being replaced in an integration that is to be disabled anyway."""
    todo = plan(desired(OTHER_ID, enabled=False), actual())
    assert todo.steps == (DISABLE, SAVE)
    assert str(DISABLE) == "disable the integration"
    assert todo.disruptive


def test_what_is_not_declared_is_left_alone() -> None:
    """Omitted never means false, and no declared id leaves the stored keys alone."""
    assert plan(desired(None, None), actual(stored=masked(OTHER_ID))) == Plan()
    assert plan(desired(None, None), actual(enabled=False, stored={})) == Plan()


def test_enabled_without_keys_is_pointed_out() -> None:
    """Enabled with nothing stored is as declared, but useless: it is said, unless keys are about to be saved."""
    warning = "enabled: no keys are stored in Codat, so customers cannot link until somebody saves them."
    assert plan(desired(None, None, enabled=True), actual(stored={})).warnings == (warning,)
    assert plan(desired(enabled=True), actual(stored={})).warnings == ()


def test_a_consistent_mask_is_taken_for_what_is_declared_and_said_to_be_no_proof() -> None:
    """The last four characters agree: nothing is sent, and the reader is told how much that means."""
    todo = plan(desired(enabled=True), actual())
    assert todo.empty
    assert todo.cannot_tell == (
        "client_secret: whether Codat holds exactly the declared one: what it shows (ends in c9e4) is consistent with "
        "it and proves no more.",
    )


def test_a_secret_that_differs_is_saved_again() -> None:
    """Another end of the mask is drift; it is shown by its last four characters, the declared one as fingerprint."""
    todo = plan(desired(), actual(stored=masked(ID, OTHER_SECRET)), GOOD)
    assert todo.changes == (Change("client_secret", "ends in d73b", f"fingerprint {FINGERPRINT}", How.MASK),)
    assert todo.steps == (SAVE,)
    assert todo.warnings == (
        "client_secret: somebody else changed it since the last run; the stored one ends in d73b.",
    )


def test_an_id_that_differs_is_shown_as_its_mask() -> None:
    """The stored id may be shown as Codat shows it: it is no secret."""
    todo = plan(desired(), actual(stored=masked(OTHER_ID)), GOOD)
    assert todo.changes == (Change("client_id", last4(OTHER_ID), ID, How.MASK, disruptive=True),)
    assert todo.warnings == (
        f"client_id: somebody else changed it since the last run; Codat now shows {last4(OTHER_ID)}.",
    )


def test_a_declared_change_is_no_drift() -> None:
    """When Codat still shows what the last run recorded, nobody else has changed anything: no such warning."""
    todo = plan(desired(OTHER_ID, OTHER_SECRET), actual(), GOOD)
    assert [change.field for change in todo.changes] == ["client_id", "client_secret"]
    assert todo.warnings == ()


def test_a_rotation_to_a_secret_with_the_same_end_is_sent() -> None:
    """The mask cannot tell the two apart, but what is recorded can."""
    twin = OTHER_SECRET[:-4] + SECRET[-4:]
    todo = plan(desired(ID, twin), actual(), GOOD)
    assert todo.changes == (
        Change("client_secret", f"fingerprint {FINGERPRINT}", f"fingerprint {fingerprint(ID, twin)}", How.DECLARED),
    )
    assert todo.steps == (SAVE,)


def test_a_rotation_that_somebody_already_made_is_not_sent_again() -> None:
    """Codat shows the new end and no longer the recorded one: it is there."""
    assert plan(desired(ID, OTHER_SECRET), actual(stored=masked(ID, OTHER_SECRET)), GOOD).empty


def test_a_change_of_the_id_behind_an_opaque_mask_is_sent() -> None:
    """Nothing is visible, but the declaration has changed since the last run; the recorded id is what was before."""
    todo = plan(desired(OTHER_ID), actual(stored=OPAQUE), GOOD)
    assert todo.changes == (Change("client_id", ID, OTHER_ID, How.DECLARED, disruptive=True),)
    assert todo.steps == (SAVE,)


def test_opaque_masks_on_a_first_run() -> None:
    """Nothing is known to differ, so the step is marked as not certain; after a run the same masks let it rest."""
    todo = plan(desired(), actual(stored=OPAQUE))
    assert todo.changes == (
        Change("client_id", "hidden", ID, How.DECLARED, disruptive=True),
        Change("client_secret", "hidden", f"fingerprint {FINGERPRINT}", How.DECLARED),
    )
    assert todo.steps == (Step(StepKind.SAVE_KEYS, certain=False),)
    assert todo.cannot_tell == (
        "client_id: whether Codat holds the declared one: Codat hides the stored value completely.",
        "client_secret: whether Codat holds exactly the declared one: Codat hides the stored value completely.",
    )
    assert plan(desired(), actual(stored=OPAQUE), GOOD).empty
    assert plan(desired(ID, None), actual(stored=OPAQUE)).empty


def test_a_recorded_mask_vouches_for_nothing() -> None:
    """A refresh found another id and recorded its mask. An id declared now that fits it is saved anyway."""
    found = replace(GOOD, client_id="****NC6EJ0U")
    todo = plan(desired(OTHER_ID), actual(stored={**masked(), "clientId": "****NC6EJ0U"}), found)
    assert [(change.field, change.before) for change in todo.changes] == [("client_id", "****NC6EJ0U")]
    assert todo.steps == (Step(StepKind.SAVE_KEYS, certain=False),)


def test_without_a_declared_secret_the_stored_one_is_left_alone() -> None:
    """Adopting a client whose secret nobody has at hand: said, and not compared."""
    todo = plan(desired(ID, None), actual())
    assert todo.empty
    assert todo.cannot_tell == (
        "client_secret: no secret is declared, so the one stored in Codat is left alone and cannot be compared.",
    )


def test_what_needs_a_secret_that_is_not_declared_is_refused() -> None:
    """Codat takes id and secret together, so another id without a secret cannot be stored, with or without keys."""
    todo = plan(desired(OTHER_ID, None), actual())
    assert [change.field for change in todo.changes] == ["client_id"]
    assert todo.steps == ()
    assert todo.blockers[0].startswith("client_id: the client id in Codat differs from the declared one")
    todo = plan(desired(ID, None), actual(stored={}))
    assert not todo.empty and not todo.steps
    assert todo.blockers[0].startswith("client_secret: Codat holds no keys for Zoho Books, and no secret is declared")


def test_other_stored_keys_are_mentioned_when_keys_are_saved() -> None:
    """Whether saving replaces the whole bag is not documented, so a reader is warned of what might go."""
    bag = {**masked(ID, OTHER_SECRET), "environment": "live", "another": "x"}
    (warning,) = plan(desired(), actual(stored=bag)).warnings
    assert warning.startswith("Codat also stores another, environment with these keys")
    assert plan(desired(), actual(stored={**masked(), "environment": "live"})).empty


def test_somebody_else_switched_it() -> None:
    """Live is neither what was recorded nor what is declared: somebody else changed it, and that is said."""
    off, on = actual(enabled=False), actual()
    disabled = replace(GOOD, enabled=False)
    assert plan(desired(enabled=True), off, GOOD).warnings == (
        "enabled: somebody else disabled the integration since the last run.",
    )
    assert plan(desired(enabled=False), on, disabled).warnings == (
        "enabled: somebody else enabled the integration since the last run.",
    )
    assert plan(desired(enabled=True), off, disabled).warnings == ()
    assert plan(desired(enabled=True), off).warnings == ()


@pytest.mark.parametrize(
    ("linked", "who"),
    [
        (1, "1 linked company"),
        (3, "3 linked companies"),
        (None, "companies that may be linked (Codat does not say how many are)"),
    ],
)
def test_the_blocker_says_what_whom_and_what_to_do(linked: int | None, who: str) -> None:
    """One sentence for the person who reads the failed deployment; an unknown count blocks too."""
    todo = plan(desired(OTHER_ID, enabled=False), actual(linked=linked), GOOD)
    assert todo.blockers == (
        f"Changing the client id (their tokens are bound to it) and disabling the integration would cut off {who}, "
        "and nothing was changed. If that is meant, set allow_disruption=True and run pulumi up again.",
    )
    (first,) = plan(desired(OTHER_ID, enabled=False), actual(linked=linked)).blockers
    advice = ["Is the API key that of the Codat client that is meant?", "aliases=", "Only if cutting them off is meant"]
    assert [one in first for one in advice] == [True] * 3 and sorted(advice, key=first.index) == advice
    with pytest.raises(PlanBlocked, match="would cut off"):
        todo.raise_if_blocked()
    allowed = plan(desired(OTHER_ID, enabled=False, allow_disruption=True), actual(linked=linked), GOOD)
    allowed.raise_if_blocked()
    assert allowed.risk.endswith(f"disabling the integration can cut off {who}; allow_disruption lets it through.")


def test_keys_that_codat_cleared_while_disabled() -> None:
    """Where disabling clears the keys, their absence is as declared, until something is declared anew."""
    recorded = replace(Recorded.of(desired(enabled=False)), keys_cleared_while_disabled=True)
    off = actual(enabled=False, stored={})
    todo = plan(desired(enabled=False), off, recorded)
    assert todo.empty and todo.cannot_tell[0].startswith("client_id, client_secret: Codat keeps no keys while")
    assert observe(recorded, off).values == recorded
    assert observe(recorded, off).cannot_tell == todo.cannot_tell
    assert plan(desired(enabled=True), off, recorded).steps == (SAVE, ENABLE)
    assert plan(desired(ID, OTHER_SECRET, enabled=False), off, recorded).steps == (SAVE,)
    assert plan(desired(OTHER_ID, enabled=False), off, recorded).steps == (SAVE,)
    assert plan(desired(enabled=False), off).steps == (SAVE,)


def test_removal_disables_first_and_then_deletes() -> None:
    """Nobody can link through an integration whose keys are gone; what is gone already is not sent again."""
    assert plan(Removal(), actual()).steps == (DISABLE, DELETE)
    assert str(DELETE) == "delete keys"
    assert plan(Removal("disable"), actual()).steps == (DISABLE,)
    assert plan(Removal(), actual(enabled=False)).steps == (DELETE,)
    assert plan(Removal(), actual(enabled=False, stored={})).empty
    kept = plan(Removal("keep"), actual(linked=5))
    assert kept.empty and "stay in Codat as they are" in kept.manual_steps[0]


def test_a_refused_removal_says_how_to_let_go() -> None:
    """Destroying must not be a dead end: the text names each way out, and the one that does harm last."""
    (blocker,) = plan(Removal(), actual(linked=2)).blockers
    assert blocker == (
        "Disabling the integration and deleting the keys would cut off 2 linked companies, and nothing was changed. If "
        "the resource was renamed or moved, declare it with an alias of its old name "
        "(ResourceOptions(aliases=[...])). To manage it no longer and leave Codat as it is, run 'pulumi state delete' "
        "on it; or set on_delete='keep', run pulumi up, then remove it. Only if cutting them off is meant, set "
        "allow_disruption=True, run pulumi up, then remove it."
    )


def test_settings_are_spelled_as_the_program_at_hand_spells_them() -> None:
    """The ready-to-use project has stack configuration and no arguments."""
    (blocker,) = plan(Removal(), actual(linked=2), spelling=Spelling.CONFIGURATION).blockers
    assert "set codat-zoho:onDelete to keep (pulumi config set codat-zoho:onDelete keep), run pulumi up" in blocker
    assert "set codat-zoho:allowDisruption to true (pulumi config set codat-zoho:allowDisruption true)" in blocker
    assert "allow_disruption" not in blocker and "on_delete" not in blocker
    (blocker,) = plan(Removal(), actual(linked=2), spelling=Spelling.PROPERTY).blockers
    assert "alias of its old name (option aliases)" in blocker and "set onDelete: keep, run pulumi up" in blocker
    assert "set allowDisruption: true, run pulumi up" in blocker and "_" not in blocker
    risk = plan(Removal(allow_disruption=True), actual(linked=2), spelling=Spelling.PROPERTY).risk
    assert risk.endswith("allowDisruption lets it through.")


def test_a_text_is_spelled_as_the_program_at_hand_spells_settings() -> None:
    """Names of settings and outputs as whole words, with their values; whatever else has an underscore stays."""
    text = "client_id, linked_companies: set allow_disruption=True, on_delete='keep'; my_client_id, codat_zoho."
    assert Spelling.ARGUMENT.text(text) == Spelling.CONFIGURATION.text(text) == text
    assert Spelling.PROPERTY.text(text) == (
        "clientId, linkedCompanies: set allowDisruption: true, onDelete: keep; my_client_id, codat_zoho."
    )


@pytest.mark.parametrize("linked", [0, 3, None])
def test_a_secret_that_no_deployment_has_stored(linked: int | None) -> None:
    """On a first run it may be another Codat client's: while companies are linked it is not replaced without a word."""
    first = plan(desired(), actual(stored=masked(ID, OTHER_SECRET), linked=linked))
    assert bool(first.blockers) == (linked != 0)
    assert all("replacing a client secret that no deployment" in text.lower() for text in first.blockers)
    assert not plan(desired(), actual(stored=masked(ID, OTHER_SECRET), linked=linked), GOOD).blockers
    without_keys = plan(desired(), actual(stored=masked(ID, OTHER_SECRET), linked=linked), Recorded(enabled=True))
    assert bool(without_keys.blockers) == (linked != 0)


def test_what_cannot_be_read_cannot_be_told() -> None:
    """Where Codat does not offer reading the stored keys, nothing is known to differ, and what is sent is not certain."""
    unread = ActualIntegration(enabled=True, keys={}, linked=0, keys_untold="this is not offered")
    first = plan(desired(), unread)
    assert first.steps == (Step(StepKind.SAVE_KEYS, certain=False),)
    assert all("this is not offered" in line for line in first.cannot_tell) and len(first.cannot_tell) == 2
    later = plan(desired(), unread, GOOD)
    assert later.empty and later.cannot_tell == first.cannot_tell
    assert plan(Removal(), unread).steps[-1] == Step(StepKind.DELETE_KEYS, certain=False)
    assert observe(GOOD, unread).values == GOOD

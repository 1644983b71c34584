"""What a refresh finds, value by value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from codat_zoho.core.observe import ActualIntegration, Recorded, observe
from codat_zoho.declare.rules import fingerprint
from tests.support import ID, OTHER_ID, OTHER_SECRET, SECRET
from tests.test_masks import last4
from tests.test_plan import GOOD, OPAQUE, actual, desired, masked


def test_nothing_drifted() -> None:
    """Consistent masks leave what is recorded as it is, and say how little that proves."""
    found = observe(GOOD, actual())
    assert found.values == GOOD
    assert len(found.cannot_tell) == 1 and found.cannot_tell[0].startswith("client_secret: ")


def test_what_is_not_managed_is_not_observed() -> None:
    """What was never declared stays out of the recorded values, whatever Codat has."""
    assert observe(Recorded(), actual(stored=masked(OTHER_ID))).values == Recorded()
    assert observe(Recorded(enabled=True), actual(enabled=False)).values == Recorded(enabled=False)


def test_an_id_that_differs_comes_back_as_its_mask() -> None:
    """It is the most that can be told of it."""
    assert observe(GOOD, actual(stored=masked(OTHER_ID))).values == replace(GOOD, client_id=last4(OTHER_ID))


def test_a_secret_that_differs_keeps_its_value_and_loses_its_fingerprint() -> None:
    """The mask is no value to record; the fingerprint is where the difference shows."""
    found = observe(GOOD, actual(stored=masked(ID, OTHER_SECRET)))
    assert found.values == replace(GOOD, client_secret_fingerprint="differs (ends in d73b)")
    assert found.values.client_secret == SECRET


def test_a_secret_that_was_put_back_gets_its_fingerprint_back() -> None:
    """Drift that somebody repaired by hand is over with the next refresh; behind an opaque mask nobody can say so."""
    differs = replace(GOOD, client_secret_fingerprint="differs (ends in d73b)")
    assert observe(differs, actual()).values == GOOD
    assert observe(differs, actual(stored=OPAQUE)).values == differs
    assert fingerprint(ID, SECRET) == GOOD.client_secret_fingerprint


def test_keys_that_are_gone() -> None:
    """No stored keys is a drift of the id, and of the secret where one is managed."""
    assert observe(GOOD, actual(stored={})).values == replace(
        GOOD, client_id=None, client_secret_fingerprint="none stored"
    )
    id_only = Recorded.of(desired(ID, None))
    assert observe(id_only, actual(stored={})).values == replace(id_only, client_id=None)


def test_an_id_without_a_secret() -> None:
    """Only the id is managed: the stored secret is not compared, and that is said."""
    recorded = Recorded.of(desired(ID, None))
    found = observe(recorded, actual(stored=masked(ID, OTHER_SECRET)))
    assert found.values == recorded
    assert found.cannot_tell == (
        "client_secret: no secret is declared, so the one stored in Codat is left alone and cannot be compared.",
    )


def test_an_opaque_mask_tells_nothing_and_says_so() -> None:
    """No drift is made up, and both values are named as not comparable."""
    found = observe(GOOD, actual(stored=OPAQUE))
    assert found.values == GOOD
    assert [text.partition(":")[0] for text in found.cannot_tell] == ["client_id", "client_secret"]


@pytest.mark.parametrize(
    ("stored", "clause"),
    [
        ("XXXXc0de", "ends in c0de"),
        ("********", "is not shown"),
        ("3f1a9c04e7b25d68013f9a7c4e2b8d5601f37ac9e4", "is not shown"),
        (None, "is missing"),
    ],
)
def test_a_stored_secret_in_a_sentence(stored: str | None, clause: str) -> None:
    """Whatever Codat shows of it, an unmasked value too: a clause that reads as English and tells four characters."""
    shown = ActualIntegration(enabled=True, keys={"clientSecret": stored} if stored else {"clientId": "X"})
    assert shown.secret_clause == clause

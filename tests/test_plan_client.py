"""The plan of the client in Zoho's console: what each verdict means, and which switch to turn where."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.core.observe import Probe, ProbeResult
from codat_zoho.core.plan import Change, How, Plan
from codat_zoho.core.zoho_client import by_hand, plan_client, regions_to_ask
from codat_zoho.declare.datacentres import DATA_CENTRES
from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.declare.settings import ZohoClientSettings, load
from codat_zoho.errors import PlanBlocked
from tests.support import ID, SECRET

verdicts_of_all = st.fixed_dictionaries(
    {code: st.sampled_from(Probe).map(lambda probe: ProbeResult(probe, "it was busy")) for code in DATA_CENTRES}
)


def planned(verdicts: Mapping[str, Probe], *regions: str) -> Plan:
    settings = load(ZohoClientSettings, {"client_id": ID, "client_secret": SECRET, "regions": [*(regions or verdicts)]})
    return plan_client(settings.regions, {code: ProbeResult(probe, "it was busy") for code, probe in verdicts.items()})


def test_accepted_everywhere() -> None:
    """Nothing to do and nothing to say."""
    assert planned({"us": Probe.ACCEPTED, "uk": Probe.ACCEPTED}) == Plan()


def test_what_was_not_told_is_no_change() -> None:
    """Inconclusive is not a no: said, with the reason, and never a difference; a data centre not asked likewise."""
    todo = planned({"us": Probe.INCONCLUSIVE}, "us", "uk")
    assert todo.empty
    assert todo.cannot_tell == (
        "regions: whether Zoho's data centre uk accepts the client: it was not asked.",
        "regions: whether Zoho's data centre us accepts the client: it was busy.",
    )


def test_the_switch_is_off() -> None:
    """The id is known everywhere and the secret at home only: the console's switch is the remedy."""
    todo = planned({"us": Probe.ACCEPTED, "uk": Probe.WRONG_SECRET, "eu": Probe.WRONG_SECRET})
    assert todo.changes == (
        Change("regions.eu", "wrong secret", "accepted", How.PROBE),
        Change("regions.uk", "wrong secret", "accepted", How.PROBE),
    )
    assert todo.blockers == (
        "regions: refused by eu (accounts.zoho.eu), uk (accounts.zoho.uk): the client id is known there, but has another "
        "secret, while us accepts both.",
    )
    assert todo.manual_steps == (
        "In Zoho's API console, open the client's Settings tab and turn on 'Use the same OAuth credentials for all "
        "data centers'.",
    )
    with pytest.raises(PlanBlocked):
        todo.raise_if_blocked()


def test_the_secret_is_wrong_everywhere() -> None:
    """No data centre takes the secret: it is the secret, and the console of the one data centre is named."""
    todo = planned({"uk": Probe.WRONG_SECRET})
    assert (
        "refused by uk (accounts.zoho.uk): the client id is known there, but the secret is wrong." in todo.blockers[0]
    )
    assert todo.manual_steps == (
        "Copy the client secret again from the client's page in Zoho's API console (https://api-console.zoho.uk/), declare it, "
        "and run 'pulumi up'.",
    )


def test_not_enabled_there() -> None:
    """Accepted at home and unknown elsewhere means either of two things, and both are said."""
    todo = planned({"eu": Probe.ACCEPTED, "us": Probe.ACCEPTED, "uk": Probe.UNKNOWN_CLIENT})
    assert "while eu, us accept both: not enabled there for this client, or another secret there." in todo.blockers[0]
    assert "enable uk and turn on 'Use the same OAuth credentials" in todo.manual_steps[0]


def test_unknown_everywhere() -> None:
    """Zoho also says so of a wrong secret, so all three possible reasons are given."""
    todo = planned({"us": Probe.UNKNOWN_CLIENT, "uk": Probe.UNKNOWN_CLIENT})
    assert todo.blockers[0].startswith("regions: refused by uk (accounts.zoho.uk), us (accounts.zoho.com): ")
    assert "the client id is unknown there, not enabled there, or the secret is wrong." in todo.blockers[0]
    assert todo.manual_steps == (
        "In Zoho's API console of the account's home data centre, compare client id and secret with what is declared, and "
        "enable uk, us in the client's Settings tab.",
    )


def test_different_refusals_are_told_apart() -> None:
    """Each kind of refusal has its own remedy."""
    todo = planned({"us": Probe.ACCEPTED, "uk": Probe.WRONG_SECRET, "eu": Probe.UNKNOWN_CLIENT})
    assert len(todo.blockers) == len(todo.manual_steps) == 2


@given(verdicts_of_all, st.lists(st.sampled_from(sorted(DATA_CENTRES)), min_size=1), st.randoms())
def test_order_and_repetition_never_matter(
    verdicts: dict[str, ProbeResult], regions: list[str], chance: object
) -> None:
    """The plan is the same however regions are listed and in whatever order Zoho was asked."""
    shuffled = regions * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (
        load(ZohoClientSettings, {"client_id": ID, "client_secret": SECRET, "regions": codes})
        for codes in (regions, shuffled)
    )
    todo = plan_client(one.regions, verdicts)
    assert todo == plan_client(other.regions, dict(reversed(verdicts.items())))
    rejected = {code for code in regions if verdicts[code].probe.rejected}
    assert {change.field.removeprefix("regions.") for change in todo.changes} == rejected
    assert bool(todo.blockers) == bool(todo.manual_steps) == bool(rejected)
    told = rejected | {code for code in regions if verdicts[code].probe is Probe.ACCEPTED}
    assert len(todo.cannot_tell) == len(set(regions) - told)
    assert todo.steps == ()
    assert SECRET not in repr(todo)


def declared(*regions: str, secret: str | None = SECRET) -> ZohoClientSettings:
    return load(ZohoClientSettings, {"client_id": ID, "client_secret": secret, "regions": [*regions]})


def test_which_data_centres_are_asked() -> None:
    """Each request counts at Zoho, so only what a change makes doubtful is asked, and only with a secret."""
    three = declared("eu", "uk", "us")
    assert regions_to_ask(three, "off", ["client_id"]) == ()
    assert regions_to_ask(declared("us", secret=None), "always", ["client_id"]) == ()
    assert regions_to_ask(three, "always", [], ["eu", "uk", "us"]) == ("eu", "uk", "us")
    for doubtful in ("client_id", "client_secret_fingerprint"):
        assert regions_to_ask(three, "on-change", [doubtful], ["us"]) == ("eu", "uk", "us")
    assert regions_to_ask(three, "on-change", ["regions"], ["us"]) == ("eu", "uk")
    assert regions_to_ask(three, "on-change", ["verify"], ["us"]) == ()


def test_what_only_a_person_can_see_to() -> None:
    """The redirect URI and a link always; the switch and the enabled data centres where there is more than one."""
    redirect, prove = by_hand(["us"])
    assert redirect.endswith(f"{REDIRECT_URI} is among the authorized redirect URIs.")
    assert by_hand(["uk", "us"]) == (
        redirect,
        "Zoho's API console, Settings tab: 'Use the same OAuth credentials for all data centers' is on, and these are "
        "enabled: uk, us.",
        prove,
    )
    assert "`codat-zoho test-link --stack NAME --record`" in prove and "docs/guides/before-you-send-links.md" in prove

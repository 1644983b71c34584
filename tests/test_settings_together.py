"""Rules between fields, all problems at once, fields that a preview does not know yet, warnings, and region codes."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.declare.datacentres import DATA_CENTRES, SUPPORTED, problem_with
from codat_zoho.declare.describe import described
from codat_zoho.declare.rules import warnings_about
from codat_zoho.declare.settings import KEYS, SETTINGS, IntegrationSettings, ZohoClientSettings, load
from codat_zoho.resources import ZohoBooksIntegration, ZohoClientCredentials
from tests.support import ID, SECRET
from tests.test_settings import CLIENT, problems_of

ROOT = Path(__file__).resolve().parent.parent


def test_all_problems_come_at_once() -> None:
    """Nobody should have to run a deployment five times to find five mistakes, rules between fields included."""
    problems = problems_of(
        {
            "client_id": "same value",
            "client_secret": "same value",
            "regions": ["us", "gb", "cn"],
            "same_credentials_everywhere": False,
            "verify": "sometimes",
            "client_idd": ID,
        }
    )
    fields = [problem.partition(":")[0] for problem in problems]
    assert fields == [
        "client_id",
        "client_secret",
        "regions",
        "verify",
        "client_idd",
        "client_secret",
        "same_credentials_everywhere",
    ]
    assert "client_idd: is not a setting of this resource" in problems
    assert "client_secret: is the same as client_id" in problems
    assert "verify: Input should be 'on-change', 'always' or 'off'" in problems


def test_what_is_missing() -> None:
    """A client without id or regions is none."""
    assert problems_of({}) == ("client_id: is missing", "regions: is missing")
    assert problems_of({"client_id": None, "regions": None}) == ("client_id: is missing", "regions: is missing")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("same_credentials_everywhere", "yes", "must be true or false"),
        ("same_credentials_everywhere", 1, "must be true or false"),
        ("client_id", 1000.5, "must be a text"),
        ("regions", "us", 'must be a list of data-centre codes, for example ["us", "uk"]'),
        ("regions", [7], "must be a text"),
        ("regions", [], "is empty: name at least one Zoho data centre, for example 'us'"),
    ],
)
def test_types_are_strict(field: str, value: Any, reason: str) -> None:
    """Nothing is guessed from a value of the wrong type, and the text says what to write instead."""
    assert problems_of({**CLIENT, field: value}) == (f"{field}: {reason}",)


def test_a_secret_of_the_wrong_type_is_not_repeated() -> None:
    """Also a value that is no text may be a secret."""
    (problem,) = problems_of({**CLIENT, "client_secret": 998877665544})
    assert problem.startswith("client_secret: ")
    assert "998877665544" not in problem


def test_codat_stores_id_and_secret_together() -> None:
    """A secret alone cannot be stored; an id whose value is not known yet is an id."""
    (problem,) = problems_of({"client_secret": SECRET}, IntegrationSettings)
    assert problem == "client_secret: is set without client_id: Codat stores the two together"
    load(IntegrationSettings, {"client_secret": SECRET}, unknown=["client_id"])
    load(IntegrationSettings, {"client_id": ID})


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_several_data_centres_need_the_switch(kind: type) -> None:
    """Codat stores one secret, so several data centres work only where they share it."""
    (problem,) = problems_of({**CLIENT, "regions": kind(["us", "uk"]), "same_credentials_everywhere": False})
    assert problem.startswith("same_credentials_everywhere: is false, but several regions are listed")
    assert "turn the switch on" in problem
    load(ZohoClientSettings, {**CLIENT, "regions": kind(["us"]), "same_credentials_everywhere": False})
    load(ZohoClientSettings, {**CLIENT, "regions": ["us", "us"], "same_credentials_everywhere": False})


def test_unknown_fields_are_not_checked_and_not_missing() -> None:
    """In a preview a value may not exist yet; what is known is checked all the same."""
    load(ZohoClientSettings, {}, unknown=["client_id", "regions", "client_secret"])
    assert problems_of({"client_secret": "two words", "regions": ["gb"]}, unknown=["client_id"]) == (
        "client_secret: contains white space (U+0020 SPACE) at position 4: copy it again, from Zoho's console",
        "regions: 'gb' is not a Zoho data centre, did you mean 'uk' (https://accounts.zoho.uk)? "
        "(the codes are ae, au, ca, eu, in, jp, sa, sg, uk, us)",
    )
    load(ZohoClientSettings, {"client_secret": SECRET, "regions": ["us"]}, unknown=["client_id"])
    load(
        ZohoClientSettings,
        {"client_id": ID, "same_credentials_everywhere": False},
        unknown=["regions"],
    )


@pytest.mark.parametrize("connection", ["default", "a", "test-2", "x" * 40])
def test_connection_names(connection: str) -> None:
    """They become part of an environment variable's name."""
    assert load(IntegrationSettings, {"connection": connection}).connection == connection


@pytest.mark.parametrize("connection", ["", "Test", "2nd", "a_b", "a b", "x" * 41, "default\n", "-"])
def test_bad_connection_names(connection: str) -> None:
    """An API key pasted as the name would be one: the text does not repeat it."""
    (problem,) = problems_of({"connection": connection}, IntegrationSettings)
    assert problem.startswith("connection: must be lower-case letters, digits and '-', starting with a letter")


@pytest.mark.parametrize(
    ("resource", "model"),
    [(ZohoClientCredentials, ZohoClientSettings), (ZohoBooksIntegration, IntegrationSettings)],
)
def test_a_resource_takes_what_may_be_declared(resource: type, model: type) -> None:
    """Arguments are written by hand, for the sake of their types and texts; they are those that are described."""
    arguments = [*inspect.signature(resource).parameters]
    assert [name for name in arguments if name not in ("resource_name", "credentials", "opts")] == [*described(model)]
    assert all(one.text for one in described(model).values())


def test_the_ready_made_program_reads_what_may_be_declared() -> None:
    """Pulumi.yaml declares each setting by its key, with its type, and the program reads each."""
    config = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    program = (ROOT / "__main__.py").read_text()
    assert [*config] == [*KEYS]
    for one in SETTINGS.values():
        written = config[one.key]
        type_ = "array" if one.is_list else "boolean" if one.type is bool else "string"
        assert (written["type"], written.get("secret", False)) == (type_, one.secret)
        assert "default" not in written or one.fits(written["default"])
        assert f'"{one.key}"' in program


# --- region codes ---


def test_every_data_centre_is_a_region() -> None:
    """The table and the rule agree, and hosts are the documented ones."""
    assert load(ZohoClientSettings, {**CLIENT, "regions": list(DATA_CENTRES)}).regions == tuple(sorted(DATA_CENTRES))
    assert {code: dc.accounts for code, dc in DATA_CENTRES.items()} == {
        "ae": "https://accounts.zoho.ae",
        "au": "https://accounts.zoho.com.au",
        "ca": "https://accounts.zohocloud.ca",
        "eu": "https://accounts.zoho.eu",
        "in": "https://accounts.zoho.in",
        "jp": "https://accounts.zoho.jp",
        "sa": "https://accounts.zoho.sa",
        "sg": "https://accounts.zoho.sg",
        "uk": "https://accounts.zoho.uk",
        "us": "https://accounts.zoho.com",
    }
    assert DATA_CENTRES["ca"].console == "https://api-console.zohocloud.ca/"
    assert set(DATA_CENTRES) >= SUPPORTED
    assert [code for code, dc in DATA_CENTRES.items() if not dc.documented] == ["ae", "sg"]


@pytest.mark.parametrize("file", ["Pulumi.yaml", "codat_zoho/resources.py"])
def test_who_reads_the_codes_reads_them_all(file: str) -> None:
    """A data centre that is added must not be missing where its code is looked up."""
    text = (ROOT / file).read_text()
    lists = re.findall(r"`{0,2}us`{0,2}(?:,\s+`{0,2}[a-z]{2}`{0,2}){3,}", text)
    assert [sorted(re.findall(r"[a-z]{2}", one)) for one in lists] == [sorted(DATA_CENTRES)]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("US", "us"),
        (" uk ", "uk"),
        ("gb", "uk"),
        ("GB", "uk"),
        ("co.uk", "uk"),
        ("com", "us"),
        ("usa", "us"),
        ("europe", "eu"),
        ("de", "eu"),
        ("https://accounts.zoho.eu/", "eu"),
        ("accounts.zoho.in", "in"),
        ("zoho.com.au", "au"),
        ("zoho.au", "au"),
        ("https://accounts.zoho.au/", "au"),
        ("Singapore", "sg"),
        ("accounts.zoho.ca", "ca"),
        ("zoho.ca", "ca"),
        ("canada", "ca"),
        ("zohocloud.ca", "ca"),
        ("uae", "ae"),
        ("uss", "us"),
    ],
)
def test_near_misses(wrong: str, meant: str) -> None:
    """The usual mistakes get the code that was meant, with its host."""
    problem = problem_with(wrong)
    assert problem == f"{wrong!r} is not a Zoho data centre, did you mean {meant!r} ({DATA_CENTRES[meant].accounts})?"


@pytest.mark.parametrize("code", ["cn", "CN", "china", "https://accounts.zoho.com.cn", "zoho.com.cn/"])
def test_china_is_refused_with_the_reason(code: str) -> None:
    """Zoho China shares no clients with the rest, so no spelling of it can work."""
    (problem,) = problems_of({**CLIENT, "regions": ["us", code]})
    assert problem.startswith("regions: 'cn' cannot be used: Zoho China has its own console")
    assert problem.removesuffix(f" (the codes are {', '.join(DATA_CENTRES)})").endswith("remove it (Canada is 'ca')")


def test_a_code_out_of_nowhere() -> None:
    """Without a likely meaning there is no guess, but all codes are listed, and every wrong code is named."""
    (problem,) = problems_of({**CLIENT, "regions": ["qq", "us", "zz9"]})
    assert problem.startswith("regions: 'qq' is not a Zoho data centre; 'zz9' is not a Zoho data centre (the codes are")


@pytest.mark.parametrize("pasted", [SECRET, f"1000.{'ab12' * 8}.{'cd34' * 8}", "\x1b[31mred", "us\nuk"])
def test_a_region_that_is_no_code_is_hardly_shown(pasted: str) -> None:
    """A secret pasted into the list must not be printed, and neither must terminal escapes."""
    (problem,) = problems_of({**CLIENT, "regions": [pasted]})
    assert pasted not in problem
    assert pasted[:6] not in problem
    assert problem.isprintable()


@given(st.lists(st.sampled_from(sorted(DATA_CENTRES)), min_size=1))
def test_order_and_repetition_of_regions_never_matter(codes: list[str]) -> None:
    """Regions are a set, however they are written down."""
    settings = load(ZohoClientSettings, {**CLIENT, "regions": codes})
    assert settings == load(ZohoClientSettings, {**CLIENT, "regions": sorted(set(codes), reverse=True)})


# --- warnings ---


def test_nothing_to_warn_about() -> None:
    """A usual declaration is quiet, and so is an incomplete one."""
    assert warnings_about(CLIENT) == ()
    assert warnings_about({}) == warnings_about({"client_id": None, "regions": None}) == ()
    assert warnings_about({"client_id": object(), "regions": object()}) == ()


def test_unusual_values_are_allowed_with_a_warning() -> None:
    """Nobody knows every shape Zoho uses, and Codat may support more regions one day."""
    odd = {"client_id": "2000.SHORT", "client_secret": "odd-secret", "regions": ["in", "us", "au"]}
    load(ZohoClientSettings, odd)
    warned = warnings_about(odd)
    assert len(warned) == 3
    assert "client_id does not have the shape" in warned[0]
    assert "client_secret does not have the shape" in warned[1]
    assert warned[2].startswith("regions: au, in listed, but Codat supports UK and US customers only")
    assert not any("2000.SHORT" in text or "odd-secret" in text for text in warned)


def test_warnings_do_not_repeat_what_is_refused_anyway() -> None:
    """A secret pasted among the regions is not shown by the warning either."""
    assert warnings_about({"regions": [SECRET, 7, "us"]}) == ()

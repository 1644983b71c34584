"""The rules about what a user declares: each is refused with a text that names the field, the reason and the remedy."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codat_zoho.declare.rules import fingerprint, looks_like_client_id
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, load
from codat_zoho.errors import SettingsError
from tests.support import ID, OTHER_ID, REGIONS, SECRET

TOKEN = f"1000.{'0123456789abcdef' * 2}.{'fedcba9876543210' * 2}"
CLIENT: dict[str, Any] = {"client_id": ID, "client_secret": SECRET, "regions": REGIONS}


def problems_of(values: dict[str, Any], model: Any = ZohoClientSettings, **more: Any) -> tuple[str, ...]:
    """The problems that loading finds; none is no answer."""
    with pytest.raises(SettingsError) as caught:
        load(model, values, **more)
    return tuple(map(str, caught.value.problems))


def test_a_good_declaration_is_taken_as_it_is() -> None:
    """What follows the rules goes through unchanged, except that regions are a set: sorted, each once."""
    settings = load(ZohoClientSettings, {**CLIENT, "regions": ["us", "eu", "us"], "verify": "off"})
    assert settings.client_id == ID
    assert settings.client_secret is not None and settings.client_secret == SECRET
    assert settings.regions == ("eu", "us")
    assert settings.same_credentials_everywhere is True
    assert settings.verify == "off"


def test_nothing_declared_means_nothing_is_managed() -> None:
    """Omitted never means false: an integration without settings leaves everything as it is."""
    settings = load(IntegrationSettings, {"enabled": None, "client_id": None})
    assert (settings.enabled, settings.client_id, settings.client_secret) == (None, None, None)
    assert (settings.connection, settings.on_delete, settings.allow_disruption) == ("default", "remove", False)


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
@pytest.mark.parametrize(
    ("char", "reason"),
    [
        (" ", "contains white space (U+0020 SPACE)"),
        ("\t", "contains white space (U+0009 white space)"),
        ("\n", "contains white space (U+000A white space)"),
        ("\x1c", "contains white space (U+001C white space)"),
        ("\u00a0", "contains white space (U+00A0 NO-BREAK SPACE)"),
        ("\u2009", "contains white space (U+2009 THIN SPACE)"),
        ("\u3000", "contains white space (U+3000 IDEOGRAPHIC SPACE)"),
        ("\u200b", "contains white space (U+200B ZERO WIDTH SPACE)"),
        ("\u2060", "contains white space (U+2060 WORD JOINER)"),
        ("\ufeff", "contains white space (U+FEFF ZERO WIDTH NO-BREAK SPACE)"),
        ("\u00ad", "contains white space (U+00AD SOFT HYPHEN)"),
        ("\x00", "contains a control character (U+0000)"),
        ("\x1b", "contains a control character (U+001B)"),
        ("\x7f", "contains a control character (U+007F)"),
        ("é", "contains a non-ASCII character (U+00E9)"),
        ("А", "contains a non-ASCII character (U+0410)"),
        ("\ud800", "contains a non-ASCII character (U+D800)"),
        ("'", "contains a quotation mark"),
        ('"', "contains a quotation mark"),
        ("`", "contains a quotation mark"),
        ("“", "contains a quotation mark"),
        ("<", "contains '<'"),
    ],
)
@pytest.mark.parametrize("position", [1, 10, 36])
def test_stray_characters(field: str, char: str, reason: str, position: int) -> None:
    """What slips in when a key is copied is named with its place, wherever it stands."""
    good = str(CLIENT[field])[:35]
    bad = good[: position - 1] + char + good[position - 1 :]
    (problem,) = problems_of({**CLIENT, field: bad})
    assert problem.startswith(f"{field}: {reason} at position {position}")
    assert "copy it again" in problem or "placeholder" in problem
    assert bad not in problem


def test_each_kind_of_stray_character_is_told_once() -> None:
    """A key full of blanks does not fill the screen."""
    (problem,) = problems_of({**CLIENT, "client_secret": " a b 'c' <d> é\x00 "})
    assert [problem.count(word) for word in ("white space (", "quotation", "control", "non-ASCII", "'<'")] == [1] * 5


@given(st.text(alphabet=st.characters(exclude_categories=[]), min_size=1))
@example("\u115f")
@example("\U000e0041")
def test_only_printable_ascii_without_blanks_is_ever_taken(text: str) -> None:
    """No invisible or foreign character of any kind reaches Codat, listed here by name or not."""
    values = {"client_id": text}
    if all("!" <= char <= "~" for char in text):
        return
    problems = problems_of(values, IntegrationSettings)
    assert all(unicodedata.category(char) != "Cc" for char in "".join(problems))


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
@pytest.mark.parametrize(
    "mask",
    [
        "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXTDPH",
        "xxxxxxxxc9e4",
        "********",
        "****c9e4",
        "••••••••c9e4",
        "1000.XXXXXXXXXXXXXXXXXXXXXXXXXCTDPH",
        "3f1a****************c9e4",
        "XXXX",
    ],
)
def test_a_pasted_mask(field: str, mask: str) -> None:
    """What Codat shows in place of a stored key is no key, and must never be written back as one."""
    (problem,) = problems_of({**CLIENT, field: mask})
    assert f"{field}: " in problem
    assert "is a mask, as Codat shows stored keys" in problem


def test_a_client_id_with_a_few_x_in_a_row_is_no_mask() -> None:
    """Client ids are random: one that happens to hold 'XXXX' must not be refused."""
    load(IntegrationSettings, {"client_id": "1000.AXXXXB9VM0KE5C9C4CMSRQEX0CTDPH"})


def test_empty_keys() -> None:
    """An empty text is a mistake, not the same as leaving the field out."""
    problems = problems_of({"client_id": "", "client_secret": "", "regions": ["us"]})
    assert problems == ("client_id: is empty", "client_secret: is empty")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"client_secret": ID}, "client_secret: has the shape of a client id, not of a client secret; are the two"),
        ({"client_secret": ID}, "client_secret: is the same as client_id"),
        ({"client_secret": OTHER_ID}, "client_secret: has the shape of a client id"),
        ({"client_secret": TOKEN}, "client_secret: is a Zoho token or grant code, not a client secret"),
        ({"client_id": TOKEN}, "client_id: is a Zoho token or grant code, not a client id; revoke it"),
        ({"client_id": SECRET}, "client_id: has the shape of a client secret, not of a client id; are the two swapped"),
        ({"client_id": "other", "client_secret": "other"}, "client_secret: is the same as client_id"),
    ],
)
@pytest.mark.parametrize("model", [ZohoClientSettings, IntegrationSettings])
def test_the_wrong_thing_pasted(model: Any, values: dict[str, str], expected: str) -> None:
    """An id, a token or the other field in the place of a key is named as what it is."""
    given = {"client_id": ID, **values} | ({"regions": ["us"]} if model is ZohoClientSettings else {})
    assert any(problem.startswith(expected) for problem in problems_of(given, model))


def test_swapped_id_and_secret_are_both_told() -> None:
    """Swapping the two is one slip with two wrong fields."""
    problems = problems_of({**CLIENT, "client_id": SECRET, "client_secret": ID})
    assert [problem.partition(":")[0] for problem in problems] == ["client_id", "client_secret"]
    assert all("are the two swapped?" in problem for problem in problems)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_problem_never_tells_a_key(start: str, end: str) -> None:
    """Whatever is pasted as the secret, no message repeats it."""
    text = f"{start}Kq7z{end}"  # No message holds that by chance.
    problems = problems_of({"client_id": "bad id", "client_secret": text, "regions": []})
    assert "Kq7z" not in "".join(problems)
    assert "Kq7z" not in repr(problems)


def test_secrets_stay_out_of_the_repr() -> None:
    """A settings object may end up in a log of somebody's program."""
    assert SECRET not in repr(load(ZohoClientSettings, CLIENT))
    assert SECRET not in str(load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET}))


def test_shapes() -> None:
    """A client id is four digits, a dot, and thirty upper-case letters or digits, whole."""
    assert looks_like_client_id(ID)
    assert not looks_like_client_id(ID + "0")
    assert not looks_like_client_id(f"{ID}\n")
    assert not looks_like_client_id(ID.lower())


def test_the_fingerprint_is_stable_and_tells_nothing() -> None:
    r"""It is in deployed state, so it may never be computed otherwise; id and secret cannot be shifted into each other.

    The value was computed once with ``printf '%s\0%s' ID SECRET | sha256sum``.
    """
    assert fingerprint(ID, SECRET) == "dc47e2171f8e7078"
    assert fingerprint("ab", "c") != fingerprint("a", "bc")

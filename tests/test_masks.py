"""The laws of masks: one may prove a difference, is never proof of sameness, and never contradicts the true value."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from codat_zoho.core.masks import Known, MaskReading, read_mask, shown_secret
from tests.support import ID, OTHER_ID, SECRET

HEX = "0123456789abcdef"
secrets = st.text(alphabet=HEX, min_size=42, max_size=42)
client_ids = st.text(alphabet=string.digits + string.ascii_uppercase, min_size=30, max_size=30).map("1000.{}".format)
odd_values = st.text(alphabet=string.ascii_letters + string.digits + "-_.~+/=X", min_size=8, max_size=60)
values = secrets | client_ids | odd_values


def last4(value: str, char: str = "X") -> str:
    """The published example of a mask: all but the last four characters hidden, the length kept."""
    return char * (len(value) - 4) + value[-4:]


@st.composite
def ways_to_mask(draw: st.DrawFn) -> tuple[str, str, int, int, int | None]:
    """A way of masking: characters, group separator, visible beginning and end, and a length unless it is kept."""
    return (
        draw(st.sampled_from("Xx*•#●·?_-.█")),
        draw(st.sampled_from(["", "", "", " ", "-"])),
        draw(st.integers(0, 6)),
        draw(st.integers(0, 6)),
        draw(st.none() | st.integers(0, 20)),
    )


def mask(value: str, way: tuple[str, str, int, int, int | None]) -> str:
    """Mask a value in one of the ways that Codat may have chosen."""
    char, separator, start, end, length = way
    hidden = char * (max(0, len(value) - start - end) if length is None else length)
    groups = [hidden[at : at + 4] for at in range(0, len(hidden), 4)]
    visible_end = value[-end:] if end else ""
    return separator.join([value[:start], *groups, visible_end] if separator else [value[:start], hidden, visible_end])


@given(values, ways_to_mask())
@example("abcd1XXXXX", ("*", "", 0, 6, 4))
@example("1000.AXXXXB9VM0KE5C9C4CMSRQEX0CTDPH", ("*", "", 0, 4, 8))
@example(SECRET, ("X", "-", 0, 4, None))
@example(SECRET, ("#", "", 0, 4, None))
def test_a_mask_never_contradicts_the_true_value(value: str, way: tuple[str, str, int, int, int | None]) -> None:
    """Whichever way Codat masks: what is stored as declared is never reported as drift, nor as proven."""
    shown = mask(value, way)
    known = read_mask(shown, value).known
    assert known is not Known.DIFFERENT
    if shown != value:
        assert known is not Known.SAME


@given(values, values, ways_to_mask())
def test_different_is_said_only_of_what_is_different(
    stored: str, declared: str, way: tuple[str, str, int, int, int | None]
) -> None:
    """A verdict "different" rests on visible characters: masking the declared value shows something else."""
    if read_mask(mask(stored, way), declared).known is Known.DIFFERENT:
        assert mask(declared, way) != mask(stored, way)


@given(st.data(), st.sampled_from("Xx*•"), st.sampled_from([secrets, client_ids]))
def test_the_published_mask_is_read_as_far_as_it_goes(
    data: st.DataObject, char: str, kind: st.SearchStrategy[str]
) -> None:
    """With the last four characters visible, other ones prove a difference, and the same ones prove nothing."""
    stored, declared = data.draw(kind), data.draw(kind)
    assume(char not in stored[-4:] and char not in declared[-4:])
    known = read_mask(last4(stored, char), declared).known
    assert known is (Known.CONSISTENT if stored[-4:] == declared[-4:] else Known.DIFFERENT)


@given(st.text(max_size=60), values)
def test_reading_never_fails(shown: str, declared: str) -> None:
    """What Codat shows is anything at all."""
    reading = read_mask(shown, declared)
    assert reading.agrees == (reading.known in (Known.SAME, Known.CONSISTENT))
    assert (reading.known is Known.UNKNOWN) == bool(reading.why)
    assert declared not in repr(reading)


@pytest.mark.parametrize(
    ("shown", "declared", "known"),
    [
        (ID, ID, Known.SAME),
        (SECRET, SECRET, Known.SAME),
        (OTHER_ID, ID, Known.DIFFERENT),
        (SECRET[::-1], SECRET, Known.DIFFERENT),
        (OTHER_ID, "odd-id", Known.DIFFERENT),
        ("1000.XXXXXXXXXXXXXXXXXXXXXXXXXCTDPH", ID, Known.CONSISTENT),
        ("1004.XXXXXXXXXXXXXXXXXXXXXXXXXCTDPH", ID, Known.DIFFERENT),
        ("XXXXXXXXXXXXZXXXXXXXXXXXXXXXXXXTDPH", ID, Known.DIFFERENT),
        ("XXXXXXXXXGXXXXXXXXXXXXXXXXXXXXXTDPH", ID, Known.DIFFERENT),
        (last4(SECRET + " "), SECRET, Known.DIFFERENT),
        (last4("x" + SECRET), SECRET, Known.UNKNOWN),
        ("****c9e4", SECRET, Known.UNKNOWN),
        ("****c9e5", SECRET, Known.DIFFERENT),
        ("…c9e4", SECRET, Known.UNKNOWN),
        ("***", "abc", Known.UNKNOWN),
        ("", SECRET, Known.UNKNOWN),
        ("[hidden]", SECRET, Known.UNKNOWN),
        ("XXXX-XXXX-c0de", "0123456789c0de", Known.UNKNOWN),
        ("1000.AXXXXB9VM0KE5C9C4CMSRQEX0CTDPH", "1000.AXXXXB9VM0KE5C9C4CMSRQEX0CTDPH", Known.CONSISTENT),
        (None, SECRET, Known.UNKNOWN),
    ],
)
def test_examples(shown: str | None, declared: str, known: Known) -> None:
    """Values shown as they are, masks of other shapes, stray characters, and what proves nothing."""
    assert read_mask(shown, declared).known is known


def test_why_it_cannot_be_told() -> None:
    """Each reason for not knowing is another one."""
    reasons = [read_mask(shown, SECRET).why for shown in (None, "********", "[hidden]", "****c9e4")]
    assert reasons == [
        "Codat shows no stored value of this name",
        "Codat hides the stored value completely",
        "Codat shows the stored value in a form this package does not know",
        "the visible characters agree, but the mask is 8 characters long and the declared value 42: a stray character "
        "may have been stored with it",
    ]
    assert not MaskReading(Known.UNKNOWN).agrees


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (None, "none stored"),
        (last4(SECRET), "ends in c9e4"),
        ("****f37ac9e4", "ends in c9e4"),
        ("XXXX-XXXX-c9e4", "ends in c9e4"),
        ("3f1a9c********", "hidden"),
        ("********", "hidden"),
        (SECRET, "hidden"),
        ("", "hidden"),
        ("XXXX\x1b[2J", "ends in 2J"),
    ],
)
def test_a_stored_secret_in_words(shown: str | None, text: str) -> None:
    """At most the last four characters are told, also when Codat shows the whole secret, and nothing unprintable."""
    assert shown_secret(shown) == text


@given(values, ways_to_mask())
def test_words_tell_no_more_than_four_characters(value: str, way: tuple[str, str, int, int, int | None]) -> None:
    """However much Codat shows."""
    words = shown_secret(mask(value, way))
    assert words == "hidden" or (words.startswith("ends in ") and len(words) <= len("ends in ") + 4)

"""No text that leaves the package holds a secret, in whatever form something echoes it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho import _redact
from codat_zoho._redact import one_line, redact, register

secrets = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=6, max_size=60).filter(
    lambda text: len(set(text)) > 3 and text == text.strip()
)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with nothing registered."""
    monkeypatch.setattr(_redact, "_forms", frozenset())
    monkeypatch.setattr(_redact, "_pattern", None)


@given(secrets, st.sampled_from(["plain", "quote", "plus", "json", "repr", "hex", "upper"]))
def test_every_encoding_is_replaced(secret: str, how: str) -> None:
    """An echo in a URL, in JSON, in a Python repr or in hex is an echo."""
    encodings: dict[str, Callable[[str], str]] = {
        "plain": str,
        "quote": lambda s: quote(s, safe=""),
        "plus": quote_plus,
        "json": lambda s: json.dumps(s)[1:-1],
        "repr": lambda s: repr(s)[1:-1],
        "hex": lambda s: s.encode().hex(),
        "upper": str.upper,
    }
    register(secret)
    form = encodings[how](secret)
    text = redact(f"before {form} after")
    assert form not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=50),
    st.binary(max_size=5),
    st.binary(max_size=5),
)
def test_base64_around_a_secret_is_replaced(secret: str, before: bytes, after: bytes) -> None:
    """Base64 of something that contains the secret, at any offset, does not show it."""
    register(secret)
    shown = redact(base64.b64encode(before + secret.encode() + after).decode())
    assert "[redacted]" in shown
    rest = shown.replace("[redacted]", "")
    for cut in range(4):
        whole = rest[cut:][: (len(rest) - cut) // 4 * 4]
        assert secret.encode()[2:-2] not in base64.b64decode(whole + "=" * (-len(whole) % 4))


@pytest.mark.parametrize(
    "text",
    [
        "1000.0123456789abcdef0123456789abcdef.0123456789abcdef0123456789abcdef",
        "3f1a9c04e7b25d68013f9a7c4e2b8d5601f37ac9e4",
        "Basic dGVzdC1hcGkta2V5LTdmM2E=",
        "Bearer abcdefghijkl",
        "https://user:pass-word@proxy.example:8080",
    ],
)
def test_what_nobody_registered_is_known_by_its_shape(text: str) -> None:
    """Tokens, secrets, headers and passwords in addresses are replaced even when they were never seen before."""
    shown = redact(f"remote said {text}.")
    assert "[redacted]" in shown
    assert text not in shown
    assert "pass-word" not in shown


def test_ordinary_words_stay() -> None:
    """What is too short to be a secret blanks out nothing."""
    register("abc")
    register("")
    register(None)
    assert (
        redact("abc is as easy as 123; fingerprint 16b881a1e522d3ce")
        == "abc is as easy as 123; fingerprint 16b881a1e522d3ce"
    )


def test_remote_text_is_one_printable_line() -> None:
    """A hostile answer can neither steer a terminal nor fill a screen."""
    assert one_line("a\x1b[2Jb\n\tc\u202ed") == "a [2Jb c d"
    assert len(one_line("x" * 5000)) == 200
    assert one_line("x" * 5000).endswith("…")

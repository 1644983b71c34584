"""No secret in any text: what is registered is blanked out in every encoding, and what looks like a key is anyway."""

from __future__ import annotations

import base64
import html
import json
import re
import string
import sys
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.texts.redact import _folded, one_line, redact, register
from tests.support import SECRET, forget_secrets, new_secret

secrets = st.text(alphabet=string.ascii_letters + string.digits + "-_.~+/=&%\"'\\é", min_size=8, max_size=60)
around = st.text(max_size=8)


def only(secret: str) -> None:
    """Register this secret and forget those of other examples."""
    forget_secrets()
    register(secret)


@given(secrets, around, around)
def test_every_usual_encoding_is_blanked_out(secret: str, before: str, behind: str) -> None:
    """A service may echo a secret in a URL, in JSON, in hex, in capitals: none of it gets through."""
    only(secret)
    for form in (
        secret,
        secret.upper() if secret.isascii() else secret,
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        secret.encode().hex(),
    ):
        assert form not in redact(f"{before} {form} {behind}").replace("[redacted]", "")


@given(st.data(), secrets, around)
def test_escapes_may_be_mixed(data: st.DataObject, secret: str, before: str) -> None:
    """A service may escape any of the characters, and not only those that have to be."""
    only(secret)
    escapes: list[Callable[[str], str]] = [
        lambda char: "".join(f"%{byte:02x}" for byte in char.encode()),
        lambda char: f"\\u{ord(char):04X}",
        lambda char: f"&#{ord(char)};",
        html.escape,
    ]
    escape = data.draw(st.sampled_from(escapes))
    # What starts an escape is always escaped itself.
    text = "".join(escape(char) if char in "\\%&" or data.draw(st.booleans()) else char for char in secret)
    for undo in (
        str,
        unquote,
        html.unescape,
        lambda text: re.sub(r"\\u([\dA-F]{4})", lambda m: chr(int(m[1], 16)), text),
    ):
        assert secret not in undo(redact(f"{before} {text}"))


def test_what_is_escaped_is_left_alone_where_it_covers_nothing() -> None:
    """Only a text with a secret in it is changed."""
    register(SECRET)
    assert redact(r"100%25 of &lt;x&gt; \u002B") == r"100%25 of &lt;x&gt; \u002B"
    assert redact(r"&lt;x&gt; " + SECRET.replace("3", "%33")) == "&lt;x&gt; [redacted]"


def test_a_secret_that_is_no_text() -> None:
    """An environment variable may hold any bytes; registering it does not fail."""
    register("no-text-\udcff-at-all")
    assert redact("it is no-text-\udcff-at-all") == "it is [redacted]"


@given(secrets, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_is_blanked_out_at_every_offset(secret: str, before: bytes, behind: bytes) -> None:
    """In the middle of a longer base64 text too, as in ``user:secret``: at most the edges, six bits each, remain."""
    only(secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + behind).decode()
        assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        f"1000.{'0123456789abcdef' * 2}.{'fedcba9876543210' * 2}",
        SECRET,
        "Authorization: Basic dGVzdC1hcGkta2V5",
        "BEARER abcdefgh12345678",
        "Zoho-oauthtoken 1000.abcdef1234567890",
        "http://user:hunter2@proxy.example/",
        "http://user:with@hunter2@proxy.example/",
        "http://user:with/hunter2@proxy.example/",
        "http://hunter2@proxy.example/",
        "1000%2E0123456789abcdef0123456789abcdef%2E0123456789abcdef0123456789abcdef",
    ],
)
def test_what_looks_like_a_key_is_blanked_out_unregistered(text: str) -> None:
    """Keys of the usual shapes are never shown, whoever they belong to."""
    cleaned = redact(f"x {text} y")
    assert "[redacted]" in cleaned
    assert text.split(" ")[-1] not in cleaned and "hunter2" not in cleaned


def test_ordinary_words_stay() -> None:
    """Too short a secret would blank out everything; none at all blanks out nothing."""
    for none in (None, "", "abc"):
        register(none)
    assert redact("abc, Zoho Books, 1000.GFXJNB") == "abc, Zoho Books, 1000.GFXJNB"


def test_a_secret_within_another() -> None:
    """Whichever was registered first, the longer one leaves nothing behind."""
    for secrets in (("abcdef", "abcdefghij", "xxabcdef"), ("xxabcdef", "abcdefghij", "abcdef")):
        forget_secrets()
        for secret in secrets:
            register(secret)
        assert redact("1 abcdefghij 2 XXABCDEF 3 ABCDEFGH") == "1 [redacted] 2 [redacted] 3 [redacted]GH"


@pytest.mark.parametrize("other", ["İstanbul ", "ß ", "ŉ", "K"])
def test_letters_whose_lower_case_is_of_another_length(other: str) -> None:
    """What stands before a secret does not hide where it is."""
    register(SECRET)
    assert redact(other + SECRET.upper() + other) == f"{other}[redacted]{other}"
    register(f"{other}and more of it")
    assert redact(f"x {other}AND more of it y") == "x [redacted] y"


@pytest.mark.parametrize(
    ("secret", "echo"), [("ΑΒΓΔΣ", "αβγδς"), ("ΑΒΓΔΣ", "ΑΒΓΔΣ"), ("5µ5µ5µ", "5Μ5Μ5Μ"), ("ſecret", "SECRET")]
)
def test_letters_with_several_small_forms(secret: str, echo: str) -> None:
    """Which of them a letter gets depends on what stands beside it; a secret is found beside anything, in either case."""
    register(secret)
    assert redact(f"1{echo}2 {echo}Α {echo} Α{echo}") == "1[redacted]2 [redacted]Α [redacted] Α[redacted]"


@pytest.mark.slow
def test_the_case_of_a_letter_is_nothing() -> None:
    """Any letter, in whichever case a service echoes it, as long as that is one letter."""
    for char in map(chr, range(sys.maxunicode + 1)):
        assert len(_folded(char)) == 1
        for other in (char.lower(), char.upper()):
            assert len(other) > 1 or _folded(other) == _folded(char), char


def test_one_of_thousands_of_secrets() -> None:
    """A program may hold hundreds of Codat clients, each with a key of its own."""
    for number in range(2_000):
        register(f"{number:05d}-api-key-of-one-client")
    assert redact("of 01999-api-key-of-one-client, no 02000-api-key-of-one-client") == (
        "of [redacted], no 02000-api-key-of-one-client"
    )


@given(st.text(), st.integers(1, 300))
def test_one_line_is_one_printable_line(text: str, limit: int) -> None:
    """Remote text cannot steer a terminal, forge a second line or fill the screen."""
    flat = one_line(text, limit)
    assert flat.isprintable() and len(flat) <= limit


@pytest.mark.parametrize("hidden", ["\x1b[0m", "\u200b", "\n", "\x00", "\u00ad", "\u202e"])
def test_unprintable_characters_do_not_hide_a_secret(hidden: str) -> None:
    """A secret that is broken up by characters which a terminal swallows would read as whole on the screen."""
    secret = new_secret()
    register(secret)
    assert secret not in one_line(f"{secret[:20]}{hidden}{secret[20:]}").replace(" ", "").replace("[0m", "")


def test_a_text_of_megabytes_is_cut_before_it_is_looked_at() -> None:
    """It must not take seconds, and what is cut in two by that is not shown."""
    secret = new_secret()
    register(secret)
    assert one_line("word " * 1_000_000).startswith("word word")
    for start in range(9_950, 10_001):
        assert secret[:5] not in one_line("\u200b" * start + secret)


def test_cutting_does_not_save_a_secret() -> None:
    """Redaction comes before cutting: a cut secret would be recognised no more."""
    secret = new_secret()
    register(secret)
    assert secret[:5] not in one_line("x" * 190 + secret)

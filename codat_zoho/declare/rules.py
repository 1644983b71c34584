"""Every rule about a single value, and what is allowed but looks wrong."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from codat_zoho.declare.datacentres import DATA_CENTRES, SUPPORTED, problem_with
from codat_zoho.declare.describe import LISTS

_CLIENT_ID = re.compile(r"\d{4}\.[0-9A-Z]{30}")
_SECRET = re.compile(r"[0-9a-fA-F]{42}")
_TOKEN = re.compile(r"\d{4}\.[0-9a-fA-F]{32}\.[0-9a-fA-F]{32}")
_WITHIN = re.compile(rf"(?<![0-9A-Za-z])(?:{_TOKEN.pattern}|{_SECRET.pattern})(?![0-9A-Za-z])")
# Ids and secrets are random, so 'XXXX' may be part of one, except at its beginning; '****' and 'XXXXXXXX' may not.
_MASKED = re.compile(r"^[Xx*•]{4}|[*•]{4}|X{8}|x{8}")
_CONNECTION = re.compile(r"[a-z][a-z0-9-]{0,39}")
_INVISIBLE = frozenset("\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")
_QUOTES = frozenset("'\"`‘’“”«»")


def looks_like_client_id(text: str) -> bool:
    """Tell whether ``text`` has the shape of every Zoho client id seen so far: ``1000.`` and 30 of ``0-9A-Z``."""
    return _CLIENT_ID.fullmatch(text) is not None


def secret_shape(text: str) -> str:
    """What kind of secret ``text`` has the shape of; empty for none."""
    if _SECRET.fullmatch(text):
        return "a Zoho client secret"
    return "a Zoho token or grant code" if _TOKEN.fullmatch(text) else ""


def secrets_within(text: str) -> Iterator[tuple[int, str, str]]:
    """Find what has the shape of a secret inside a longer text, as a whole word: where, itself, and of what kind."""
    for found in _WITHIN.finditer(text):
        yield found.start(), found[0], secret_shape(found[0])


def fingerprint(client_id: str, client_secret: str) -> str:
    """Name a secret without telling it: the first 16 hex digits of SHA-256 over client id, NUL, secret."""
    return hashlib.sha256(f"{client_id}\0{client_secret}".encode()).hexdigest()[:16]


def is_fingerprint(text: object) -> TypeGuard[str]:
    """Tell a fingerprint from what a refresh puts in its place."""
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{16}", text) is not None


def _bad_characters(text: str) -> Iterator[str]:
    """What a key must not contain. Codat: "Make sure that your secure keys don't contain any spaces"."""
    if not text:
        yield "is empty"
    kinds: dict[str, str] = {}
    for position, char in enumerate(text, start=1):
        at = f"at position {position}: copy it again, from Zoho's console"
        if char.isspace() or char in _INVISIBLE:
            name = unicodedata.name(char, "white space")
            kinds.setdefault("space", f"contains white space (U+{ord(char):04X} {name}) {at}")
        elif char in _QUOTES:
            kinds.setdefault("quote", f"contains a quotation mark {at}, without quotes")
        elif unicodedata.category(char) == "Cc":
            kinds.setdefault("control", f"contains a control character (U+{ord(char):04X}) {at}")
        elif not char.isascii():
            kinds.setdefault("ascii", f"contains a non-ASCII character (U+{ord(char):04X}) {at}")
        elif char == "<":
            kinds.setdefault("placeholder", f"contains '<' {at}: is it still a placeholder?")
    yield from kinds.values()
    if _MASKED.search(text):
        yield "is a mask, as Codat shows stored keys, not the key itself: copy it from Zoho's console"


def bad_client_id(text: str) -> Iterator[str]:
    """What is wrong with a client id."""
    yield from _bad_characters(text)
    if _TOKEN.fullmatch(text):
        yield "is a Zoho token or grant code, not a client id; revoke it, since it may have been stored in clear"
    elif _SECRET.fullmatch(text):
        yield "has the shape of a client secret, not of a client id; are the two swapped?"


def bad_client_secret(text: str) -> Iterator[str]:
    """What is wrong with a client secret."""
    yield from _bad_characters(text)
    if _TOKEN.fullmatch(text):
        yield "is a Zoho token or grant code, not a client secret"
    elif looks_like_client_id(text):
        yield "has the shape of a client id, not of a client secret; are the two swapped?"


def bad_regions(codes: Sequence[str]) -> Iterator[str]:
    """What is wrong with a list of data-centre codes."""
    if not codes:
        yield "is empty: name at least one Zoho data centre, for example 'us'"
    problems = list(filter(None, map(problem_with, codes)))
    if problems:
        yield f"{'; '.join(problems)} (the codes are {', '.join(DATA_CENTRES)})"


def bad_connection(text: str) -> Iterator[str]:
    """What is wrong with the name of a connection."""
    if not _CONNECTION.fullmatch(text):
        yield (
            "must be lower-case letters, digits and '-', starting with a letter, at most 40 characters: "
            "it names the Codat API key to use"
        )


def warnings_about(values: Mapping[str, object]) -> tuple[str, ...]:
    """What is allowed but looks wrong in a declaration; ``values`` may be incomplete or invalid."""
    found = []
    client_id, secret, regions = values.get("client_id"), values.get("client_secret"), values.get("regions")
    if isinstance(client_id, str) and not looks_like_client_id(client_id):
        found.append(
            "client_id does not have the shape of the Zoho client ids seen so far ('1000.' and 30 upper-case letters "
            "or digits): check that it was copied whole"
        )
    if isinstance(secret, str) and not _SECRET.fullmatch(secret):
        found.append(
            "client_secret does not have the shape of most Zoho client secrets (42 hexadecimal digits): check that it "
            "was copied whole"
        )
    if isinstance(regions, LISTS):
        # What is no code at all is refused elsewhere, and not shown: it may be anything.
        outside = sorted({code for code in regions if isinstance(code, str) and code in DATA_CENTRES} - SUPPORTED)
        if outside:
            found.append(
                f"regions: {', '.join(outside)} listed, but Codat supports UK and US customers only for Zoho Books, "
                f"and those are in {', '.join(sorted(SUPPORTED))}"
            )
    return tuple(found)

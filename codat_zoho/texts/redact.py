"""Keeps secrets out of every text that leaves this package.

Remote services echo what they are sent, and exceptions of libraries quote what they were given. So each secret is
registered when it is first seen; what looks like a key or token is replaced also where nobody registered it.
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, urlsplit

if TYPE_CHECKING:
    import logging

_PLACEHOLDER = "[redacted]"
_SHORTEST = 4  # A shorter "secret" would blank out ordinary words.
_lock = Lock()
_known: set[str] = set()
_forms: dict[str, tuple[str, ...]] = {}
"""Their forms, folded, the longest first, by how they begin: so a text is not held against every one of them."""

# What secrets look like. Zoho: tokens and codes are <4 digits>.<32 hex>.<32 hex>, secrets 42 hex. Codat: `Basic …`.
_SHAPES = re.compile(
    r"""
      \d{4}\.[0-9a-f]{32}\.[0-9a-f]{32}
    | [0-9a-f]{40,}
    | (?i:\b(?:basic|bearer|zoho-oauthtoken)\s+)[A-Za-z0-9+/_=.-]{8,}
    """,
    re.VERBOSE,
)
# What may begin with a user and a password. Taken whole, since looking ahead for the last @ would take quadratic time.
_ADDRESS = re.compile(r"(?<=://)\S+")

_LONGEST = 10_000
"""Characters of a remote text that are looked at: megabytes would take seconds, and a line shows 200."""
_BACKSLASHED = re.compile(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([\"'\\/]))", re.IGNORECASE)
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def _encodings(secret: str) -> set[str]:
    """The forms in which a secret may be echoed: as it is, in URLs, JSON, Python, hex, and base64 at each offset."""
    raw = secret.encode("utf-8", "surrogatepass")  # An environment variable may hold bytes that are no text.
    forms = {
        secret,
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        raw.hex(),
        *(undo(secret) for undo in _UNDO),  # Where the secret itself holds what looks like an escape.
    }
    for encoded in (raw, secret.encode("utf-16-le", "surrogatepass")):
        for shift in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                # Only the characters that do not depend on what stands before and behind the secret.
                text = encode(b"\0" * shift + encoded).decode().rstrip("=")
                start, end = -(-shift * 8 // 6), (shift + len(encoded)) * 8 // 6
                forms.add(text[start:end])
    return {form for form in forms if len(form) >= _SHORTEST}


def register(secret: str | None) -> None:
    """Make :func:`redact` replace ``secret``, in any of its usual encodings, from now on."""
    if not secret or len(secret) < _SHORTEST or secret in _known:
        return
    with _lock:
        for form in map(_folded, _encodings(secret)):
            start = form[:_SHORTEST]
            _forms[start] = tuple(sorted({form, *_forms.get(start, ())}, key=len, reverse=True))
        _known.add(secret)


def _folded(text: str) -> str:
    """The text in one case, character by character: none becomes two, and none depends on what stands beside it."""
    if text.isascii():
        return text.lower()
    # Through upper case, where letters meet that have several small forms.
    pairs = ((char, char.upper().lower()) for char in text)
    return "".join(folded if len(folded) == 1 else char.lower()[0] for char, folded in pairs)


def _unescape(text: str) -> str:
    """Undo the backslash escapes of JSON and Python."""
    return _BACKSLASHED.sub(lambda found: found[3] or chr(int(found[1] or found[2], 16)), text)


def redact(text: str) -> str:
    """Return ``text`` without any registered secret and without anything of the shape of a key or token."""
    text = plain = _replaced(text)
    # Escapes can be mixed and nested, so they are undone; where that uncovers something, the plain text is shown.
    for _ in range(_NESTED):
        before = plain
        for undo in _UNDO:
            undone = undo(plain)
            if undone != plain and (covered := _replaced(undone)) != undone:
                text = undone = covered
            plain = undone
        if plain == before:
            break
    return text


def _without_entities(text: str) -> str:
    from html import unescape  # Its table of entities takes longer to load than most texts to read.

    return unescape(text) if "&" in text else text


_UNDO = (_unescape, unquote, _without_entities)
_NESTED = 4


def _replaced(text: str) -> str:
    return _SHAPES.sub(_PLACEHOLDER, _ADDRESS.sub(_without_user, _without_known(text)))


def _without_known(text: str) -> str:
    folded = _folded(text)
    # In most long texts stands none of a few beginnings, which is quicker to see than to step through them.
    if len(_forms) < min(100, len(text)) and not any(start in folded for start in tuple(_forms)):
        return text
    kept, behind, at = [], 0, 0
    while at <= len(folded) - _SHORTEST:
        for form in _forms.get(folded[at : at + _SHORTEST], ()):
            if folded.startswith(form, at):
                kept += [text[behind:at], _PLACEHOLDER]
                at = behind = at + len(form)
                break
        else:
            at += 1
    return "".join(kept) + text[behind:]


def _without_user(found: re.Match[str]) -> str:
    _, at, host = found[0].rpartition("@")
    return f"{_PLACEHOLDER}@{host}" if at else host


def one_line(text: str, limit: int = 200) -> str:
    """Redact remote text, flatten it to one printable line (no terminal escapes) and cut it to ``limit`` characters."""
    clean = redact(text[:_LONGEST])
    # A secret broken up by characters that a terminal swallows would read as whole on the screen.
    joined = "".join(filter(str.isprintable, _ESCAPE.sub("", clean)))
    whole = redact(joined)
    if whole != joined:
        clean = whole
    flat = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    if len(text) > _LONGEST and len(flat) <= limit:
        return "…"  # Thousands of invisible characters: what comes behind them may be half a secret.
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


# A logger's filter does not see what its children log. httpx2, the fork that can stand in for httpx, names its own.
_PARTS = ("connection", "http11", "http2", "proxy", "socks")
_LOGGERS = tuple(
    name for fork in ("", "2") for name in (f"httpx{fork}", *(f"httpcore{fork}.{part}" for part in _PARTS))
)


def redact_logs() -> None:
    """Redact what httpx and httpcore log for whoever listens: an answer's headers may echo the key."""
    import logging
    from urllib.request import getproxies

    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_redacted)  # Once, however often it is added.
    for address in getproxies().values():
        with suppress(ValueError):
            parts = urlsplit(address if "://" in address else f"//{address}")
            register(unquote(parts.password or parts.username or ""))


def _redacted(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), None
    return True

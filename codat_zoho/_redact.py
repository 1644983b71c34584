"""Keeps secrets out of every text: what is registered here is replaced wherever it turns up.

Remote services echo what they are sent, and exceptions of libraries quote what they were given. So each secret
is registered when it is first seen, and every text that leaves the package (errors, warnings, logs) passes
through :func:`redact`, which also knows what keys and tokens look like when nobody registered them.
"""

from __future__ import annotations

import base64
import json
import re
from threading import Lock
from urllib.parse import quote, quote_plus

__all__ = ["one_line", "redact", "register"]

_PLACEHOLDER = "[redacted]"
_SHORTEST = 4  # A shorter "secret" would blank out ordinary words.
_lock = Lock()
_forms: frozenset[str] = frozenset()
_pattern: re.Pattern[str] | None = None

# What secrets look like. Zoho: tokens and codes are <4 digits>.<32 hex>.<32 hex>, secrets 42 hex. Codat: `Basic …`.
# And a user and password in an address.
_SHAPES = re.compile(
    r"""
      \d{4}\.[0-9a-f]{32}\.[0-9a-f]{32}
    | [0-9a-f]{40,}
    | (?i:\b(?:basic|bearer|zoho-oauthtoken)\s+)[A-Za-z0-9+/_=.-]{8,}
    | (?<=://)[^/\s@]+:[^/\s@]+(?=@)
    """,
    re.VERBOSE,
)

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def _encodings(secret: str) -> set[str]:
    """The forms in which a secret may be echoed: as it is, in URLs, JSON, Python, hex, and base64 at each offset."""
    raw = secret.encode()
    forms = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        raw.hex(),
    }
    for encoded in (raw, secret.encode("utf-16-le")):
        for shift in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                # Only the characters that do not depend on what stands before and behind the secret.
                text = encode(b"\0" * shift + encoded).decode().rstrip("=")
                start, end = -(-shift * 8 // 6), (shift + len(encoded)) * 8 // 6
                forms.add(text[start:end])
    return {form for form in forms if len(form) >= _SHORTEST}


def register(secret: str | None) -> None:
    """Make :func:`redact` replace ``secret``, in any of its usual encodings, from now on."""
    global _forms, _pattern
    if not secret or len(secret) < _SHORTEST:
        return
    with _lock:
        forms = _forms | _encodings(secret)
        if forms != _forms:
            _forms = forms
            _pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))), re.IGNORECASE)


def redact(text: str) -> str:
    """Return ``text`` without any registered secret and without anything of the shape of a key or token."""
    pattern = _pattern
    if pattern is not None:
        text = pattern.sub(_PLACEHOLDER, text)
    return _SHAPES.sub(_PLACEHOLDER, text)


def one_line(text: str, limit: int = 200) -> str:
    """Redact remote text, flatten it to one printable line (no terminal escapes) and cut it to ``limit`` characters."""
    clean = redact(text)
    # A secret broken up by characters that a terminal swallows would read as whole on the screen.
    joined = "".join(filter(str.isprintable, _ESCAPE.sub("", clean)))
    whole = redact(joined)
    if whole != joined:
        clean = whole
    flat = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"

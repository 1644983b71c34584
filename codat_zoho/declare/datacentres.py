"""Zoho's data centres: their codes, and the hosts that a client secret may be sent to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class DataCentre:
    """One Zoho data centre.

    Args:
        code: the key that Zoho's own ``/oauth/serverinfo`` uses, for example ``uk``.
        accounts: address of its accounts server, the only host that may see a secret for it.
        console: address of its API console.
        documented: Zoho names these hosts; else they were seen in public projects (docs/facts.md).
    """

    code: str
    accounts: str
    console: str
    documented: bool = True


_DOMAINS = {
    "ae": "zoho.ae",
    "au": "zoho.com.au",
    "ca": "zohocloud.ca",
    "eu": "zoho.eu",
    "in": "zoho.in",
    "jp": "zoho.jp",
    "sa": "zoho.sa",
    "sg": "zoho.sg",
    "uk": "zoho.uk",
    "us": "zoho.com",
}
_SEEN = ("ae", "sg")
DATA_CENTRES: Mapping[str, DataCentre] = MappingProxyType(
    {
        code: DataCentre(code, f"https://accounts.{domain}", f"https://api-console.{domain}/", code not in _SEEN)
        for code, domain in _DOMAINS.items()
    }
)
"""Every data centre that shares one OAuth client registration, by code (Zoho's multi-DC documentation)."""

DEFAULT_REGIONS = ("eu", "uk", "us")
"""What is declared where nobody names data centres."""
SUPPORTED = frozenset(DEFAULT_REGIONS)
"""Where customers that Codat supports can be: Codat supports UK and US customers, and a UK customer sits in
whichever of these its organisation signed up in."""

_MISTAKES = {
    "ae": ("uae",),
    "au": ("com.au", "zoho.au", "accounts.zoho.au", "aus", "australia"),
    "ca": ("accounts.zoho.ca", "zoho.ca", "ca.zoho", "canada"),
    "eu": ("europe", "de", "fr", "ie", "nl"),
    "in": ("ind", "india"),
    "jp": ("jpn", "japan"),
    "sa": ("ksa",),
    "sg": ("sgp", "singapore"),
    "uk": ("gb", "co.uk", "zoho.co.uk", "britain"),
    "us": ("com", "usa", "america"),
}
_MEANT = {
    spelling: code
    for code, domain in _DOMAINS.items()
    for spelling in (code, domain, f"accounts.{domain}", *_MISTAKES[code])
}
_CHINA = ("cn", "china", "com.cn", "accounts.zoho.com.cn", "zoho.com.cn")
# Nobody's key: few characters, or letters alone.
_WORD = re.compile(r"[ -~]{0,8}|[A-Za-z./: -]{0,32}")


def problem_with(code: str) -> str | None:
    """Say why ``code`` is no usable data-centre code, with a hint for the usual mistakes; None when it is one."""
    if code in DATA_CENTRES:
        return None
    bare = code.strip().lower().removeprefix("https://").rstrip("/")
    if bare in _CHINA:
        return (
            "'cn' cannot be used: Zoho China has its own console and its own clients, and Codat holds one client only; "
            "remove it (Canada is 'ca')"
        )
    # A key pasted in the wrong place must not be shown, nor what would steer a terminal.
    shown = repr(code) if _WORD.fullmatch(code) else f"{code[:4]!a}…"
    from difflib import get_close_matches  # Nobody needs it but for a mistake.

    meant = _MEANT.get(bare) or next(iter(get_close_matches(bare, DATA_CENTRES, n=1)), None)
    hint = f", did you mean {meant!r} ({DATA_CENTRES[meant].accounts})?" if meant else ""
    return f"{shown} is not a Zoho data centre{hint}"

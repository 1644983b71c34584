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
    """

    code: str
    accounts: str
    console: str


def _data_centre(code: str, domain: str) -> DataCentre:
    return DataCentre(code, f"https://accounts.{domain}", f"https://api-console.{domain}/")


DATA_CENTRES: Mapping[str, DataCentre] = MappingProxyType(
    {
        code: _data_centre(code, domain)
        for code, domain in {
            "ae": "zoho.ae",
            "au": "zoho.com.au",
            "ca": "zohocloud.ca",
            "eu": "zoho.eu",
            "in": "zoho.in",
            "jp": "zoho.jp",
            "sa": "zoho.sa",
            "uk": "zoho.uk",
            "us": "zoho.com",
        }.items()
    }
)
"""Every data centre that shares one OAuth client registration, by code (Zoho's multi-DC documentation)."""

DEFAULT_REGIONS = ("eu", "uk", "us")
"""What is declared where nobody names data centres."""
SUPPORTED = frozenset(DEFAULT_REGIONS)
"""Where customers that Codat supports can be: Codat supports UK and US customers, and a UK customer sits in
whichever of these its organisation signed up in."""

_MISTAKES: Mapping[str, str] = MappingProxyType(
    {
        "accounts.zoho.ca": "ca",
        "ca.zoho": "ca",
        "canada": "ca",
        "zoho.ca": "ca",
        "gb": "uk",
        "co.uk": "uk",
        "zoho.co.uk": "uk",
        "britain": "uk",
        "com": "us",
        "usa": "us",
        "america": "us",
        "europe": "eu",
        "de": "eu",
        "fr": "eu",
        "ie": "eu",
        "nl": "eu",
        "com.au": "au",
        "aus": "au",
        "australia": "au",
        "ind": "in",
        "india": "in",
        "jpn": "jp",
        "japan": "jp",
        "ksa": "sa",
        "uae": "ae",
    }
)
# Nobody's key: few characters, or letters alone.
_WORD = re.compile(r"[ -~]{0,8}|[A-Za-z./: -]{0,32}")
_HOSTS = MappingProxyType({dc.accounts.removeprefix("https://"): dc.code for dc in DATA_CENTRES.values()})


def problem_with(code: str) -> str | None:
    """Say why ``code`` is no usable data-centre code, with a hint for the usual mistakes; None when it is one."""
    if code in DATA_CENTRES:
        return None
    bare = code.strip().lower().removeprefix("https://").rstrip("/")
    if bare in ("cn", "china", "com.cn", "accounts.zoho.com.cn", "zoho.com.cn"):
        return (
            "'cn' cannot be used: Zoho China is a world of its own, with a separate console and a separate client, "
            "and Codat holds one client only; remove it"
        )
    # A key pasted in the wrong place must not be shown, nor what would steer a terminal.
    shown = repr(code) if _WORD.fullmatch(code) else f"{code[:4]!a}…"
    guess = bare if bare in DATA_CENTRES else _MISTAKES.get(bare) or _HOSTS.get(bare) or _HOSTS.get(f"accounts.{bare}")
    if guess is None:
        from difflib import get_close_matches

        close = get_close_matches(bare, DATA_CENTRES, n=1)
        guess = close[0] if close else None
    hint = f", did you mean {guess!r} ({DATA_CENTRES[guess].accounts})?" if guess else ""
    return f"{shown} is not a Zoho data centre{hint}"

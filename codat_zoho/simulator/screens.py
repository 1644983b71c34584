"""How the pages for a person who links look, and the words in which a link can end."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import NamedTuple
from urllib.parse import urlencode

from codat_zoho.declare.platform import REDIRECT_URI
from codat_zoho.simulator.messages import Reply

_STYLE = """:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
body { max-width: 34rem; margin: 10vh auto; padding: 0 1rem }
button, select { font: inherit; padding: .4em .8em; margin: .5em .5em .5em 0 }
header { border-bottom: 1px solid; padding-bottom: .5em }"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "sandbox allow-forms allow-same-origin"
)
"""What a browser lets these pages do: send their own forms to the simulator."""
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


class Outcome(NamedTuple):
    """How a link ended, or why it does not begin.

    ``status`` is that of the page, and what Codat redirects with; ``where`` is who says so.
    """

    status: int
    where: str
    title: str
    text: str
    heard: bool = False  # By Codat.


OUTCOMES = {
    "linked": Outcome(200, "Codat", "Linked", "Zoho Books is linked. You can close this page.", True),
    "refused": Outcome(403, "Codat", "Not linked: consent refused", "You did not let Codat read your books.", True),
    "wrong_secret": Outcome(
        500, "Codat", "Not linked: wrong secret", "Zoho does not accept the client secret that Codat sent.", True
    ),
    "throttled": Outcome(500, "Codat", "Not linked: too many requests", "Zoho had too many requests for now.", True),
    "unknown_client": Outcome(400, "Zoho", "Invalid client", "There is no client with the id that Codat sent."),
    "redirect_uri": Outcome(
        400, "Zoho", "Redirect URI does not match", f"{REDIRECT_URI} is no authorized redirect URI of this client."
    ),
    "not_enabled": Outcome(
        400, "Zoho", "Not authorised in this region", "This client is not enabled in your organisation's data centre."
    ),
    "not_offered": Outcome(
        501, "Codat", "Zoho Books cannot be linked", "The integration is not enabled, or Codat stores no keys for it."
    ),
    "used_link": Outcome(
        403, "Codat", "Link used already", "This link works once, and it was used. Ask for a new one."
    ),
    "expired_link": Outcome(403, "Codat", "Link expired", "This link no longer works. Ask for a new one."),
    "unknown_link": Outcome(
        404, "Codat", "No such link", "The address is incomplete, or the company or its connection was deleted."
    ),
    "hosted": Outcome(501, "Codat", "Not simulated", "The page that offers several platforms is not simulated."),
    "lost": Outcome(400, "Codat", "Not under way", "This is no part of a link that is under way. Open the link again."),
}
"""Every outcome by name."""


def to(status: int, path: str, **query: str) -> Reply:
    """Send the browser on."""
    return Reply(status, b"", {"Location": f"{path}?{urlencode(query)}", **_HEADERS})


def ended(outcome: str, status: int | None = None) -> Reply:
    """Say how it ended."""
    told = OUTCOMES[outcome]
    text = f"<p>{escape(told.text)}</p>"
    if told.heard:
        text += f"<p>Codat now leads back to your own site, with <code>statusCode={told.status}</code>.</p>"
    return page(status or told.status, told.where, told.title, text)


def page(status: int, where: str, title: str, content: str) -> Reply:
    """Draw one page; ``content`` is HTML."""
    title = escape(title)
    page = f"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>{title}</title><style>{_STYLE}</style><header>The simulator in place of {where}</header>
<main><h1>{title}</h1>{content}</main></html>"""
    return Reply(status, page.encode(), _HEADERS, title)

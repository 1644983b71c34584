"""What a failed link most often means, from the screen of the person who linked, and what to do: the only such table.

The command prints it, and docs/reference/links.md is drawn from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from codat_zoho.core.linking import Outcome
from codat_zoho.declare.platform import REDIRECT_URI, ZOHO_BOOKS

_CONSOLE = "In Zoho's API console, open the client's"
_ANY = (Outcome.NOBODY, Outcome.ERRORS)


@dataclass(frozen=True, slots=True)
class Advice:
    """One cause.

    Args:
        seen: what the person sees.
        means: why.
        cure: what to do.
        words: what an error that Codat reports holds then, as a regular expression.
        after: the outcomes that it explains.
    """

    seen: str
    means: str
    cure: str
    words: str = ""
    after: tuple[Outcome, ...] = _ANY


ADVICE = (
    Advice(
        "Zoho: invalid redirect URI, or redirect URI does not match",
        "Codat's redirect URI is not among the client's authorized ones, which Zoho compares letter by letter.",
        f"{_CONSOLE} Client Details tab and add {REDIRECT_URI} exactly: with https, and without a slash at the end.",
        r"redirect.?uri",
    ),
    Advice(
        "Zoho: invalid client, or the client id does not exist",
        "Zoho does not know the client id that Codat stores: mistyped, deleted, or no Server-based Application.",
        "Compare the client id in Zoho's API console with the declared one, run 'pulumi up', and test again.",
        r"invalid.?client(?!.?secret)",
    ),
    Advice(
        "Zoho: not authorised in this region, or the client is not enabled in your data centre",
        "The person's organisation is in a data centre that is not enabled for the client.",
        f"{_CONSOLE} Settings tab, enable that data centre, and turn on 'Use the same OAuth credentials for all data "
        "centers'. Then declare it among the regions.",
        r"region|data.?cent(?:re|er)|not.?authori[sz]ed",
    ),
    Advice(
        "after consent, an error at Codat (invalid client secret)",
        "The client secret that Codat stores is not the client's, or not the one of that data centre.",
        f"Copy the client secret again, declare it and run 'pulumi up'; for several data centres, {_CONSOLE[0].lower()}"
        f"{_CONSOLE[1:]} Settings tab and turn on 'Use the same OAuth credentials for all data centers'.",
        r"secret",
    ),
    Advice(
        "consent was refused, or the window was closed",
        "The person clicked Reject or went away, or may not consent for the organisation.",
        "Test again, sign in as the owner of the organisation, and click Accept.",
        r"access.?denied|cancel|consent|refus|reject",
        (*_ANY, Outcome.UNLINKED),
    ),
    Advice(
        "Zoho: too many requests",
        "Zoho is throttling sign-ins and token requests, which ends by itself.",
        "Wait ten minutes or more without trying, then test again.",
        r"too.?many",
    ),
    Advice(
        "the link has expired, or was used already",
        "A link lasts a day, and where the account has one-time links it works once.",
        "Test again: each test has a link of its own.",
        r"expired|already.?used",
    ),
    Advice(
        "another organisation was linked, or there was none to choose",
        "The test organisation is not the default one of whoever signed in, or there is none.",
        "In Zoho Books, create a test organisation and make it the default one (Manage, then ... > Mark as Default).",
        r"organi[sz]ation",
    ),
    Advice(
        "it was linked, and then silently not any more",
        "Zoho keeps 20 links of one organisation and user; the 21st ends the oldest. Or somebody revoked the access.",
        "Link as another user of the organisation, or remove old ones under Connected Apps in the Zoho account; "
        f"look in the Codat Portal, {ZOHO_BOOKS.portal}, which companies that cut off.",
        r"revoked|refresh.?token",
        (Outcome.DEAUTHORIZED, Outcome.UNLINKED, Outcome.ERRORS),
    ),
)


def advice(outcome: Outcome, errors: Iterable[str] = ()) -> tuple[Advice, ...]:
    """What may explain an outcome: what an error names, or else all that it may be."""
    fitting = [one for one in ADVICE if outcome in one.after]
    said = " ".join(errors)
    named = [one for one in fitting if one.words and re.search(one.words, said, re.IGNORECASE)]
    return tuple(named or fitting)

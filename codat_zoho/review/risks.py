"""What a reviewer should see in a change of the two resources, and what a person has to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from codat_zoho.core.zoho_client import by_hand
from codat_zoho.policy.rules import supported_regions, verification_on
from codat_zoho.review.consequences import Books, secret_unsure
from codat_zoho.review.report import Finding, Level
from codat_zoho.workspace.values import Field, Fields, as_client, differing

_DELETION = ("keep", "disable", "remove")
_DELETES = {
    "keep": "is kept as it is",
    "disable": "is disabled; its keys stay",
    "remove": "is disabled and its keys are deleted",
}


def finding(rule: str, level: Level, text: str, at: Field | None = None, *, new: bool = True) -> Finding:
    """A finding that points to where a field stands."""
    return Finding(rule, level, text, at.file if at else "", at.line if at else None, new)


def client_findings(before: Fields | None, after: Fields | None) -> Iterator[Finding]:
    """What to see in a change of the client in Zoho's console."""
    old, new = _codes(before), _codes(after)
    dropped = [code for code in old if code not in new]
    if dropped and after is not None and after.get("regions", _NOWHERE).known:
        yield finding(
            "region-dropped",
            Level.DANGER,
            f"{', '.join(dropped)} {'are' if len(dropped) > 1 else 'is'} dropped: nobody verifies any more that "
            "customers whose Zoho organisation is there can link. Zoho's console and Codat keep it as it is.",
            after.get("regions"),
        )
    yield from _new_violations("verification-on", "verify", before, after, verification_on)
    yield from _new_violations("supported-regions", "regions", before, after, supported_regions)


def _new_violations(
    rule: str,
    name: str,
    before: Fields | None,
    after: Fields | None,
    check: Callable[[dict[str, object]], Iterator[str]],
) -> Iterator[Finding]:
    """What a rule of the policy pack says of the side after, where it did not say so of the side before."""
    was = list(check(_values(before)))
    for text in check(_values(after)):
        if text not in was and after is not None:
            yield finding(rule, Level.CAUTION, text, after.get(name))


def books_findings(before: Fields | None, after: Fields | None, done: Books) -> Iterator[Finding]:
    """What to see in a change of the integration."""
    guard = _guard(done)
    if after is None:
        if before is not None:
            mode = str(before["on_delete"].value) if "on_delete" in before else "remove"
            level = Level.CAUTION if mode == "keep" else Level.DANGER
            what = f"The integration is not declared any more: it {_DELETES.get(mode, 'is deleted')}."
            yield finding("removed", level, what + (guard if mode != "keep" else ""))
        return
    if _flag(after, "allow_disruption") is True and _flag(before, "allow_disruption") is not True:
        yield finding(
            "linked-company-guard",
            Level.DANGER,
            "allow_disruption is switched on: disabling, another client id or deleting the keys then goes through "
            "while companies are linked. Set it for the one run that needs it, and back.",
            after["allow_disruption"],
        )
    if before is None:
        return
    differ = differing(before, after)
    if "connection" in differ:
        mode = _mode(before)
        yield finding(
            "connection-changed",
            Level.DANGER,
            f"Another connection: the integration of connection {after['connection'].shown} is set up, then that of "
            f"connection {before['connection'].shown} {_DELETES.get(mode, 'is deleted')}, unless both API keys open "
            "one Codat client." + ("" if mode == "keep" else guard),
            after["connection"],
        )
    elif _flag(before, "enabled") is True and _flag(after, "enabled") is False:
        yield finding(
            "disable",
            Level.DANGER,
            "Customers cannot link Zoho Books any more, and what becomes of linked companies is documented nowhere."
            + guard,
            after["enabled"],
        )
    yield from _key_findings(before, after, differ, guard)
    if _loosened(before, after):
        yield finding(
            "deletion-policy",
            Level.DANGER,
            f"The deletion policy is loosened from {_mode(before)} to {_mode(after)}: when the stack is destroyed, the "
            f"integration {_DELETES[_mode(after)]}.",
            after["on_delete"],
        )
    if "enabled" in before and "enabled" not in after:
        text = "enabled is not managed any more: Codat keeps it as it is, and nobody watches it."
        yield finding("unmanaged", Level.CAUTION, text)


def _key_findings(before: Fields, after: Fields, differ: list[str], guard: str) -> Iterator[Finding]:
    if "client_id" in before and "client_id" not in after:
        text = "The keys are not managed any more: Codat keeps those that it has stored, and nobody watches them."
        yield finding("unmanaged", Level.CAUTION, text)
        return
    if "client_secret" in before and "client_secret" not in after:
        text = "The client secret is not managed any more: Codat keeps the one that it has stored."
        yield finding("unmanaged", Level.CAUTION, text)
    if "client_id" in differ and "client_id" in before:
        yield finding(
            "client-id-changed",
            Level.DANGER,
            "Tokens of linked companies are bound to the client id: every company must link again." + guard,
            after["client_id"],
        )
    if secret_unsure(before, after):
        yield finding(
            "secret-changed",
            Level.CAUTION,
            "The client secret is written anew. Whether it is another one (a rotation) or the same cannot be known "
            "without decrypting it: ask the author, or look for client_secret_fingerprint in a preview.",
            after["client_secret"],
        )


def client_by_hand(before: Fields | None, after: Fields | None) -> Iterator[str]:
    """What a person has to see to in Zoho's console."""
    if after is None:
        return
    desired = as_client(after)
    differ = differing(before, after)
    steps = by_hand(desired.regions)
    if before is None or "client_id" in differ:
        yield from steps
    elif {"regions", "same_credentials_everywhere"} & set(differ) and desired.same_credentials_everywhere:
        added = set(_codes(after)) - set(_codes(before))
        if added or "same_credentials_everywhere" in differ:
            yield from steps[1:]
            if len(steps) == 1 and added:
                yield f"Zoho's API console, Settings tab: {', '.join(sorted(added))} is enabled."
    if _flag(after, "same_credentials_everywhere") is False and "same_credentials_everywhere" in differ:
        yield "Zoho's API console, Settings tab: 'Use the same OAuth credentials for all data centers' is off."
    if before is not None and "client_secret" in differ and "client_secret" in after:
        when = "If it is a rotation: the" if secret_unsure(before, after) else "The"
        yield f"{when} new secret is the client's secret in Zoho's API console when this is deployed."


def books_by_hand(before: Fields | None, after: Fields | None) -> Iterator[str]:
    """What a person has to see to around Codat."""
    if before is None or after is None:
        return
    differ = differing(before, after)
    if "client_id" in differ and "client_id" in before and "client_id" in after:
        yield "Afterwards: let every linked company link Zoho Books again."
    if "connection" in differ and after["connection"].known:
        name = str(after["connection"].value)
        suffix = "" if name == "default" else f"_{name.upper().replace('-', '_')}"
        yield f"Where pulumi up runs: the API key of the other Codat client is in CODAT_API_KEY{suffix}."


def _guard(done: Books) -> str:
    """What stands between the change and the companies that are linked."""
    if not done.disruptive:
        return ""
    if any(step.kind == "refuse" for step in done.steps):
        return f" It is refused: {_companies(done.linked)} linked." if done.linked else " It is refused."
    looked = "" if done.linked is None else f" At the last look {_companies(done.linked)} linked."
    if done.allowed:
        return f" allow_disruption is on, so it goes through however many companies are linked.{looked}"
    unless = "" if done.allowed is False else ", unless allow_disruption is on"
    return f" It is refused while companies are linked{unless}.{looked}"


def _companies(count: int) -> str:
    return "no company was" if not count else "1 company was" if count == 1 else f"{count} companies were"


_NOWHERE = Field("", "")


def _codes(fields: Fields | None) -> list[str]:
    value = (fields or {}).get("regions", _NOWHERE).value
    return list(value) if isinstance(value, list | tuple) else []


def _values(fields: Fields | None) -> dict[str, object]:
    return {name: one.value for name, one in (fields or {}).items()}


def _flag(fields: Fields | None, name: str) -> object:
    return (fields or {}).get(name, _NOWHERE).value


def _mode(fields: Fields) -> str:
    return str(fields.get("on_delete", _NOWHERE).value or "remove")


def _loosened(before: Fields, after: Fields) -> bool:
    old, new = (fields.get("on_delete", _NOWHERE).value for fields in (before, after))
    return old in _DELETION and new in _DELETION and _DELETION.index(str(new)) > _DELETION.index(str(old))

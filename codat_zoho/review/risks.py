"""What a reviewer should see in a change of the two resources, and what a person has to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from codat_zoho.core.plan import by_hand
from codat_zoho.policy.rules import supported_regions, verification_on
from codat_zoho.review.differences import uncertain
from codat_zoho.review.report import Finding, Level
from codat_zoho.review.steps import Effect
from codat_zoho.workspace.values import Field, Fields, as_client, differing

DANGER, CAUTION = Level.DANGER, Level.CAUTION
_DELETION = {
    "keep": "is kept as it is",
    "disable": "is disabled; its keys stay",
    "remove": "is disabled and its keys are deleted",
}
"""What becomes of the integration, the mildest first."""
_STRICTNESS = tuple(_DELETION)
_UNSET = Field("", "")


def finding(rule: str, level: Level, text: str, at: Field | None = None, *, new: bool = True) -> Finding:
    """A finding that points to where a field stands."""
    return Finding(rule, level, text, at.file if at else "", at.line if at else None, new)


# --- the client in Zoho's console -------------------------------------------------------------------------------------


def client_findings(before: Fields | None, after: Fields | None) -> Iterator[Finding]:
    """What to see in a change of the client."""
    if after is None:
        return
    regions = after.get("regions", _UNSET)
    dropped = [code for code in _codes(before) if code not in _codes(after)]
    if dropped and regions.known:
        text = (
            f"{', '.join(dropped)} {'are' if len(dropped) > 1 else 'is'} dropped: nobody verifies any more that "
            "customers whose Zoho organisation is there can link. Zoho's console and Codat keep it as it is."
        )
        yield finding("region-dropped", DANGER, text, after.get("regions"))
    rules: Mapping[str, tuple[str, Callable[[Mapping[str, object]], Iterator[str]]]] = {
        "verification-on": ("verify", verification_on),
        "supported-regions": ("regions", supported_regions),
    }
    for rule, (name, violations) in rules.items():
        was = set(violations(_values(before)))
        for text in violations(_values(after)):
            if text not in was:
                yield finding(rule, CAUTION, text, after.get(name))


def client_by_hand(before: Fields | None, after: Fields | None) -> Iterator[str]:
    """What a person has to see to in Zoho's console."""
    if after is None:
        return
    desired = as_client(after)
    differ = differing(before, after)
    redirect, *enabled_regions = by_hand(desired)
    if before is None or "client_id" in differ:
        yield redirect
        yield from enabled_regions
    elif desired.same_credentials_everywhere:
        added = sorted(set(_codes(after)) - set(_codes(before)))
        if added or "same_credentials_everywhere" in differ:
            yield from enabled_regions
        if added and not enabled_regions:
            yield f"Zoho's API console, Settings tab: {', '.join(added)} is enabled."
    if _value(after, "same_credentials_everywhere") is False and "same_credentials_everywhere" in differ:
        yield "Zoho's API console, Settings tab: 'Use the same OAuth credentials for all data centers' is off."
    if before is not None and "client_secret" in differ and "client_secret" in after:
        when = "If it is a rotation: the" if "client_secret" in uncertain(before, after) else "The"
        yield f"{when} new secret is the client's secret in Zoho's API console when this is deployed."


# --- the integration --------------------------------------------------------------------------------------------------


def books_findings(before: Fields | None, after: Fields | None, effect: Effect) -> Iterator[Finding]:
    """What to see in a change of the integration."""
    protection = _protection(effect)
    if after is None:
        yield _removed(before or {}, protection)
        return
    if _value(after, "allow_disruption") is True and _value(before, "allow_disruption") is not True:
        text = (
            "allow_disruption is switched on: disabling, another client id or deleting the keys then goes through "
            "while companies are linked. Set it for the one run that needs it, and back."
        )
        yield finding("linked-company-guard", DANGER, text, after["allow_disruption"])
    if before is None:
        return
    if "connection" in differing(before, after):
        mode = _on_delete(before)
        text = (
            f"Another connection: the integration of connection {after['connection'].shown} is set up, then that of "
            f"connection {before['connection'].shown} {_DELETION.get(mode, 'is deleted')}, unless both API keys open "
            f"one Codat client.{protection if mode != 'keep' else ''}"
        )
        yield finding("connection-changed", DANGER, text, after["connection"])
    elif _value(before, "enabled") is True and _value(after, "enabled") is False:
        text = "Customers cannot link Zoho Books any more, and what becomes of linked companies is documented nowhere."
        yield finding("disable", DANGER, text + protection, after["enabled"])
    yield from _key_findings(before, after, protection)
    old, new = _value(before, "on_delete"), _value(after, "on_delete")
    if old in _STRICTNESS and new in _STRICTNESS and _STRICTNESS.index(str(new)) > _STRICTNESS.index(str(old)):
        text = (
            f"The deletion policy is loosened from {old} to {new}: when the stack is destroyed, the integration "
            f"{_DELETION[str(new)]}."
        )
        yield finding("deletion-policy", DANGER, text, after["on_delete"])
    if "enabled" in before and "enabled" not in after:
        text = "enabled is not managed any more: Codat keeps it as it is, and nobody watches it."
        yield finding("unmanaged", CAUTION, text)


def _removed(before: Fields, protection: str) -> Finding:
    mode = _on_delete(before)
    text = f"The integration is not declared any more: it {_DELETION.get(mode, 'is deleted')}."
    if mode == "keep":
        return finding("removed", CAUTION, text)
    return finding("removed", DANGER, text + protection)


def _key_findings(before: Fields, after: Fields, protection: str) -> Iterator[Finding]:
    if "client_id" in before and "client_id" not in after:
        text = "The keys are not managed any more: Codat keeps those that it has stored, and nobody watches them."
        yield finding("unmanaged", CAUTION, text)
        return
    if "client_secret" in before and "client_secret" not in after:
        text = "The client secret is not managed any more: Codat keeps the one that it has stored."
        yield finding("unmanaged", CAUTION, text)
    if "client_id" in before and "client_id" in differing(before, after):
        text = "Tokens of linked companies are bound to the client id: every company must link again."
        yield finding("client-id-changed", DANGER, text + protection, after["client_id"])
    if "client_secret" in uncertain(before, after):
        text = (
            "The client secret is written anew. Whether it is another one (a rotation) or the same cannot be known "
            "without decrypting it: ask the author, or look for client_secret_fingerprint in a preview."
        )
        yield finding("secret-changed", CAUTION, text, after["client_secret"])


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


def _protection(effect: Effect) -> str:
    """What stands between the change and the companies that are linked."""
    if not effect.disruptive:
        return ""
    if effect.linked == 1:
        linked = "1 company was linked."
    elif effect.linked:
        linked = f"{effect.linked} companies were linked."
    else:
        linked = "no company was linked."
    if effect.refused:
        return f" It is refused: {linked}" if effect.linked else " It is refused."
    seen = "" if effect.linked is None else f" At the last look {linked}"
    if effect.allowed:
        return f" allow_disruption is on, so it goes through however many companies are linked.{seen}"
    unless = "" if effect.allowed is False else ", unless allow_disruption is on"
    return f" It is refused while companies are linked{unless}.{seen}"


# --- single fields ----------------------------------------------------------------------------------------------------


def _value(fields: Fields | None, name: str) -> object:
    return (fields or {}).get(name, _UNSET).value


def _values(fields: Fields | None) -> dict[str, object]:
    return {name: one.value for name, one in (fields or {}).items()}


def _codes(fields: Fields | None) -> list[str]:
    value = _value(fields, "regions")
    return list(value) if isinstance(value, list | tuple) else []


def _on_delete(fields: Fields) -> str:
    return str(_value(fields, "on_delete") or "remove")

"""Judges a change of an environment's resources: what a reviewer should see, and what a person has to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from codat_zoho.core.zoho_client import by_hand
from codat_zoho.policy.rules import supported_regions, verification_on
from codat_zoho.review import steps
from codat_zoho.review.report import Environment, FieldChange, Finding, Level, Step
from codat_zoho.review.steps import Sides
from codat_zoho.workspace.values import Field, Fields, as_client

_DELETION = {
    "keep": "is kept as it is",
    "disable": "is disabled; its keys stay",
    "remove": "is disabled and its keys are deleted",
}
"""What becomes of the integration, the mildest first."""
_UNMANAGED = {
    "client_id": "The keys are not managed any more: Codat keeps those that it has stored, and nobody watches them.",
    "client_secret": "The client secret is not managed any more: Codat keeps the one that it has stored.",
    "enabled": "enabled is not managed any more: Codat keeps it as it is, and nobody watches it.",
}
_RULES = {"verification-on": ("verify", verification_on), "supported-regions": ("regions", supported_regions)}


def finding(rule: str, level: Level, text: str, at: Field | None = None, *, new: bool = True) -> Finding:
    """A finding that points to where a field stands."""
    return Finding(rule, level, text, at.file if at else "", at.line if at else None, new)


@dataclass(slots=True)
class Judgement:
    """What is said of one environment, collected resource by resource."""

    changes: list[FieldChange] = field(default_factory=list)
    asked: list[Step] = field(default_factory=list)
    sent: list[Step] = field(default_factory=list)
    forgotten: list[Step] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    afterwards: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    cannot_know: list[str] = field(default_factory=list)

    def add_client(self, sides: Sides) -> None:
        """Judge a change of the client in Zoho's console."""
        if sides.differ and not sides.after:
            self.forgotten.append(Step("forget", "stop managing the client; it stays in Zoho's API console"))
        elif sides.differ:
            self.asked += steps.client(sides)
            self.by_hand += _client_by_hand(sides)
            self.findings += _client_findings(sides)

    def add_integration(self, sides: Sides, *, seen: bool = False, linked: int | None = None) -> steps.Effect | None:
        """Judge a change of the integration, see :func:`steps.integration`; None where it does not change."""
        if not sides.differ:
            return None
        effect = steps.integration(sides, seen=seen, linked=linked)
        self.sent += effect.steps
        self.afterwards += _integration_by_hand(sides)
        self.findings += _integration_findings(sides, _protection(effect))
        return effect

    def add_unknown(self, *resources: Fields) -> None:
        """Name the values that are not known, and why; secrets never are."""
        names_by_reason: defaultdict[str, list[str]] = defaultdict(list)
        for name, one in (pair for fields in resources for pair in fields.items()):
            if not one.known and name not in (*steps.SECRETS, *names_by_reason[one.shown]):
                names_by_reason[one.shown].append(name)
        for reason, names in names_by_reason.items():
            if names:
                self.cannot_know.append(f"The value of {', '.join(names)}: {reason}.")

    def environment(self, whole: Environment) -> Environment:
        """The environment with all of it: first data centres are asked, then Codat changes."""
        return replace(
            whole,
            changes=tuple(self.changes),
            steps=(*self.asked, *self.sent, *self.forgotten),
            by_hand=tuple(dict.fromkeys([*self.by_hand, *self.afterwards])),
            findings=tuple(dict.fromkeys(sorted(self.findings, key=lambda one: one.level != "danger"))),
            cannot_know=tuple(dict.fromkeys(self.cannot_know)),
        )


_MAY: Mapping[str, tuple[Level, str, object, object]] = {
    "client_id": ("danger", "may be another Zoho client, to which no linked company is bound", None, None),
    "regions": ("danger", "may drop data centres", None, None),
    "verify": ("caution", "may switch verification off", "off", "always"),
    "enabled": ("danger", "may disable the integration", False, True),
    "connection": ("danger", "may change the integration of another Codat client, and remove this one", None, None),
    "on_delete": ("danger", "may have more removed when the stack is destroyed", "remove", "keep"),
    "allow_disruption": ("danger", "may let changes through that cut off linked companies", True, False),
}
"""What a value that nobody can see may do, and between which values it cannot: before, or after."""


def hidden(*resources: Sides, added: bool, tells: str) -> Iterator[Finding]:
    """Find settings that differ, or are new, and are encrypted or decided elsewhere on a side; ``tells`` is a hint."""
    for name, (level, may, worst, best) in _MAY.items():
        sides = next((sides for sides in resources if name in sides.differ), None)
        if sides is None:
            continue
        old, new = sides.old(name), sides.new(name)
        if (old.known and new.known) or sides.as_elsewhere(name):
            continue
        if added and (new.elsewhere or name not in ("enabled", "allow_disruption")):
            continue
        if (not added and old.known and old.value == worst and worst is not None) or (
            new.known and new.value == best and best is not None
        ):
            continue
        what = f"is now {new.words}" if added else f"goes from {old.words or 'not set'} to {new.words or 'not set'}"
        text = f"{name} {what}: what that changes cannot be known here, and it {may}. {tells}"
        if not all(one.known or one.elsewhere for one in (old, new)):
            text += " It is no secret: set it in clear, so that it can be reviewed."
        yield finding("hidden-value", level, text, new if new.file else old)


def provider_findings(sides: Sides, *, explicit: bool = False) -> Iterator[Finding]:
    """Find what changes where requests go, and with which key; an ``explicit`` provider's comes before all others."""
    for name in sides.differ:
        removed = sides.dropped(name)
        at = sides.old(name) if removed else sides.new(name)
        if name == "codatUrl" and not removed:
            text = f"The API key and the client secret are sent to another address: {at.shown}."
            yield finding("address-changed", "danger", text, at)
        elif name in ("apiKey", "apiKeys") and not removed:
            new = "is set, and comes before the environment's" if explicit else "is set where the environment has none"
            what = "is written anew" if sides.in_both(name) else new
            text = f"{name} {what}. With a key of another Codat client, pulumi up changes that client's integration."
            yield finding("api-key-changed", "caution", text, at)
        else:
            text = f"{name} decides where the package sends its requests: {'removed' if removed else at.shown}."
            yield finding("address-changed", "caution", text, at)


# --- the client in Zoho's console -------------------------------------------------------------------------------------


def _client_findings(sides: Sides) -> Iterator[Finding]:
    dropped = [code for code in _codes(sides.old("regions")) if code not in _codes(sides.new("regions"))]
    if dropped and sides.new("regions").known:
        text = (
            f"{', '.join(dropped)} {'are' if len(dropped) > 1 else 'is'} dropped: nobody verifies any more that "
            "customers whose Zoho organisation is there can link. Zoho's console and Codat keep it as it is."
        )
        yield finding("region-dropped", "danger", text, sides.new("regions"))
    for rule, (name, violations) in _RULES.items():
        was = set(violations({name: sides.old(name).value}))
        for text in violations({name: sides.new(name).value}):
            if text not in was:
                yield finding(rule, "caution", text, sides.new(name))


def _client_by_hand(sides: Sides) -> Iterator[str]:
    desired = as_client(sides.after)
    redirect, *enabled_regions, prove = by_hand(desired.regions)
    if not sides.before or "client_id" in sides.differ:
        yield redirect
        yield from enabled_regions
    elif desired.same_credentials_everywhere:
        added = sorted({*_codes(sides.new("regions"))} - {*_codes(sides.old("regions"))})
        if added or "same_credentials_everywhere" in sides.differ:
            yield from enabled_regions
        if added and not enabled_regions:
            yield f"Zoho's API console, Settings tab: {', '.join(added)} is enabled."
    if "same_credentials_everywhere" in sides.differ and sides.new("same_credentials_everywhere").value is False:
        yield "Zoho's API console, Settings tab: 'Use the same OAuth credentials for all data centers' is off."
    if sides.before and "client_secret" in sides.differ and "client_secret" in sides.after:
        when = "If it is a rotation: the" if "client_secret" in sides.uncertain else "The"
        yield f"{when} new secret is the client's secret in Zoho's API console when this is deployed."
    if {"client_id", "client_secret"} & set(sides.differ):
        yield prove


def _codes(regions: Field) -> list[str]:
    return list(regions.value) if isinstance(regions.value, list | tuple) else []


# --- the integration --------------------------------------------------------------------------------------------------


def _integration_findings(sides: Sides, protection: str) -> Iterator[Finding]:
    mode = str(sides.old("on_delete").value or "remove")
    becomes = _DELETION.get(mode, "is deleted")
    guard = "" if mode == "keep" else protection
    if not sides.after:
        text = f"The integration is not declared any more: it {becomes}."
        yield finding("removed", "caution" if mode == "keep" else "danger", text + guard)
        return
    if sides.new("allow_disruption").value is True and sides.old("allow_disruption").value is not True:
        text = (
            "allow_disruption is switched on: disabling, another client id or deleting the keys then goes through "
            "while companies are linked. Set it for the one run that needs it, and back."
        )
        yield finding("linked-company-guard", "danger", text, sides.new("allow_disruption"))
    if not sides.before:
        if sides.new("enabled").value is False:
            text = "If Codat has the integration enabled, customers cannot link Zoho Books any more."
            yield finding("disable", "danger", text + protection, sides.new("enabled"))
        return
    if "connection" in sides.differ:
        text = (
            f"Another connection: the integration of connection {sides.new('connection').shown} is set up, then that "
            f"of connection {sides.old('connection').shown} {becomes}, unless both API keys open one Codat client."
        )
        yield finding("connection-changed", "danger", text + guard, sides.new("connection"))
    elif sides.old("enabled").value is True and sides.new("enabled").value is False:
        text = "Customers cannot link Zoho Books any more, and what becomes of linked companies is documented nowhere."
        yield finding("disable", "danger", text + protection, sides.new("enabled"))
    if "client_id" in sides.differ and sides.in_both("client_id"):
        text = "Tokens of linked companies are bound to the client id: whether companies must link again is not known."
        yield finding("client-id-changed", "danger", text + protection, sides.new("client_id"))
    if "client_secret" in sides.uncertain:
        text = (
            "The client secret is written anew. Whether it is another one (a rotation) or the same cannot be known "
            "without decrypting it: ask the author, or look for client_secret_fingerprint in a preview."
        )
        yield finding("secret-changed", "caution", text, sides.new("client_secret"))
    modes = list(_DELETION)
    old, new = str(sides.old("on_delete").value), str(sides.new("on_delete").value)
    if old in modes and new in modes and modes.index(new) > modes.index(old):
        text = (
            f"The deletion policy is loosened from {old} to {new}: when the stack is destroyed, the integration "
            f"{_DELETION[new]}."
        )
        yield finding("deletion-policy", "danger", text, sides.new("on_delete"))
    for name, text in _UNMANAGED.items():
        if sides.dropped(name) and not (name == "client_secret" and sides.dropped("client_id")):
            yield finding("unmanaged", "caution", text)


def _integration_by_hand(sides: Sides) -> Iterator[str]:
    if "client_id" in sides.differ and sides.in_both("client_id"):
        yield "Afterwards: look in the Codat Portal whether linked companies have to link Zoho Books again."
    connection = sides.new("connection")
    if "connection" in sides.differ and sides.in_both("connection") and connection.known:
        name = str(connection.value)
        suffix = "" if name == "default" else f"_{name.upper().replace('-', '_')}"
        yield f"Where pulumi up runs: the API key of the other Codat client is in CODAT_API_KEY{suffix}."


def _protection(effect: steps.Effect) -> str:
    """What stands between the change and the companies that are linked."""
    if not effect.disruptive:
        return ""
    if effect.linked == 1:
        linked = "1 company was linked."
    else:
        linked = f"{effect.linked} companies were linked." if effect.linked else "no company was linked."
    if effect.refused:
        return f" It is refused: {linked}" if effect.linked else " It is refused."
    seen = "" if effect.linked is None else f" At the last look {linked}"
    if effect.allowed:
        return f" allow_disruption is on, so it goes through however many companies are linked.{seen}"
    unless = "" if effect.allowed is False else ", unless allow_disruption is on"
    return f" It is refused while companies are linked{unless}.{seen}"

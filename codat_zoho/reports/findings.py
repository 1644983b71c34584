"""Reads drift out of what the engine shows of a refreshed resource. Pure: no engine, no network.

A refresh leaves the declared values in the old inputs and what is there now in the new outputs. How drift looks in
them is fixed by ``plan.observe`` and by the providers' ``read``: a client id that differs is a mask, a secret that
differs has the fingerprint ``differs (ends in c0de)``, a data centre that rejects is missing from ``regions``, and what
could not be told is listed in ``cannot_tell``, each line beginning with the names of the settings it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codat_zoho.actual import CONSISTENT, Probe
from codat_zoho.plan import How, Value
from codat_zoho.reports.drift import Failure, Finding, Pending, Resource, State

__all__ = ["CLIENT", "INTEGRATION", "TOKEN_PREFIX", "Seen", "pending", "resource"]

TOKEN_PREFIX = "pulumi-python:dynamic/codat-zoho:"
INTEGRATION, CLIENT = "ZohoBooksIntegration", "ZohoClientCredentials"
FINGERPRINT = "client_secret_fingerprint"

_PORTAL = "Codat Portal, Settings > Integrations > Zoho Books"
_CONSOLE = "Zoho's API console of the account's home data centre, Settings tab of the client"
_ACCEPTED = "an earlier plain 'pulumi refresh' wrote this drift into the state"
_RESTORE = "The command below restores what is declared."
_HIDDEN = "[secret]"
_FINGERPRINT = re.compile("[0-9a-f]{16}")
_MASK = re.compile(r"[Xx*•]{4,}")

Props = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """One resource as the engine's events show it.

    Args:
        urn: of the resource.
        kind: its type without the prefix.
        operation: ``same``, ``update``, ``delete``, ``refresh`` (while nothing came back), …
        inputs: what was declared.
        outputs: what is there now; None when it is gone or could not be read.
        differs: the settings that the engine calls different.
    """

    urn: str
    kind: str
    operation: str
    inputs: Props = field(default_factory=dict)
    outputs: Props | None = None
    differs: Collection[str] = ()

    @property
    def name(self) -> str:
        """Pulumi's name of the resource."""
        return self.urn.rpartition("::")[2]


def resource(seen: Seen, *, up: str, verified: bool = True, failure: Failure | None = None) -> Resource:
    """Say how a refreshed resource stands.

    Args:
        seen: what the engine showed.
        up: the command that restores what is declared.
        verified: whether Zoho was asked.
        failure: why it could not be read.
    """
    outputs = seen.outputs or {}
    odd = sorted({*_odd(seen.inputs, _INPUTS), *_odd(outputs, _OUTPUTS)})
    if odd:
        # Passing over it could pass over drift.
        text = f"The stack's state holds {', '.join(odd)} in a form that this package does not know."
        outputs, failure = {}, failure or Failure("state", f"{text} Look at it with: pulumi stack export")
    linked = outputs.get("linked_companies")
    result = Resource(
        name=seen.name,
        kind=seen.kind,
        urn=seen.urn,
        failure=failure,
        linked_companies=int(linked) if isinstance(linked, float) else linked,
        verified_at=outputs.get("verified_at"),
    )
    if failure:
        return result
    if seen.operation == "delete":
        return _with(result, [_gone(up)])
    untold = _by_field(outputs.get("cannot_tell") or ())
    if seen.kind == CLIENT:
        return _with(result, _regions(seen, outputs, untold, verified, up))
    findings = [
        *_enabled(seen, outputs, up),
        *_client_id(seen, outputs, untold, up),
        *_secret(seen, outputs, untold, up),
    ]
    told = {one.field for one in findings}
    return _with(result, findings, [text for name, texts in untold.items() if name not in told for text in texts])


def _odd(props: Props, kinds: Mapping[str, Callable[[Any], bool]]) -> Iterable[str]:
    return (name for name, fits in kinds.items() if props.get(name) is not None and not fits(props[name]))


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _lines(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _number(value: object) -> bool:
    return value == "unknown" or (isinstance(value, int | float) and abs(value) < 1e15)


# What is secret is a map, see _hidden.
_INPUTS = {"client_id": _is(str, Mapping), "enabled": _is(bool, Mapping)}
_OUTPUTS = {
    **_INPUTS,
    FINGERPRINT: _is(str),
    "linked_companies": _number,
    "verified_at": _is(str),
    "cannot_tell": _lines,
    "manual_steps": _lines,
    "verdicts": lambda value: isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()),
}


def _with(result: Resource, findings: Iterable[Finding], notes: Iterable[str] = ()) -> Resource:
    values = {name: getattr(result, name) for name in ("name", "kind", "urn", "linked_companies", "verified_at")}
    return Resource(**values, findings=tuple(findings), notes=tuple(notes))


def _by_field(lines: Iterable[str]) -> dict[str, list[str]]:
    """Sort what could not be told by the settings each line begins with; the rest of the line is the reason."""
    found: dict[str, list[str]] = {}
    for line in lines:
        names, _, reason = line.partition(": ")
        for name in names.split(", ") if reason else [""]:
            found.setdefault(name, []).append(reason or line)
    return found


def _hidden(value: object) -> bool:
    """The program declares the value as a secret, so the engine shows it to nobody."""
    return isinstance(value, Mapping)


def _gone(up: str) -> Finding:
    return Finding(
        "integration",
        State.DRIFT,
        "present",
        "gone",
        How.READ,
        why="Codat does not know Zoho Books for this API key (404)",
        where=_PORTAL,
        todo="Check that the API key belongs to the Codat client that is meant, and ask Codat why Zoho Books is no "
        "longer offered to it. Once it is there again, the command below brings it to what is declared.",
        command=up,
    )


def _disruption(what: str, seen: Seen, outputs: Props) -> str:
    linked = outputs.get("linked_companies")
    if linked == 0 or seen.inputs.get("allow_disruption") is True:
        return ""
    who = f"the {int(linked)} linked" if isinstance(linked, int | float) else "an unknown number of linked"
    return f" {what} can cut off {who} companies, so that is refused unless allow_disruption is set."


def _enabled(seen: Seen, outputs: Props, up: str) -> Iterable[Finding]:
    declared, actual = seen.inputs.get("enabled"), outputs.get("enabled")
    if declared is None:
        return
    if _hidden(declared) or _hidden(actual):
        same, declared, actual = "enabled" not in seen.differs, _HIDDEN, _HIDDEN
    else:
        same = declared == actual
    if same:
        yield Finding("enabled", State.AS_DECLARED, declared, actual, How.READ, where=_PORTAL)
        return
    risk = _disruption("Disabling it again", seen, outputs) if declared is False else ""
    meant = f" If the change was meant, declare enabled={actual} instead." if isinstance(actual, bool) else ""
    yield Finding(
        "enabled", State.DRIFT, declared, actual, How.READ, where=_PORTAL, todo=f"{_RESTORE}{risk}{meant}", command=up
    )


_NO_SECRET_TO_SAVE = "No secret is declared to save again: declare client_secret, then run the command below."


def _client_id(seen: Seen, outputs: Props, untold: Mapping[str, list[str]], up: str) -> Iterable[Finding]:
    declared, actual = seen.inputs.get("client_id"), outputs.get("client_id")
    if declared is None:
        return
    risk = _disruption("Changing the client id back", seen, outputs)
    meant = " If the change was meant, declare the new client id and secret instead."
    drifted = _Drift("client_id", f"{_RESTORE}{risk}{meant}", up)
    if _hidden(declared) or _hidden(actual):
        if "client_id" in seen.differs:
            yield drifted(_HIDDEN, _HIDDEN)
        else:
            yield _told("client_id", _HIDDEN, _HIDDEN, untold)
    elif actual is None:
        # Saving the recorded client's own keys again is let through, so there is no risk to announce.
        todo = f"{_RESTORE}{meant}" if "client_secret" in seen.inputs else _NO_SECRET_TO_SAVE
        yield _Drift("client_id", todo, up)(declared, "none stored", How.READ)
    elif actual != declared:
        yield drifted(declared, actual, How.MASK if _MASK.search(actual) else How.READ)
    elif _MASK.match(declared):
        yield drifted(None, actual, why=_ACCEPTED)
    else:
        yield _told("client_id", declared, actual, untold)


def _secret(seen: Seen, outputs: Props, untold: Mapping[str, list[str]], up: str) -> Iterable[Finding]:
    before, now = seen.inputs.get(FINGERPRINT), outputs.get(FINGERPRINT)
    if "client_secret" not in seen.inputs:
        if "client_id" in seen.inputs and "client_secret" in untold:
            reason = " ".join(untold["client_secret"])
            yield Finding("client_secret", State.CANNOT_TELL, None, None, How.MASK, why=reason, where=_PORTAL)
        return
    declared = f"fingerprint {before}" if isinstance(before, str) and _FINGERPRINT.fullmatch(before) else None
    if now is None or _FINGERPRINT.fullmatch(now):
        known = declared or (f"fingerprint {now}" if now else None)
        yield _told("client_secret", known, known, untold)
        return
    shown = now.removeprefix("differs (").removesuffix(")")
    how = How.READ if shown == "none stored" else How.MASK
    meant = " If the secret was rotated on purpose, declare the new one and run pulumi up instead."
    drifted = _Drift("client_secret", f"{_RESTORE}{meant}", up)
    yield drifted(declared, shown, how, why="" if declared else _ACCEPTED)


@dataclass(frozen=True, slots=True)
class _Drift:
    """Makes findings of one drifted key."""

    field: str
    todo: str
    command: str

    def __call__(self, declared: Value, actual: Value, how: How = How.MASK, *, why: str = "") -> Finding:
        return Finding(self.field, State.DRIFT, declared, actual, how, why, _PORTAL, self.todo, self.command)


def _told(name: str, declared: Value, actual: Value, untold: Mapping[str, list[str]]) -> Finding:
    """A key that shows no difference: as declared as far as a mask goes, or hidden from view."""
    reasons = [text for text in untold.get(name, ()) if CONSISTENT not in text]
    if reasons:
        return Finding(name, State.CANNOT_TELL, declared, None, How.MASK, why=" ".join(reasons), where=_PORTAL)
    why = " ".join(untold.get(name, ()))
    return Finding(name, State.AS_DECLARED, declared, actual, How.MASK, why=why, where=_PORTAL)


def _regions(seen: Seen, outputs: Props, untold: Mapping[str, list[str]], verified: bool, up: str) -> Iterable[Finding]:
    verdicts = outputs.get("verdicts") or {}
    declared = seen.inputs.get("regions")
    codes = declared if isinstance(declared, list) and all(isinstance(code, str) for code in declared) else [*verdicts]
    steps = " ".join(outputs.get("manual_steps") or ())
    asked = verified and "client_secret" in seen.inputs
    accepted = Probe.ACCEPTED.value
    for code in sorted(codes):
        name, verdict = f"regions.{code}", verdicts.get(code, Probe.NOT_ASKED.value)
        if not asked:
            at = f"{verdict} when Zoho was last asked, {outputs['verified_at']}" if outputs.get("verified_at") else ""
            why = "; ".join(filter(None, [_WHY_NOT_ASKED[verified], at]))
            yield Finding(name, State.CANNOT_TELL, accepted, None, How.PROBE, why=why, where=_CONSOLE)
        elif verdict == accepted:
            yield Finding(name, State.AS_DECLARED, accepted, accepted, How.PROBE, where=_CONSOLE)
        elif verdict in (Probe.UNKNOWN_CLIENT.value, Probe.WRONG_SECRET.value):
            todo = f"{steps} Then check again; nothing that Pulumi does can change it."
            yield Finding(name, State.DRIFT, accepted, verdict, How.PROBE, where=_CONSOLE, todo=todo.strip())
        else:
            reasons = [text for text in untold.get("regions", ()) if f"data centre {code} " in text]
            why = " ".join(reasons) or "it was not asked"
            yield Finding(name, State.CANNOT_TELL, accepted, None, How.PROBE, why=why, where=_CONSOLE)


_WHY_NOT_ASKED = {
    True: "no secret is declared to ask Zoho with",
    False: "Zoho was not asked in this run (--no-verify)",
}


def pending(seen: Seen, news: Props) -> Pending:
    """Name an undeployed change; values that are secret are left out."""
    names = sorted({*seen.inputs, *news} - {"__provider", "client_secret"})
    changed = [name for name in names if _plain(seen.inputs.get(name)) != _plain(news.get(name))]
    return Pending(
        f"{seen.name} ({seen.kind})",
        seen.operation,
        tuple((name, _shown(seen.inputs.get(name)), _shown(news.get(name))) for name in changed),
    )


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _shown(value: object) -> Value:
    if _hidden(value):
        return _HIDDEN
    if value is None or isinstance(value, bool):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

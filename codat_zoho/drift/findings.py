"""Says how what is there compares with what was deployed. Pure: what Codat and Zoho said comes in as data.

The comparison itself is the core's (``observe``, ``plan``), so a drift check finds what a refresh of the
engine shows. In one thing it looks further: a plain ``pulumi refresh`` takes what it finds
over into the state, and what was declared stands beside that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from codat_zoho.core.masks import Known, read_mask
from codat_zoho.core.observe import ActualIntegration, Probe, ProbeResult, Recorded, observe
from codat_zoho.core.plan import How, Value
from codat_zoho.core.zoho_client import plan_client
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.declare.tokens import CLIENT
from codat_zoho.drift.report import Failure, Finding, Resource, State
from codat_zoho.workspace.state import ENCRYPTED, Deployed

_PORTAL = f"Codat Portal, {ZOHO_BOOKS.portal}"
_CONSOLE = "Zoho's API console of the account's home data centre, Settings tab of the client"
_TAKEN_OVER = "a plain 'pulumi refresh' has taken it over into the state, so the engine no longer shows it"
_RESTORE = "The command below restores what is declared."
_HIDDEN = "[secret]"
_ENCRYPTED = "is encrypted in this state; export it with 'pulumi stack export --show-secrets'"

Props = Mapping[str, Any]


def failure(deployed: Deployed) -> Failure | None:
    """Why nothing can be said of a resource whatever Codat and Zoho say; None where that is not so."""
    if deployed.unfinished and not _ends(deployed):
        text = (
            f"A deployment is running, or ended while it was {deployed.unfinished} this, so what came of that is not "
            "known. Run 'pulumi up' when nobody else deploys: it reads what is there and finishes."
        )
        return Failure("unfinished", text)
    if deployed.odd:
        text = f"The stack's state holds {', '.join(deployed.odd)} in a form that this package does not know."
        return Failure("state", f"{text} Look at it with: pulumi stack export")
    return None


def _ends(deployed: Deployed) -> bool:
    """It is a Zoho client that waits to be deleted: another took its place, and deleting one does nothing."""
    return deployed.kind == CLIENT and deployed.unfinished == "deleting"


def _resource(deployed: Deployed, findings: Iterable[Finding] = (), notes: Iterable[str] = ()) -> Resource:
    taint = ["It is tainted: the next 'pulumi up' replaces it."] if deployed.tainted else []
    return Resource(
        deployed.name,
        deployed.kind,
        deployed.urn,
        tuple(findings),
        (*notes, *taint),
        declared_at=_declared_at(deployed),
    )


def _declared_at(deployed: Deployed) -> str | None:
    declared = deployed.outputs.get("declared")
    return declared.get("at") if isinstance(declared, Mapping) else None


def gone(deployed: Deployed, up: str) -> Resource:
    """Codat does not know the integration."""
    found = Finding(
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
    return _resource(deployed, [found])


# --- the integration --------------------------------------------------------------------------------------------------


def integration(deployed: Deployed, actual: ActualIntegration, up: str) -> Resource:
    """Say how an integration stands.

    Args:
        deployed: as the state has it.
        actual: as Codat has it.
        up: the command that restores what is declared.
    """
    looked = _Looked(deployed, actual, up)
    notes = []
    if actual.linked is None:
        notes.append("Codat does not say how many companies are linked.")
    if actual.codat_client.why:
        notes.append(f"{actual.codat_client.why}.")
    managed = bool(deployed.inputs)  # Else it is only looked up.
    return replace(
        _resource(deployed, [*looked.enabled(), *looked.client_id(), *looked.client_secret()], notes),
        linked_companies="unknown" if actual.linked is None else actual.linked,
        codat_client=actual.codat_client.id if managed else None,
        codat_client_name=deployed.outputs.get("codat_client_name") if managed else None,
    )


class _Looked:
    """One integration as declared, as recorded, and as it is."""

    def __init__(self, deployed: Deployed, actual: ActualIntegration, up: str) -> None:
        self._actual, self._up, self._hidden = actual, up, deployed.hidden
        self._inputs = deployed.inputs
        said = deployed.outputs.get("declared")
        self._encrypted = said is ENCRYPTED
        self._declared: Props = said if isinstance(said, Mapping) else deployed.inputs
        self._secret = deployed.inputs.get("client_secret")
        found = observe(self._recorded(deployed), actual)
        self._now = found.values
        self._untold = {name: one for one in found.cannot_tell for name in one.fields}

    def _recorded(self, deployed: Deployed) -> Recorded:
        known = {name: value for name, value in self._declared.items() if value is not ENCRYPTED}
        # Whether any keys are stored can be told without the secret.
        stand_in = _HIDDEN if self._actual.keys is None else None
        return Recorded(
            client_id=known.get("client_id"),
            client_secret=stand_in if self._secret is ENCRYPTED else self._secret,
            client_secret_fingerprint=known.get(FINGERPRINT),
            enabled=known.get("enabled"),
            keys_cleared_while_disabled=bool(deployed.outputs.get("keys_cleared_while_disabled")),
        )

    def enabled(self) -> Iterable[Finding]:
        declared, actual = self._declared.get("enabled"), self._now.enabled
        if declared is None:
            return
        if declared is ENCRYPTED:
            yield self._unreadable("enabled", How.READ)
            return
        same = declared == actual
        shown = (_HIDDEN, _HIDDEN) if "enabled" in self._hidden else (declared, actual)
        if same:
            yield self._as_far_as_known(
                Finding("enabled", State.AS_DECLARED, shown[0], shown[1], How.READ, where=_PORTAL)
            )
            return
        risk = self._disruption("Disabling it again") if declared is False else ""
        meant = f" If the change was meant, declare enabled={shown[1]} instead." if shown[1] is not _HIDDEN else ""
        yield self._drift("enabled", shown, f"{_RESTORE}{risk}{meant}", How.READ)

    def client_id(self) -> Iterable[Finding]:
        declared, actual = self._declared.get("client_id"), self._now.client_id
        if declared is None:
            return
        if declared is ENCRYPTED:
            yield self._unreadable("client_id")
            return
        risk = self._disruption("Changing the client id back")
        meant = " If the change was meant, declare the new client id and secret instead."
        hidden = "client_id" in self._hidden
        if actual is None:
            # Saving the recorded client's own keys again is let through, so there is no risk to announce.
            todo = f"{_RESTORE}{meant}" if self._secret is not None else _NO_SECRET_TO_SAVE
            yield self._drift("client_id", (_HIDDEN if hidden else declared, "none stored"), todo, How.READ)
        elif actual != declared:
            how = How.MASK if _is_masked(actual) else How.READ
            shown = (_HIDDEN, _HIDDEN) if hidden else (declared, actual)
            yield self._drift("client_id", shown, f"{_RESTORE}{risk}{meant}", how)
        elif _is_masked(declared):  # An older version recorded no declaration beside what a refresh found.
            yield self._drift("client_id", (None, actual), f"{_RESTORE}{risk}{meant}", why=_TAKEN_OVER)
        else:
            yield self._told("client_id", _HIDDEN if hidden else declared, _HIDDEN if hidden else actual)

    def client_secret(self) -> Iterable[Finding]:
        if self._secret is None:
            if "client_id" in self._declared and "client_secret" in self._untold:
                reason = self._untold["client_secret"].reason
                yield Finding("client_secret", State.CANNOT_TELL, None, None, How.MASK, why=reason, where=_PORTAL)
            return
        before, now = self._declared.get(FINGERPRINT), self._now.client_secret_fingerprint
        declared = f"fingerprint {before}" if isinstance(before, str) and is_fingerprint(before) else None
        cleared = "client_id" in self._untold and "client_secret" in self._untold and self._actual.keys is None
        if self._secret is ENCRYPTED and (self._actual.keys is not None or cleared):
            yield self._unreadable("client_secret", declared=declared)
        elif now is None or is_fingerprint(now):
            known = declared or (f"fingerprint {now}" if now else None)
            yield self._told("client_secret", known, known)
        else:
            absent = self._actual.keys is None
            shown = "none stored" if absent else self._actual.secret_in_words
            meant = " If the secret was rotated on purpose, declare the new one and run pulumi up instead."
            how = How.READ if absent else How.MASK
            why = "" if declared else _TAKEN_OVER
            yield self._drift("client_secret", (declared, shown), f"{_RESTORE}{meant}", how, why=why)

    def _disruption(self, what: str) -> str:
        linked = self._actual.linked
        if linked == 0 or self._inputs.get("allow_disruption") is True:
            return ""
        who = "an unknown number of linked" if linked is None else f"the {linked} linked"
        return f" {what} can cut off {who} companies, so that is refused unless allow_disruption is set."

    def _drift(
        self, field: str, values: tuple[Value, Value], todo: str, how: How = How.MASK, *, why: str = ""
    ) -> Finding:
        name = FINGERPRINT if field == "client_secret" else field
        if self._declared is not self._inputs and self._inputs.get(name) != self._declared.get(name):
            why = f"{_TAKEN_OVER}; 'pulumi up' restores what is declared"
        return Finding(field, State.DRIFT, *values, how, why, _PORTAL, todo, self._up)

    def _told(self, name: str, declared: Value, actual: Value) -> Finding:
        """A key that shows no difference: as declared as far as a mask goes, or hidden from view."""
        untold = self._untold.get(name)
        why = untold.reason if untold else ""
        if untold and not untold.consistent:
            return Finding(name, State.CANNOT_TELL, declared, None, How.MASK, why=why, where=_PORTAL)
        return self._as_far_as_known(Finding(name, State.AS_DECLARED, declared, actual, How.MASK, why, _PORTAL))

    def _as_far_as_known(self, found: Finding) -> Finding:
        """It equals what is recorded; whether that is what was declared is in an output that may be encrypted."""
        if not self._encrypted:
            return found
        return replace(found, state=State.CANNOT_TELL, actual=None, why=f"what was declared {_ENCRYPTED}")

    @staticmethod
    def _unreadable(field: str, how: How = How.MASK, declared: Value = None) -> Finding:
        return Finding(field, State.CANNOT_TELL, declared, None, how, f"what was declared {_ENCRYPTED}", _PORTAL)


_NO_SECRET_TO_SAVE = "No secret is declared to save again: declare client_secret, then run the command below."


def _is_masked(shown: str) -> bool:
    """Part of the value is hidden: it agrees with itself, and is not known to be the same."""
    return read_mask(shown, shown).known is not Known.SAME


# --- the client in Zoho's console -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """What Zoho is asked about a client; without a secret it cannot be."""

    client_id: str
    client_secret: str | None
    regions: tuple[str, ...]
    why_not: str = ""


def question(deployed: Deployed) -> Question | None:
    """What to ask Zoho about a client; None where nothing of it is declared: it is only looked up, or at its end."""
    declared = deployed.outputs.get("declared")
    given: Props = declared if isinstance(declared, Mapping) else deployed.inputs
    regions = given.get("regions")
    codes = regions if isinstance(regions, list) else [*(deployed.outputs.get("verdicts") or ())]
    client_id, secret = (given.get("client_id"), deployed.inputs.get("client_secret"))
    if (client_id is None and not codes) or _ends(deployed):
        return None
    if ENCRYPTED in (client_id, secret, regions, declared):
        return Question("", None, tuple(sorted(codes)), f"what Zoho is asked with {_ENCRYPTED}")
    why = "" if secret is not None and client_id is not None else "no secret is declared to ask Zoho with"
    return Question(client_id or "", None if why else secret, tuple(sorted(codes)), why)


def client(
    deployed: Deployed, asked: Question | None, verdicts: Mapping[str, ProbeResult] | None, at: str | None = None
) -> Resource:
    """Say how a Zoho client stands.

    Args:
        deployed: as the state has it.
        asked: see :func:`question`.
        verdicts: what each data centre said; None where Zoho was not to be asked.
        at: when it was asked, UTC.
    """
    recorded = deployed.outputs.get("verified_at")
    known = recorded if isinstance(recorded, str) else None
    notes = ["It waits to be deleted, since the last deployment did not finish: run 'pulumi up'."]
    result = replace(_resource(deployed, notes=notes if _ends(deployed) else ()), verified_at=at or known)
    if asked is None:
        return result
    steps = _steps(asked, verdicts or {})
    return replace(result, findings=tuple(_region(deployed, code, asked, verdicts, steps) for code in asked.regions))


def _steps(asked: Question, verdicts: Mapping[str, ProbeResult]) -> str:
    if not any(verdict.probe.rejected for verdict in verdicts.values()):
        return ""
    todo = plan_client(asked.regions, verdicts)
    return " ".join(todo.manual_steps)


def _region(
    deployed: Deployed, code: str, asked: Question, verdicts: Mapping[str, ProbeResult] | None, steps: str
) -> Finding:
    name, accepted = f"regions.{code}", Probe.ACCEPTED.value
    if verdicts is None or asked.client_secret is None:
        recorded, when = (deployed.outputs.get(one) for one in ("verdicts", "verified_at"))
        last = recorded.get(code, Probe.NOT_ASKED.value) if isinstance(recorded, Mapping) else Probe.NOT_ASKED.value
        at = f"{last} when Zoho was last asked, {when}" if isinstance(when, str) else ""
        reason = asked.why_not if verdicts is not None else "Zoho was not asked in this run (--no-verify)"
        why = "; ".join(filter(None, [reason, at]))
        return Finding(name, State.CANNOT_TELL, accepted, None, How.PROBE, why=why, where=_CONSOLE)
    verdict = verdicts[code]
    if verdict.probe is Probe.ACCEPTED:
        return Finding(name, State.AS_DECLARED, accepted, accepted, How.PROBE, where=_CONSOLE)
    if not verdict.probe.rejected:
        why = f"whether Zoho's data centre {code} accepts the client: {verdict.why}."
        return Finding(name, State.CANNOT_TELL, accepted, None, How.PROBE, why=why, where=_CONSOLE)
    inputs = deployed.inputs.get("regions")
    taken_over = isinstance(inputs, list) and code not in inputs
    return Finding(
        name,
        State.DRIFT,
        accepted,
        verdict.probe.value,
        How.PROBE,
        why=_TAKEN_OVER if taken_over else "",
        where=_CONSOLE,
        todo=f"{steps} Then check again; nothing that Pulumi does can change it.".strip(),
    )

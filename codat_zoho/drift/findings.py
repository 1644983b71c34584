"""Says how what is there compares with what was deployed. Pure: what Codat and Zoho said comes in as data.

The comparison itself is the core's (``observe``, ``plan``), so a drift check finds what a refresh of the engine shows,
and more: a plain ``pulumi refresh`` takes what it finds over into the state, and what was declared stands beside that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from codat_zoho.core.masks import Known, read_mask
from codat_zoho.core.observe import ActualIntegration, Probe, ProbeResult, Recorded, observe
from codat_zoho.core.plan import How, Value
from codat_zoho.core.zoho_client import PROVE, plan_client
from codat_zoho.declare.platform import CLIENT, INTEGRATION, ZOHO_BOOKS
from codat_zoho.declare.rules import is_fingerprint
from codat_zoho.declare.settings import FINGERPRINT
from codat_zoho.drift.report import Finding, Resource, State
from codat_zoho.link.record import LinkTest, standing
from codat_zoho.workspace.failures import Failure
from codat_zoho.workspace.state import ENCRYPTED, Deployed, Exported

_PORTAL = f"Codat Portal, {ZOHO_BOOKS.portal}"
_CONSOLE = "Zoho's API console of the account's home data centre, Settings tab of the client"
_TAKEN_OVER = "a plain 'pulumi refresh' has taken it over into the state, so the engine no longer shows it"
_RESTORE = "The command below restores what is declared."
_NO_SECRET_TO_SAVE = "No secret is declared to save again: declare {}, then run the command below."
_HIDDEN = "[secret]"
_WHY_ENCRYPTED = "is encrypted in this state; export it with 'pulumi stack export --show-secrets'"

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


def _resource(deployed: Deployed, findings: Iterable[Finding], notes: Iterable[str] = (), **more: Any) -> Resource:
    if deployed.tainted:
        notes = [*notes, "It is tainted: the next 'pulumi up' replaces it."]
    declared = deployed.outputs.get("declared")
    at = declared.get("at") if isinstance(declared, Mapping) else None
    named = (deployed.name, deployed.kind, deployed.urn)
    return Resource(*named, tuple(findings), tuple(notes), declared_at=at, **more)


def gone(deployed: Deployed, up: str) -> Resource:
    """Codat does not know the integration."""
    why = "Codat does not know Zoho Books for this API key (404)"
    todo = (
        "Check that the API key belongs to the Codat client that is meant, and ask Codat why Zoho Books is no longer "
        "offered to it. Once it is there again, the command below brings it to what is declared."
    )
    found = Finding("integration", State.DRIFT, "present", "gone", How.READ, why, _PORTAL, todo, up)
    return _resource(deployed, [found])


# --- the integration --------------------------------------------------------------------------------------------------


def integration(deployed: Deployed, actual: ActualIntegration, up: str) -> Resource:
    """Say how an integration stands; ``up`` is the command that restores what is declared."""
    notes = [] if actual.linked is not None else ["Codat does not say how many companies are linked."]
    if actual.codat_client.why:
        notes.append(f"{actual.codat_client.why}.")
    managed = bool(deployed.inputs)  # Else it is only looked up.
    return _resource(
        deployed,
        _Compared(deployed, actual, up).findings(),
        notes,
        linked_companies="unknown" if actual.linked is None else actual.linked,
        codat_client=actual.codat_client.id if managed else None,
        codat_client_name=deployed.outputs.get("codat_client_name") if managed else None,
    )


def proved(resource: Resource, state: Exported, tests: Iterable[LinkTest], stack: str) -> Resource:
    """Note of an integration that no link was proved with its keys; of one where that was, there is nothing to say."""
    deployed = next(one for one in state.resources if one.urn == resource.urn)
    if resource.kind != INTEGRATION or resource.failure or not deployed.inputs:
        return resource
    known = deployed.inputs.get(FINGERPRINT)
    found = standing(
        tests,
        connection=deployed.connection,
        stack=stack,
        codat_client=resource.codat_client,
        fingerprint=known if is_fingerprint(known) else None,
    )
    return resource if found.proved else replace(resource, notes=(*resource.notes, f"{found.text}. {PROVE}"))


class _Compared:
    def __init__(self, deployed: Deployed, actual: ActualIntegration, up: str) -> None:
        self._actual, self._up, self._hidden, self._spelling = actual, up, deployed.hidden, deployed.spelling
        self._inputs = deployed.inputs
        declaration = deployed.outputs.get("declared")
        self._encrypted = declaration is ENCRYPTED
        self._declared: Props = declaration if isinstance(declaration, Mapping) else deployed.inputs
        self._secret = deployed.inputs.get("client_secret")
        known = {name: value for name, value in self._declared.items() if value is not ENCRYPTED}
        # Whether any keys are stored can be told without the secret.
        stand_in = _HIDDEN if actual.keys is None else None
        recorded = Recorded(
            client_id=known.get("client_id"),
            client_secret=stand_in if self._secret is ENCRYPTED else self._secret,
            client_secret_fingerprint=known.get(FINGERPRINT),
            enabled=known.get("enabled"),
            keys_cleared_while_disabled=bool(deployed.outputs.get("keys_cleared_while_disabled")),
        )
        found = observe(recorded, actual)
        self._now = found.values
        self._untold = {name: one for one in found.cannot_tell for name in one.fields}

    def findings(self) -> Iterator[Finding]:
        for field, compare, how in (("enabled", self._enabled, How.READ), ("client_id", self._client_id, How.MASK)):
            declared = self._declared.get(field)
            if declared is ENCRYPTED:
                yield self._unreadable(field, None, how)
            elif declared is not None:
                yield compare(declared)
        if self._secret is not None:
            yield self._client_secret()
        elif "client_secret" in self._untold and "client_id" in self._declared:
            why = self._untold["client_secret"].reason
            yield Finding("client_secret", State.CANNOT_TELL, None, None, How.MASK, why, _PORTAL)

    def _enabled(self, declared: bool) -> Finding:
        actual = self._now.enabled
        shown = self._shown("enabled", declared, actual)
        if declared == actual:
            return self._same("enabled", shown, How.READ)
        risk = "" if declared else self._risk("Disabling it again")
        instead = self._spelling.of("enabled", actual) if shown[1] is not _HIDDEN and actual is not None else ""
        meant = f" If the change was meant, declare {instead} instead." if instead else ""
        return self._drift("enabled", shown, f"{_RESTORE}{risk}{meant}", How.READ)

    def _client_id(self, declared: str) -> Finding:
        actual = self._now.client_id
        meant = " If the change was meant, declare the new client id and secret instead."
        if actual is None:
            # Saving the recorded client's own keys again is let through, so there is no risk to announce.
            no_secret = _NO_SECRET_TO_SAVE.format(self._spelling.name_of("client_secret"))
            todo = f"{_RESTORE}{meant}" if self._secret is not None else no_secret
            wanted, _ = self._shown("client_id", declared, None)
            return self._drift("client_id", (wanted, "none stored"), todo, How.READ)
        todo = f"{_RESTORE}{self._risk('Changing the client id back')}{meant}"
        shown = self._shown("client_id", declared, actual)
        if actual != declared:
            return self._drift("client_id", shown, todo, How.MASK if _is_masked(actual) else How.READ)
        if _is_masked(declared):  # An older version recorded no declaration beside what a refresh found.
            return self._drift("client_id", (None, actual), todo, How.MASK, _TAKEN_OVER)
        return self._key("client_id", shown)

    def _client_secret(self) -> Finding:
        before, now = self._declared.get(FINGERPRINT), self._now.client_secret_fingerprint
        declared = f"fingerprint {before}" if isinstance(before, str) and is_fingerprint(before) else None
        absent = self._actual.keys is None
        cleared = absent and {"client_id", "client_secret"} <= self._untold.keys()
        if self._secret is ENCRYPTED and (cleared or not absent):
            return self._unreadable("client_secret", declared, How.MASK)
        if now is None or is_fingerprint(now):
            known = declared or (f"fingerprint {now}" if now else None)
            return self._key("client_secret", (known, known))
        todo = f"{_RESTORE} If the secret was rotated on purpose, declare the new one and run pulumi up instead."
        why = "" if declared else _TAKEN_OVER
        if absent:
            return self._drift("client_secret", (declared, "none stored"), todo, How.READ, why)
        return self._drift("client_secret", (declared, self._actual.secret_in_words), todo, How.MASK, why)

    def _shown(self, field: str, declared: Value, actual: Value) -> tuple[Value, Value]:
        return (_HIDDEN, _HIDDEN) if field in self._hidden else (declared, actual)

    def _risk(self, what: str) -> str:
        linked = self._actual.linked
        if linked == 0 or self._inputs.get("allow_disruption") is True:
            return ""
        who = "an unknown number of linked" if linked is None else f"the {linked} linked"
        unless = self._spelling.name_of("allow_disruption")
        return f" {what} can cut off {who} companies, so that is refused unless {unless} is set."

    def _drift(self, field: str, values: tuple[Value, Value], todo: str, how: How, why: str = "") -> Finding:
        name = FINGERPRINT if field == "client_secret" else field
        if self._declared is not self._inputs and self._inputs.get(name) != self._declared.get(name):
            why = f"{_TAKEN_OVER}; 'pulumi up' restores what is declared"
        return Finding(field, State.DRIFT, *values, how, why, _PORTAL, todo, self._up)

    def _key(self, field: str, values: tuple[Value, Value]) -> Finding:
        """A key that shows no difference: as declared as far as a mask goes, or hidden from view."""
        untold = self._untold.get(field)
        if untold and not untold.consistent:
            return Finding(field, State.CANNOT_TELL, values[0], None, How.MASK, untold.reason, _PORTAL)
        return self._same(field, values, How.MASK, untold.reason if untold else "")

    def _same(self, field: str, values: tuple[Value, Value], how: How, why: str = "") -> Finding:
        """It equals what is recorded; whether that is what was declared is in an output that may be encrypted."""
        if not self._encrypted:
            return Finding(field, State.AS_DECLARED, *values, how, why, _PORTAL)
        return self._unreadable(field, values[0], how)

    @staticmethod
    def _unreadable(field: str, declared: Value, how: How) -> Finding:
        return Finding(field, State.CANNOT_TELL, declared, None, how, f"what was declared {_WHY_ENCRYPTED}", _PORTAL)


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
    codes = tuple(sorted(regions if isinstance(regions, list) else deployed.outputs.get("verdicts") or ()))
    client_id, secret = given.get("client_id"), deployed.inputs.get("client_secret")
    if (client_id is None and not codes) or _ends(deployed):
        return None
    if ENCRYPTED in (client_id, secret, regions, declared):
        return Question("", None, codes, f"what Zoho is asked with {_WHY_ENCRYPTED}")
    if secret is None or client_id is None:
        return Question("", None, codes, "no secret is declared to ask Zoho with")
    return Question(client_id, secret, codes)


def client(
    deployed: Deployed, asked: Question | None, verdicts: Mapping[str, ProbeResult] | None, at: str | None = None
) -> Resource:
    """Say how a Zoho client stands; ``verdicts`` is None where Zoho was not to be asked."""
    findings: list[Finding] = []
    if asked is not None:
        steps = plan_client(asked.regions, verdicts or {}).manual_steps
        findings = [_region(deployed, code, asked, verdicts, " ".join(steps)) for code in asked.regions]
    waits = "It waits to be deleted, since the last deployment did not finish: run 'pulumi up'."
    return _resource(deployed, findings, [waits] if _ends(deployed) else (), verified_at=at or _verified_at(deployed))


def _verified_at(deployed: Deployed) -> str | None:
    recorded = deployed.outputs.get("verified_at")
    return recorded if isinstance(recorded, str) else None


def _region(
    deployed: Deployed, code: str, asked: Question, verdicts: Mapping[str, ProbeResult] | None, steps: str
) -> Finding:
    name, accepted = f"regions.{code}", Probe.ACCEPTED.value
    if verdicts is None or asked.client_secret is None:
        reason = asked.why_not if verdicts is not None else "Zoho was not asked in this run (--no-verify)"
        recorded, at = deployed.outputs.get("verdicts"), _verified_at(deployed)
        if at:
            last = recorded.get(code) if isinstance(recorded, Mapping) else None
            reason += f"; {last or Probe.NOT_ASKED.value} when Zoho was last asked, {at}"
        return Finding(name, State.CANNOT_TELL, accepted, None, How.PROBE, reason, _CONSOLE)
    verdict = verdicts[code]
    if verdict.probe is Probe.ACCEPTED:
        return Finding(name, State.AS_DECLARED, accepted, accepted, How.PROBE, where=_CONSOLE)
    if not verdict.probe.rejected:
        why = f"whether Zoho's data centre {code} accepts the client: {verdict.why}."
        return Finding(name, State.CANNOT_TELL, accepted, None, How.PROBE, why, _CONSOLE)
    inputs = deployed.inputs.get("regions")
    why = _TAKEN_OVER if isinstance(inputs, list) and code not in inputs else ""
    todo = f"{steps} Then check again; 'pulumi up' alone does not change it.".strip()
    return Finding(name, State.DRIFT, accepted, verdict.probe.value, How.PROBE, why, _CONSOLE, todo)

"""What ``pulumi up`` does about a change: the core's own plan, with the side before the change as what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codat_zoho.core.observe import ActualIntegration, Recorded
from codat_zoho.core.plan import Plan, Removal, plan
from codat_zoho.core.plan import Step as Sent
from codat_zoho.core.plan import StepKind as SentKind
from codat_zoho.core.zoho_client import regions_to_ask
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings
from codat_zoho.review.report import FieldChange, Origin, Step, StepKind
from codat_zoho.workspace.values import Field, Fields, as_books, as_client, differing

_UNLESS_LINKED = "unless companies are linked: then it is refused"
ADOPTED = "unless Codat holds the same already"
_UNLESS_OFF = "unless verification is off"
_UNLESS_FORBIDDEN = "unless companies are linked and allow_disruption is off: then it is refused"
_IF_ROTATED = "if the encrypted secret is another one"


def secret_unsure(before: Fields | None, after: Fields | None) -> bool:
    """Two secrets of which at least one is encrypted: whether they differ cannot be known."""
    old, new = (before or {}).get("client_secret"), (after or {}).get("client_secret")
    return old is not None and new is not None and old.identity != new.identity and not (old.known and new.known)


def changes(resource: str, before: Fields | None, after: Fields | None, origin: Origin = "change") -> list[FieldChange]:
    """The fields that differ, as the engine's preview lists them; what both sides leave to others is left out."""
    differ = differing(before, after)
    unsure = secret_unsure(before, after)
    doubtful = {"client_secret"} | ({FINGERPRINT} if "client_id" not in differ else set()) if unsure else set()
    found = []
    for name in differ:
        old, new = (before or {}).get(name), (after or {}).get(name)
        if all(one is not None and one.elsewhere for one in (old, new)):
            continue
        where = new if new is not None and new.file else old or new
        assert where is not None
        certain = not (name in doubtful or (name not in ("client_secret", FINGERPRINT) and _untold(old, new)))
        shown = [None if one is None else one.shown for one in (old, new)]
        if shown[0] == shown[1] and certain:
            shown[1] = f"another one, {shown[0]}"
        elif shown[0] == shown[1] == "encrypted":
            shown[1] = "encrypted anew"
        found.append(FieldChange(resource, name, shown[0], shown[1], certain, origin, where.file, where.line))
    return found


def _untold(old: Field | None, new: Field | None) -> bool:
    """Whether it differs cannot be known: one side is encrypted, or decided elsewhere."""
    if old is None or new is None:
        return any(one is not None and one.elsewhere for one in (old, new))
    return not (old.known and new.known)


def settled(before: Fields | None, after: Fields | None) -> Fields | None:
    """The side after, with what may be the same taken to be the same: nothing follows from what cannot be known."""
    if before is None or after is None:
        return after
    kept = {
        name: before[name]
        for name in differing(before, after)
        if name not in ("client_secret", FINGERPRINT) and name in before and _untold(before[name], after.get(name))
    }
    return {**after, **kept}


def client(before: Fields | None, after: Fields | None) -> list[Step]:
    """What is done about the client in Zoho's console: data centres are asked, and nothing is written."""
    if after is None:
        return [] if before is None else [Step("forget", "stop managing the client; it stays in Zoho's API console")]
    certain = _asked(before, after)
    verify = after.get("verify")
    if verify is not None and not verify.known:
        certain = [replace(step, condition=_UNLESS_OFF) for step in certain]
    if secret_unsure(before, after):
        assert before is not None
        settled = _asked(before, _with_secret_of(before, after))
        return [replace(step, condition="" if step in settled else _IF_ROTATED) for step in certain]
    return certain


def _asked(before: Fields | None, after: Fields) -> list[Step]:
    differ = differing(before, after)
    if not differ:
        return []
    desired = as_client(after)
    regions = after.get("regions")
    if regions is not None and not regions.known:
        silent = desired.verify == "off" or desired.client_secret is None
        return [] if silent else [Step("ask", "ask Zoho's data centres whether they accept the client")]
    asked = regions_to_ask(desired, desired.verify, differ, _accepted(before))
    if not asked:
        return []
    several = len(asked) > 1
    which = f"data centre{'s' if several else ''} {', '.join(asked)}"
    return [Step("ask", f"ask Zoho's {which} whether {'they accept' if several else 'it accepts'} the client", asked)]


def _accepted(before: Fields | None) -> tuple[str, ...]:
    """The data centres that have accepted the client as it was, if the last run asked them."""
    if before is None:
        return ()
    was = as_client(before)
    return () if was.verify == "off" or was.client_secret is None else was.regions


@dataclass(frozen=True, slots=True)
class Books:
    """What is done about the integration.

    Args:
        steps: what is sent to Codat, in order.
        disruptive: it can cut off linked companies.
        allowed: whether that is allowed; None where that is not known.
        linked: how many were linked at the last look, None where that is not known.
    """

    steps: tuple[Step, ...] = ()
    disruptive: bool = False
    allowed: bool | None = False
    linked: int | None = None

    @property
    def count_matters(self) -> bool:
        """How many companies are linked decides, and that is not known."""
        return self.disruptive and self.allowed is not True and self.linked is None


def books(before: Fields | None, after: Fields | None, actual: ActualIntegration | None = None) -> Books:
    """What is done about the integration.

    Args:
        before: the fields as they are; None where it is not managed yet.
        after: as they will be; None where it will not be managed any more.
        actual: how it is, where that is known from a preview; else it is taken to be as ``before`` says.
    """
    certain = _books(before, after, actual)
    if not secret_unsure(before, after):
        return certain
    assert before is not None and after is not None
    settled = _books(before, _with_secret_of(before, after), actual).steps
    texts = {step.text for step in settled}
    steps = tuple(step if step.text in texts else replace(step, condition=_IF_ROTATED) for step in certain.steps)
    return replace(certain, steps=steps)


def _books(before: Fields | None, after: Fields | None, actual: ActualIntegration | None) -> Books:
    if before is None and after is None:
        return Books()
    if before is None:
        assert after is not None
        return _created(after)
    there = actual or _assumed(before)
    if after is None:
        return _removed(before, there)
    if "connection" in differing(before, after):
        # The engine creates the new one for the other API key, then deletes the old one, by the old settings.
        gone = _removed(before, there)
        refused = any(step.kind == "refuse" for step in gone.steps)
        return gone if refused else replace(gone, steps=(*_created(after).steps, *gone.steps))
    desired = as_books(after)
    if actual is None and before.get("client_id") is None and desired.client_secret is None:
        desired = _without_keys(desired)  # Whether the declared id is the stored one is for the run to see.
    told = _plan(desired, there, Recorded.of(as_books(before)))
    known = actual is not None
    steps = [replace(_step(one), condition="" if known else _condition(before, after, one)) for one in told.steps]
    return _guarded(steps, told, _allowed(after), there)


def _allowed(fields: Fields) -> bool | None:
    """Whether disruption is allowed; None where that is not known."""
    one = fields.get("allow_disruption")
    return one.value is True if one is not None and one.known else None if one is not None else False


def _condition(before: Fields, after: Fields, one: Sent) -> str:
    """What a step depends on because the side before the change does not say how Codat is."""
    enabled = before.get("enabled")
    if one.kind is SentKind.SET_ENABLED:
        return "" if enabled is not None and enabled.known else ADOPTED
    same_id = "client_id" not in differing(before, after)
    return ADOPTED if before.get("client_id") is None or (same_id and "client_secret" not in before) else ""


def _plan(desired: IntegrationSettings | Removal, there: ActualIntegration, recorded: Recorded | None) -> Plan:
    """The core's plan; where the count of linked companies is not known, of what happens when there are none."""
    there = replace(there, linked=0) if there.linked is None else there
    return plan(desired, there) if isinstance(desired, Removal) else plan(desired, there, recorded)


def _guarded(steps: Sequence[Step], told: Plan, allowed: bool | None, there: ActualIntegration) -> Books:
    if told.blockers:
        refused = Step("refuse", f"refuse: {' '.join(told.blockers)}")
        return Books((refused,), told.disruptive, linked=there.linked)
    if told.disruptive and allowed is not True and there.linked is None:
        guard = _UNLESS_LINKED if allowed is False else _UNLESS_FORBIDDEN
        steps = [replace(one, condition=one.condition or guard) for one in steps]
    return Books(tuple(steps), told.disruptive, allowed, there.linked)


def _created(after: Fields) -> Books:
    """What is there already is adopted, and only what differs is sent; what is there is not known."""
    desired = as_books(after)
    if desired.client_secret is None:
        desired = _without_keys(desired)
    told = _plan(desired, ActualIntegration(enabled=False, keys=None), None)
    return Books(tuple(replace(_step(one), condition=ADOPTED) for one in told.steps))


def _without_keys(desired: IntegrationSettings) -> IntegrationSettings:
    return replace(desired, client_id=None, client_secret=None)


def _removed(before: Fields, there: ActualIntegration) -> Books:
    was = as_books(before)
    told = _plan(Removal(was.on_delete, was.allow_disruption), there, None)
    kept = [Step("forget", text) for text in told.manual_steps]
    return _guarded([*map(_step, told.steps), *kept], told, _allowed(before), there)


def _step(one: Sent) -> Step:
    kinds: dict[SentKind, StepKind] = {SentKind.SAVE_KEYS: "save keys", SentKind.DELETE_KEYS: "delete keys"}
    kind = kinds.get(one.kind) or ("enable" if one.enabled else "disable")
    return Step(kind, f"{one} in Codat")


def _assumed(before: Fields) -> ActualIntegration:
    """Codat as the side before the change declares it."""
    was = as_books(before)
    keys = None
    if was.client_id is not None:
        keys = {ZOHO_BOOKS.id_key: _masked(was.client_id)}
        if was.client_secret:
            keys[ZOHO_BOOKS.secret_key] = _masked(was.client_secret)
    return ActualIntegration(enabled=was.enabled is True, keys=keys)


def as_found(before: Fields, linked: int | None) -> ActualIntegration:
    """Codat as the engine found or recorded it."""
    return replace(_assumed(before), linked=linked)


def _masked(text: str) -> str:
    """A value as Codat shows it: all but the last four characters hidden, the length kept."""
    return "X" * (len(text) - 4) + text[-4:]


def _with_secret_of(before: Fields, after: Fields) -> Fields:
    kept = {name: before[name] for name in ("client_secret", FINGERPRINT) if name in before}
    if "client_id" in differing(before, after):
        kept.pop(FINGERPRINT, None)
    return {**after, **kept}

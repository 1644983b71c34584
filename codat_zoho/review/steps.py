"""What ``pulumi up`` does about a change: the core's own plan, with the side before the change as what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from codat_zoho.core.observe import ActualIntegration, Recorded
from codat_zoho.core.plan import Plan, Removal, plan, regions_to_ask
from codat_zoho.core.plan import Step as Sent
from codat_zoho.core.plan import StepKind as SentKind
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.settings import IntegrationSettings
from codat_zoho.review.differences import SECRETS, taken_as_same, uncertain
from codat_zoho.review.report import Step, StepKind
from codat_zoho.workspace.values import Fields, as_books, as_client, differing

ADOPTED = "unless Codat holds the same already"
_UNLESS_LINKED = "unless companies are linked: then it is refused"
_UNLESS_OFF = "unless verification is off"
_UNLESS_FORBIDDEN = "unless companies are linked and allow_disruption is off: then it is refused"
_IF_ROTATED = "if the encrypted secret is another one"
_KINDS: dict[SentKind, StepKind] = {SentKind.SAVE_KEYS: "save keys", SentKind.DELETE_KEYS: "delete keys"}


def _if_rotated(
    steps: Iterable[Step], before: Fields | None, after: Fields, again: Callable[[Fields], Iterable[Step]]
) -> tuple[Step, ...]:
    """Mark the steps that come only where the encrypted secrets differ; ``again`` tells the steps of other fields."""
    hidden = uncertain(before, after) & SECRETS
    kept = taken_as_same(before, after, hidden)
    if not hidden or kept is None:
        return tuple(steps)
    sure = {(step.kind, step.regions) for step in again(kept)}
    return tuple(step if (step.kind, step.regions) in sure else replace(step, condition=_IF_ROTATED) for step in steps)


# --- the client in Zoho's console -------------------------------------------------------------------------------------


def client(before: Fields | None, after: Fields | None) -> tuple[Step, ...]:
    """What is done about the client: data centres are asked, and nothing is written."""
    if after is None:
        return (Step("forget", "stop managing the client; it stays in Zoho's API console"),) if before else ()
    return _if_rotated(_asked(before, after), before, after, lambda kept: _asked(before, kept))


def _asked(before: Fields | None, after: Fields) -> list[Step]:
    differ = differing(before, after)
    if not differ:
        return []
    desired = as_client(after)
    regions, verify = after.get("regions"), after.get("verify")
    condition = "" if verify is None or verify.known else _UNLESS_OFF
    if regions is not None and not regions.known:
        if desired.verify == "off" or desired.client_secret is None:
            return []
        return [Step("ask", "ask Zoho's data centres whether they accept the client", condition=condition)]
    asked = regions_to_ask(desired, desired.verify, differ, _accepted(before))
    if not asked:
        return []
    if len(asked) == 1:
        text = f"ask Zoho's data centre {asked[0]} whether it accepts the client"
    else:
        text = f"ask Zoho's data centres {', '.join(asked)} whether they accept the client"
    return [Step("ask", text, asked, condition)]


def _accepted(before: Fields | None) -> tuple[str, ...]:
    """The data centres that have accepted the client as it was, if the last run asked them."""
    if before is None:
        return ()
    was = as_client(before)
    return () if was.verify == "off" or was.client_secret is None else was.regions


# --- the integration --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done about the integration.

    Args:
        steps: what is sent to Codat, in order.
        disruptive: it can cut off linked companies.
        allowed: whether that is allowed; None where that is not known.
        linked: how many were linked at the last look, None where that is not known.
    """

    steps: tuple[Step, ...]
    disruptive: bool
    allowed: bool | None
    linked: int | None

    @property
    def refused(self) -> bool:
        """Nothing is sent."""
        return any(step.kind == "refuse" for step in self.steps)

    @property
    def count_matters(self) -> bool:
        """How many companies are linked decides, and that is not known."""
        return self.disruptive and self.allowed is not True and self.linked is None


def books(before: Fields | None, after: Fields | None, *, seen: bool = False, linked: int | None = None) -> Effect:
    """What is done about the integration.

    Args:
        before: the fields as they are; None where it is not managed yet.
        after: as they will be; None where it will not be managed any more.
        seen: the engine found or recorded Codat as ``before`` says; else that is only what was declared.
        linked: how many companies were linked when it did.
    """
    if before is None:
        return _created(after or {})
    there = replace(_assumed(before), linked=linked)
    if after is None:
        return _removed(before, there)
    effect = _updated(before, after, there, seen)
    steps = _if_rotated(effect.steps, before, after, lambda kept: _updated(before, kept, there, seen).steps)
    return replace(effect, steps=steps)


def _created(after: Fields) -> Effect:
    """What is there already is adopted, and only what differs is sent; what is there is not known."""
    desired = as_books(after)
    if desired.client_secret is None:
        desired = _without_keys(desired)
    there = ActualIntegration(enabled=False, keys=None)
    return _effect(plan(desired, _counted(there)), there, after, lambda _: ADOPTED)


def _removed(before: Fields, there: ActualIntegration) -> Effect:
    was = as_books(before)
    return _effect(plan(Removal(was.on_delete, was.allow_disruption), _counted(there)), there, before)


def _updated(before: Fields, after: Fields, there: ActualIntegration, seen: bool) -> Effect:
    if "connection" in differing(before, after):
        # The engine creates the new one for the other API key, then deletes the old one, by the old settings.
        gone = _removed(before, there)
        return gone if gone.refused else replace(gone, steps=(*_created(after).steps, *gone.steps))
    desired = as_books(after)
    if not seen and "client_id" not in before and desired.client_secret is None:
        desired = _without_keys(desired)  # Whether the declared id is the stored one is for the run to see.

    def condition(step: Sent) -> str:
        """What a step depends on because the side before the change does not say how Codat is."""
        if seen:
            return ""
        if step.kind is SentKind.SET_ENABLED:
            return "" if "enabled" in before and before["enabled"].known else ADOPTED
        same_id = "client_id" not in differing(before, after)
        return ADOPTED if "client_id" not in before or (same_id and "client_secret" not in before) else ""

    planned = plan(desired, _counted(there), Recorded.of(as_books(before)))
    return _effect(planned, there, after, condition)


def _counted(there: ActualIntegration) -> ActualIntegration:
    """Where the count of linked companies is not known, plan what happens when there are none."""
    return replace(there, linked=0) if there.linked is None else there


def _effect(
    planned: Plan, there: ActualIntegration, fields: Fields, condition: Callable[[Sent], str] = lambda _: ""
) -> Effect:
    """Put the core's plan into words, with what keeps it from being done; ``fields`` say whether that is allowed."""
    if planned.blockers:
        return Effect(
            (Step("refuse", f"refuse: {' '.join(planned.blockers)}"),), planned.disruptive, False, there.linked
        )
    permission = fields.get("allow_disruption")
    allowed: bool | None = None
    if permission is None or permission.known:
        allowed = permission is not None and permission.value is True
    guard = ""
    if planned.disruptive and allowed is not True and there.linked is None:
        guard = _UNLESS_LINKED if allowed is False else _UNLESS_FORBIDDEN
    steps = [Step(_kind(one), f"{one} in Codat", condition=condition(one) or guard) for one in planned.steps]
    steps += [Step("forget", text, condition=guard) for text in planned.manual_steps]
    return Effect(tuple(steps), planned.disruptive, allowed, there.linked)


def _kind(one: Sent) -> StepKind:
    return _KINDS.get(one.kind) or ("enable" if one.enabled else "disable")


def _assumed(before: Fields) -> ActualIntegration:
    """Codat as the side before the change declares it."""
    was = as_books(before)
    keys = None
    if was.client_id is not None:
        keys = {ZOHO_BOOKS.id_key: _masked(was.client_id)}
        if was.client_secret is not None:
            keys[ZOHO_BOOKS.secret_key] = _masked(was.client_secret)
    return ActualIntegration(enabled=was.enabled is True, keys=keys)


def _masked(text: str) -> str:
    """A value as Codat shows it: all but the last four characters hidden, the length kept."""
    return "X" * (len(text) - 4) + text[-4:]


def _without_keys(desired: IntegrationSettings) -> IntegrationSettings:
    return replace(desired, client_id=None, client_secret=None)

"""What ``pulumi up`` does about a change: the core's own plan, with the side before the change as what is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from codat_zoho.core.observe import ActualIntegration, Recorded
from codat_zoho.core.plan import Plan, Removal, plan
from codat_zoho.core.plan import Step as Sent
from codat_zoho.core.plan import StepKind as SentKind
from codat_zoho.core.zoho_client import regions_to_ask
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings
from codat_zoho.review.report import FieldChange, Origin, Step, StepKind
from codat_zoho.workspace.values import Field, Fields, as_books, as_client, differing

ADOPTED = "unless Codat holds the same already"
_UNLESS_LINKED = "unless companies are linked: then it is refused"
_UNLESS_OFF = "unless verification is off"
_UNLESS_FORBIDDEN = "unless companies are linked and allow_disruption is off: then it is refused"
_IF_ROTATED = "if the encrypted secret is another one"
_KINDS: dict[SentKind, StepKind] = {SentKind.SAVE_KEYS: "save keys", SentKind.DELETE_KEYS: "delete keys"}


def _if_rotated(steps: Iterable[Step], sides: Sides, again: Callable[[Sides], Iterable[Step]]) -> tuple[Step, ...]:
    """Mark the steps that come only where the encrypted secrets differ; ``again`` plans for when they do not."""
    hidden = sides.uncertain & SECRETS
    if not hidden:
        return tuple(steps)
    sure = {(step.kind, step.regions) for step in again(sides.assuming_equal(hidden))}
    return tuple(step if (step.kind, step.regions) in sure else replace(step, condition=_IF_ROTATED) for step in steps)


def client(sides: Sides) -> tuple[Step, ...]:
    """What is done about the client: data centres are asked, and nothing is written."""
    return _if_rotated(_asked(sides), sides, _asked)


def _asked(sides: Sides) -> list[Step]:
    if not sides.differ:
        return []
    desired = as_client(sides.after)
    condition = "" if sides.new("verify").known else _UNLESS_OFF
    if not sides.new("regions").known:
        if desired.verify == "off" or desired.client_secret is None:
            return []
        return [Step("ask", "ask Zoho's data centres whether they accept the client", condition=condition)]
    was = as_client(sides.before)
    accepted = () if was.verify == "off" or was.client_secret is None else was.regions
    asked = regions_to_ask(desired, desired.verify, sides.differ, accepted)
    if not asked:
        return []
    if len(asked) == 1:
        text = f"ask Zoho's data centre {asked[0]} whether it accepts the client"
    else:
        text = f"ask Zoho's data centres {', '.join(asked)} whether they accept the client"
    return [Step("ask", text, asked, condition)]


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done about the integration.

    It is ``disruptive`` where it can cut off linked companies; whether that is ``allowed``, and how many were linked at
    the last look, is None where it is not known.
    """

    steps: tuple[Step, ...]
    disruptive: bool
    allowed: bool | None
    linked: int | None
    refused: bool = False

    @property
    def count_matters(self) -> bool:
        """How many companies are linked decides, and that is not known."""
        return self.disruptive and self.allowed is not True and self.linked is None


def integration(sides: Sides, *, seen: bool, linked: int | None) -> Effect:
    """What is done about the integration.

    It was ``seen`` where the engine found or recorded Codat as the side before says, with so many companies linked;
    else that is only what was declared.
    """
    if not sides.before:
        return _created(sides.after)
    if not sides.after:
        return _removed(sides.before, linked)
    if "connection" in sides.differ:
        # The engine creates the new one for the other API key, then deletes the old one, by the old settings.
        gone = _removed(sides.before, linked)
        return gone if gone.refused else replace(gone, steps=(*_created(sides.after).steps, *gone.steps))
    effect = _updated(sides, seen, linked)
    return replace(effect, steps=_if_rotated(effect.steps, sides, lambda same: _updated(same, seen, linked).steps))


def _created(after: Fields) -> Effect:
    """What is there already is adopted, and only what differs is sent; what is there is not known."""
    desired = _without_unknown_keys(as_books(after))
    there = ActualIntegration(enabled=desired.enabled is False, keys=None, linked=0)
    return _effect(plan(desired, there), None, after, lambda _: ADOPTED)


def _removed(before: Fields, linked: int | None) -> Effect:
    was = as_books(before)
    return _effect(plan(Removal(was.on_delete, was.allow_disruption), _assumed(before, linked)), linked, before)


def _updated(sides: Sides, seen: bool, linked: int | None) -> Effect:
    before, desired = sides.before, as_books(sides.after)
    if not seen and "client_id" not in before:
        desired = _without_unknown_keys(desired)

    def condition(step: Sent) -> str:
        """What a step depends on because the side before the change does not say how Codat is."""
        if step.kind is SentKind.SET_ENABLED:
            told = "enabled" in before and before["enabled"].known
        else:
            told = "client_id" in before and ("client_id" in sides.differ or "client_secret" in before)
        return "" if seen or told else ADOPTED

    planned = plan(desired, _assumed(before, linked), Recorded.of(as_books(before)))
    return _effect(planned, linked, sides.after, condition)


def _effect(
    planned: Plan, linked: int | None, fields: Fields, condition: Callable[[Sent], str] = lambda _: ""
) -> Effect:
    """Put the core's plan into words; ``fields`` say whether disruption is allowed."""
    if planned.blockers:
        refused = Step("refuse", f"refuse: {' '.join(planned.blockers)}")
        return Effect((refused,), planned.disruptive, False, linked, refused=True)
    permission = fields.get("allow_disruption")
    allowed = None if permission and not permission.known else bool(permission and permission.value is True)
    guard = ""
    if planned.disruptive and allowed is not True and linked is None:
        guard = _UNLESS_LINKED if allowed is False else _UNLESS_FORBIDDEN
    steps = []
    for one in planned.steps:
        kind = _KINDS.get(one.kind) or ("enable" if one.enabled else "disable")
        steps.append(Step(kind, f"{one} in Codat", condition=", ".join(filter(None, (condition(one), guard)))))
    steps += [Step("forget", text, condition=guard) for text in planned.manual_steps]
    return Effect(tuple(steps), planned.disruptive, allowed, linked)


def _assumed(before: Fields, linked: int | None) -> ActualIntegration:
    """Codat as the side before the change declares it, with keys masked but for the last four characters.

    Where the count of linked companies is not known, the plan is of what happens when there are none.
    """
    was = as_books(before)
    given = {ZOHO_BOOKS.id_key: was.client_id, ZOHO_BOOKS.secret_key: was.client_secret}
    masks = {name: "X" * (len(text) - 4) + text[-4:] for name, text in given.items() if text}
    return ActualIntegration(enabled=was.enabled is True, keys=masks if was.client_id else None, linked=linked or 0)


def _without_unknown_keys(desired: IntegrationSettings) -> IntegrationSettings:
    """Without a secret, whether the declared id is the stored one is for the run to see."""
    return desired if desired.client_secret else replace(desired, client_id=None)


def end_of_name(old: str, new: str) -> Step:
    """What comes of the old name of an integration that only gets another one."""
    return Step("forget", f"end the name {old}: {new} is the same integration, so Codat stays as is")


SECRETS = frozenset({"client_secret", FINGERPRINT})
_UNSET = Field("", "")


@dataclass(frozen=True)
class Sides:
    """The fields of one resource; a side is empty where the resource is not declared or not there."""

    before: Fields
    after: Fields

    @cached_property
    def differ(self) -> list[str]:
        """The fields that are not written alike, in the order of the resource."""
        return differing(self.before, self.after)

    @cached_property
    def uncertain(self) -> frozenset[str]:
        """Those of them that may be equal nevertheless: encrypted, or decided elsewhere."""
        found: set[str] = set()
        for name in self.differ:
            old, new = self.old(name), self.new(name)
            if name == FINGERPRINT:
                made_of = {"client_id", "client_secret"} & {*self.differ}
                may_be_equal = bool(made_of) and made_of <= found
            elif self.in_both(name):
                may_be_equal = not (old.known and new.known)
            else:
                may_be_equal = name not in SECRETS and (old.elsewhere or new.elsewhere)
            if may_be_equal:
                found.add(name)
        return frozenset(found)

    def old(self, name: str) -> Field:
        """The field before the change; without a value where it is not set."""
        return self.before.get(name, _UNSET)

    def new(self, name: str) -> Field:
        """The field after the change, likewise."""
        return self.after.get(name, _UNSET)

    def in_both(self, name: str) -> bool:
        """Both sides set the field."""
        return name in self.before and name in self.after

    def dropped(self, name: str) -> bool:
        """Only the side before sets the field."""
        return name in self.before and name not in self.after

    def as_elsewhere(self, name: str) -> bool:
        """Both sides leave the field to others, who are told the same."""
        old, new = self.old(name), self.new(name)
        return old.elsewhere and new.elsewhere and old.otherwise == new.otherwise

    def assuming_equal(self, names: Collection[str]) -> Sides:
        """The same change without some fields: nothing follows from what cannot be known."""
        if not self.before or not self.after:
            return self
        if "client_id" in names and "client_secret" not in self.differ:
            names = {*names, FINGERPRINT}  # It follows from both.
        kept = {name: one for name, one in self.before.items() if name in names}
        return Sides(self.before, {**self.after, **kept})

    def changes(self, resource: str, origin: Origin = "change") -> list[FieldChange]:
        """The fields that differ, as the engine's preview lists them; what both leave to others is left out."""
        found = []
        for name in self.differ:
            old, new = self.before.get(name), self.after.get(name)
            if self.as_elsewhere(name):
                continue
            was, becomes = old.words if old else None, new.words if new else None
            certain = name not in self.uncertain
            if was == becomes and certain:
                becomes = f"another one, {was}"
            elif was == becomes and name != FINGERPRINT and not self.old(name).elsewhere:
                becomes = "encrypted anew" if was == "encrypted" else f"perhaps another, {was}"
            at = new if new and new.file else old or new or _UNSET
            found.append(FieldChange(resource, name, was, becomes, certain, origin, at.file, at.line))
        return found

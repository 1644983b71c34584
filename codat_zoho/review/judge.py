"""Judges changes of an environment's resources, whether they were read from files or from a preview."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from codat_zoho.review import risks
from codat_zoho.review import steps as what_is_done
from codat_zoho.review.report import Environment, FieldChange, Finding, Step, dangers_first
from codat_zoho.workspace.values import Fields, differing


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a change of one resource means; only one of an integration has an ``effect``."""

    steps: tuple[Step, ...] = ()
    by_hand: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    effect: what_is_done.Effect | None = None


def client(before: Fields | None, after: Fields | None) -> Judgement:
    """Judge a change of the client in Zoho's console."""
    if not differing(before, after):
        return Judgement()
    by_hand = tuple(risks.client_by_hand(before, after))
    return Judgement(what_is_done.client(before, after), by_hand, tuple(risks.client_findings(before, after)))


def books(before: Fields | None, after: Fields | None, *, seen: bool = False, linked: int | None = None) -> Judgement:
    """Judge a change of the integration; see :func:`codat_zoho.review.steps.books`."""
    if not differing(before, after):
        return Judgement()
    effect = what_is_done.books(before, after, seen=seen, linked=linked)
    findings = tuple(risks.books_findings(before, after, effect))
    return Judgement(effect.steps, tuple(risks.books_by_hand(before, after)), findings, effect)


def conclude(
    whole: Environment,
    changes: Iterable[FieldChange],
    judged: Sequence[Judgement],
    *,
    steps: Iterable[Step] = (),
    by_hand: Iterable[str] = (),
    findings: Iterable[Finding] = (),
    cannot_know: Iterable[str] = (),
    count_unknown: str,
) -> Environment:
    """Put an environment together: data centres are asked first, then Codat changes, then clients are forgotten.

    Args:
        whole: the environment so far.
        changes: the fields that differ.
        judged: its resources.
        steps: what is done before Codat changes.
        by_hand: what is to be done before anything that follows from the resources.
        findings: those besides the resources'.
        cannot_know: what cannot be known besides.
        count_unknown: says that the count of linked companies is not known, where that matters.
    """
    integrations = [one for one in judged if one.effect]
    clients = [one for one in judged if not one.effect]
    steps_of_clients = [step for one in clients for step in one.steps]
    asked = [step for step in steps_of_clients if step.kind == "ask"]
    forgotten = [step for step in steps_of_clients if step.kind != "ask"]
    sent = [step for one in integrations for step in one.steps]
    hand = [*by_hand, *(text for one in (*clients, *integrations) for text in one.by_hand)]
    matters = any(one.effect.count_matters for one in integrations if one.effect)
    return replace(
        whole,
        changes=tuple(changes),
        steps=(*asked, *steps, *sent, *forgotten),
        by_hand=tuple(dict.fromkeys(hand)),
        findings=dangers_first([*(found for one in judged for found in one.findings), *findings]),
        cannot_know=(*((count_unknown,) if matters else ()), *cannot_know),
    )

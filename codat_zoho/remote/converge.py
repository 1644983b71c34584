"""Brings Codat to what is declared: plan, send one step, read back, plan again, until nothing is left to send.

So nothing is assumed about side effects that nobody could find out, such as whether disabling clears the keys, and a
run that was killed half-way needs no memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from codat_zoho import errors
from codat_zoho.core.masks import Known
from codat_zoho.core.observe import ActualIntegration, CodatClient, Recorded
from codat_zoho.core.plan import Removal, Step, StepKind, plan
from codat_zoho.declare.settings import Spelling
from codat_zoho.remote.codat import Codat

if TYPE_CHECKING:
    from codat_zoho.declare.settings import IntegrationSettings

_MOST_TIMES = {StepKind.SAVE_KEYS: 1, StepKind.SET_ENABLED: 2, StepKind.DELETE_KEYS: 1}
"""How often a step may be needed: saving keys may enable the integration, so it may have to be disabled once more."""
_SETTLE_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at a value that does not show a write yet."""
_ASSUMED = {
    StepKind.SAVE_KEYS: "client_id, client_secret: Codat hides the stored keys completely and does not offer saving "
    "keys to this API key, so nothing was sent; make sure in the Codat Portal that the declared ones are stored.",
    StepKind.DELETE_KEYS: "keys: Codat does not offer reading or deleting the stored keys to this API key, so nothing "
    "was sent; make sure in the Codat Portal that none are stored.",
}
"""What is said of a step that may not be needed and is not offered."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How things are after a run, and what about them cannot be told."""

    actual: ActualIntegration
    cannot_tell: tuple[str, ...] = ()
    sent: tuple[Step, ...] = ()
    keys_cleared_while_disabled: bool = False


def apply(
    codat: Codat,
    desired: IntegrationSettings | Removal,
    recorded: Recorded | None = None,
    *,
    say: Callable[[str], None] = lambda text: None,
    spelling: Spelling = Spelling.ARGUMENT,
    deployed_to: CodatClient | None = None,
    sent: list[Step] | None = None,
) -> Outcome:
    """Bring the integration to ``desired``, sending only what differs; ``say`` receives warnings.

    ``sent`` receives each step that Codat accepted, for whom it fails half-way.

    The first run has nothing ``recorded`` and adopts what is there. Where a call fails, the next run finishes what this
    one began.

    Raises:
        WrongCodatClient: the API key opens another Codat client than ``deployed_to``. Nothing was sent.
        PlanBlocked: it could cut off linked companies, or needs a secret that is not declared. Nothing was sent,
            unless companies were linked in between.
        NotApplied: Codat accepted a write but does not show it.
    """
    settings = None if isinstance(desired, Removal) else desired
    actual = codat.actual()
    codat.confirm(actual.codat_client, deployed_to or CodatClient())
    if deployed_to is not None and deployed_to.id and actual.codat_client.why:
        say(f"codat_client: whether it still is {deployed_to} cannot be told: {actual.codat_client.why}.")
    sent = [] if sent is None else sent
    assumed: tuple[str, ...] = ()
    while True:
        todo = plan(desired, actual, recorded, spelling=spelling)
        if todo.disruptive and actual.linked is None:
            # Where Codat does not offer it, nobody knows how many there are, and the plan says so. To know it of what
            # was let through is no reason to fail.
            with suppress(errors.NotOffered if todo.blockers else errors.RemoteError):
                actual = replace(actual, linked=codat.count_linked())
                todo = plan(desired, actual, recorded, spelling=spelling)
        if not sent:
            for warning in (*todo.warnings, todo.risk):
                if warning:
                    say(warning)
        todo.raise_if_blocked()
        if not todo.steps:
            # Keys that are declared, absent, and yet not to be saved: the plan rests on what the last run recorded.
            cleared = recorded is not None and recorded.keys_cleared_while_disabled and actual.keys is None
            return Outcome(actual, (*todo.cannot_tell, *assumed), tuple(sent), keys_cleared_while_disabled=cleared)
        step = todo.steps[0]
        if sent.count(step) == _MOST_TIMES[step.kind]:
            return _turning_in_circles(settings, actual, step, sent)
        try:
            if settings is None:
                codat.apply(step)
            else:
                codat.apply(step, settings.client_id, settings.client_secret)
        except errors.NotOffered as refusal:
            if step.certain:
                raise
            # Nothing is known to differ, and nothing can be sent: take what is stored for what is wished, and say so.
            assumed = (_ASSUMED[step.kind],)
            say(f"{assumed[0]} {refusal}")
        else:
            sent.append(step)
            actual = _settled(codat, settings, step)
        if step.kind is StepKind.DELETE_KEYS and actual.keys_untold:
            actual = replace(actual, keys=None)  # That is as near as anybody can come.
        if step.kind is StepKind.SAVE_KEYS and settings is not None:
            recorded = replace(Recorded.of(settings), enabled=recorded.enabled if recorded else None)


def _settled(codat: Codat, settings: IntegrationSettings | None, step: Step) -> ActualIntegration:
    """Read back until the write shows, for a bounded time."""
    for wait in (*_SETTLE_WAITS, None):
        actual = codat.actual()
        not_shown = _not_shown(settings, step, actual)
        if not_shown is None:
            return actual
        if wait is not None:
            codat.wait(wait)
    raise errors.NotApplied(
        f"Codat accepted this: {step}; but reading back keeps showing something else: {not_shown}.",
        "Somebody else may be changing it at the same time, or Codat is slow: run it again.",
    )


def _not_shown(settings: IntegrationSettings | None, step: Step, actual: ActualIntegration) -> str | None:
    """Why ``actual`` does not show ``step``, or None when it does (or when a mask cannot say)."""
    if step.kind is StepKind.SET_ENABLED:
        return None if actual.enabled == step.enabled else f"enabled is {str(actual.enabled).lower()}"
    if step.kind is StepKind.DELETE_KEYS:
        return None if actual.keys is None or actual.keys_untold else "keys are still stored"
    if actual.keys is None:
        return "no keys are stored"
    assert settings is not None and settings.client_id and settings.client_secret
    if actual.reading(actual.client_id, settings.client_id).known is Known.DIFFERENT:
        return f"the client id is shown as {actual.client_id}"
    if actual.reading(actual.client_secret, settings.client_secret).known is Known.DIFFERENT:
        return f"the client secret {actual.secret_clause}"
    return None


def _turning_in_circles(
    settings: IntegrationSettings | None, actual: ActualIntegration, step: Step, sent: list[Step]
) -> Outcome:
    """Writes undo each other. Disabled without keys is as near to declared as Codat comes; the rest is an error."""
    if settings is not None and settings.enabled is False and not actual.enabled and actual.keys is None:
        text = (
            "client_id, client_secret: Codat keeps no keys while the integration is disabled; "
            "enabling it stores them again."
        )
        return Outcome(actual, (text,), tuple(sent), keys_cleared_while_disabled=True)
    raise errors.NotApplied(
        f"Codat does not keep what it is sent: it accepted to {step}, and that is needed again.",
        "Somebody else may be changing the integration at the same time: find out who, then run it again.",
    )

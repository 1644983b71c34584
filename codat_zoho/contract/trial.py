"""The writing part, on a test client: tries what is not documented, and puts back what it found."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass

from codat_zoho.contract.observe import WRITTEN, Client, Keys, Say, Table, see_absent, see_masks
from codat_zoho.core.masks import Known, read_mask
from codat_zoho.core.observe import ActualIntegration
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.settings import IntegrationSettings, load
from codat_zoho.errors import CodatZohoError, PlanBlocked, RemoteError, UnexpectedAnswer
from codat_zoho.terminal.signals import deferred

_DONE = (200, 201, 202, 204)
_NOT_OFFERED = (404, 405)
_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at a write that does not show yet: a late read must not pass for a behaviour."""
_WORDS = {True: "enabled", False: "disabled"}


class _NotOffered(Exception):
    """Codat does not offer writing to this API key."""


def refuse(actual: ActualIntegration, linked: int, real: Keys | None) -> None:
    """Refuse to begin where companies are linked, or stored keys could not be put back."""
    if linked:
        raise PlanBlocked(
            f"{linked} {'company is' if linked == 1 else 'companies are'} linked through this integration, so this is "
            "no test client, and nothing was written.",
            "Use the API key of a Codat client that nobody has linked.",
        )
    if actual.keys_untold:
        raise PlanBlocked(
            "Whether keys are stored cannot be told, so they could not be put back; nothing was written.",
            "Read the other rows without --write.",
        )
    if actual.keys is None:
        return
    if set(actual.keys) - {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key}:
        raise PlanBlocked(
            "Keys are stored whose values cannot be read back and are not known here, so nothing was written.",
            "Delete the keys in the Codat Portal first, and enter them again afterwards.",
        )
    if real is None:
        raise PlanBlocked(
            "Keys are stored, and since they cannot be read back they could not be put back; nothing was written.",
            "Set ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET to them, or delete them in the Codat Portal first.",
        )
    load(IntegrationSettings, {"client_id": real.client_id, "client_secret": real.client_secret})
    for name, shown, given in (
        ("id", actual.client_id, real.client_id),
        ("secret", actual.client_secret, real.client_secret),
    ):
        if read_mask(shown, given).known is Known.DIFFERENT:
            raise PlanBlocked(
                f"The given client {name} is not the stored one, so it could not be put back; nothing was written.",
                "Set ZOHO_CLIENT_ID and ZOHO_CLIENT_SECRET to what is stored.",
            )


def write(client: Client, table: Table, before: ActualIntegration, real: Keys | None, say: Say) -> list[str]:
    """Try, then restore whatever happened; says and returns what could not be restored, and why it stopped early."""
    keys = Keys.made_up() if before.keys is None else real
    assert keys is not None  # Else it was refused.
    problems: list[str] = []
    stopped: BaseException | None = None
    table.miss("the trial stopped early", *WRITTEN)
    with deferred() as stops:
        trial = _Trial(client, table, keys, say, stops)
        try:
            trial.run(before)
        except _NotOffered:
            table.see("writes_offered", False)
            table.miss("writing is not offered", *WRITTEN)
            say("Codat does not offer writing to this API key: the rest cannot be tried.")
        except RemoteError as error:
            problems.append(f"The trial stopped half-way: {error}")
        except BaseException as error:  # noqa: BLE001 - What was found is put back first.
            stopped = error
        if trial.wrote:
            problems += _restored(client, before, keys, say)
        for problem in problems:  # Now, since nobody may read the table to its end.
            say(f"codat-zoho: {problem}")
        if stops:
            stopped = stopped or KeyboardInterrupt()
    if stopped is not None:
        raise stopped
    return problems


@dataclass
class _Trial:
    """The steps. ``wrote`` tells whether anything may have changed; ``stops`` fills when somebody asks to stop."""

    client: Client
    table: Table
    keys: Keys
    say: Say
    stops: Sized
    wrote: bool = False

    def run(self, before: ActualIntegration) -> None:
        """Try, step by step."""
        table, client, keys = self.table, self.client, self.keys.named()
        self._must(f"Setting 'enabled' to what it is ({_WORDS[before.enabled]}).", client.enable, before.enabled)
        self._must("Disabling it.", client.enable, False)
        self._must("Saving keys while it is disabled.", client.save, **keys)
        table.see("writes_offered", True)
        actual = _settled(client, lambda now: now.keys is not None)
        table.see("saving_keeps_enabled", not actual.enabled)
        see_masks(actual, table)
        if actual.client_secret:
            table.see("mask_keeps_length", len(actual.client_secret) == len(self.keys.client_secret))
        if not actual.enabled:
            self._must("Enabling it.", client.enable, True)
            _settled(client, lambda now: now.enabled)
        self._must("Disabling it with keys stored.", client.enable, False)
        kept = _settled(client, lambda now: not now.enabled).keys is not None
        table.see("disabling_keeps_keys", kept)
        if not kept:
            self._must("Saving the keys again.", client.save, **keys)
        self._say("Saving the secret alone.")
        status = client.save(**{ZOHO_BOOKS.secret_key: self.keys.client_secret})
        if status in _DONE:
            merged = _settled(client, lambda now: now.client_id is None).client_id is not None
            table.see("saving", "merge" if merged else "replace")
        else:
            table.miss(f"Codat refuses to save one key alone ({status})", "saving")
        self._must("Deleting the keys.", client.delete)
        _settled(client, lambda now: now.keys is None)
        actual, _, answer = client.look()
        if actual.keys is None:
            see_absent(answer, table)
        self._say("Deleting the keys once more.")
        table.see("deleting_absent_keys", str(client.delete()))

    def _say(self, text: str) -> None:
        """Say the next step, unless it is not to be taken any more."""
        if self.stops:
            raise KeyboardInterrupt
        self.say(text)

    def _must(self, text: str, send: Callable[..., int], *values: bool, **keys: str) -> None:
        self._say(text)
        # Set before it is sent: an answer that is lost on the way may have changed something.
        changed, self.wrote = self.wrote, True
        status = send(*values, **keys)
        if status in _NOT_OFFERED:
            self.wrote = changed
            raise _NotOffered
        if status not in _DONE:
            raise UnexpectedAnswer(f"Codat answered {status}: {text}", status=status)


def _settled(client: Client, shown: Callable[[ActualIntegration], bool]) -> ActualIntegration:
    """Look until a write shows, for a bounded time; what does not show by then is what is seen."""
    actual = client.look()[0]
    for wait in _WAITS:
        if shown(actual):
            break
        client.http.sleep(wait)
        actual = client.look()[0]
    return actual


def _restored(client: Client, before: ActualIntegration, keys: Keys, say: Say) -> list[str]:
    """Put back what was found, and say what that did not achieve."""
    say("Putting back what was found.")
    problems: list[str] = []
    for _ in range(2):  # Saving keys may enable it, and disabling may delete them.
        try:
            if _unlike_keys(before, client.look()[0], keys):
                if before.keys is None:
                    client.delete()
                else:
                    client.save(**keys.named())
            if client.look()[0].enabled != before.enabled:
                client.enable(before.enabled)
            problems = _unlike(before, _settled(client, lambda now: not _unlike(before, now, keys)), keys)
        except CodatZohoError as error:
            problems = [f"Putting it back failed: {error}"]
        if not problems:
            say("It is as it was found.")
            return []
    stored = "with the keys that were given stored" if before.keys is not None else "with no keys stored"
    left = f"Left to do in the Codat Portal, {ZOHO_BOOKS.portal}: it was {_WORDS[before.enabled]}, {stored}."
    return [*problems, left]


def _unlike(before: ActualIntegration, actual: ActualIntegration, keys: Keys) -> list[str]:
    """How it differs from what was found, in sentences."""
    differs = actual.enabled != before.enabled
    switch = [f"It is {_WORDS[actual.enabled]} and was {_WORDS[before.enabled]}."] if differs else []
    return switch + _unlike_keys(before, actual, keys)


def _unlike_keys(before: ActualIntegration, actual: ActualIntegration, keys: Keys) -> list[str]:
    if before.keys is None:
        return ["Made-up keys are stored, and none were."] if actual.keys is not None else []
    if actual.client_id is None or actual.client_secret is None:
        return ["The keys are not stored any more."]
    readings = read_mask(actual.client_id, keys.client_id), read_mask(actual.client_secret, keys.client_secret)
    different = any(reading.known is Known.DIFFERENT for reading in readings)
    return ["Other keys are stored than were."] if different else []

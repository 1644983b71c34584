"""The writing part, on a test client: tries what is not documented, and puts back what it found."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from codat_zoho.contract.client import Client
from codat_zoho.contract.reading import see_absent, see_masks
from codat_zoho.contract.table import Table
from codat_zoho.core.masks import Known, read_mask
from codat_zoho.core.observe import ActualIntegration
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.settings import IntegrationSettings, load
from codat_zoho.errors import CodatZohoError, PlanBlocked, RemoteError, UnexpectedAnswer

Say = Callable[[str], None]
_DONE = (200, 201, 202, 204)
_NOT_OFFERED = (404, 405)
_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at a write that does not show yet: a late read must not pass for a behaviour."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A real or made-up client id and secret."""

    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def made_up(cls) -> Keys:
        """Of the usual shape, and nobody's."""
        alphabet = string.ascii_uppercase + string.digits
        return cls("1000." + "".join(secrets.choice(alphabet) for _ in range(30)), secrets.token_hex(21))


class _NotOffered(Exception):
    """Codat does not offer writing to this API key."""


def refuse(actual: ActualIntegration, linked: int, real: Keys | None) -> None:
    """Refuse to begin where something could be lost.

    Raises:
        PlanBlocked: companies are linked, or stored keys could not be put back.
        SettingsError: the given id or secret breaks a rule.
    """
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
    others = sorted(set(actual.keys) - {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key})
    if others:
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
    """Try, then restore whatever happened.

    Returns:
        What could not be restored, and why the trial stopped early: empty when all is well.
    """
    trial = _Trial(client, table, real if before.keys is not None else Keys.made_up(), say)
    problems: list[str] = []
    stopped: BaseException | None = None
    try:
        trial.run(before)
    except _NotOffered:
        table.see("writes_offered", False)
        say("Codat does not offer writing to this API key: the rest cannot be tried.")
    except RemoteError as error:
        problems.append(f"The trial stopped half-way: {error}")
    except BaseException as error:  # noqa: BLE001 - Ctrl-C above all: what was found is put back first.
        stopped = error
    for name in ("saving", "saving_keeps_enabled", "disabling_keeps_keys", "deleting_absent_keys", "mask_keeps_length"):
        table.miss(
            name, "writing is not offered" if table.get("writes_offered") is False else "the trial stopped early"
        )
    if trial.wrote:
        problems += _restored(client, before, trial.keys, say)
    if stopped is not None:
        for problem in problems:
            say(problem)
        raise stopped
    return problems


@dataclass
class _Trial:
    """The steps. ``wrote`` tells whether anything may have changed."""

    client: Client
    table: Table
    keys: Keys | None
    say: Say
    wrote: bool = False

    def run(self, before: ActualIntegration) -> None:
        """Try, step by step."""
        assert self.keys is not None
        table, client = self.table, self.client
        self._must(lambda: client.enable(before.enabled), f"Setting 'enabled' to what it is ({_word(before.enabled)}).")
        self._must(lambda: client.enable(False), "Disabling it.")
        self._save("Saving keys while it is disabled.")
        table.see("writes_offered", True)
        actual = self._settled(lambda now: now.keys is not None)
        table.see("saving_keeps_enabled", not actual.enabled)
        see_masks(actual, table)
        shown = (actual.client_secret or "", self.keys.client_secret)
        if actual.client_secret:
            table.see("mask_keeps_length", len(shown[0]) == len(shown[1]))
        if not actual.enabled:
            self._must(lambda: client.enable(True), "Enabling it.")
            self._settled(lambda now: now.enabled)
        self._must(lambda: client.enable(False), "Disabling it with keys stored.")
        kept = self._settled(lambda now: not now.enabled).keys is not None
        table.see("disabling_keeps_keys", kept)
        if not kept:
            self._save("Saving the keys again.")
        secret = self.keys.client_secret
        self.say("Saving the secret alone.")
        status = client.save(clientSecret=secret)
        if status in _DONE:
            actual = self._settled(lambda now: ZOHO_BOOKS.id_key not in (now.keys or {}))
            table.see("saving", "merge" if ZOHO_BOOKS.id_key in (actual.keys or {}) else "replace")
        else:
            table.miss("saving", f"Codat refuses to save one key alone ({status})")
        self._must(client.delete, "Deleting the keys.")
        self._settled(lambda now: now.keys is None)
        actual, _, answer = client.look()
        if actual.keys is None:
            see_absent(answer, table)
        self.say("Deleting the keys once more.")
        table.see("deleting_absent_keys", str(client.delete()))

    def _save(self, text: str) -> None:
        assert self.keys is not None
        keys = self.keys
        self._must(lambda: self.client.save(clientId=keys.client_id, clientSecret=keys.client_secret), text)

    def _settled(self, shown: Callable[[ActualIntegration], bool]) -> ActualIntegration:
        """Look until a write shows, for a bounded time; what does not show by then is what is seen."""
        actual = self.client.look()[0]
        for wait in _WAITS:
            if shown(actual):
                break
            self.client.http.sleep(wait)
            actual = self.client.look()[0]
        return actual

    def _must(self, send: Callable[[], int], text: str) -> None:
        self.say(text)
        # Set before it is sent: an answer that is lost on the way may have changed something.
        changed, self.wrote = self.wrote, True
        status = send()
        if status in _NOT_OFFERED:
            self.wrote = changed
            raise _NotOffered
        if status not in _DONE:
            raise UnexpectedAnswer(f"Codat answered {status}: {text}", status=status)


def _word(enabled: bool) -> str:
    return "enabled" if enabled else "disabled"


def _restored(client: Client, before: ActualIntegration, keys: Keys | None, say: Say) -> list[str]:
    """Put back what was found, and say what that did not achieve."""
    say("Putting back what was found.")
    problems: list[str] = []
    for _ in range(2):  # Saving keys may enable it, and disabling may delete them.
        try:
            actual = client.look()[0]
            problems = list(_left(before, actual, keys))
            if not problems:
                say("It is as it was found.")
                return []
            _put_back(client, before, actual, keys)
            problems = list(_left(before, client.look()[0], keys))
        except CodatZohoError as error:  # noqa: PERF203
            problems = [f"Putting it back failed: {error}"]
    if not problems:
        say("It is as it was found.")
        return []
    stored = "with the keys that were given stored" if before.keys is not None else "with no keys stored"
    return [
        *problems,
        f"Left to do in the Codat Portal, {ZOHO_BOOKS.portal}: it was {_word(before.enabled)}, {stored}.",
    ]


def _put_back(client: Client, before: ActualIntegration, actual: ActualIntegration, keys: Keys | None) -> None:
    if before.keys is None and actual.keys is not None:
        client.delete()
    elif before.keys is not None and keys is not None and list(_keys_left(before, actual, keys)):
        client.save(clientId=keys.client_id, clientSecret=keys.client_secret)
    if client.look()[0].enabled != before.enabled:
        client.enable(before.enabled)


def _left(before: ActualIntegration, actual: ActualIntegration, keys: Keys | None) -> Iterator[str]:
    if actual.enabled != before.enabled:
        yield f"It is {_word(actual.enabled)} and was {_word(before.enabled)}."
    yield from _keys_left(before, actual, keys)


def _keys_left(before: ActualIntegration, actual: ActualIntegration, keys: Keys | None) -> Iterator[str]:
    if before.keys is None:
        if actual.keys is not None:
            yield "Made-up keys are stored, and none were."
        return
    now = actual.keys or {}
    if keys is None or not {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key} <= set(now):
        yield "The keys are not stored any more."
    elif any(
        read_mask(now[name], value).known is Known.DIFFERENT
        for name, value in ((ZOHO_BOOKS.id_key, keys.client_id), (ZOHO_BOOKS.secret_key, keys.client_secret))
    ):
        yield "Other keys are stored than were."

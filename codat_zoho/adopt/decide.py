"""What to declare so that nothing changes, or why that cannot be said. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from codat_zoho.core.masks import Known
from codat_zoho.core.observe import ActualIntegration, Probe, ProbeResult
from codat_zoho.core.plan import plan
from codat_zoho.core.zoho_client import UNPROVED, plan_client
from codat_zoho.declare.datacentres import DEFAULT_REGIONS
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import looks_like_client_id
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, load
from codat_zoho.errors import NotAdopted


class ClientIdNeeded(NotAdopted):
    """Codat does not show the client id; somebody has to say it."""


class Note(NamedTuple):
    """What could not be told of a setting, or is left to do; about no setting in particular where that is empty."""

    setting: str
    text: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.text}" if self.setting else self.text


@dataclass(frozen=True, slots=True)
class Choices:
    """What Codat does not tell, and a person does; the options are what else a resource is declared with."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    regions: tuple[str, ...] = DEFAULT_REGIONS
    leave_keys: bool = False
    client_options: Mapping[str, object] = field(default_factory=dict)
    integration_options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Takeover:
    """One integration as it will be declared: what is there, and nothing else. No client: its keys stay unmanaged."""

    actual: ActualIntegration
    desired: IntegrationSettings
    client: ZohoClientSettings | None = None
    notes: tuple[Note, ...] = ()
    asked: Mapping[str, ProbeResult] = field(default_factory=dict)

    def without_secret(self, why: str) -> Takeover:
        """Leave the secret unmanaged after all, where it was to be managed."""
        if self.client is None or self.client.client_secret is None:
            return self
        note = Note("client_secret", f"stays unmanaged, since {why}. Declare it afterwards.")
        return replace(
            self,
            desired=replace(self.desired, client_secret=None),
            client=replace(self.client, client_secret=None),
            notes=(*(one for one in self.notes if one.setting != "client_secret"), note),
        )


def describe(actual: ActualIntegration, counted: int | None = None) -> Iterator[str]:
    """Say in plain words what Codat has; ``counted`` companies are linked where Codat itself does not count them."""
    state = "enabled: customers can link it" if actual.enabled else "disabled: customers cannot link it"
    yield f"{actual.name} is {state}."
    if actual.linked is None:
        more = f"; its list of companies has {counted}" if counted is not None else ""
        yield f"Codat does not say how many companies are linked{more}."
    elif actual.linked:
        yield f"{actual.linked} {'company is' if actual.linked == 1 else 'companies are'} linked."
    else:
        yield "No company is linked."
    if actual.keys_untold:
        yield f"Whether keys are stored cannot be told: {actual.keys_untold}."
        return
    if actual.keys is None:
        yield "No client id and secret are stored."
        return
    shown_id, secret = actual.client_id or "none", actual.secret_in_words
    secret = "nothing" if secret == "hidden" else secret
    yield f"Keys are stored; Codat shows the client id as {shown_id}, and of the secret: {secret}."
    others = sorted(set(actual.keys) - {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key})
    if others:
        yield f"Codat also stores {', '.join(others)}, which is left alone."


def decide(actual: ActualIntegration, connection: str, choices: Choices) -> Takeover:
    """Declare what is there; NotAdopted where what was said proves to be something else."""
    declared = {**choices.integration_options, "enabled": actual.enabled, "connection": connection}
    if actual.keys is None:
        text = "Codat stores none. Declare id and secret when they are to be saved."
        if choices.client_id or choices.client_secret:
            text = "Codat stores none, so the given ones are not taken over; declared afterwards, they are saved."
        return _taken(declared, actual, [Note("Keys", text)])
    if choices.leave_keys:
        note = Note("Keys", "left out, so those stored in Codat stay as they are, unmanaged.")
        return _taken(declared, actual, [note])
    notes: list[Note] = []
    keys = {"client_id": _client_id(actual, connection, choices.client_id, notes)}
    secret = _secret(actual, connection, keys["client_id"], choices.client_secret, notes)
    if secret:
        keys["client_secret"] = secret
    taken = _taken({**declared, **keys}, actual, notes)
    client = {**choices.client_options, **keys, "regions": list(choices.regions)}
    return replace(taken, client=load(ZohoClientSettings, client))


def _taken(declared: Mapping[str, object], actual: ActualIntegration, notes: Sequence[Note]) -> Takeover:
    desired = load(IntegrationSettings, declared)
    todo = plan(desired, actual)
    if not todo.empty:  # Whatever else it may be: recording it as if it were there would hide a difference.
        fields = ", ".join(change.field for change in todo.changes) or "something"
        raise NotAdopted(f"What Codat has for {fields} cannot be declared as it is, so it cannot be taken over.")
    return Takeover(actual, desired, notes=tuple(notes))


def _client_id(actual: ActualIntegration, connection: str, given: str | None, notes: list[Note]) -> str:
    """The client id to declare; what could not be told of it is noted."""
    shown = actual.client_id
    if given is None:
        if shown and looks_like_client_id(shown):
            return shown
        seen = f"only as {shown}" if shown else "not at all"
        raise ClientIdNeeded(
            f"Codat shows the client id of connection {connection!r} {seen}.",
            "Give it with --client-id (Zoho's API console, Client Secret tab), or leave the keys unmanaged with "
            "--leave-keys.",
        )
    load(IntegrationSettings, {"client_id": given})
    reading = actual.reading(shown, given)
    if reading.known is Known.DIFFERENT:
        raise NotAdopted(
            f"The client id given for connection {connection!r} is not the one that Codat stores, which it shows as "
            f"{shown}.",
            "Copy it again from Zoho's API console, and check that the API key belongs to the Codat client that is "
            "meant. To replace the client in Codat, adopt first, then change it in a plan of its own.",
        )
    if reading.known is Known.UNKNOWN:
        notes.append(Note("client_id", f"whether it is the one that Codat stores cannot be told: {reading.why}."))
    return given


def _secret(
    actual: ActualIntegration, connection: str, client_id: str, given: str | None, notes: list[Note]
) -> str | None:
    """The secret to declare, where what Codat shows speaks for it; what could not be told of it is noted."""
    if given is None:
        notes.append(Note("client_secret", "not at hand, so the one stored in Codat stays as it is, unmanaged."))
        return None
    load(IntegrationSettings, {"client_id": client_id, "client_secret": given})
    reading = actual.reading(actual.client_secret, given)
    if reading.known is Known.DIFFERENT:
        raise NotAdopted(
            f"The client secret given for connection {connection!r} is not the one that Codat stores, which "
            f"{actual.secret_clause}.",
            "Adopt without it; declared afterwards, it is a rotation, which pulumi up shows and applies.",
        )
    if not reading.agrees or not actual.reading(actual.client_id, client_id).agrees:
        why = reading.why or "Codat does not show enough of the client id"
        text = (
            f"whether the given one is the one that Codat stores cannot be told ({why}), so it stays unmanaged. "
            "Declare it afterwards: pulumi up then saves it once."
        )
        notes.append(Note("client_secret", text))
        return None
    if reading.known is Known.CONSISTENT:
        text = f"what Codat shows ({actual.secret_in_words}) is consistent with the given one and proves no more."
        notes.append(Note("client_secret", text))
    return given


def only_accepted(takeover: Takeover, asked: Mapping[str, ProbeResult]) -> Takeover:
    """Declare only the data centres that did not say no, and say what the others said."""
    client = takeover.client
    assert client is not None
    accepted = [code for code in client.regions if not asked[code].probe.rejected]
    blockers = plan_client(client.regions, asked).blockers
    if not accepted:
        raise NotAdopted(
            f"Zoho accepts client id and secret nowhere. {' '.join(blockers)}",
            "Nothing was taken over. Check both in Zoho's API console, or adopt without the secret.",
        )
    notes = [*takeover.notes, *(Note("", f"{text} It is left out of the declared regions.") for text in blockers)]
    said: dict[Probe, list[str]] = {}
    for code in accepted:
        said.setdefault(asked[code].probe, []).append(code)
    unproved = {Probe.ACCEPTED: f"; {UNPROVED}"}
    notes += [
        Note("regions", f"{', '.join(codes)}: {probe.value} by Zoho{unproved.get(probe, '')}.")
        for probe, codes in said.items()
    ]
    return replace(
        takeover,
        client=replace(client, regions=tuple(accepted)),
        notes=tuple(notes),
        asked={code: asked[code] for code in accepted},
    )


def agreed(takeovers: Sequence[Takeover]) -> list[Takeover]:
    """Let connections that use one Zoho client declare the same of it: in one program they share its resource."""
    unsure = {one.client.client_id for one in takeovers if one.client and not one.client.client_secret}
    why = "another connection with this client id does not show enough of it"
    return [one.without_secret(why) if one.client and one.client.client_id in unsure else one for one in takeovers]

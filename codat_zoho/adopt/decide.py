"""What to declare so that nothing changes, or why that cannot be said. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from codat_zoho.core.masks import Known
from codat_zoho.core.observe import ActualIntegration, Probe, ProbeResult
from codat_zoho.core.plan import plan
from codat_zoho.core.zoho_client import plan_client
from codat_zoho.declare.datacentres import DEFAULT_REGIONS
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import looks_like_client_id
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, load
from codat_zoho.errors import NotAdopted


class ClientIdNeeded(NotAdopted):
    """Codat does not show the client id; somebody has to say it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What Codat does not tell, and a person does.

    Args:
        client_id: Zoho's client id.
        client_secret: its secret, where it is at hand.
        regions: the data centres to declare.
        leave_keys: leave id and secret out of the declaration.
        client_options: what else the Zoho client is declared with, for example ``verify``.
        integration_options: what else the integration is declared with, for example ``on_delete``.
    """

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    regions: tuple[str, ...] = DEFAULT_REGIONS
    leave_keys: bool = False
    client_options: Mapping[str, object] = field(default_factory=dict)
    integration_options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Takeover:
    """One integration as it will be declared.

    Args:
        actual: what Codat has.
        desired: its declaration: what is there, and nothing else.
        client: the declaration of the Zoho client; None where the keys stay unmanaged.
        notes: what could not be told, and what is left to do.
        asked: what Zoho's data centres said, where they were asked.
    """

    actual: ActualIntegration
    desired: IntegrationSettings
    client: ZohoClientSettings | None = None
    notes: tuple[str, ...] = ()
    asked: Mapping[str, ProbeResult] = field(default_factory=dict)

    @property
    def secret(self) -> str | None:
        """The secret that will be managed."""
        return self.desired.client_secret


def describe(actual: ActualIntegration, counted: int | None = None) -> Iterator[str]:
    """Say in plain words what Codat has.

    Args:
        actual: as read.
        counted: how many companies are linked by Codat's list of companies, where its count is missing.
    """
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
    shown_id = actual.client_id or "none"
    yield f"Keys are stored; Codat shows the client id as {shown_id}, and of the secret: {_secret_shown(actual)}."
    others = sorted(set(actual.keys) - {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key})
    if others:
        yield f"Codat also stores {', '.join(others)}, which is left alone."


def _secret_shown(actual: ActualIntegration) -> str:
    return "nothing" if actual.secret_in_words == "hidden" else actual.secret_in_words


def decide(actual: ActualIntegration, connection: str, choices: Choices) -> Takeover:
    """Declare what is there.

    Raises:
        ClientIdNeeded: Codat masks the client id, and nobody has said it.
        NotAdopted: what was said proves to be something else than what is there.
        SettingsError: what was said breaks a rule.
    """
    declared = {**choices.integration_options, "enabled": actual.enabled, "connection": connection}
    if actual.keys is None:
        note = "Keys: Codat stores none. Declare id and secret when they are to be saved."
        if choices.client_id or choices.client_secret:
            note = "Keys: Codat stores none, so the given ones are not taken over; declared afterwards, they are saved."
        return _taken(declared, actual, note)
    if choices.leave_keys:
        return _taken(declared, actual, "Keys: left out, so those stored in Codat stay as they are, unmanaged.")
    client_id, note = _client_id(actual, connection, choices.client_id)
    client = {**choices.client_options, "client_id": client_id, "regions": list(choices.regions)}
    keys: dict[str, object] = {"client_id": client_id}
    notes = [note] if note else []
    secret, note = _secret(actual, connection, client_id, choices.client_secret)
    notes.append(note)
    if secret:
        keys["client_secret"] = client["client_secret"] = secret
    takeover = _taken({**declared, **keys}, actual, *notes)
    return Takeover(actual, takeover.desired, load(ZohoClientSettings, client), takeover.notes)


def _taken(declared: Mapping[str, object], actual: ActualIntegration, *notes: str) -> Takeover:
    desired = load(IntegrationSettings, declared)
    todo = plan(desired, actual)
    if not todo.empty:  # Whatever else it may be: recording it as if it were there would hide a difference.
        fields = ", ".join(change.field for change in todo.changes) or "something"
        raise NotAdopted(f"Codat has {fields} otherwise than it would be declared, so it cannot be taken over.")
    return Takeover(actual, desired, notes=notes)


def _client_id(actual: ActualIntegration, connection: str, given: str | None) -> tuple[str, str]:
    """Return the client id to declare, and what could not be told of it."""
    shown = actual.client_id
    if given is None:
        if shown and looks_like_client_id(shown):
            return shown, ""
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
        return given, f"client_id: whether it is the one that Codat stores cannot be told: {reading.why}."
    return given, ""


def _secret(actual: ActualIntegration, connection: str, client_id: str, given: str | None) -> tuple[str | None, str]:
    """Return the secret to declare, where what Codat shows speaks for it, and what could not be told of it."""
    if given is None:
        return None, "client_secret: not at hand, so the one stored in Codat stays as it is, unmanaged."
    load(IntegrationSettings, {"client_id": client_id, "client_secret": given})
    reading = actual.reading(actual.client_secret, given)
    shown = actual.secret_in_words
    if reading.known is Known.DIFFERENT:
        raise NotAdopted(
            f"The client secret given for connection {connection!r} is not the one that Codat stores, which "
            f"{actual.secret_clause}.",
            "Adopt without it; declared afterwards, it is a rotation, which pulumi up shows and applies.",
        )
    if not reading.agrees or not actual.reading(actual.client_id, client_id).agrees:
        why = reading.why or "Codat does not show enough of the client id"
        return None, (
            f"client_secret: whether the given one is the one that Codat stores cannot be told ({why}), so it stays "
            "unmanaged. Declare it afterwards: pulumi up then saves it once."
        )
    if reading.known is Known.SAME:
        return given, ""
    return given, f"client_secret: what Codat shows ({shown}) is consistent with the given one and proves no more."


def only_accepted(takeover: Takeover, asked: Mapping[str, ProbeResult]) -> Takeover:
    """Declare only the data centres that did not say no, and say what the others said.

    Raises:
        NotAdopted: all said no.
    """
    client = takeover.client
    assert client is not None
    accepted = [code for code in client.regions if not asked[code].probe.rejected]
    blockers = plan_client(client.regions, asked).blockers
    if not accepted:
        raise NotAdopted(
            f"Zoho accepts client id and secret nowhere. {' '.join(blockers)}",
            "Nothing was taken over. Check both in Zoho's API console, or adopt without the secret.",
        )
    notes = [*takeover.notes, *(f"{text} It is left out of the declared regions." for text in blockers)]
    said: dict[Probe, list[str]] = {}
    for code in accepted:
        said.setdefault(asked[code].probe, []).append(code)
    notes += [f"regions: {', '.join(codes)}: {probe.value} by Zoho." for probe, codes in said.items()]
    kept = replace(client, regions=tuple(accepted))
    return Takeover(takeover.actual, takeover.desired, kept, tuple(notes), {code: asked[code] for code in accepted})


def agreed(takeovers: Sequence[Takeover]) -> list[Takeover]:
    """Let connections that use one Zoho client declare the same of it: in one program they share its resource."""
    unsure = {t.client.client_id for t in takeovers if t.client and not t.secret}
    return [
        without_secret(t, "another connection with this client id does not show enough of it")
        if t.client and t.secret and t.client.client_id in unsure
        else t
        for t in takeovers
    ]


def without_secret(takeover: Takeover, why: str) -> Takeover:
    """Leave the secret unmanaged after all."""
    assert takeover.client is not None
    notes = [note for note in takeover.notes if not note.startswith("client_secret:")]
    return Takeover(
        takeover.actual,
        replace(takeover.desired, client_secret=None),
        replace(takeover.client, client_secret=None),
        (*notes, f"client_secret: stays unmanaged, since {why}. Declare it afterwards."),
    )

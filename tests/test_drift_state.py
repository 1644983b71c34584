"""Of an exported state only this package's part is read, whatever component it is in, and what is not known is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codat_zoho.declare.platform import CLIENT, INTEGRATION, SECRET, SIGNATURE
from codat_zoho.texts.redact import redact
from codat_zoho.workspace.state import ENCRYPTED, Exported, Unreadable, read
from tests.pulumi_stand_in import OTHERS, books, encrypted, resource, secret, state
from tests.support import ID
from tests.support import SECRET as ZOHO_SECRET


def one(text: str) -> Any:
    """The one resource of a state."""
    (found,) = read(text).resources
    return found


def test_inputs_outputs_and_configuration_come_decrypted() -> None:
    """What marks a secret is unwrapped, and remembered; project and stack are those of the URN."""
    keys = {"apiKey": secret("the-api-key"), "apiKeys": secret('{"eu": "x"}'), "codatUrl": "https://codat.example"}
    found = read(state(books(), config=keys))
    assert found.config == {
        "apiKey": "the-api-key",
        "apiKeys": '{"eu": "x"}',
        "codatUrl": "https://codat.example",
    }
    assert found.names == ("shop", "dev")
    (it,) = found.resources
    assert (it.name, it.kind, it.connection) == ("books", INTEGRATION, "default")
    assert it.inputs["client_secret"] == ZOHO_SECRET and it.inputs["enabled"] is True
    assert it.outputs["declared"]["at"] == "2026-01-01T00:00:00Z" and "client_secret" in it.hidden
    assert not it.undeclared and one(state(books(declared=False))).undeclared


@pytest.mark.parametrize(
    "parents", [(), ("my:mod:Comp",), ("my:mod:Comp", "my:mod:Inner"), (f"pulumi-python:dynamic/codat-zoho:{CLIENT}",)]
)
def test_resources_are_found_whatever_they_are_in(parents: tuple[str, ...]) -> None:
    """A child's URN holds the types of all its parents; what it is stands beside it."""
    assert one(state(books(parents=parents))).kind == INTEGRATION


def test_what_belongs_to_others_is_passed_over() -> None:
    """Other resources, other configuration: neither kept, nor so much as known."""
    found = read(state(books(), config={"apiKey": secret("the-api-key")}))
    assert OTHERS not in repr((found, found.config, [(it.inputs, it.outputs) for it in found.resources]))
    assert OTHERS in redact(OTHERS), "it is not even remembered"


def test_our_secrets_are_kept_out_of_texts() -> None:
    """Whatever quotes them later; and none is in the representation of what was read."""
    found = read(state(books()))
    assert redact(f"x {ZOHO_SECRET}") == "x [redacted]" and ZOHO_SECRET not in repr(found)
    hidden = json.loads(state(books()))
    hidden["deployment"]["resources"][0]["inputs"]["client_id"] = secret(ID)
    read(json.dumps(hidden))
    assert ID not in redact(ID)


def test_what_is_still_encrypted_is_marked() -> None:
    """Not decrypted, not guessed."""
    found = read(state(books(hide=encrypted), config={"apiKey": encrypted()}))
    assert found.config == {"apiKey": ENCRYPTED}
    (it,) = found.resources
    assert it.inputs["client_secret"] is ENCRYPTED and it.outputs["declared"] is ENCRYPTED and not it.odd


@pytest.mark.parametrize("doing", ["creating", "updating", "deleting"])
def test_what_was_begun_and_not_ended(doing: str) -> None:
    """An engine that was killed leaves it in the state: alone where it was creating, beside the old one else."""
    pending = [{"type": doing, "resource": books()}]
    there = [] if doing == "creating" else [books()]
    assert one(state(*there, pending_operations=pending)).unfinished == doing
    assert one(state(books(), pending_operations=[{"type": "reading", "resource": books()}])).unfinished == ""


def test_what_waits_to_be_deleted_or_replaced() -> None:
    """The last deployment did not come to its end; a resource that is tainted is as it was."""
    assert one(state(books(delete=True))).unfinished == "deleting"
    assert one(state(books(pendingReplacement=True))).unfinished == "replacing"
    assert one(state(books(taint=True))).tainted and not one(state(books(taint=True))).unfinished


def test_a_resource_that_is_only_looked_up() -> None:
    """`.get` declares nothing."""
    it = one(state(resource(INTEGRATION, {}, {"enabled": True, "connection": "eu"}, external=True)))
    assert not it.inputs and it.connection == "eu" and not it.undeclared


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", "yes"),
        ("client_id", 7),
        ("on_delete", 7),
        ("client_id", "1000.\x1b[31mX"),
        ("client_secret", [secret("x")]),
        ("enabled", {SIGNATURE: SECRET, "plaintext": "{"}),
        ("enabled", {SIGNATURE: SECRET}),
        ("client_id", {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17"}),
        ("client_id", "04da6b54-80e4-46f7-96ec-b56ff0331ba9"),
    ],
)
def test_a_value_in_another_form(name: str, value: object) -> None:
    """It is named, and nothing is said of the resource."""
    made = books()
    made["inputs"][name] = value
    assert one(state(made)).odd == (name,)


def test_a_resource_of_a_newer_version() -> None:
    """A kind that is not known here is told of, not passed over."""
    made = books()
    made["type"] = "pulumi-python:dynamic/codat-zoho:Something"
    assert one(state(made)).odd == ("its type",)


def test_old_and_empty_states() -> None:
    """A stack that was never deployed, and one of which all was destroyed."""
    for text in ('{"version": 3, "deployment": {}}', '{"version": 3, "deployment": null}', state()):
        assert not read(text).resources
    assert read('{"version": 3, "deployment": {"manifest": {}}}') == Exported()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "no output of 'pulumi stack export'"),
        ('{"version": 2, "deployment": {}}', "version"),
        ('{"version": 3, "deployment": []}', "no object"),
        ('{"version": 3, "deployment": [1]}', "no object"),
        ('{"version": 3, "deployment": {"resources": {"a": 1}}}', "no list"),
        ('{"version": 3, "deployment": {"resources": [{"type": 7, "urn": "x"}]}}', "without type or URN"),
        ('{"version": 3, "deployment": {"pending_operations": [{"type": "creating"}]}}', "no list of objects"),
    ],
)
def test_what_is_no_state_is_refused(text: str, said: str) -> None:
    """A form that is not known is an error, and never "as declared"."""
    with pytest.raises(Unreadable, match=said):
        read(text)

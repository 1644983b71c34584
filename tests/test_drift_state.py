"""Of an exported state only this package's part is read, whatever component it is in, and what is not known is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codat_zoho.declare.platform import CLIENT, INTEGRATION, PLUGIN_PREFIX, SECRET, SIGNATURE, TOKEN_PREFIX
from codat_zoho.declare.settings import Spelling
from codat_zoho.texts.redact import redact
from codat_zoho.workspace.state import ENCRYPTED, Exported, Unreadable, read
from tests.pulumi_stand_in import OTHERS, books, encrypted, plugin_provider, plugin_state, resource, secret, state
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
    assert found.names == ("shop", "dev") and found.configured
    (it,) = found.resources
    assert it.config == {
        "apiKey": "the-api-key",
        "apiKeys": '{"eu": "x"}',
        "codatUrl": "https://codat.example",
    }
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
    assert OTHERS not in repr((found, [(it.inputs, it.outputs, it.config) for it in found.resources]))
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
    (it,) = found.resources
    assert it.config == {"apiKey": ENCRYPTED}
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


# --- the plugin -------------------------------------------------------------------------------------------------------


def test_the_plugin_s_resources_are_read_like_the_dynamic_ones() -> None:
    """Other types, other spelling, other keys of the provider: the same is known of them."""
    keys = {"apiKey": secret("the-api-key"), "codatUrl": "https://codat.example"}
    text = state(books(), resource(CLIENT, {"client_id": ID, "regions": ["us"]}, {}), config=keys)
    ours, theirs = read(text).resources, read(plugin_state(text)).resources
    assert [one.spelling for one in theirs] == [Spelling.PROPERTY] * 2
    for one, other in zip(ours, theirs, strict=True):
        assert other.config == {"apiKey": "the-api-key", "codatUrl": "https://codat.example"}
        assert (other.kind, other.name, other.inputs, other.outputs) == (one.kind, one.name, one.inputs, one.outputs)
        assert (other.hidden, other.odd, other.undeclared) == (one.hidden, (), one.undeclared)


def test_each_resource_has_the_configuration_of_the_provider_that_it_names() -> None:
    """Several explicit providers, the dynamic resources beside them; a secret map, as an object or as JSON."""
    eu = plugin_provider("eu", apiKey=secret("of-eu"), version="1.0.0", __internal={"apiKey": "x"})
    us = plugin_provider("us", apiKeys={"us": secret("of-us")}, pluginDownloadURL="x")
    ca = plugin_provider("ca", apiKeys=secret('{"us": "of-ca"}'))
    named = {one["urn"].rpartition("::")[2]: f"{one['urn']}::{one['id']}" for one in (eu, us, ca)}
    theirs = [books(name=name, connection="us", provider=reference) for name, reference in named.items()]
    mixed = json.loads(plugin_state(state(*theirs), eu, us, ca))
    mixed["deployment"]["resources"] += json.loads(state(books(), config={"apiKey": "ours"}))["deployment"]["resources"]
    found = {one.name: one for one in read(json.dumps(mixed)).resources}
    assert {name: one.config for name, one in found.items()} == {
        "books": {"apiKey": "ours"},
        "eu": {"apiKey": "of-eu"},
        "us": {"apiKeys": {"us": "of-us"}},
        "ca": {"apiKeys": '{"us": "of-ca"}'},
    }
    assert [found[name].explicit_provider for name in ("eu", "books")] == ["eu", ""]
    assert len({one.provider for one in found.values()}) == 4


def test_a_provider_that_is_not_there() -> None:
    """A state that somebody edited: what all providers of the type agree on holds, and nothing is guessed."""
    one, other = plugin_provider("a", apiKey="x", codatUrl="https://c"), plugin_provider("b", apiKey="y", zohoUrl="z")
    it = read(plugin_state(state(books(provider="urn:gone::id")), one, other)).resources[0]
    assert it.config == {"codatUrl": "https://c", "zohoUrl": "z"} and it.explicit_provider == ""


@pytest.mark.parametrize("inputs", [{}, {"version": "1.0.0"}, {"apiKey": "x"}])
def test_a_stack_of_the_plugin_without_resources_is_known_for_one(inputs: dict[str, str]) -> None:
    """The provider serves nothing else, whether or not it was given a key: something was to be deployed."""
    provider = plugin_provider("default", **inputs)
    if not inputs:
        del provider["inputs"]
    found = read(plugin_state(state(), provider))
    assert not found.resources and found.configured
    assert not read(state()).configured and read(state(config={"zohoClientId": "x"})).configured


def test_outputs_that_an_interrupted_move_left_behind() -> None:
    """The plugin's resource, recorded as the dynamic one spelled it: it declares what it declared."""
    text = state(books()).replace(TOKEN_PREFIX, PLUGIN_PREFIX)
    it = one(text)
    assert it.inputs == one(state(books())).inputs and it.spelling is Spelling.PROPERTY
    assert it.outputs["declared"]["enabled"] is True


def test_a_resource_of_a_newer_plugin() -> None:
    """A kind that is not known here is told of likewise."""
    made = json.loads(plugin_state(state(books())).replace("index:ZohoBooksIntegration", "index:Something"))
    assert one(json.dumps(made)).odd == ("its type",)

"""The plugin's own duties, over gRPC: what it takes, tells and marks, how it stops, and what it makes of older state."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from codat_zoho._version import __version__
from codat_zoho.declare.describe import camel_case, described
from codat_zoho.declare.platform import OUTPUTS, UNKNOWN, UNKNOWNS
from codat_zoho.plugin.servicer import MODELS, SCHEMA
from codat_zoho.provider import Books
from codat_zoho.provider.process import CONTEXT
from codat_zoho.remote.budget import Stop
from codat_zoho.simulator import Fault, Simulator, serve
from tests.canaries import KEY, echoing
from tests.canaries import SECRET as CANARY
from tests.faults.gate import gated
from tests.mini_engine import PICKLED, Failed, MiniEngine, Plain, Props
from tests.plugin_wire import Plugin, from_wire, in_clear, plain, sealed, struct, to_wire, urn
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys

CLIENT: Props = {"client_id": ID, "client_secret": SECRET, "regions": ["us"]}
BOOKS: Props = {"client_id": ID, "client_secret": SECRET, "enabled": True}
SOME, NONE = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE


@pytest.fixture
def wire(context: Simulator) -> Iterator[Plugin]:
    """A plugin in front of the simulator in this process."""
    with Plugin(secrets=(SECRET, OTHER_SECRET, API_KEY)) as wire:
        yield wire


def check(wire: Plugin, kind: str, **declared: Any) -> Any:
    """Check properties as a program spells them."""
    return wire.do("Check", provider_pb2.CheckRequest(urn=urn(kind), news=struct(declared)))


# --- the provider itself ---


def test_what_it_says_of_itself(wire: Plugin) -> None:
    """Its version and its schema; what it does not do it says in one line."""
    assert wire.do("GetPluginInfo", Empty()).version == __version__
    schema = wire.do("GetSchema", provider_pb2.GetSchemaRequest()).schema
    assert json.loads(schema) == json.loads(SCHEMA.read_text())
    for method, request in (("Invoke", provider_pb2.InvokeRequest()), ("Call", provider_pb2.CallRequest())):
        with pytest.raises(Failed, match="has resources only"):
            wire.do(method, request)
    with pytest.raises(Failed, match="has ZohoBooksIntegration and ZohoClientCredentials, and no other type"):
        check(wire, "Typo")


def test_the_schema_tells_what_there_is() -> None:
    """Each output and input by its name in camelCase, secrets marked, and whose place a resource takes."""
    schema = json.loads(SCHEMA.read_text())
    for token, one in schema["resources"].items():
        kind = token.rpartition(":")[2]
        assert one["aliases"] == [{"type": f"pulumi-python:dynamic/codat-zoho:{kind}"}]
        assert len(one["properties"]) == len(one["inputProperties"]) + len(OUTPUTS[kind])
        assert [name for name, made in one["properties"].items() if made.get("secret")] == ["clientSecret", "declared"]
        assert not [name for name in (*one["properties"], *one["inputProperties"]) if "_" in name]
        assert "None" not in json.dumps(one) and "``" not in json.dumps(one)
        for setting in described(MODELS[kind]).values():
            made = one["inputProperties"][camel_case(setting.name)]
            if setting.choices:
                values = schema["types"][made["$ref"].removeprefix("#/types/")]["enum"]
                assert [value["value"] for value in values] == [*setting.choices]


def provider_urn(project: str = "shop", name: str = "default") -> str:
    return f"urn:pulumi:dev::{project}::pulumi:providers:codat-zoho::{name}"


@pytest.mark.parametrize(
    ("where", "key", "refused", "warned"),
    [
        (
            provider_urn(),
            "apiKye",
            "codat-zoho:apiKye is no setting of this provider, did you mean codat-zoho:apiKey?",
            "",
        ),
        (provider_urn(), "greeting", "codat-zoho:greeting is no setting of this provider: there are apiKey, ", ""),
        (
            provider_urn(),
            "onDelete",
            "",
            "codat-zoho:onDelete is a setting of the ready-to-use project, and is not read",
        ),
        (provider_urn("codat-zoho"), "onDelete", "", ""),
        (provider_urn("codat-zoho"), "greeting", "", ""),
        (provider_urn("codat-zoho"), "apiKye", "", "codat-zoho:apiKye is not read by the provider, did you mean"),
        (provider_urn("codat-zoho"), "apiKey##[", "", "codat-zoho:apiKey# #[ is not read by the provider"),
        (provider_urn("codat-zoho", "mine"), "enabled", "enabled is no setting of this provider", ""),
    ],
)
def test_keys_of_stack_configuration(wire: Plugin, where: str, key: str, refused: str, warned: str) -> None:
    """The engine hands over all of the namespace: what is not the provider's is refused or dropped, never kept."""
    news = struct({"apiKey": API_KEY, "codatUrl": "http://127.0.0.1", "version": "1.0.0", key: SECRET})
    answer = wire.do("CheckConfig", provider_pb2.CheckRequest(urn=where, news=news))
    assert plain(answer.inputs) == {
        "apiKey": sealed(API_KEY),
        "codatUrl": "http://127.0.0.1",
        "version": "1.0.0",
    }
    for text, found in ((refused, [one.reason for one in answer.failures]), (warned, wire.engine.said())):
        assert bool(text) == bool(found) and text in "".join(found)


def test_another_configuration_replaces_nothing(wire: Plugin) -> None:
    """Another API key is no other provider."""
    for before, changes in (("a", NONE), ("b", SOME)):
        request = provider_pb2.DiffRequest(old_inputs=struct({"apiKey": before}), news=struct({"apiKey": "a"}))
        answer = wire.do("DiffConfig", request)
        assert answer.changes == changes and not answer.replaces


@pytest.mark.parametrize("form", [{"eu": API_KEY}, json.dumps({"eu": API_KEY})], ids=["map", "text"])
def test_the_api_key_of_its_configuration(context: Simulator, monkeypatch: pytest.MonkeyPatch, form: object) -> None:
    """It is found in the provider's configuration, as the engine or a program writes it; the environment comes first."""
    monkeypatch.delenv("CODAT_API_KEY")
    with Plugin({"apiKeys": sealed(form)}, secrets=(API_KEY,)) as wire:
        assert wire.create("books", {"enabled": True, "connection": "eu"})[0] == "eu"
        with pytest.raises(Failed, match="ConfigurationError: No Codat API key for connection 'default'"):
            wire.create("books", {"enabled": True})
        monkeypatch.setenv("CODAT_API_KEY_EU", "another-key")
        with pytest.raises(Failed, match="ApiKeyRefused: "):
            wire.create("books", {"enabled": True, "connection": "eu"})


@pytest.mark.parametrize("form", ["apiKey", "apiKeys"])
def test_an_explicit_provider_acts_with_its_own_api_key(
    context: Simulator, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The environment's would open the client of another provider, and what is meant for the one be done to the other."""
    other, connection = "test-api-key-of-staging-51d2", "default" if form == "apiKey" else "eu"
    context.add_codat_client(other)
    monkeypatch.setenv("CODAT_API_KEY_EU", API_KEY)
    config = {form: sealed(other if form == "apiKey" else {"eu": other})}
    with Plugin(config, secrets=(API_KEY, other), urn=provider_urn(name="staging")) as wire:
        wire.create("books", {"enabled": True, "connection": connection})
    assert context.codat[other].integration.enabled and not context.codat[API_KEY].integration.enabled


# --- check and diff ---


def test_problems_name_properties_as_the_program_does(wire: Plugin) -> None:
    """All at once, in camelCase, without a value."""
    answer = check(wire, "books", clientSecret=SECRET, allowDisruption="yes", onDelete="x", allowDisruptoin=True)
    assert [one.property for one in answer.failures] == [""] * 4
    assert [one.reason for one in answer.failures] == [
        "allowDisruptoin: is not a setting of this resource, did you mean allowDisruption?",
        "onDelete: Input should be 'remove', 'disable' or 'keep'",
        "allowDisruption: must be true or false",
        "clientSecret: is set without clientId: Codat stores the two together",
    ]
    (problem,) = check(wire, "books", client_id=ID).failures
    assert problem.reason == "client_id: is not a setting of this resource, did you mean clientId?"


def test_warnings_stand_beside_their_resource_once(wire: Plugin) -> None:
    """The integration that declares the client's keys again repeats no warning about them."""
    check(wire, "client", clientId="an-id", clientSecret="a-secret", regions=["us", "jp"])
    check(wire, "books", clientId="an-id", clientSecret="a-secret")
    check(wire, "books", clientId="another-id")
    assert [(where, line.split()[0]) for where, severity, line in wire.engine.lines if severity == "WARNING"] == [
        (urn("client"), "clientId"),
        (urn("client"), "clientSecret"),
        (urn("client"), "regions:"),
        (urn("books"), "clientId"),
    ]


@pytest.mark.parametrize("mark", sorted(UNKNOWNS))
def test_an_unknown_is_not_judged(wire: Plugin, mark: str) -> None:
    """Whatever it will be: the rest is checked, and the fingerprint that depends on it is unknown too."""
    answer = check(wire, "client", clientId=mark, clientSecret=sealed(SECRET), regions=["us"])
    assert not answer.failures
    inputs = plain(answer.inputs)
    assert inputs["clientId"] == inputs["clientSecretFingerprint"] == UNKNOWN
    assert check(wire, "client", clientId=mark, regions=["gb"]).failures


def test_a_secret_client_id_stays_secret(wire: Plugin) -> None:
    """The engine says what is secret: so are then the outputs, and what names the resource; nothing differs next time."""
    news = {"clientId": sealed(ID), "clientSecret": SECRET, "regions": ["us"]}
    inputs = wire.do("Check", provider_pb2.CheckRequest(urn=urn("client"), news=struct(news))).inputs
    made = wire.do("Create", provider_pb2.CreateRequest(urn=urn("client"), properties=inputs))
    assert ID not in f"{made.id}{in_clear(plain(inputs))}{in_clear(plain(made.properties))}"
    request = provider_pb2.DiffRequest(
        id=made.id, urn=urn("client"), old_inputs=inputs, olds=made.properties, news=inputs
    )
    assert wire.do("Diff", request).changes == NONE
    request = provider_pb2.ReadRequest(id=made.id, urn=urn("client"), inputs=inputs, properties=made.properties)
    read = wire.do("Read", request)
    assert plain(read.inputs) == plain(inputs) and plain(read.properties) == plain(made.properties)


def test_a_program_may_hide_an_output(wire: Plugin) -> None:
    """What additionalSecretOutputs made secret in state is no difference from an input that is not."""
    inputs, _ = wire.check("books", {}, BOOKS)
    outs = wire.create("books", inputs)[1]
    request = provider_pb2.DiffRequest(
        id="default",
        urn=urn("books"),
        old_inputs=to_wire(inputs),
        olds=to_wire(outs, ("client_secret", "declared", "client_id", "enabled")),
        news=to_wire(inputs),
    )
    assert wire.do("Diff", request).changes == NONE


def test_what_differs_property_by_property(wire: Plugin) -> None:
    """Added, changed and removed, and what replaces."""
    outs, _ = wire.check("books", {}, {"enabled": True, "client_id": ID})
    news, _ = wire.check("books", {}, {"client_id": OTHER_ID, "client_secret": SECRET})
    answer = wire.do("Diff", wire.diff_request("books", "default", outs, news))
    kinds = {name: provider_pb2.PropertyDiff.Kind.Name(one.kind) for name, one in answer.detailedDiff.items()}
    assert kinds == {
        "clientId": "UPDATE",
        "clientSecret": "ADD",
        "clientSecretFingerprint": "ADD",
        "enabled": "DELETE",
    }
    assert {*answer.diffs} == {*kinds} and answer.changes == SOME
    moved, _ = wire.check("books", {}, {"enabled": True, "client_id": ID, "connection": "eu"})
    answer = wire.do("Diff", wire.diff_request("books", "default", outs, moved))
    assert [*answer.replaces] == ["connection"] and not answer.deleteBeforeReplace
    assert answer.detailedDiff["connection"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE


def test_a_preview_promises_what_it_knows(wire: Plugin, context: Simulator) -> None:
    """What is declared, and of the rest what stays; nothing is called for it."""
    inputs, _ = wire.check("client", {}, CLIENT)
    request = provider_pb2.CreateRequest(urn=urn("client"), properties=to_wire(inputs), preview=True)
    outs = from_wire(wire.do("Create", request).properties)
    assert outs["redirect_uri"].startswith("https://") and outs["regions"] == ["us"]
    assert {name for name, value in outs.items() if value == UNKNOWN} == {
        *("verdicts", "verified_at", "manual_steps", "cannot_tell", "declared"),
    }
    inputs, _ = wire.check("books", {}, BOOKS)
    request = provider_pb2.CreateRequest(urn=urn("books"), properties=to_wire(inputs), preview=True)
    assert from_wire(wire.do("Create", request).properties)["integration_name"] == UNKNOWN
    made = wire.create("books", inputs)[1]
    context.forget_calls()
    news = inputs | {"enabled": False}
    request = provider_pb2.UpdateRequest(urn=urn("books"), olds=to_wire(made), news=to_wire(news), preview=True)
    outs = from_wire(wire.do("Update", request).properties)
    assert (outs["enabled"], outs["linked_companies"], outs["codat_client"]) == (False, UNKNOWN, made["codat_client"])
    assert not context.calls


# --- import, and what moved ---


def test_what_is_there_is_imported(wire: Plugin, context: Simulator) -> None:
    """All but the keys; declaring those afterwards sends nothing where the masks agree."""
    context.codat[API_KEY].integration.keys, context.codat[API_KEY].integration.enabled = keys(), True
    context.codat[API_KEY].linked = 2
    answer = wire.do("Read", provider_pb2.ReadRequest(id="default", urn=urn("books")))
    inputs, outs = from_wire(answer.inputs), from_wire(answer.properties)
    assert inputs == {"connection": "default", "enabled": True, "on_delete": "remove", "allow_disruption": False}
    assert (outs["linked_companies"], outs["codat_client_name"]) == (2, "Simulated")
    assert wire.check("books", inputs, inputs) == (inputs, [])
    assert wire.diff("books", "default", outs, inputs)[0] is False
    news, _ = wire.check("books", inputs, BOOKS)
    assert wire.diff("books", "default", outs, news)[0] is True
    wire.update("books", "default", outs, news)
    foreign, _ = wire.check("books", inputs, BOOKS | {"client_secret": OTHER_SECRET})
    with pytest.raises(Failed, match=r"Replacing a client secret that no deployment .* allowDisruption: true and run"):
        wire.update("books", "default", outs, foreign)
    assert not context.writes


@pytest.mark.parametrize(
    ("kind", "id_", "text"),
    [
        (
            "client",
            ID,
            "NotAdopted: Zoho has no API for the clients of its console, so none can be imported or read. Decl",
        ),
        ("books", "a b", "SettingsError: connection: must be lower-case letters"),
        ("books", "nobodys", "ConfigurationError: No Codat API key for connection 'nobodys'"),
    ],
)
def test_what_cannot_be_imported(wire: Plugin, kind: str, id_: str, text: str) -> None:
    """It says why, and what to do instead."""
    with pytest.raises(Failed) as caught:
        wire.do("Read", provider_pb2.ReadRequest(id=id_, urn=urn(kind)))
    assert str(caught.value).startswith(text)


def test_what_is_not_there_is_not_imported(wire: Plugin, context: Simulator) -> None:
    """The engine is told that there is nothing, and its user why."""
    context.codat[API_KEY].integration.offered = False
    answer = wire.do("Read", provider_pb2.ReadRequest(id="default", urn=urn("books")))
    assert not answer.id and not answer.HasField("properties")
    assert "Codat does not know what was asked for (404)" in wire.engine.said()[0]


@pytest.mark.parametrize("kind", ["books", "client"])
def test_a_dynamic_resource_moves_in_place(wire: Plugin, context: Simulator, kind: str) -> None:
    """Its state is understood, and written anew although nothing differs: nothing is sent, with companies linked."""
    declared = BOOKS if kind == "books" else CLIENT
    context.codat[API_KEY].linked = 0
    before = MiniEngine(Plain())
    before.up({kind: declared})
    old = before.state[kind]
    context.codat[API_KEY].linked = 2
    mark = {"__provider": PICKLED[kind]}
    inputs, outs = struct(old.inputs | mark), struct(old.outputs | mark)
    context.forget_calls()
    wire.renew()
    news = wire.do("Check", provider_pb2.CheckRequest(urn=urn(kind), olds=inputs, news=to_wire(declared)))
    assert not news.failures
    request = provider_pb2.DiffRequest(id=old.id, urn=urn(kind), old_inputs=inputs, olds=outs, news=news.inputs)
    answer = wire.do("Diff", request)
    assert answer.changes == SOME and not answer.replaces and not answer.detailedDiff
    request = provider_pb2.UpdateRequest(id=old.id, urn=urn(kind), old_inputs=inputs, olds=outs, news=news.inputs)
    made = wire.do("Update", request).properties
    assert not [name for name in plain(made) if "_" in name]
    assert not context.writes and not context.probes
    request = provider_pb2.DiffRequest(id=old.id, urn=urn(kind), old_inputs=news.inputs, olds=made, news=news.inputs)
    assert wire.do("Diff", request).changes == NONE
    read = wire.do("Read", provider_pb2.ReadRequest(id=old.id, urn=urn(kind), inputs=inputs, properties=outs))
    assert not [name for name in (*plain(read.properties), *plain(read.inputs)) if "_" in name]
    if kind == "books":
        wire.renew()
        with pytest.raises(Failed, match=r"PlanBlocked: Disabling .* would cut off 2 linked companies"):
            wire.do("Delete", provider_pb2.DeleteRequest(id=old.id, urn=urn(kind), old_inputs=inputs, properties=outs))


@pytest.mark.parametrize("left_out", ["client_id", "client_secret", "on_delete"])
def test_a_move_loses_no_setting(wire: Plugin, left_out: str) -> None:
    """``ignoreChanges`` takes out what the old inputs have by another name only: it is named, never left unmanaged."""
    declared = BOOKS | {"on_delete": "keep"}
    old = Books().check({}, declared).inputs
    request = {"olds": struct(old | {"__provider": PICKLED["books"]}), "urn": urn("books")}
    news = to_wire({name: value for name, value in declared.items() if name != left_out})
    answer = wire.do("Check", provider_pb2.CheckRequest(news=news, **request))
    said = [one.reason for one in answer.failures if "does not come along where the resource moves" in one.reason]
    assert [text.partition(":")[0] for text in said] == [camel_case(left_out)]
    # Once moved, and on the way back.
    moved = wire.do("Check", provider_pb2.CheckRequest(news=to_wire(declared), **request)).inputs
    answer = wire.do("Check", provider_pb2.CheckRequest(urn=urn("books"), olds=moved, news=news))
    assert not [one for one in answer.failures if "does not come along" in one.reason]
    news = {name: value for name, value in declared.items() if name != left_out}
    back = [one.reason for one in Books().check(plain(moved), news).failures]
    assert f"{left_out}: was deployed" in back[0] and "does not come along" in back[0]


def test_id_and_secret_of_two_clients_are_not_mixed(wire: Plugin) -> None:
    """As ``ignoreChanges: [clientId]`` does, which Zoho was never asked about: refused before Codat gets the pair."""
    client = {"clientId": OTHER_ID, "clientSecret": OTHER_SECRET, "regions": ["us"]}
    books = {"clientId": ID, "clientSecret": OTHER_SECRET}
    assert not check(wire, "books", **books).failures
    assert not check(wire, "client", **client).failures
    (problem,) = check(wire, "books", **books).failures
    assert "clientId: the program declares this clientSecret for another Zoho client" in problem.reason
    assert not check(wire, "books", **books | {"clientId": OTHER_ID}).failures
    assert not check(wire, "books", **books | {"clientId": UNKNOWN}).failures
    with Plugin() as other:
        assert not check(other, "client", **client | {"clientId": UNKNOWN}).failures
        assert not check(other, "books", **books).failures


# --- how it fails and stops ---


def test_what_got_half_way_is_recorded_and_finished(wire: Plugin, context: Simulator) -> None:
    """The keys are saved, enabling fails: the state knows the one, and the next run does the other."""
    inputs, _ = wire.check("books", {}, BOOKS)
    context.fail(Fault(path="/integrations/rwuv/enabled", status=409))
    request = provider_pb2.CreateRequest(urn=urn("books"), properties=to_wire(inputs))
    with pytest.raises(grpc.RpcError) as caught:
        wire.stub.Create(request)
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed) and failed.id == "default"
    assert [reason.partition(":")[0] for reason in failed.reasons] == ["Conflict"]
    assert SECRET not in str(in_clear(plain(failed.properties)))
    outs = from_wire(failed.properties)
    assert (outs["client_id"], outs.get("enabled")) == (ID, None)
    wire.renew()
    context.forget_calls()
    wire.check("books", {}, BOOKS)
    assert wire.diff("books", "default", outs, inputs)[0] is True
    assert wire.update("books", "default", outs, inputs)["enabled"] is True
    assert [call.detail for call in context.writes] == ["enable"]


@contextmanager
def held(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, call: str) -> Iterator[tuple[Plugin, Any]]:
    """A plugin behind a socket, where one call is held."""
    with gated(simulator) as (base, gate):
        for name, value in (("CODAT_URL", f"{base}/codat"), ("ZOHO_URL", f"{base}/zoho"), ("CODAT_API_KEY", API_KEY)):
            monkeypatch.setenv(name, value)
        CONTEXT.__init__()  # type: ignore[misc]
        gate.holds = call, 1
        with Plugin() as wire:
            yield wire, gate
            gate.drops = True
            gate.released.set()
        CONTEXT.http.close()
        CONTEXT.__init__()  # type: ignore[misc]


@pytest.mark.parametrize("call", ["GET /codat/integrations/rwuv", "PUT /codat/integrations/rwuv/enabled"])
def test_cancel_ends_what_is_in_flight(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """It ends although no answer ever comes, nothing begins any more, and the next run finishes."""
    with held(simulator, monkeypatch, call) as (wire, gate), ThreadPoolExecutor(1) as pool:
        creating = pool.submit(wire.create, "books", BOOKS)
        assert gate.reached.wait(60)
        wire.do("Cancel", Empty())
        with pytest.raises(Failed, match=r"^Interrupted: It was called off\."):
            creating.result()
        with pytest.raises(Failed, match=r"^Interrupted: "):
            wire.check("books", {}, BOOKS)
        assert not gate.released.is_set()
        wire.renew()
        gate.holds = None
        assert wire.create("books", BOOKS)[1]["enabled"] is True


def test_a_resource_says_how_long_it_may_take(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Custom timeouts end an operation, whose error says so."""
    with held(simulator, monkeypatch, "GET /codat/integrations/rwuv") as (wire, _):
        request = provider_pb2.CreateRequest(urn=urn("books"), properties=to_wire(BOOKS), timeout=0.05)
        with pytest.raises(Failed, match=r"Unreachable: .* 0\.05 s"):
            wire.do("Create", request)


@pytest.mark.parametrize("mode", [400, 401, 500, "names", "garbage"])
def test_whatever_the_remote_echoes(monkeypatch: pytest.MonkeyPatch, mode: int | str) -> None:
    """No answer, error or line of the log gives a key away, and each error is one line."""
    monkeypatch.setenv("CODAT_API_KEY", KEY)
    monkeypatch.setenv("CODAT_ZOHO_DEBUG", "1")
    monkeypatch.setenv("CODAT_ZOHO_CALLS", "1")
    monkeypatch.setattr(Stop, "sleep", lambda *_: None)
    with echoing() as (echo, base):
        echo.mode, echo.heard = mode, [KEY, CANARY]
        monkeypatch.setenv("CODAT_URL", f"{base}/codat")
        monkeypatch.setenv("ZOHO_URL", f"{base}/zoho")
        CONTEXT.__init__()  # type: ignore[misc]
        with Plugin(secrets=(KEY, CANARY)) as wire:
            CONTEXT.http.retry = False
            inputs, problems = wire.check("books", {}, {"client_id": ID, "client_secret": CANARY, "enabled": True})
            assert not problems
            for method, *args in (
                ("create", inputs),
                ("read", "default", inputs),
                ("update", "default", inputs, inputs | {"enabled": False}),
                ("delete", "default", inputs),
            ):
                with suppress(Failed):
                    getattr(wire, method)("books", *args)
            with suppress(Failed):
                wire.do("Read", provider_pb2.ReadRequest(id="default", urn=urn("books")))
            assert len(wire.engine.lines) > 5
        CONTEXT.http.close()
        CONTEXT.__init__()  # type: ignore[misc]


def test_an_engine_that_attaches_is_told(wire: Plugin, capsys: pytest.CaptureFixture[str]) -> None:
    """As it does with PULUMI_DEBUG_PROVIDERS. What nobody listens to any more holds nobody, and is printed."""
    wire.do("Attach", plugin_pb2.PluginAttach(address="127.0.0.1:1"))
    check(wire, "books", clientId="an-id")
    assert not wire.engine.lines and "codat-zoho: clientId does not have the shape" in capsys.readouterr().err
    wire.do("Attach", plugin_pb2.PluginAttach(address=wire.address))
    check(wire, "books", clientId="another-id")
    assert wire.engine.lines and not capsys.readouterr().err


def test_a_bug_is_one_line(wire: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its text nor a traceback gets out."""

    def broken(*_: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr("codat_zoho.provider.books.create", broken)
    with pytest.raises(Failed, match=r"^InternalError: ValueError in test_plugin.py:\d+: a bug in codat-zoho"):
        wire.create("books", BOOKS)


# --- its process ---

_BEHIND = """
import subprocess, sys
words = ["sh", "-c", '"$0" -c "from codat_zoho.plugin.server import main; main()" engine; exit', sys.executable]
plugin = subprocess.Popen(words, stdout=subprocess.PIPE)
print(plugin.stdout.readline().decode(), end="", flush=True)
plugin.wait()
"""
_AT_ONCE = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "from codat_zoho.plugin.server import main; main()", "engine"])
"""


@pytest.mark.parametrize("engine", [_BEHIND, _AT_ONCE], ids=["behind a shell", "at once"])
def test_it_ends_with_its_engine(simulator: Simulator, engine: str) -> None:
    """Killed in the middle of a deployment, the engine ends nobody; the plugin ends by itself, and the next run goes on."""
    listening, shared = os.pipe()
    process = None
    with serve(simulator) as base:
        environment = {**os.environ, "CODAT_URL": f"{base}/codat", "CODAT_API_KEY": API_KEY}
        words = [sys.executable, "-c", engine]
        try:
            process = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=shared, env=environment, start_new_session=True
            )
            os.close(shared)
            assert process.stdout
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                stub.Configure(provider_pb2.ConfigureRequest())
                made = stub.Create(provider_pb2.CreateRequest(urn=urn("books"), properties=to_wire(BOOKS)))
                assert made.id == "default"
            process.kill()
            process.wait()
            with selectors.DefaultSelector() as selector:
                selector.register(listening, selectors.EVENT_READ)
                assert selector.select(30), "the plugin lives on"
            assert os.read(listening, 1) == b""
        finally:
            assert process and process.stdout
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.stdout.close()
            os.close(listening)


_LOADED = """
import sys
import codat_zoho.plugin.server
import codat_zoho.plugin.servicer, codat_zoho.provider.books, codat_zoho.provider.client
print(sorted({"pulumi.output", "pulumi.resource", "pulumi.dynamic", "httpx", "pydantic", "json"} & set(sys.modules)))
"""


def test_it_loads_neither_the_sdk_nor_what_sends() -> None:
    """Each run waits for its start."""
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "['json']\n"), done.stderr

"""The providers' own duties: nothing but one line gets out, unknowns pass, threads do not mix."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown

import codat_zoho as cz
from codat_zoho.errors import ConfigurationError
from codat_zoho.provider import Books, ZohoClient
from codat_zoho.provider.process import CONTEXT, clean
from codat_zoho.simulator import Fault, Simulator, serve
from codat_zoho.testing._mocks import ensure_loop
from tests.mini_engine import Failed, Grpc, Plain
from tests.support import API_KEY, ID, OTHER_ID, SECRET, keys, new_process, new_secret

UNKNOWN = Unknown()  # type: ignore[no-untyped-call]


class Stop(BaseException):
    """What is no Exception hangs the engine for ever, unless it is caught."""


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ConfigurationError(f"No: {SECRET}.", "Do."), "ConfigurationError: No: [redacted]. Do."),
        (KeyboardInterrupt(), "Interrupted: The operation was interrupted."),
        (SystemExit(1), "Interrupted: "),
        (asyncio.CancelledError(), "Interrupted: "),
        (Stop(SECRET), "Interrupted: "),
        (ValueError(f"about {SECRET}"), "InternalError: ValueError in test_provider.py:"),
    ],
)
def test_nothing_but_one_line_gets_out(error: BaseException, shown: str) -> None:
    """A secret in an exception's text, or an exception that is none, must not reach the engine."""

    @clean
    def method() -> None:
        raise error

    with pytest.raises(Exception) as caught:  # noqa: PT011
        method()
    raised = caught.value
    assert type(raised).__module__ == "builtins"
    assert raised.__cause__ is None
    assert raised.__context__ is None
    text = f"{type(raised).__name__}: {raised}"
    assert text.startswith(shown)
    assert SECRET not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("release", "text"),
    [
        ("3.216.0", "ConfigurationError: No key."),
        ("3.259.0", "ConfigurationError: No key."),
        ("3.260.0", "No key."),
        ("4.0.0a1", "No key."),
        ("of one's own", "No key."),
        (None, "No key."),
    ],
)
def test_a_name_is_said_where_the_sdk_leaves_it_out(
    release: str | None, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docs and drift go by the error's name, and a pulumi SDK before 3.260 shows only its text."""

    def version(_name: str) -> str:
        if release is None:
            raise importlib.metadata.PackageNotFoundError
        return release

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec("pulumi.dynamic.__main__", None))

    @clean
    def method() -> None:
        raise ConfigurationError("No key.")

    with pytest.raises(Exception, match="No key") as caught:
        method()
    assert str(caught.value) == text


def test_a_provider_process_says_the_name_of_an_error() -> None:
    """Over the engine's own protocol, whatever SDK is installed: its name, once."""
    environment = {**os.environ, "CODAT_URL": "http://api.example", "CODAT_API_KEY": API_KEY}
    with Grpc(environment) as wire, pytest.raises(Failed) as caught:
        wire.create("books", {"connection": "default", "enabled": True, "allow_disruption": False, "on_delete": "keep"})
    said = str(caught.value).removeprefix("Exception calling application: ")
    assert said.startswith("ConfigurationError: CODAT_URL is http://api.example")


def test_a_secret_client_id_is_kept_out_of_the_id_and_of_texts(
    context: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pulumi keeps ids in clear, so the id is another one then; a resource of an older version keeps the one it has."""
    secret = f"1000.{new_secret()[:30].upper()}"
    context.add_zoho_client(secret, SECRET)
    inputs, problems = (wire := Plain()).check(
        "client", {}, {"client_id": secret, "client_secret": SECRET, "regions": ["us"], "client_id_is_secret": True}
    )
    id_, outs = wire.create("client", inputs)
    assert not problems and id_.startswith("zoho-client-") and secret not in id_
    assert wire.diff("client", id_, outs, inputs)[0] is False
    read, _, live = wire.read("client", id_, outs)
    assert read == id_ and live == inputs
    wire.delete("client", id_, outs)
    assert "no longer managed" not in capsys.readouterr().err, "it is declared"
    wire.renew()
    old = {name: value for name, value in outs.items() if name != "client_id_is_secret"}
    assert wire.diff("client", secret, old, wire.check("client", old, inputs)[0])[:2] == (True, [])
    assert wire.update("client", secret, old, inputs)["client_id_is_secret"] is True
    wire.renew()
    wire.delete("client", secret, outs)
    said = capsys.readouterr().err
    assert "Zoho client [redacted] is no longer managed" in said and secret not in said
    assert len(context.probes) == 1


def test_debug_prints_a_redacted_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """CODAT_ZOHO_DEBUG=1 says where, on stderr, and still shows no secret."""
    monkeypatch.setenv("CODAT_ZOHO_DEBUG", "1")

    @clean
    def method() -> None:
        raise ValueError(f"about {SECRET}")

    with pytest.raises(Exception, match="a bug in codat-zoho"):
        method()
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert SECRET not in said


def test_debug_logs_requests(
    context: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request log names calls and outcomes, never a key."""
    monkeypatch.setenv("CODAT_ZOHO_DEBUG", "1")
    new_process()
    Books().create(Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs)
    said = capsys.readouterr().err
    assert "PUT 127.0.0.1/codat/integrations/credentials/rwuv -> 200" in said
    assert SECRET not in said
    assert API_KEY not in said


# --- unknowns in previews ---


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_an_unknown_passes_through_check(field: str) -> None:
    """What is not known yet is not judged; the fingerprint is not known either; the rest is still checked."""
    given: dict[str, Any] = {"client_id": ID, "client_secret": SECRET, "regions": ["us"]} | {field: UNKNOWN}
    result = ZohoClient().check({}, given)
    assert not result.failures
    assert isinstance(result.inputs[field], Unknown)
    assert isinstance(result.inputs["client_secret_fingerprint"], Unknown)
    assert ZohoClient().check({}, given | {"regions": ["gb"]}).failures


def test_an_unknown_region_makes_the_list_unknown() -> None:
    """Any depth."""
    result = ZohoClient().check({}, {"client_id": ID, "regions": ["us", UNKNOWN]})
    assert not result.failures
    assert pulumi.contains_unknowns(result.inputs["regions"])


def test_an_unknown_counts_as_a_change() -> None:
    """A preview shows that something may change, and refuses nothing that it does not know."""
    olds = {"client_id": ID, "enabled": True, "connection": "default", "linked_companies": 3.0}
    news = Books().check({}, {"client_id": UNKNOWN, "client_secret": UNKNOWN, "enabled": True}).inputs
    assert Books().diff("default", olds, news).changes is None


def test_a_refresh_is_not_refused() -> None:
    """A refresh asks for a diff without a check; drawing a drift must not be blocked by the guard."""
    CONTEXT.declared.clear()
    olds = {"client_id": ID, "enabled": True, "connection": "default", "linked_companies": 3.0}
    news = Books().check({}, {"client_id": ID, "enabled": False}).inputs
    with pytest.raises(Exception, match="3 linked companies"):
        Books().diff("default", olds, news)
    CONTEXT.declared.clear()
    assert Books().diff("default", olds, news).changes is None


def test_only_managed_values_decide() -> None:
    """Neither metadata nor the provider's own string make a difference; `connection` replaces."""
    inputs = Books().check({}, {"client_id": ID, "client_secret": SECRET, "enabled": True}).inputs
    recorded = inputs | {"linked_companies": 9.0, "__provider": "old", "cannot_tell": ["x"], "integration_id": "y"}
    assert Books().diff("default", recorded, inputs | {"__provider": "new"}).changes is False
    moved = Books().diff("default", recorded, inputs | {"connection": "other"})
    assert (moved.replaces, bool(moved.delete_before_replace)) == (["connection"], False)
    assert not Books().diff("default", recorded, inputs | {"connection": UNKNOWN}).replaces
    zoho = ZohoClient().check({}, {"client_id": ID, "regions": ["us", "eu"]}).inputs
    assert ZohoClient().diff(ID, zoho, zoho | {"regions": ["us", "eu"]}).changes is False
    assert ZohoClient().diff(ID, zoho, zoho | {"client_id": OTHER_ID}).replaces == ["client_id"]


def test_all_problems_at_once_and_no_value() -> None:
    """The engine prints the value of a property that a failure names, so none is named."""
    failures = (
        ZohoClient()
        .check({}, {"client_id": SECRET, "client_secret": f"{ID} ", "regions": ["gb"], "verify": "x"})
        .failures
    )
    assert [failure.property for failure in failures] == [""] * 4
    assert {failure.reason.partition(":")[0] for failure in failures} == {
        "client_id",
        "client_secret",
        "regions",
        "verify",
    }
    assert not any(SECRET in failure.reason for failure in failures)


# --- read, delete ---


def test_read_finds_a_region_that_is_rejected(context: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """With verify="always" a rejected region is missing from what is read, an inconclusive one stays."""
    inputs = (
        ZohoClient()
        .check({}, {"client_id": ID, "client_secret": SECRET, "regions": ["us", "uk", "eu"], "verify": "always"})
        .inputs
    )
    made = ZohoClient().create(inputs)
    context.zoho[ID].enabled, context.zoho[ID].throttled = {"us"}, {"eu"}
    new_process()
    read = ZohoClient().read(made.id, dict(made.outs or {}))
    assert read.inputs is not None
    assert read.outs is not None
    assert read.inputs["regions"] == ["eu", "us"]
    assert read.outs["verdicts"] == {"eu": "inconclusive", "uk": "unknown client", "us": "accepted"}
    assert "refused by uk" in capsys.readouterr().err


def test_reading_what_is_not_managed(context: Simulator) -> None:
    """`.get()` shows what is there."""
    context.codat[API_KEY].integration.keys = keys()
    outs = Books().read("default", {}).outs
    assert outs is not None
    assert (outs["enabled"], outs["client_id"][-4:], outs["linked_companies"]) == (False, ID[-4:], 0)
    assert ZohoClient().read(ID, {}).outs == {"client_id": ID, "redirect_uri": cz.REDIRECT_URI}


def test_destroying_what_is_gone(context: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """An integration that Codat no longer has needs no removing."""
    context.codat[API_KEY].integration.offered = False
    Books().delete("default", {"connection": "default", "on_delete": "remove"})
    assert "nothing left to remove" in capsys.readouterr().err


def test_without_verification_nobody_is_asked(context: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`verify="off"`, or the environment, and the outputs say so."""
    inputs = (
        ZohoClient().check({}, {"client_id": ID, "client_secret": SECRET, "regions": ["us"], "verify": "off"}).inputs
    )
    outs = ZohoClient().create(inputs).outs
    assert outs is not None
    assert outs["verdicts"] == {"us": "not asked"}
    assert outs["cannot_tell"]
    assert not context.probes
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "always")
    changed = ZohoClient().update(ID, outs, inputs | {"same_credentials_everywhere": False}).outs
    assert changed is not None
    assert changed["verdicts"] == {"us": "accepted"}


# --- threads ---


def test_threads_of_one_process_do_not_mix() -> None:
    """Four operations at a time share one process: each connection gets its own keys, and each question is asked once."""
    simulator = Simulator()
    names = [f"c{number}" for number in range(8)]
    for name in names:
        simulator.add_codat_client(f"{API_KEY}-{name}")
    client = simulator.add_zoho_client(ID, SECRET)
    with serve(simulator) as base:
        environment = os.environ | {"CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho"}
        environment |= {f"CODAT_API_KEY_{name.upper()}": f"{API_KEY}-{name}" for name in names}
        barrier = threading.Barrier(8)

        def deploy(name: str) -> tuple[str, Any]:
            inputs, failures = wire.check(
                "books",
                {},
                {"client_id": ID, "client_secret": f"{SECRET[:-2]}{name}", "enabled": True, "connection": name},
            )
            assert not failures
            asked, _ = wire.check(
                "client", {}, {"client_id": ID, "client_secret": client.secret, "regions": ["us", "eu"]}
            )
            barrier.wait()
            wire.create("client", asked)
            return wire.create("books", inputs)

        with Grpc(environment) as wire, ThreadPoolExecutor(8) as pool:
            assert [id_ for id_, _ in pool.map(deploy, names)] == names
    for name in names:
        integration = simulator.codat[f"{API_KEY}-{name}"].integration
        assert integration.enabled
        assert integration.keys["clientSecret"].endswith(name)
    assert len(simulator.probes) == 2


# --- the resources' own side ---


class Monitor(pulumi.runtime.Mocks):
    """Remembers what a program registers."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.inputs[args.name] = args.inputs
        return args.name, args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.fixture
def monitor() -> Monitor:
    """A program's engine, mocked by Pulumi's own means."""
    monitor = Monitor()
    ensure_loop()
    pulumi.runtime.set_mocks(monitor)
    return monitor


def test_credentials_hand_over_what_is_declared(monitor: Monitor) -> None:
    """The integration gets the declared id and secret, so its preview stays concrete, and depends on the client."""

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[Any]:
        client = cz.ZohoClientCredentials("client", client_id=ID, client_secret=SECRET, regions=["us"])
        books = cz.ZohoBooksIntegration("books", credentials=client, enabled=True)
        return pulumi.Output.all(books.urn, pulumi.Output.from_input(books.client_secret).is_secret())

    program()
    assert monitor.inputs["books"]["client_id"] == ID
    assert monitor.inputs["books"]["enabled"] is True
    assert "connection" not in monitor.inputs["books"]


@pytest.mark.parametrize("both", [{"client_id": ID}, {"client_secret": SECRET}])
def test_credentials_or_keys_but_not_both(monitor: Monitor, both: dict[str, str]) -> None:
    """A contradiction is one clear line."""
    client = cz.ZohoClientCredentials("client", client_id=ID, regions=["us"])
    with pytest.raises(
        pulumi.RunError, match="books: give either credentials= or client_id and client_secret, not both"
    ):
        cz.ZohoBooksIntegration("books", credentials=client, **both)  # type: ignore[arg-type]


def test_warnings_belong_to_their_resource(monitor: Monitor, mocker: Any) -> None:
    """What looks wrong is said once, with the resource, and without the value."""
    warn = mocker.patch("pulumi.log.warn")

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[Any]:
        client = cz.ZohoClientCredentials("client", client_id="an-id", client_secret="a-secret", regions=["us", "jp"])
        books = cz.ZohoBooksIntegration("books", credentials=client)
        return pulumi.Output.all(client.urn, books.urn)

    program()
    said = [call.args[0] for call in warn.call_args_list]
    assert [line.partition(" ")[0] for line in said] == ["client_id", "client_secret", "regions:"]
    assert not any("a-secret" in line or "an-id" in line for line in said)
    assert {call.kwargs["resource"]._name for call in warn.call_args_list} == {"client"}


_ODD = [7.0, True, ["x"], {"at": 7.0}, float("inf")]


@pytest.mark.parametrize("kind", ["books", "client"])
def test_a_state_of_another_form(context: Simulator, kind: str) -> None:
    """What an older version did not record is done without; a value of another form is refused in one line, by name."""
    context.minute_limit = context.daily_limit = 10**9
    declared: dict[str, Any] = {"client_id": ID, "client_secret": SECRET}
    declared |= {"enabled": True} if kind == "books" else {"regions": ["us"], "verify": "always"}
    wire = Plain()
    inputs, _ = wire.check(kind, {}, declared)
    id_, outs = wire.create(kind, inputs)
    for name in outs:
        left = {key: value for key, value in outs.items() if key != name}
        wire.renew()
        wire.check(kind, {}, inputs)
        assert wire.diff(kind, id_, left, inputs)[1] == (
            ["client_id"] if (kind, name) == ("client", "client_id") else []
        )
        assert wire.update(kind, id_, left, inputs).keys() >= inputs.keys()
        assert wire.read(kind, id_, left)[0] == id_
        wire.delete(kind, id_, left)
    for name in ("client_id", "client_secret", "connection", "on_delete", "verify", "regions", "verdicts", "declared"):
        for odd in (one for one in _ODD if name in outs):
            held = outs | {name: odd}
            acts: dict[str, list[dict[str, Any]]] = {"diff": [held, inputs], "read": [held], "update": [held, inputs]}
            # Deleting a client does nothing.
            for act, bags in (acts if kind == "client" else acts | {"delete": [held]}).items():
                with pytest.raises(Failed, match=f"ConfigurationError: The stack's state holds {name} of this"):
                    getattr(wire, act)(kind, id_, *bags)


@pytest.mark.parametrize("count", [10**309, 10**42, 10**10, -1, 2.5, True, "many"])
def test_a_count_that_counts_nothing(context: Simulator, count: object) -> None:
    """It is neither kept, nor shown, nor an error: how many companies are linked cannot be told."""
    body = {"key": "rwuv", "enabled": True, "linkedConnectionsCount": count}
    context.fail(Fault(path="/integrations/rwuv", body=json.dumps(body).encode(), times=-1))
    outs = (wire := Plain()).create("books", {"enabled": True, "connection": "default"})[1]
    assert outs["linked_companies"] == "unknown"
    wire.check("books", {}, outs)
    assert wire.diff("books", "default", outs | {"linked_companies": float("inf")}, outs | {"enabled": False})

"""What users get for their own tests does what it says, and fails when it should."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

import codat_zoho as cz
from codat_zoho.declare.platform import CLIENT, INTEGRATION
from codat_zoho.provider.process import CONTEXT
from codat_zoho.simulator import Fault
from codat_zoho.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    Mocks,
    SimulatedCodat,
    assert_converges,
    assert_no_writes,
    simulated,
)
from codat_zoho.testing.plugin import simulated_codat
from tests.docs_runner import blocks
from tests.mini_engine import MiniEngine as MiniEngine
from tests.mini_engine import Plain
from tests.real_engine import ROOT
from tests.support import in_process
from tools.engine import Engine

__all__ = ["simulated_codat"]  # the fixture, switched on for this file alone

BLOCKS = [block.text for block in blocks(ROOT / "docs/guides/testing.md") if block.language == "python"]
EXAMPLE = ROOT / "examples/testing"
LOOP = "ignore:There is no current event loop:DeprecationWarning"
"""Pulumi's own, on Python 3.12 and newer."""
RUN: Any = pulumi.runtime.test
"""Pulumi's decorator, which has no types."""


# What asyncio says at the end of the process about the other outputs of programs that were meant to fail.
logging.getLogger("asyncio").addFilter(lambda record: "never retrieved" not in record.getMessage())


@pytest.fixture
def codat() -> Iterator[SimulatedCodat]:
    """A simulator of this test's own."""
    with simulated() as codat:
        yield codat


def _declared(mocks: Mocks, preview: bool = False, **changed: Any) -> dict[str, Any]:
    """Run a small program under the mocks; the outputs of both resources."""
    seen: dict[str, Any] = {}
    pulumi.runtime.set_mocks(mocks, preview=preview)
    books: dict[str, Any] = {"enabled": True}
    books |= {name: changed.pop(name) for name in ("connection", "enabled", "allow_disruption") if name in changed}
    given: dict[str, Any] = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "regions": ["us", "uk"]}

    def program() -> pulumi.Output[None]:
        client = cz.ZohoClientCredentials("client", **given | changed)
        integration = cz.ZohoBooksIntegration("books", credentials=client, **books)
        names = {
            "client": (client, ("client_id", "client_secret", "regions", "verdicts", "redirect_uri", "manual_steps")),
            "books": (integration, ("enabled", "integration_id", "integration_name", "linked_companies", "connection")),
        }
        outputs = {
            f"{kind}.{name}": getattr(resource, name) for kind, (resource, fields) in names.items() for name in fields
        }
        return pulumi.Output.all(**outputs, id=client.id).apply(lambda found: seen.update(found))

    RUN(program)()
    return seen


def test_mocked_outputs_are_those_of_a_real_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test sees what a deployment would: compared with the providers themselves, field by field."""
    mocks = Mocks()
    mocks.codat().integration.keys = stored = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    mocks.codat().linked = 2
    seen = _declared(mocks)
    monkeypatch.setenv("CODAT_API_KEY", "mocked-default")
    monkeypatch.setenv("CODAT_URL", "http://127.0.0.1/codat")
    monkeypatch.setenv("ZOHO_URL", "http://127.0.0.1/zoho")
    fresh = Mocks()
    fresh.codat().linked, fresh.codat().integration.keys = 2, dict(stored)
    fresh.codat().integration.integration_id = mocks.codat().integration.integration_id
    fresh.simulator.add_zoho_client(CLIENT_ID, CLIENT_SECRET)
    CONTEXT.__init__(in_process(fresh.simulator))  # type: ignore[misc]
    keys = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    engine = MiniEngine(Plain())
    try:
        engine.up({"client": keys | {"regions": ["us", "uk"]}, "books": keys | {"enabled": True}})
    finally:
        CONTEXT.__init__()  # type: ignore[misc]
    real = {f"{kind}.{name}": value for kind, one in engine.state.items() for name, value in one.outputs.items()}
    compared = {name: value for name, value in seen.items() if "." in name}
    assert compared == {name: real[name] for name in compared}
    assert seen["id"] == engine.state["client"].id


def test_mocks_fail_on_what_breaks_a_rule() -> None:
    """All problems of the program's input at once, each with the resource it belongs to, and without the secret."""
    mocks = Mocks()
    with pytest.raises(cz.CodatZohoError) as caught:
        _declared(mocks, client_id="nonsense", regions=["cn"])
    text = str(caught.value)
    assert "ZohoClientCredentials client" in text and "regions: 'cn'" in text
    assert CLIENT_SECRET not in text
    assert not mocks.simulator.calls


def _with_the_plugin(mocks: Mocks, **changed: Any) -> dict[str, Any]:
    """What an SDK that is generated from the plugin's schema registers, with two explicit providers; the outputs."""
    seen: dict[str, Any] = {}
    pulumi.runtime.set_mocks(mocks)
    prefix = "codat-zoho:index:"
    names = {CLIENT: ("clientId", "regions", "verdicts", "declared"), INTEGRATION: ("enabled", "linkedCompanies")}

    def declare(kind: str, name: str, provider: Any = None, **inputs: Any) -> Any:
        opts = pulumi.ResourceOptions(provider=provider)
        return pulumi.CustomResource(f"{prefix}{kind}", name, dict.fromkeys(names[kind]) | inputs, opts)

    def program() -> pulumi.Output[None]:
        given: dict[str, Any] = {"clientId": pulumi.Output.secret(CLIENT_ID), "clientSecret": CLIENT_SECRET}
        made = [declare(CLIENT, "client", **given, **{"regions": ["us"]} | changed)]
        for name in ("eu", "us"):
            provider = pulumi.ProviderResource("codat-zoho", name, {"apiKey": f"of-{name}"})
            made.append(declare(INTEGRATION, f"books-{name}", provider, enabled=True))
        outputs = {
            f"{one._name}.{name}": getattr(one, name, None) or pulumi.Output.from_input(one.__dict__.get(name))
            for one in made
            for name in names[CLIENT if one is made[0] else INTEGRATION]
        }
        secret = made[0].__dict__["clientId"].is_secret()
        return pulumi.Output.all(**outputs, secret=pulumi.Output.from_input(secret)).apply(seen.update)

    RUN(program)()
    return seen


def test_the_plugin_s_resources_are_mocked_likewise() -> None:
    """By camelCase, inputs and outputs; two explicit providers may each have the connection `default`."""
    mocks = Mocks()
    mocks.codat(provider="us").linked = 3
    seen = _with_the_plugin(mocks)
    assert seen["client.clientId"] == CLIENT_ID and seen["client.verdicts"] == {"us": "accepted"}
    assert seen["secret"] is True and seen["client.declared"]["clientId"] == CLIENT_ID
    assert (seen["books-eu.linkedCompanies"], seen["books-us.linkedCompanies"]) == (0, 3)
    assert [mocks.codat(provider=name).integration.enabled for name in ("eu", "us")] == [True, True]
    assert not mocks.codat().integration.enabled


def test_mocks_say_what_is_wrong_as_the_plugin_spells_it() -> None:
    """The words are those of the program's own property."""
    with pytest.raises(cz.CodatZohoError, match="sameCredentialsEverywhere: is false"):
        _with_the_plugin(Mocks(), regions=["us", "uk"], sameCredentialsEverywhere=False)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({"enabled": ["us"]}, "uk"),
        ({"home": "us"}, None),
    ],
)
def test_mocks_refuse_what_zoho_would(seed: dict[str, Any], message: str | None) -> None:
    """A seeded Zoho client decides; only an unknown one is added as declared."""
    mocks = Mocks()
    mocks.simulator.add_zoho_client(CLIENT_ID, CLIENT_SECRET, **seed)
    if message is None:
        assert set(_declared(mocks)["client.verdicts"].values()) == {"accepted"}
    else:
        with pytest.raises(cz.CodatZohoError, match=message):
            _declared(mocks)


def test_mocks_keep_the_secret_marked() -> None:
    """A program's output made of the secret is a secret under the mocks too."""
    pulumi.runtime.set_mocks(Mocks())
    secret: list[bool] = []

    def program() -> pulumi.Output[Any]:
        client = cz.ZohoClientCredentials("c", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, regions=["us"])

        async def look() -> None:
            secret.append(await client.client_secret.is_secret())

        return pulumi.Output.from_input(look())

    RUN(program)()
    assert secret == [True]


def test_mocks_ignore_the_machines_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No live API key, address or switch of the machine decides what a unit test does, nor is it changed by one."""
    monkeypatch.setenv("CODAT_API_KEY", "a-live-key")
    monkeypatch.setenv("CODAT_URL", "https://api.codat.io")
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "off")
    before = dict(vars(CONTEXT))
    mocks = Mocks()
    assert _declared(mocks)["client.verdicts"] == {"uk": "accepted", "us": "accepted"}
    assert [call.detail for call in mocks.simulator.writes] == ["save keys", "enable"]
    assert dict(vars(CONTEXT)) == before


def test_each_connection_is_a_client_of_its_own() -> None:
    """What one connection's program does shows in its Codat client and in no other."""
    mocks = Mocks()
    assert _declared(mocks, connection="eu")["books.connection"] == "eu"
    assert mocks.codat("eu").integration.enabled and not mocks.codat().integration.enabled


def test_mocks_see_into_components() -> None:
    """What a component holds goes through the same checks, and is deployed like the rest."""

    def program(secret: str) -> None:
        options = pulumi.ResourceOptions(parent=pulumi.ComponentResource("acme:codat:Books", "box"))
        client = cz.ZohoClientCredentials(
            "client", client_id=CLIENT_ID, client_secret=secret, regions=["us"], opts=options
        )
        cz.ZohoBooksIntegration("books", credentials=client, enabled=True, opts=options)

    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    RUN(lambda: program(CLIENT_SECRET))()
    assert mocks.codat().integration.enabled
    pulumi.runtime.set_mocks(Mocks())
    with pytest.raises(cz.CodatZohoError, match="client_secret"):
        RUN(lambda: program("a b"))()


def test_mocked_preview_checks_and_creates_nothing() -> None:
    """A preview under mocks sends nothing, as a real one, and still refuses bad input."""
    mocks = Mocks(preview=True)
    _declared(mocks, preview=True)
    assert not mocks.simulator.calls
    with pytest.raises(cz.CodatZohoError, match="regions"):
        _declared(mocks, preview=True, regions=["cn"])


def test_mocks_get() -> None:
    """`get` reads and manages nothing, under mocks too."""
    mocks = Mocks()
    mocks.codat("eu").integration.enabled = True
    pulumi.runtime.set_mocks(mocks)
    seen: list[Any] = []

    def program() -> pulumi.Output[Any]:
        books = cz.ZohoBooksIntegration.get("books", "eu")
        client = cz.ZohoClientCredentials.get("client", CLIENT_ID)
        return pulumi.Output.all(books.enabled, client.redirect_uri).apply(seen.append)

    RUN(program)()
    assert seen == [[True, cz.REDIRECT_URI]]
    assert_no_writes(mocks.simulator)


class _Others(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return "other", {"size": 7}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return {"zones": 3}


@pytest.mark.parametrize(
    ("other", "found"), [(None, ("x-id", {"a": 1}, ({}, []))), (_Others(), ("other", {"size": 7}, {"zones": 3}))]
)
def test_mocks_leave_other_resources_to_others(other: pulumi.runtime.Mocks | None, found: tuple[Any, ...]) -> None:
    """A program that also declares other things can be tested."""
    mocks = Mocks(other=other)
    id_, state = mocks.new_resource(pulumi.runtime.MockResourceArgs("aws:s3:Bucket", "x", {"a": 1}, custom=True))
    assert (id_, state, mocks.call(pulumi.runtime.MockCallArgs("aws:zones", {}, ""))) == found


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(drop=True)])
def test_mocks_show_faults(fault: Fault) -> None:
    """An injected fault fails the program with our error, at once."""
    mocks = Mocks()
    mocks.simulator.fail(fault)
    with pytest.raises(cz.CodatZohoError):
        _declared(mocks, verify="off")


def test_assert_no_writes_names_them(codat: SimulatedCodat) -> None:
    """Who reads the failure sees what was sent, and no secret."""
    assert_no_writes(codat)
    mocks = Mocks(codat.simulator)
    _declared(mocks)
    for seen in (codat, codat.simulator):
        with pytest.raises(AssertionError, match=r"(?s)2 writes.*save keys.*enable") as caught:
            assert_no_writes(seen)
        assert CLIENT_SECRET not in str(caught.value)
    codat.forget_calls()
    assert_no_writes(codat)


def _deploys(codat: SimulatedCodat, *results: Any) -> Any:
    """A function that deploys to the simulator by the mocks each time it is called, and returns the next result."""
    left = list(results)

    def up() -> Any:
        _declared(Mocks(codat.simulator))
        return left.pop(0)

    return up


def test_assert_converges_with_a_function(codat: SimulatedCodat) -> None:
    """A second run that probes is told, though the function claims that all is the same."""
    with pytest.raises(AssertionError, match=r"(?s)was to do nothing, but it sent:\n  zoho: POST") as caught:
        assert_converges(_deploys(codat, {"create": 2}, {"same": 2}), codat)
    assert "changed resources" not in str(caught.value)
    result = SimpleNamespace(summary=SimpleNamespace(resource_changes={"same": 1, "update": 1}))
    with pytest.raises(AssertionError, match="it changed resources: 1 update"):
        assert_converges(lambda: result, codat)
    assert_converges(lambda: SimpleNamespace(summary=SimpleNamespace(resource_changes={"same": 1})), codat)


@pytest.mark.parametrize("told", [None, "done", SimpleNamespace(summary=SimpleNamespace(resource_changes=None))])
def test_assert_converges_passes_nothing_silently(codat: SimulatedCodat, told: object) -> None:
    """A function that does not tell what changed cannot pass."""
    with pytest.raises(TypeError, match="does not tell whether resources changed"):
        assert_converges(lambda: told, codat)
    with pytest.raises(TypeError, match="project folder"):
        assert_converges(lambda: {"same": 1}, codat, config={"a": "b"})


def test_assert_converges_needs_a_project(
    codat: SimulatedCodat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong folder, or a machine without pulumi, fails with the reason."""
    with pytest.raises(AssertionError, match=r"no Pulumi\.yaml"):
        assert_converges(tmp_path, codat)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AssertionError, match="no `pulumi` on PATH"):
        assert_converges(EXAMPLE, codat)


def test_the_fixture_points_here(simulated_codat: SimulatedCodat) -> None:
    """A program that a test starts finds the simulator, and nothing else."""
    found = {name: value for name, value in os.environ.items() if name.startswith(("CODAT_", "ZOHO_"))}
    assert found == simulated_codat.environment
    assert simulated_codat.base.startswith("http://127.0.0.1:")
    assert "made-up" not in repr(simulated_codat)


def _pytest(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "error",
            "-W",
            LOOP,
            "-rs",
            *arguments,
            ".",
        ],
        cwd=folder,
        env={**(environment or os.environ), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # As a user's, not as this one's.
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and "never retrieved" not in done.stderr, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """The guide's blocks, beside the example's program."""
    for name in ("__main__.py", "infrastructure.py", "Pulumi.yaml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    (plugin,) = [block for block in BLOCKS if "pytest_plugins" in block]
    (tmp_path / "conftest.py").write_text(plugin)
    (tmp_path / "test_guide.py").write_text("\n\n".join(block for block in BLOCKS if block != plugin))
    return tmp_path


@pytest.mark.slow
def test_every_block_of_the_guide_runs(guide: Path) -> None:
    """What the guide shows works as it stands, in one file; the block with the engine runs in the next test."""
    said = _pytest(guide, "-k", "not second_deployment")
    assert re.search(r"(?m)^6 passed, 1 deselected", said), said


@pytest.mark.engine
def test_the_guide_and_the_example_on_the_engine(engine: Engine, guide: Path) -> None:
    """The example's own tests pass, and its project converges: nothing is left beside it."""
    environment = engine.environment(os.environ, python=Path(sys.executable))
    before = sorted(path.name for path in EXAMPLE.iterdir() if path.name != "__pycache__")
    said = _pytest(guide, "-k", "second_deployment", environment=environment)
    assert re.search(r"(?m)^1 passed, 6 deselected", said), said
    said = _pytest(EXAMPLE, "--rootdir", str(EXAMPLE), "-c", os.devnull, environment=environment)
    assert re.search(r"(?m)^3 passed", said), said
    assert sorted(path.name for path in EXAMPLE.iterdir() if path.name != "__pycache__") == before


@pytest.mark.engine
def test_assert_converges_tells_what_does_not(
    engine: Engine, codat: SimulatedCodat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that declares something else each time fails, with what the engine changed and what Codat was sent."""
    for name in ("infrastructure.py", "Pulumi.yaml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    flip = tmp_path / "flip"
    (tmp_path / "__main__.py").write_text(
        "import pathlib, codat_zoho as cz\n"
        f"flip = pathlib.Path({str(flip)!r})\n"
        "enabled = not flip.exists()\n"
        "flip.touch()\n"
        "cz.ZohoBooksIntegration('books', client_id='1000.MADEUPCLIENTFORTESTS0000000001', enabled=enabled)\n"
    )
    codat.client.integration.keys = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    monkeypatch.setenv("PATH", engine.environment(os.environ, python=Path(sys.executable))["PATH"])
    with pytest.raises(AssertionError, match=r"(?s)changed resources: 1 update; it sent:.*disable"):
        assert_converges(tmp_path, codat)

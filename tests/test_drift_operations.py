"""``codat-zoho drift`` after what happens to stacks: components, plain refreshes, killed and refused deployments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.remote.connection import api_key_names
from codat_zoho.simulator import Simulator, serve
from tests.drift_fleet import ROOT, Place, Scratch, codat_client, scratch
from tests.support import SECRET
from tools.engine import Engine

pytestmark = pytest.mark.engine
PROGRAM = """\
import os
import pulumi
import codat_zoho as cz

config = pulumi.Config()


class Books(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("acme:codat:Books", name, None, opts)
        client = cz.ZohoClientCredentials(
            "zoho-client", client_id=config.require("id"), client_secret=config.require_secret("secret"),
            regions=["eu", "uk"], opts=pulumi.ResourceOptions(parent=self),
        )
        ignored = ["enabled"] if os.environ.get("IGNORE") else []
        cz.ZohoBooksIntegration(
            "zoho-books", credentials=client, enabled=True, connection=config.require("connection"),
            opts=pulumi.ResourceOptions(parent=client, ignore_changes=ignored),
        )


class Billing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("acme:app:Billing", name)
        Books("books", pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(name="ledger")]))


Billing("billing")
"""


@dataclass
class Deployed:
    """One stack of such a program."""

    scratch: Scratch
    simulator: Simulator
    place: Place

    def pulumi(self, *words: str, ok: bool = True, **environment: str) -> str:
        """Run the engine."""
        return self.scratch.engine(*words, "--stack", "dev", project="parts", ok=ok, **environment).stdout

    def drift(self, *words: str, code: int, **environment: str) -> dict[str, Any]:
        """Check, and return the one stack of the report."""
        done = self.scratch.drift("parts", *(words or ("--stack", "dev")), "--format", "json", env=environment)
        assert done.returncode == code, done.stdout + done.stderr
        (stack,) = json.loads(done.stdout)["stacks"]
        return dict(stack)

    def set_enabled(self, enabled: bool) -> None:
        """Click in the Portal."""
        codat_client(self.simulator, self.place).integration.enabled = enabled


@pytest.fixture(scope="module")
def deployed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A stack whose resources are children of nested components."""
    simulator = Simulator()
    with serve(simulator) as base:
        scratched = scratch(tmp_path_factory.mktemp("parts") / "projects", engine, f"{base}/zoho")
        place = Place("parts", "dev", base)
        scratched.deploy([place], {base: simulator}, PROGRAM)
        yield Deployed(scratched, simulator, place)


@pytest.fixture(autouse=True)
def as_declared(deployed: Deployed) -> Iterator[None]:
    """Each test finds and leaves it as declared."""
    yield
    deployed.set_enabled(True)
    deployed.pulumi("up", "--yes", "--skip-preview", "--refresh")


def drifted(stack: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What differs, by setting."""
    return {one["field"]: one for it in stack["resources"] for one in it["findings"] if one["state"] == "drift"}


def test_resources_in_components_are_checked(deployed: Deployed) -> None:
    """Nested, with a parent of their own kind, with aliases: found by what they are, and their drift with them."""
    stack = deployed.drift(code=0)
    assert [one["kind"] for one in stack["resources"]] == ["ZohoBooksIntegration", "ZohoClientCredentials"]
    assert "acme:app:Billing$acme:codat:Books$pulumi-python" in stack["resources"][0]["urn"]
    assert stack["state"] == "as declared" and stack["deployedAt"]
    deployed.set_enabled(False)
    assert set(drifted(deployed.drift(code=7))) == {"enabled"}


def test_drift_stays_drift_after_a_plain_refresh(deployed: Deployed) -> None:
    """The engine shows nothing any more; what was declared, and when, is still on record. `pulumi up` restores it."""
    before = deployed.drift(code=0)["deployedAt"]
    deployed.set_enabled(False)
    deployed.pulumi("refresh", "--yes", "--skip-preview")
    deployed.pulumi("refresh", "--preview-only", "--expect-no-changes")
    stack = deployed.drift(code=7)
    (found,) = drifted(stack).values()
    assert (found["declared"], found["actual"]) == (True, False) and "a plain 'pulumi refresh'" in found["why"]
    assert stack["deployedAt"] == before
    deployed.pulumi("up", "--yes", "--skip-preview")
    assert deployed.drift(code=0)["state"] == "as declared"


def test_a_data_centre_stays_drift_after_a_plain_refresh(deployed: Deployed) -> None:
    """A refresh that asks Zoho takes what it rejects out of the state."""
    zoho = deployed.simulator.zoho[deployed.place.client_id]
    zoho.enabled.discard("uk")
    try:
        deployed.pulumi("refresh", "--yes", "--skip-preview", CODAT_ZOHO_VERIFY="always")
        (found,) = drifted(deployed.drift(code=7)).values()
        assert found["field"] == "regions.uk" and "a plain 'pulumi refresh'" in found["why"]
    finally:
        zoho.enabled.add("uk")


def test_remediation_looks_again(deployed: Deployed) -> None:
    """Where the program ignores the change, nothing is restored, and that is said; exit 7."""
    deployed.set_enabled(False)
    stack = deployed.drift("--stack", "dev", "--remediate", "--yes", code=7, IGNORE="1")
    assert stack["remediation"]["outcome"] == "incomplete"
    assert "this still differs: enabled" in stack["remediation"]["text"]
    # What the engine was told to ignore it takes for declared: no drift, and the program without that is a change.
    assert deployed.drift("--stack", "dev", code=0)["state"] == "as declared"
    deployed.scratch.engine("up", "--yes", "--skip-preview", "--stack", "dev", project="parts")
    deployed.set_enabled(False)
    stack = deployed.drift("--stack", "dev", "--remediate", "--yes", code=0)
    assert stack["remediation"]["outcome"] == "done"


def test_a_remediation_that_fails_says_why_in_one_line(deployed: Deployed) -> None:
    """What the update says of its resource, not that an update failed."""
    deployed.set_enabled(False)
    program = deployed.scratch.root / "parts" / "__main__.py"
    before = program.read_text()
    program.write_text(before.replace('regions=["eu", "uk"]', 'regions=["eu", "gb"]'))
    try:
        stack = deployed.drift("--stack", "dev", "--remediate", "--yes", code=1)
    finally:
        program.write_text(before)
    assert stack["remediation"]["outcome"] == "failed"
    assert "'gb' is not a Zoho data centre" in stack["remediation"]["text"], stack["remediation"]


def test_what_was_never_deployed_is_not_as_declared(deployed: Deployed) -> None:
    """Nothing deployed is told as that, with --pending what the code would create."""
    deployed.scratch.engine("stack", "init", "empty", "--no-select", project="parts")
    settings = deployed.scratch.root / "parts"
    text = (settings / "Pulumi.dev.yaml").read_text()
    (settings / "Pulumi.empty.yaml").write_text("config:" + text.partition("config:")[2])
    assert deployed.drift("--stack", "empty", code=0)["state"] == "nothing to check"
    stack = deployed.drift("--stack", "empty", "--pending", code=0)
    assert stack["state"] == "not deployed"
    assert {change["operation"] for change in stack["pending"]} == {"create"} and len(stack["pending"]) == 2


def test_what_an_up_that_failed_never_came_to_is_not_as_declared(deployed: Deployed) -> None:
    """The Zoho client is there and the integration is not: the state alone does not tell, the program does."""
    deployed.scratch.engine("stack", "init", "half", "--no-select", project="parts")
    settings = deployed.scratch.root / "parts"
    text = (settings / "Pulumi.dev.yaml").read_text()
    (settings / "Pulumi.half.yaml").write_text("config:" + text.partition("config:")[2])
    refused = dict.fromkeys(api_key_names(deployed.place.connection)[:1], "of-nobody")
    up = ("up", "--yes", "--skip-preview", "--stack", "half")
    assert "ApiKeyRefused" in deployed.scratch.engine(*up, project="parts", ok=False, **refused).stdout
    stack = deployed.drift("--stack", "half", code=0)
    assert [one["kind"] for one in stack["resources"]] == ["ZohoClientCredentials"]
    assert stack["state"] == "cannot tell"
    assert deployed.drift("--stack", "half", "--pending", code=0)["state"] == "not deployed"


def test_what_a_killed_engine_left_is_an_error(deployed: Deployed) -> None:
    """A create that was begun and not ended: nobody knows what came of it."""
    (checkpoint,) = (deployed.scratch.root / "state").rglob("stacks/parts/dev.json")
    good = checkpoint.read_text()
    state = json.loads(good)
    latest = state["checkpoint"]["latest"]  # Importing such a state would take the operation out of it.
    (books,) = [one for one in latest["resources"] if one["type"].endswith(":ZohoBooksIntegration")]
    latest["resources"].remove(books)
    latest["pending_operations"] = [{"resource": books, "type": "creating"}]
    checkpoint.write_text(json.dumps(state))
    try:
        stack = deployed.drift(code=1)
    finally:
        checkpoint.write_text(good)
    (failure,) = [one["failure"] for one in stack["resources"] if one["failure"]]
    assert failure["kind"] == "unfinished" and "while it was creating" in failure["text"]


def test_a_state_from_a_file(deployed: Deployed, tmp_path: Path) -> None:
    """What the engine exports here is checked there, without any pulumi; still encrypted, it proves less."""
    deployed.set_enabled(False)
    clear, encrypted = tmp_path / "clear.json", tmp_path / "encrypted.json"
    deployed.pulumi("stack", "export", "--show-secrets", "--file", str(clear))
    deployed.pulumi("stack", "export", "--file", str(encrypted))
    keys = {name: value for name, value in deployed.scratch.environment.items() if name.startswith("CODAT_API_KEY")}
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT), "ZOHO_URL": deployed.scratch.environment["ZOHO_URL"]}

    def check(file: Path) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "codat_zoho", "drift", "--state", str(file), "--format", "json"],
            env=environment | keys,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 7, done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
        (stack,) = json.loads(done.stdout)["stacks"]
        return dict(stack)

    assert set(drifted(check(clear))) == set(drifted(check(encrypted))) == {"enabled"}
    untold = [one for it in check(encrypted)["resources"] for one in it["findings"] if one["state"] == "cannot tell"]
    assert untold and all("--show-secrets" in one["why"] for one in untold)


def test_no_child_ever_sees_a_secret(deployed: Deployed, tmp_path: Path) -> None:
    """Command line and environment of each command that a check runs, looked at while it runs."""
    watched = tmp_path / "bin"
    watched.mkdir()
    real = subprocess.run(
        ["which", "pulumi"], env=deployed.scratch.environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    (watched / "pulumi").write_text(
        f'#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >> {tmp_path}/seen\nexec {real} "$@"\n'
    )
    (watched / "pulumi").chmod(0o755)
    path = f"{watched}{os.pathsep}{deployed.scratch.environment['PATH']}"
    deployed.drift(code=0, PATH=path, ZOHO_CLIENT_SECRET=SECRET, CODAT_API_KEY="an-api-key-of-nobody")
    seen = (tmp_path / "seen").read_bytes()
    assert b"export" in seen and b"PULUMI_BACKEND_URL" in seen
    for secret in (SECRET, deployed.place.key, "an-api-key-of-nobody"):
        assert secret.encode() not in seen

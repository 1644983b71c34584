"""``codat-zoho drift`` over stand-ins: a ``pulumi`` that answers at once, and the simulator. Whole runs, no engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.declare.platform import CLIENT, INTEGRATION
from codat_zoho.simulator import Fault, Simulator, serve
from tests.pulumi_stand_in import (
    OTHERS,
    StandIn,
    books,
    encrypted,
    plugin_provider,
    plugin_state,
    resource,
    secret,
    state,
)
from tests.support import API_KEY, ID, OTHER_ID, REGIONS, SECRET, keys

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class World:
    """The stand-ins, and how the command is run over them."""

    pulumi: StandIn
    simulator: Simulator
    base: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """The stack configuration that leads to the simulator, with the key of its Codat client."""
        return {"apiKey": secret(API_KEY), "codatUrl": f"{self.base}/codat", "zohoUrl": f"{self.base}/zoho"}

    def drift(self, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a person does."""
        return subprocess.run(
            [sys.executable, "-m", "codat_zoho", "drift", *words],
            cwd=self.pulumi.root,
            env={"PATH": self.pulumi.path, "PYTHONPATH": str(ROOT), **self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def report(self, *words: str, code: int = 0, **environment: str) -> dict[str, Any]:
        """Run it, and return the JSON report."""
        done = self.drift(*words, "--format", "json", **environment)
        assert done.returncode == code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def world(tmp_path: Path, simulator: Simulator) -> Iterator[World]:
    """An integration in Codat that is as the usual state declares."""
    simulator.codat[API_KEY].integration.enabled = True
    simulator.codat[API_KEY].integration.keys = keys()
    with serve(simulator) as base:
        yield World(StandIn(tmp_path / "work"), simulator, base)


def client(**more: Any) -> dict[str, Any]:
    """A Zoho client that was deployed."""
    inputs = {"client_id": ID, "client_secret": secret(SECRET), "regions": REGIONS}
    declared = {"client_id": ID, "regions": REGIONS, "at": "2026-02-02T00:00:00Z"}
    return resource(CLIENT, inputs, {"declared": secret(declared)}, **more)


def states(report: dict[str, Any]) -> dict[str, str]:
    """Each stack's state."""
    return {f"{stack['project']}/{stack['stack']}": stack["state"] for stack in report["stacks"]}


# --- what a run needs, and what it leaves alone -----------------------------------------------------------------------


def test_a_folder_that_holds_the_project_file_and_nothing_else(world: World) -> None:
    """No program, no virtual environment, no language host: exporting is the one thing that pulumi does."""
    world.pulumi.project("shop", {"dev": state(books(), client(), config=world.config)}, selected="dev")
    report = world.report("shop")
    (stack,) = report["stacks"]
    assert stack["state"] == "as declared" and stack["deployedAt"] == "2026-02-02T00:00:00Z"
    assert [call.removeprefix("--non-interactive ") for call in world.pulumi.calls] == [
        "stack ls --json",
        "stack export --show-secrets --stack=dev",
    ]
    assert not world.simulator.writes and len(world.simulator.probes) == 3


def test_no_part_of_pulumis_sdk_is_loaded(world: World) -> None:
    """A check costs its calls."""
    folder = world.pulumi.project("shop", {"dev": state(books(), client(), config=world.config)})
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "codat_zoho", "drift", str(folder), "--all-stacks"],
        env={"PATH": world.pulumi.path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "httpx" in imported and not imported & {"pulumi", "grpc", "google", "pydantic", "semver"}


def test_children_are_given_no_key_of_ours(world: World) -> None:
    """Neither on a command line nor in an environment; only what a program may need is passed on to a preview."""
    world.pulumi.project("shop", {"dev": state(books(), config=world.config)})
    done = world.drift("shop", "--all-stacks", CODAT_API_KEY=API_KEY, CODAT_API_KEY_EU="k", ZOHO_CLIENT_SECRET=SECRET)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = "\n".join([*world.pulumi.calls, *world.pulumi.environments()])
    assert "PATH=" in seen and not [text for text in (API_KEY, SECRET, "CODAT_API_KEY", OTHERS) if text in seen]


@pytest.mark.parametrize("debug", ["0", "1"])
def test_no_secret_of_a_state_is_told(world: World, debug: str) -> None:
    """Not ours, not somebody else's, in no format, not even while debugging."""
    world.simulator.codat[API_KEY].integration.keys = keys(OTHER_ID, "f" * 42)
    broken = json.loads(state(books(), config=world.config))
    broken["deployment"]["resources"][0]["inputs"]["enabled"] = secret(SECRET)
    world.pulumi.project(
        "shop", {"dev": state(books(), client(), config=world.config), "odd": json.dumps(broken), "bad": f'"{SECRET}'}
    )
    reports = [word for name in ("json", "markdown", "junit", "html") for word in ("--report", f"{name}=out.{name}")]
    done = world.drift("shop", "--all-stacks", *reports, CODAT_ZOHO_DEBUG=debug)
    assert done.returncode == 1, done.stdout + done.stderr
    told = [done.stdout, done.stderr, *(path.read_text() for path in world.pulumi.root.glob("out.*"))]
    assert len(told) == 6
    for text in told:
        assert not [one for one in (SECRET, API_KEY, OTHERS, "f" * 42) if one in text]


# --- keys and addresses -----------------------------------------------------------------------------------------------


def test_each_stack_has_its_own_key_and_address(world: World) -> None:
    """From what its last deployment recorded; the environment comes first."""
    world.simulator.add_codat_client("key-of-prod").integration.enabled = False
    other = {**world.config, "apiKey": secret("key-of-prod")}
    world.pulumi.project("shop", {"dev": state(books(), config=world.config), "prod": state(books(), config=other)})
    assert states(world.report("shop", "--all-stacks", code=7)) == {"shop/dev": "as declared", "shop/prod": "drift"}
    report = world.report("shop", "--all-stacks", CODAT_API_KEY=API_KEY)
    assert set(states(report).values()) == {"as declared"}


def test_keys_of_other_connections(world: World) -> None:
    """A map in the configuration; the default's key never stands in."""
    config = {**world.config, "apiKeys": secret(json.dumps({"eu-prod": API_KEY}))}
    there = books(connection="eu-prod")
    world.pulumi.project("shop", {"a": state(there, config=config), "b": state(there, config=world.config)})
    report = world.report("shop", "--all-stacks", code=3)
    assert states(report) == {"shop/a": "as declared", "shop/b": "error"}
    failure = report["stacks"][1]["resources"][0]["failure"]
    assert failure["kind"] == "authentication" and "CODAT_API_KEY_EU_PROD" in failure["text"]


def test_the_key_from_an_esc_environment(world: World) -> None:
    """Of those that the stack's file imports, the later one wins; opened once, though several stacks import it."""
    address = {key: value for key, value in world.config.items() if key != "apiKey"}
    folder = world.pulumi.project("shop", {name: state(books(), config=address) for name in ("a", "b", "c", "d")})
    (folder / "Pulumi.a.yaml").write_text("environment: [shop/wrong, shop/codat]\n")
    (folder / "Pulumi.b.yaml").write_text("environment:\n  imports:\n    - shop/codat: {merge: false}\n")
    (folder / "Pulumi.c.yaml").write_text("environment: [shop/variables]\n")
    (folder / "Pulumi.d.yaml").write_text("environment: [shop/missing]\n")
    (folder / "esc-shop").mkdir()
    for name, given in {
        "wrong": {"pulumiConfig": {"codat-zoho:apiKey": "wrong-key"}},
        "codat": {"pulumiConfig": {"codat-zoho:apiKey": API_KEY, "shop:password": OTHERS}},
        "variables": {"environmentVariables": {"CODAT_API_KEY": API_KEY, "AWS_SECRET": OTHERS}},
    }.items():
        (folder / "esc-shop" / f"{name}.json").write_text(json.dumps(given))
    report = world.report("shop", "--all-stacks", code=1)
    assert states(report) == {**dict.fromkeys(("shop/a", "shop/b", "shop/c"), "as declared"), "shop/d": "error"}
    assert "environment not found" in report["stacks"][3]["failure"]["text"]
    opened = [call.rpartition(" ")[2] for call in world.pulumi.calls if "env open" in call]
    assert sorted(opened) == ["shop/codat", "shop/missing", "shop/variables", "shop/wrong"]
    known = len(world.pulumi.calls)
    assert set(states(world.report("shop", "--all-stacks", CODAT_API_KEY=API_KEY)).values()) == {"as declared"}
    assert not [call for call in world.pulumi.calls[known:] if "env open" in call], "what is not needed is not opened"


# --- the plugin -------------------------------------------------------------------------------------------------------


def test_both_faces_give_the_same_report(world: World) -> None:
    """Drift, what restores it, Zoho's verdicts, the notes: but for URNs and the spelling of what a program declares."""
    world.simulator.codat[API_KEY].integration.enabled = False
    world.simulator.codat[API_KEY].linked = 2
    world.simulator.zoho[ID].enabled -= {"uk"}
    text = state(books(), client(), config=world.config)
    folder = world.pulumi.project("shop", {"dev": text})
    ours = world.drift("shop", "--all-stacks").stdout
    (folder / "dev.json").write_text(plugin_state(text))
    theirs = world.drift("shop", "--all-stacks").stdout
    assert "declare enabled=False" in ours and "regions.uk" in ours
    took = r"\([0-9.]+ s|\d{4}-\d\d-\d\dT[0-9:]+Z"
    assert re.sub(took, "", theirs) == re.sub(took, "", ours.replace("enabled=False", "enabled: false"))


def test_a_stack_of_both_faces_with_several_providers(world: World) -> None:
    """Each resource is looked at with the API key of the provider that it names, whichever face it is of."""
    for key, enabled in (("of-eu", True), ("of-us", False)):
        world.simulator.add_codat_client(key, enabled=enabled, keys=keys())
    bare = {name: value for name, value in world.config.items() if name != "apiKey"}
    providers = [plugin_provider(name, apiKey=secret(f"of-{name}"), **bare) for name in ("eu", "us")]
    theirs = [
        books(name=f"books-{one['urn'][-2:]}", provider=f"{one['urn']}::{one['id']}", connection="default")
        for one in providers
    ]
    mixed = json.loads(plugin_state(state(*theirs), *providers))
    ours = json.loads(state(books(), config=world.config))
    mixed["deployment"]["resources"] += ours["deployment"]["resources"]
    world.pulumi.project("shop", {"dev": json.dumps(mixed)})
    (stack,) = world.report("shop", "--all-stacks", code=7)["stacks"]
    found = {one["name"]: one["state"] for one in stack["resources"]}
    assert found == {"books": "as declared", "books-eu": "as declared", "books-us": "drift"}


@pytest.mark.parametrize("explicit", [True, False])
def test_a_provider_without_an_api_key(world: World, explicit: bool) -> None:
    """An explicit provider gets no stack configuration, of ESC neither: it is told where its key goes."""
    bare = {name: value for name, value in world.config.items() if name != "apiKey"}
    provider = plugin_provider("codat-eu" if explicit else "default_1_0_0", **bare)
    folder = world.pulumi.project("shop", {"dev": plugin_state(state(books(connection="eu")), provider)})
    (failed,) = world.report("shop", "--all-stacks", code=3)["stacks"][0]["resources"]
    where = "or give apiKeys.eu to the provider 'codat-eu' in the program" if explicit else "codat-zoho:apiKeys.eu"
    assert where in failed["failure"]["text"] and "CODAT_API_KEY_EU" in failed["failure"]["text"]
    (folder / "Pulumi.dev.yaml").write_text("environment: [codat]\n")
    given = {"pulumiConfig": {"codat-zoho:apiKeys": {"eu": API_KEY}}}
    (folder / "esc-codat.json").write_text(json.dumps(given))
    assert world.drift("shop", "--all-stacks").returncode == (3 if explicit else 0)
    (folder / "esc-codat.json").write_text(json.dumps({"environmentVariables": {"CODAT_API_KEY_EU": API_KEY}}))
    assert world.drift("shop", "--all-stacks").returncode == 0


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "state_", "code", "said"),
    [
        (state(), "nothing to check", 0, "nothing of codat-zoho is deployed"),
        ('{"version": 3, "deployment": null}', "nothing to check", 0, "nothing of codat-zoho is deployed"),
        (state(config={"apiKey": secret("x")}), "nothing to check", 0, "it is configured: did 'pulumi up' fail?"),
        (plugin_state(state()), "nothing to check", 0, "it is configured: did 'pulumi up' fail?"),
        (state(pending_operations=[{"type": "creating", "resource": books()}]), "error", 1, "while it was creating"),
        (state(books(delete=True)), "error", 1, "while it was deleting"),
        (plugin_state(state(books(delete=True))), "error", 1, "while it was deleting"),
        ('{"version": 9, "deployment": {}}', "error", 1, "The stack's state cannot be read: Its version"),
        ("no JSON", "error", 1, "The stack's state cannot be read: It is not JSON."),
    ],
)
def test_what_is_not_deployed_is_not_as_declared(world: World, text: str, state_: str, code: int, said: str) -> None:
    """Nothing there, half of it there, or something that cannot be read: each is told as what it is."""
    world.pulumi.project("shop", {"dev": text})
    assert states(world.report("shop", "--all-stacks", code=code)) == {"shop/dev": state_}
    done = world.drift("shop", "--all-stacks", "--quiet")
    assert said in done.stdout and "as declared" not in done.stdout


def _client_alone(world: World) -> Path:
    inputs = {"client_id": ID, "client_secret": secret(SECRET), "regions": ["us"]}
    return world.pulumi.project("shop", {"dev": state(resource(CLIENT, inputs, {}), config=world.config)})


def test_a_client_without_an_integration_is_not_as_declared(world: World) -> None:
    """An `up` that failed in between leaves the Zoho client alone, and the state does not say so: it cannot be told."""
    _client_alone(world)
    report = world.report("shop", "--all-stacks")
    assert states(report) == {"shop/dev": "cannot tell"}
    found = [(one["field"], one["state"]) for one in report["stacks"][0]["resources"][0]["findings"]]
    assert found == [("regions.us", "as declared"), ("integration", "cannot tell")]
    done = world.drift("shop", "--all-stacks")
    assert "shop/dev: as declared" not in done.stdout and "integration: only the Zoho client is deployed" in done.stdout
    assert world.drift("shop", "--all-stacks", "--strict").returncode == 7


def test_an_api_key_of_another_codat_client_is_no_drift(world: World) -> None:
    """It is an error that names both, and no command is recommended that would write to the wrong one."""
    recorded = {"codat_client": "11111111-2222-4333-8444-555555555555", "codat_client_name": "Acme production"}
    world.simulator.codat[API_KEY].integration.enabled = False
    world.pulumi.project("shop", {"dev": state(books(outputs=recorded), config=world.config)})
    (stack,) = world.report("shop", "--all-stacks", code=1)["stacks"]
    (found,) = stack["resources"]
    assert found["failure"]["kind"] == "wrong codat client" and "Acme production" in found["failure"]["text"]
    assert not found["findings"]
    assert "pulumi up --refresh" not in world.drift("shop", "--all-stacks").stdout


def test_two_stacks_that_manage_one_codat_client_are_named(world: World) -> None:
    """On the run and on both: destroying one takes the integration from the other. Looking up is no managing."""
    looked_up = resource(INTEGRATION, {}, {"connection": "default"}, external=True, name="looked-up")
    world.pulumi.project(
        "shop",
        {name: state(it, config=world.config) for name, it in (("a", books()), ("b", books()), ("c", looked_up))},
    )
    report = world.report("shop", "--all-stacks")
    id_ = report["stacks"][0]["resources"][0]["codatClient"]
    assert id_ and report["notes"] == [f"Several stacks manage the Codat client {id_}: shop/a, shop/b."]
    assert [stack["notes"] for stack in report["stacks"]] == [
        [f"The Codat client {id_} is managed by {other} too: destroying one takes the integration from the other."]
        for other in ("shop/b", "shop/a")
    ] + [[]]


def test_where_codat_does_not_tell_whose_a_key_is(world: World) -> None:
    """Nothing is refused, and it is said."""
    world.simulator.fail(Fault(status=403, path="/codat/profile", times=-1))
    recorded = {"codat_client": "11111111-2222-4333-8444-555555555555"}
    world.pulumi.project("shop", {"dev": state(books(outputs=recorded), config=world.config)})
    (stack,) = world.report("shop", "--all-stacks")["stacks"]
    assert stack["state"] == "as declared" and "does not tell this API key" in stack["resources"][0]["notes"][0]


def test_a_state_of_an_older_version_is_read_and_told_of(world: World) -> None:
    """Drift that a plain refresh took over is not seen there; that is said once for all such stacks."""
    old = state(books(declared=False), config=world.config)
    world.pulumi.project("shop", {"a": old, "b": state(books(), config=world.config)})
    report = world.report("shop", "--all-stacks")
    assert set(states(report).values()) == {"as declared"} and report["stacks"][0]["deployedAt"] is None
    (note,) = [note for note in report["notes"] if "older version" in note]
    assert "shop/a:" in note and "shop/b" not in note


def test_one_thing_that_nobody_foresaw_costs_no_other_stack_its_report(world: World) -> None:
    """A bug is an error of its resource, told as a bug."""
    world.pulumi.project("shop", {"dev": state(books(), client(), config=world.config)})
    done = world.drift(
        "shop", "--all-stacks", "--format", "json", PYTHONPATH=f"{_sabotaged(world.pulumi.root)}{os.pathsep}{ROOT}"
    )
    (stack,) = json.loads(done.stdout)["stacks"]
    assert done.returncode == 1
    assert [one["failure"] and one["failure"]["kind"] for one in stack["resources"]] == ["bug", None]


def _sabotaged(folder: Path) -> Path:
    """A start-up file that breaks what compares integrations."""
    (folder / "sitecustomize.py").write_text(
        "import codat_zoho.drift.findings as findings\ndef broken(*_): raise KeyError('x')\n"
        "findings.integration = broken\n"
    )
    return folder


def test_twelve_stacks_in_three_projects_of_which_some_cannot_be_checked(world: World) -> None:
    """A backend that is away, a wrong passphrase, a broken state, a missing key: a line each; the rest is checked."""
    good = state(books(), client(), config=world.config)
    no_key = {key: value for key, value in world.config.items() if key != "apiKey"}
    theirs = good.replace("::shop::", "::billing::")
    billing = world.pulumi.project("billing", dict.fromkeys(("a", "b", "c", "d"), theirs))
    crm = world.pulumi.project("crm", {})
    world.pulumi.project(
        "shop", {"a": good, "b": '{"version": 9, "deployment": {}}', "c": state(books(), config=no_key), "d": good}
    )
    (crm / "failure").write_text("error: could not list stacks: dial tcp 10.0.0.1:443: connect: connection refused\n")
    wrong = "error: could not deserialize deployment: failed to decrypt: incorrect passphrase, please set X\n"
    (billing / "b.failure").write_text(wrong)
    report = world.report("billing", "crm", "shop", "--all-stacks", code=1)
    assert states(report) == {
        **{f"billing/{name}": "as declared" for name in ("a", "c", "d")},
        **{f"shop/{name}": "as declared" for name in ("a", "d")},
        **dict.fromkeys(("billing/b", "crm/*", "shop/b", "shop/c"), "error"),
    }
    told = {
        f"{stack['project']}/{stack['stack']}": (stack["failure"] or stack["resources"][0]["failure"])
        for stack in report["stacks"]
        if stack["state"] == "error"
    }
    assert {name: failure["kind"] for name, failure in told.items()} == {
        "billing/b": "passphrase",
        "crm/*": "pulumi",
        "shop/b": "state",
        "shop/c": "authentication",
    }
    assert "connection refused" in told["crm/*"]["text"]
    assert not [failure for failure in told.values() if "\n" in failure["text"]]
    assert states(world.report("shop", "--stack", "c", code=3)) == {"shop/c": "error"}


def test_a_stack_of_another_project(world: World) -> None:
    """A qualified name may lead out of the folder's project: then neither command nor settings of it would fit."""
    world.pulumi.project("billing", {"dev": state(books(), config=world.config)})
    report = world.report("billing", "--stack", "dev", code=1)
    assert "belongs to the project 'shop', and this folder's is 'billing'" in report["stacks"][0]["failure"]["text"]


# --- with the program -------------------------------------------------------------------------------------------------


def changed(operation: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    """A step of a preview."""
    type_ = f"pulumi-python:dynamic/codat-zoho:{INTEGRATION}"
    step: dict[str, Any] = {"op": operation, "urn": f"urn:pulumi:dev::shop::a:b:C${type_}::books"}
    for name, inputs in (("oldState", before), ("newState", after)):
        step |= {name: {"type": type_, "inputs": inputs}} if inputs is not None else {}
    return step


def test_undeployed_changes_are_named_without_secrets(world: World) -> None:
    """Which secret is told by its fingerprint; what is not deployed at all makes the stack "not deployed"."""
    folder = world.pulumi.project("shop", {"dev": state(books(), config=world.config)})
    before = {"enabled": True, "client_secret": "[secret]", "client_secret_fingerprint": "0" * 16}
    after = {**before, "enabled": False, "client_secret_fingerprint": "1" * 16}
    (folder / "preview.json").write_text(json.dumps({"steps": [changed("update", before, after)]}))
    (stack,) = world.report("shop", "--all-stacks", "--pending")["stacks"]
    (change,) = stack["pending"]
    assert (change["resource"], change["operation"]) == (f"books ({INTEGRATION})", "update")
    assert change["fields"] == [
        {"field": "client_secret_fingerprint", "before": "0" * 16, "after": "1" * 16},
        {"field": "enabled", "before": True, "after": False},
    ]
    (folder / "preview.json").write_text(json.dumps({"steps": [changed("create", None, after)]}))
    (stack,) = world.report("shop", "--all-stacks", "--pending")["stacks"]
    assert stack["state"] == "not deployed"
    renamed = [changed("create", None, after), changed("delete", before, None)]
    (folder / "preview.json").write_text(json.dumps({"steps": renamed}))
    (stack,) = world.report("shop", "--all-stacks", "--pending")["stacks"]
    assert stack["state"] == "as declared", "it is deployed, under another name"


def _preview(*said: tuple[str, str]) -> str:
    """One that failed, with what the host of the program's language printed, which the engine does not call an error."""
    told = [{"severity": severity, "message": message} for severity, message in said]
    return json.dumps({"steps": [], "diagnostics": told, "failed": True}, indent=1)


@pytest.mark.parametrize(
    ("steps", "stands"), [([], "as declared"), ([changed("create", None, {"enabled": True})], "not deployed")]
)
def test_whether_an_integration_is_missing_is_told(world: World, steps: list[dict[str, Any]], stands: str) -> None:
    """What a state of a Zoho client alone does not tell: the program says whether it declares more."""
    (_client_alone(world) / "preview.json").write_text(json.dumps({"steps": steps}))
    assert states(world.report("shop", "--all-stacks", "--pending")) == {"shop/dev": stands}


@pytest.mark.parametrize(
    ("preview", "said"),
    [
        ("error: no language host", "does not print a preview"),
        (
            json.dumps({"steps": [], "diagnostics": [{"severity": "error", "message": "error: boom\n"}]}, indent=1),
            "boom",
        ),
        (_preview(("info#err", "\033[31mError\033[0m: no resource type\n\n")), "no resource type."),
        (_preview(("info#err", "something else\n")), "pulumi failed and did not say why."),
    ],
)
def test_a_preview_that_fails_is_an_error_of_its_own(world: World, preview: str, said: str) -> None:
    """Drift is told all the same."""
    folder = world.pulumi.project("shop", {"dev": state(books(), config=world.config)})
    (folder / "preview.json").write_text(preview)
    (stack,) = world.report("shop", "--all-stacks", "--pending", code=1)["stacks"]
    assert stack["state"] == "as declared" and said in stack["pendingFailure"]["text"]


ENABLE = """\
#!{python}
import os, urllib.request
headers = {{"Authorization": "Basic " + __import__("base64").b64encode(os.environ["CODAT_API_KEY"].encode()).decode()}}
headers["Content-Type"] = "application/json"
url = "{base}/codat/integrations/rwuv/enabled"
urllib.request.urlopen(urllib.request.Request(url, b'{{"enabled": true}}', headers, method="PUT")).read()
"""


@pytest.mark.parametrize(
    ("up", "outcome", "code", "said"),
    [
        (ENABLE, "done", 0, "has restored what is declared"),
        ("#!/bin/sh\n", "incomplete", 7, "this still differs: enabled"),
        (
            "#!/bin/sh\necho '  error: PlanBlocked: Disabling it would cut off 3 linked companies.'\n"
            "echo '  error: update failed'\nexit 255\n",
            "failed",
            1,
            "Disabling it would cut off 3 linked companies.",
        ),
        ("#!/bin/sh\nrm -f dev.json\n", "failed", 1, "what came of it cannot be told: no stack named"),
    ],
)
def test_remediation_runs_up_and_looks_again(world: World, up: str, outcome: str, code: int, said: str) -> None:
    """What is said is what is there afterwards, not what was run."""
    folder = world.pulumi.project("shop", {"dev": state(books(), config=world.config)})
    (folder / "up").write_text(up.format(python=sys.executable, base=world.base))
    (folder / "up").chmod(0o755)
    world.simulator.codat[API_KEY].integration.enabled = False
    report = world.report("shop", "--all-stacks", "--remediate", "--yes", code=code, CODAT_API_KEY=API_KEY)
    (stack,) = report["stacks"]
    assert stack["remediation"]["outcome"] == outcome and said in stack["remediation"]["text"]
    assert stack["state"] == "drift", "what was found stays in the report"
    assert "--non-interactive up --yes --skip-preview --refresh --color never --stack=dev" in world.pulumi.calls


# --- states from files ------------------------------------------------------------------------------------------------


def test_states_that_were_exported_elsewhere(world: World, tmp_path: Path) -> None:
    """No pulumi at all, not even installed; from files, or from standard input."""
    world.simulator.codat[API_KEY].integration.enabled = False
    text = state(books(stack="prod"), config=world.config)
    file = world.pulumi.root / "prod.json"
    file.write_text(text)
    done = world.drift("--state", "prod.json", PATH=str(tmp_path))
    assert done.returncode == 7 and "shop/prod: drift" in done.stdout, done.stdout + done.stderr
    assert "pulumi up --refresh --stack prod" in done.stdout and not world.pulumi.calls
    done = world.drift("--state", "-", stdin=text)
    assert done.returncode == 7 and "shop/prod: drift" in done.stdout


def test_a_file_that_is_none_stops_no_other(world: World) -> None:
    """One line each."""
    (world.pulumi.root / "good.json").write_text(state(books(), config=world.config))
    (world.pulumi.root / "bad.json").write_text("{}")
    done = world.drift("--state", "missing.json", "bad.json", "good.json")
    assert done.returncode == 1 and "shop/dev: as declared" in done.stdout
    assert "missing.json cannot be read: No such file or directory." in done.stdout
    assert "The stack's state cannot be read: It is no output of 'pulumi stack export'." in done.stdout


def test_a_file_whose_secrets_are_encrypted(world: World) -> None:
    """What they hide cannot be told, and why; a difference is found all the same."""
    config = {**world.config, "apiKey": encrypted()}
    (world.pulumi.root / "dev.json").write_text(state(books(hide=encrypted), config=config))
    done = world.drift("--state", "dev.json")
    assert done.returncode == 3
    assert "The Codat API key for connection 'default' is encrypted in this state. Set CODAT_API_KEY" in done.stdout
    done = world.drift("--state", "dev.json", CODAT_API_KEY=API_KEY)
    assert done.returncode == 0 and done.stdout.count("export it with 'pulumi stack export --show-secrets'") == 3
    assert world.drift("--state", "dev.json", "--strict", CODAT_API_KEY=API_KEY).returncode == 7
    world.simulator.codat[API_KEY].integration.enabled = False
    assert world.drift("--state", "dev.json", CODAT_API_KEY=API_KEY).returncode == 7


# --- how much it asks -------------------------------------------------------------------------------------------------


def test_many_stacks_on_one_key_and_one_client_ask_once(world: World) -> None:
    """One read for all that share an API key, one question to each data centre."""
    world.pulumi.project("shop", {f"s{n}": state(books(), client(), config=world.config) for n in range(12)})
    report = world.report("shop", "--all-stacks", "--jobs", "4")
    assert set(states(report).values()) == {"as declared"}
    assert len(world.simulator.calls) == 3 + 3, [call.path for call in world.simulator.calls]


def test_a_stack_with_several_integrations_reads_them_at_the_same_time(world: World) -> None:
    """Each of its connections, and all of them are told."""
    named = {f"c{n}": f"key-number-{n}" for n in range(8)}
    for key in named.values():
        world.simulator.add_codat_client(key).integration.enabled = True
        world.simulator.codat[key].integration.keys = keys()
    config = {**world.config, "apiKeys": secret(json.dumps(named))}
    there = [books(connection=name, name=name) for name in named]
    world.pulumi.project("shop", {"dev": state(*there, config=config)})
    (stack,) = world.report("shop", "--all-stacks")["stacks"]
    assert [one["name"] for one in stack["resources"]] == sorted(named) and stack["state"] == "as declared"

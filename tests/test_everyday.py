"""Everyday operations of Pulumi on the real engine: what was set by hand or deployed stays, unless the plan says so.

Each program is a user's own. Whatever Pulumi makes of it, Codat's side is compared before and after.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.cli import main
from codat_zoho.simulator import CodatClient, Fault, Simulator, serve
from tests.real_engine import ROOT, Project, summary, without_interrupted_program
from tests.support import API_KEY, ID, OTHER_SECRET, SECRET, keys
from tools.engine import Engine

pytestmark = pytest.mark.engine

OTHER_KEY = "test-api-key-of-another-environment-51d2"
SECOND_KEY = "test-api-key-beside-the-first-one-88ab"
TOKEN = "pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration"
PROGRAM = f"""\
import os
import pulumi
import codat_zoho as cz

keys = {{"client_id": "{ID}", "client_secret": os.environ["OWN_SECRET"]}}
"""
BOOKS = 'cz.ZohoBooksIntegration("zoho-books", enabled=True, **keys)'


def urn(name: str, parents: str = "", stack: str = "test") -> str:
    """A resource's URN, below components of these types."""
    return f"urn:pulumi:{stack}::own::{parents}{TOKEN}::{name}"


@dataclass
class Own:
    """A program of one's own on the real engine, in front of a simulator."""

    project: Project
    simulator: Simulator

    @property
    def codat(self) -> CodatClient:
        return self.simulator.codat[API_KEY]

    @property
    def remote(self) -> tuple[bool, dict[str, str]]:
        """What Codat holds, unmasked."""
        return self.codat.integration.enabled, dict(self.codat.integration.keys)

    def write(self, *lines: str) -> None:
        """Let the program declare this."""
        (self.project.folder / "__main__.py").write_text(PROGRAM + "\n".join(lines) + "\n")

    def up(self, *words: str, **environment: str) -> str:
        """Deploy, and return what was said."""
        done = self.project.up(*words, **environment)
        assert done.returncode == 0, self.project.said[-1]
        return done.stdout + done.stderr

    def refused(self, *words: str, **environment: str) -> str:
        """Run what has to fail without a traceback and without a write, and return what was said."""
        before, state = self.remote, self.state()
        done = self.project.run(*words, **environment)
        said = done.stdout + done.stderr
        assert done.returncode not in (0, 7), said
        assert "Traceback" not in without_interrupted_program(said) and not self.simulator.writes, said
        assert self.remote == before
        assert self.state() == state
        return said

    def state(self) -> dict[str, Any]:
        """What the state holds of the integration, decrypted, without the engine's own book-keeping."""
        shown = self.project.must("stack", "export", "--show-secrets")
        self.project.said.pop()
        found = {
            one["urn"]: one for one in json.loads(shown)["deployment"].get("resources", ()) if one["type"] == TOKEN
        }
        return {
            name: {k: v for k, v in one.items() if k not in ("created", "modified", "propertyDependencies")}
            for name, one in found.items()
        }

    def declared(self) -> dict[str, Any]:
        """What the last deployment declared, on record."""
        (books,) = self.state().values()
        found: dict[str, Any] = json.loads(books["outputs"]["declared"]["plaintext"])
        return found


@pytest.fixture
def own(engine: Engine, simulator: Simulator, tmp_path: Path) -> Iterator[Own]:
    """A program with one integration, configured and not deployed yet."""
    simulator.add_codat_client(OTHER_KEY).name = "Production"
    simulator.codat[API_KEY].name = "Development"
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        described = re.sub(r"(?ms)^config:.*", "", (project.folder / "Pulumi.yaml").read_text())
        (project.folder / "Pulumi.yaml").write_text(described.replace("name: codat-zoho", "name: own", 1))
        own = Own(project, simulator)
        own.write(BOOKS)
        project.environment["OWN_SECRET"] = SECRET
        project.must("stack", "init", "test")
        yield own


@pytest.fixture(params=[0, 3], ids=["nobody linked", "3 companies linked"])
def deployed(own: Own, request: pytest.FixtureRequest) -> Own:
    """The same, deployed over what was clicked together, with companies that are linked or without."""
    own.codat.integration.enabled, own.codat.integration.keys = True, keys()
    own.codat.linked = request.param
    own.up()
    own.simulator.forget_calls()
    return own


def _unchanged(own: Own, *words: str, said: str = "", **environment: str) -> None:
    """Deploying this touches nothing in Codat, and the next run has nothing to do."""
    before = own.remote
    out = own.up(*words, **environment)
    assert re.search(said, out), out
    assert own.remote == before == (True, keys()) and not own.simulator.writes, out
    own.simulator.forget_calls()
    own.up("--expect-no-changes", **environment)
    assert not own.simulator.calls, "the second run sent something"


# --- a resource gets another name or place ----------------------------------------------------------------------------

STILL = r"Zoho Books of connection 'default' is still declared: nothing was sent to Codat for this name"
MOVES = {
    "renamed": ['cz.ZohoBooksIntegration("books", enabled=True, **keys)'],
    "into a component": [
        'comp = pulumi.ComponentResource("my:mod:Comp", "comp")',
        'cz.ZohoBooksIntegration("zoho-books", enabled=True, opts=pulumi.ResourceOptions(parent=comp), **keys)',
    ],
    "into a nested module": [
        'outer = pulumi.ComponentResource("my:mod:Outer", "outer")',
        'inner = pulumi.ComponentResource("my:mod:Inner", "inner", opts=pulumi.ResourceOptions(parent=outer))',
        'cz.ZohoBooksIntegration("books", enabled=True, opts=pulumi.ResourceOptions(parent=inner), **keys)',
    ],
}


@pytest.mark.parametrize("program", MOVES.values(), ids=MOVES)
def test_another_name_without_an_alias(deployed: Own, program: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Pulumi creates the new one and deletes the old one; Codat notices nothing, and a review says so beforehand."""
    deployed.write(*program)
    preview = deployed.project.folder / "preview.json"
    preview.write_text(deployed.project.must("preview", "--json"))
    assert main(["review", "--preview", str(preview)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"end the name zoho-books: .* is the same integration, so Codat stays as is", said)
    assert "disable" not in said and "delete" not in said
    _unchanged(deployed, said=STILL)


def test_another_name_with_an_alias(deployed: Own) -> None:
    """With an alias Pulumi deletes nothing either."""
    deployed.write(
        'comp = pulumi.ComponentResource("my:mod:Comp", "comp")',
        "opts = pulumi.ResourceOptions(parent=comp, aliases=[pulumi.Alias(name='zoho-books', parent=pulumi.ROOT_STACK_RESOURCE)])",
        'cz.ZohoBooksIntegration("books", enabled=True, opts=opts, **keys)',
    )
    _unchanged(deployed)
    assert "deleted" not in deployed.project.said[-3]


def test_the_client_is_renamed_too(own: Own) -> None:
    """What is still declared is not said to be given up."""
    pair = [
        'client = cz.ZohoClientCredentials("zoho-client", regions=["us"], **keys)',
        'cz.ZohoBooksIntegration("zoho-books", credentials=client, enabled=True)',
    ]
    own.write(*pair)
    own.up()
    own.simulator.forget_calls()
    own.write(*(line.replace("zoho-", "our-") for line in pair))
    own.simulator.zoho[ID].enabled = {"us"}
    out = own.up()
    assert "no longer managed" not in out and "API console" not in out
    assert own.remote == (True, keys()) and not own.simulator.writes


def test_a_run_that_ended_between_creating_and_deleting(deployed: Own) -> None:
    """The state holds both; the next run ends the old name, although it creates nothing."""
    deployed.write(*MOVES["renamed"])
    deployed.up("--target", urn("books"))
    assert {"books", "zoho-books"} <= set(deployed.project.resources())
    deployed.simulator.forget_calls()
    _unchanged(deployed, said=STILL)
    assert "zoho-books" not in deployed.project.resources()


def test_an_engine_killed_between_creating_and_deleting(deployed: Own, tmp_path: Path) -> None:
    """The same, by a real kill: `pulumi cancel`, and the next run ends the old name."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = MOVES["renamed"][0].replace("cz.", "books = cz.")
    deployed.write(held, f'books.urn.apply(lambda _: open("{gate}").read())')
    running = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=deployed.project.folder,
        env=deployed.project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with gate.open("w"):  # Opens when the program has been told that the new one is created.
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    deployed.project.must("cancel", "--yes")
    assert {"books", "zoho-books"} <= set(deployed.project.resources())
    deployed.write(*MOVES["renamed"])
    deployed.simulator.forget_calls()
    _unchanged(deployed, said=STILL)


def test_both_names_as_targets(deployed: Own) -> None:
    """Targets that name the old and the new one are a rename too."""
    deployed.write(*MOVES["renamed"])
    deployed.up("--target", urn("zoho-books"), "--target", urn("books"))
    assert deployed.remote == (True, keys()) and not deployed.simulator.writes


@pytest.mark.parametrize("linked", [0, 3])
def test_another_name_behind_opaque_masks(own: Own, linked: int) -> None:
    """Nothing shows that the stored keys are the declared ones: they are saved, or that is refused, the alias first."""
    own.up()
    own.simulator.switches.mask = "opaque"
    own.codat.linked = linked
    own.write(*MOVES["renamed"])
    if linked:
        own.simulator.forget_calls()
        said = own.refused("up", "--yes", "--skip-preview")
        assert said.index("aliases=") < said.index("allow_disruption")
        opts = "pulumi.ResourceOptions(aliases=[pulumi.Alias(name='zoho-books')])"
        own.write(f'cz.ZohoBooksIntegration("books", enabled=True, opts={opts}, **keys)')
    _ = own.up()
    assert own.remote == (True, keys())
    own.up("--expect-no-changes")


@pytest.mark.parametrize("flag", ["--replace", "--target-replace"])
def test_replace(deployed: Own, flag: str) -> None:
    """A singleton that is replaced stays what it is."""
    _unchanged(deployed, flag, urn("zoho-books"), said=STILL)


def test_replace_on_changes(deployed: Own) -> None:
    """The same, where the program asks for it."""
    opts = "pulumi.ResourceOptions(replace_on_changes=['on_delete'])"
    deployed.write(f'cz.ZohoBooksIntegration("zoho-books", enabled=True, on_delete="disable", opts={opts}, **keys)')
    _unchanged(deployed)


def test_another_connection_of_the_same_codat_client(deployed: Own) -> None:
    """One connection for all stacks becomes one for each: the API key is the same, or another one of that client."""
    deployed.write('cz.ZohoBooksIntegration("zoho-books", enabled=True, connection="dev", **keys)')
    said = r"still declared by connection 'dev', of the same Codat client: nothing was sent"
    _unchanged(deployed, said=said, CODAT_API_KEY_DEV=API_KEY)
    deployed.simulator.codat[SECOND_KEY] = deployed.codat
    deployed.write('cz.ZohoBooksIntegration("zoho-books", enabled=True, connection="test", **keys)')
    said = r"still declared by connection 'test', of the same Codat client: nothing was sent"
    keys_ = {"CODAT_API_KEY_DEV": API_KEY, "CODAT_API_KEY_TEST": SECOND_KEY}
    before = deployed.remote
    assert re.search(said, deployed.up(**keys_)) and deployed.remote == before and not deployed.simulator.writes


EU = 'cz.ZohoBooksIntegration("zoho-books", enabled=True, connection="eu", **keys)'


@pytest.mark.parametrize(
    ("key", "said"),
    [("", "No Codat API key for connection 'eu'"), ("a-key-with-a-typo", "Codat refused the API key")],
    ids=["missing", "mistyped"],
)
def test_another_connection_whose_key_does_not_do(deployed: Own, key: str, said: str) -> None:
    """What is needed next is missed before anything is sent to the old one."""
    deployed.write(EU)
    assert said in deployed.refused("up", "--yes", "--skip-preview", CODAT_API_KEY_EU=key)


@pytest.mark.parametrize("words", [("preview",), ("up", "--yes", "--skip-preview")], ids=["preview", "up"])
def test_another_codat_client(deployed: Own, words: tuple[str, ...]) -> None:
    """Refused in the preview while companies are linked; where keys are not at hand, it says what it depends on."""
    deployed.write(EU)
    if deployed.codat.linked:
        said = deployed.refused(*words, CODAT_API_KEY_EU=OTHER_KEY)
        assert "Leaving connection 'default' for another Codat client: Disabling the integration" in said
        assert "would cut off 3 linked companies" in said
        doubt = "whether 'eu' opens the same Codat client cannot be told yet. If not: will be refused"
        assert doubt in deployed.project.must("preview")
        return
    deployed.project.must(*words, CODAT_API_KEY_EU=OTHER_KEY)
    if words[0] == "up":
        assert summary(deployed.simulator) == ["save keys", "enable", "disable", "delete keys"]
        assert deployed.simulator.codat[OTHER_KEY].integration.enabled and deployed.remote == (False, {})


def test_it_cannot_be_told_whether_it_is_the_same_codat_client(own: Own) -> None:
    """Codat fails when asked: nothing is taken from the old connection on a guess."""
    own.simulator.codat[SECOND_KEY] = own.codat
    own.up()
    own.write(EU)
    before = own.remote
    own.simulator.fail(Fault(path="/codat/profile/syncSettings", status=503, times=-1))
    own.simulator.forget_calls()
    done = own.project.up(CODAT_API_KEY_EU=SECOND_KEY)
    assert done.returncode not in (0, 7) and own.remote == before and not own.simulator.writes
    own.simulator.faults.clear()
    _unchanged(own, CODAT_API_KEY_EU=SECOND_KEY)


def test_two_resources_exchange_connections(own: Own) -> None:
    """Whatever is deleted, and in whichever order: both Codat clients are still declared."""
    own.simulator.codat[OTHER_KEY].integration.enabled = True
    own.simulator.codat[OTHER_KEY].integration.keys = keys()
    own.project.environment["CODAT_API_KEY_EU"] = OTHER_KEY
    pair = ['a = cz.ZohoBooksIntegration("a", enabled=True, connection="{}", **keys)']
    pair += [
        'cz.ZohoBooksIntegration("b", enabled=True, connection="{}", opts=pulumi.ResourceOptions(depends_on=[a]), **keys)'
    ]
    own.write(pair[0].format("default"), pair[1].format("eu"))
    own.up()
    own.write(pair[0].format("eu"), pair[1].format("default"))
    own.simulator.forget_calls()
    _unchanged(own)


def test_one_codat_client_under_two_connections(own: Own) -> None:
    """Two API keys, one Codat client: whoever comes second is refused before anything is sent to it again."""
    own.project.environment["CODAT_API_KEY_EU"] = API_KEY
    own.write(BOOKS, 'cz.ZohoBooksIntegration("b", enabled=False, connection="eu", **keys)')
    done = own.project.up()
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode not in (0, 7)
    assert re.search(r"The connections '\w+' and '\w+' of this program open one Codat client", said)


# --- a resource is removed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("up", "--skip-preview"), ("destroy", "--skip-preview"), ("destroy", "--skip-preview", "--run-program")]
)
def test_the_last_resource_of_a_connection(deployed: Own, words: tuple[str, ...]) -> None:
    """Removing it does as on_delete says; with linked companies it is refused, and the harmless ways out come first."""
    if words[0] == "up":
        deployed.write()
    if deployed.codat.linked:
        said = deployed.refused(*words, "--yes")
        ways = [said.index(way) for way in ("aliases=", "pulumi state delete", "on_delete='keep'", "allow_disruption")]
        assert ways == sorted(ways)
        return
    deployed.project.must(*words, "--yes")
    assert summary(deployed.simulator) == ["disable", "delete keys"] and deployed.remote == (False, {})


def test_ways_out_of_a_refused_removal(own: Own) -> None:
    """Renamed by an earlier release, refused, and left in the state: an alias or a deletion from the state mends it."""
    own.up()
    own.codat.linked = 3
    own.up("--refresh")
    own.write()
    own.simulator.forget_calls()
    own.refused("up", "--yes", "--skip-preview")
    own.project.must("state", "delete", urn("zoho-books"), "--yes")
    own.simulator.forget_calls()
    _unchanged(own)
    own.write(BOOKS)
    _unchanged(own)
    opts = "pulumi.ResourceOptions(aliases=[pulumi.Alias(name='zoho-books')])"
    own.write(f'cz.ZohoBooksIntegration("books", enabled=True, opts={opts}, **keys)')
    _unchanged(own)


@pytest.mark.parametrize("option", ["retain_on_delete=True", "protect=True"])
def test_retained_or_protected(deployed: Own, option: str) -> None:
    """Pulumi's own safeguards hold."""
    deployed.write(
        f'cz.ZohoBooksIntegration("zoho-books", enabled=True, opts=pulumi.ResourceOptions({option}), **keys)'
    )
    deployed.up()
    deployed.write()
    deployed.project.up()
    assert deployed.remote == (True, keys()) and not deployed.simulator.writes


def test_only_the_old_name_as_a_target(own: Own) -> None:
    """Pulumi shows nothing but a deletion then, and tells the provider nothing of the program: as on_delete says."""
    own.up()
    own.write(*MOVES["renamed"])
    assert re.search(r"- +1 to delete", own.project.must("preview", "--target", urn("zoho-books")))
    own.simulator.forget_calls()
    own.up("--target", urn("zoho-books"))
    assert summary(own.simulator) == ["disable", "delete keys"]
    own.up()
    own.codat.linked = 3
    own.write(BOOKS)
    own.simulator.forget_calls()
    own.refused("up", "--yes", "--skip-preview", "--target", urn("books"))


def test_a_previewed_destroy(deployed: Own) -> None:
    """With --refresh it says whether destroying will be refused; without, Pulumi asks the provider nothing."""
    silent = deployed.project.must("destroy", "--preview-only")
    assert not deployed.simulator.calls and "refused" not in silent
    said = deployed.project.must("destroy", "--preview-only", "--refresh")
    refused = "Destroying 'default' will be refused: Disabling the integration and deleting the keys would cut off 3"
    assert (refused in said) == (deployed.codat.linked == 3)
    assert not deployed.simulator.writes
    said = deployed.project.must("refresh", "--preview-only")
    assert "will be refused" not in said


# --- state ------------------------------------------------------------------------------------------------------------


def test_state_commands(deployed: Own) -> None:
    """Renaming a resource or a stack in the state, and moving a resource to another stack, reach nobody."""
    deployed.project.must("state", "rename", urn("zoho-books"), "books", "--yes")
    deployed.write(*MOVES["renamed"])
    _unchanged(deployed)
    deployed.project.must("stack", "init", "other", "--no-select")
    moved = deployed.project.run("state", "move", "--source", "test", "--dest", "other", "--yes", urn("books"))
    assert moved.returncode == 0, deployed.project.said[-1]
    assert "books" not in deployed.project.resources()
    deployed.project.must("stack", "select", "other")
    _unchanged(deployed)
    deployed.project.must("stack", "rename", "another")
    _unchanged(deployed)


def test_ignored_changes(deployed: Own) -> None:
    """What Pulumi is told to ignore is left alone."""
    opts = "pulumi.ResourceOptions(ignore_changes=['enabled'])"
    deployed.write(f'cz.ZohoBooksIntegration("zoho-books", enabled=True, opts={opts}, **keys)')
    deployed.up()
    deployed.codat.integration.enabled = False
    deployed.simulator.forget_calls()
    deployed.up("--refresh")
    assert not deployed.simulator.writes


def test_a_plain_refresh_takes_over_and_up_restores(own: Own) -> None:
    """It writes what is there into the state, but not over what was declared; the next plain up restores that."""
    own.up()
    declared = own.declared()
    own.codat.integration.enabled = False
    own.codat.integration.keys = keys("1000.FOREIGNCLIENTFOREIGNCLIENTFORE", OTHER_SECRET)
    own.project.must("refresh", "--yes", "--skip-preview")
    books = own.project.resources()["zoho-books"]
    assert books["outputs"]["enabled"] is False and books["inputs"]["client_id"].endswith("FORE")
    assert own.declared() == declared == {**declared, "client_id": ID, "enabled": True}
    # Set back by hand: the refresh finds what was declared, and no difference to the mask of before.
    own.codat.integration.keys = keys()
    own.project.must("refresh", "--yes", "--skip-preview")
    assert own.project.resources()["zoho-books"]["inputs"]["client_id"] == ID
    own.simulator.forget_calls()
    own.up()
    assert summary(own.simulator) == ["enable"] and own.remote == (True, keys())
    own.project.assert_no_secret(SECRET, OTHER_SECRET, API_KEY)


def test_a_change_by_hand_that_is_declared_afterwards(own: Own) -> None:
    """What the report advises where the change was meant: nothing is sent, the record follows, and drift sees the next."""
    own.up()
    own.codat.integration.enabled = False
    own.project.must("refresh", "--yes", "--skip-preview")
    own.write(BOOKS.replace("True", "False"))
    own.simulator.forget_calls()
    own.up()
    assert not own.simulator.writes and own.declared()["enabled"] is False
    own.simulator.forget_calls()
    own.up("--expect-no-changes")
    assert not own.simulator.calls
    assert "as declared" in _drift(own, 0)
    own.codat.integration.enabled = True
    assert "enabled: declared false, now true" in _drift(own, 7)


def _drift(own: Own, code: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "codat_zoho", "drift"],
        cwd=own.project.folder,
        env=own.project.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


# --- one Codat client, more than one owner ----------------------------------------------------------------------------

TWICE: dict[str, list[str]] = {
    "names": [BOOKS, BOOKS.replace("zoho-books", "books")],
    "outputs": [
        'there = pulumi.Output.from_input("default")',
        *(
            f'cz.ZohoBooksIntegration("{name}", enabled=True, connection=there, **keys)'
            for name in ("zoho-books", "books")
        ),
    ],
}


@pytest.mark.parametrize("program", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("words", [("preview",), ("up", "--yes", "--skip-preview")], ids=["preview", "up"])
def test_two_resources_on_one_connection(own: Own, program: list[str], words: tuple[str, ...]) -> None:
    """Refused in the preview already, with both names, in one line."""
    own.write(*program)
    done = own.project.run(*words)
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 7) and "codat_zoho/" not in said
    assert "'books' and 'zoho-books' are both declared for connection 'default': a Codat client has one" in said
    assert len(own.simulator.codat[API_KEY].integration.keys) in (0, 2)


def test_one_name_below_two_components(own: Own) -> None:
    """A component used twice is two resources, whatever they are called."""
    own.write(
        "class Books(pulumi.ComponentResource):",
        "    def __init__(self, name):",
        '        super().__init__("my:mod:Books", name)',
        '        cz.ZohoBooksIntegration("books", opts=pulumi.ResourceOptions(parent=self), **keys)',
        'Books("eu"), Books("us")',
    )
    done = own.project.run("preview")
    assert done.returncode not in (0, 7)
    assert "'books' of 'us' and 'books' of 'eu' are both declared for connection 'default'" in done.stdout + done.stderr


def test_two_stacks_on_one_codat_client(deployed: Own) -> None:
    """No stack knows the other: destroying one does as on_delete says, and never while companies are linked."""
    deployed.project.must("stack", "init", "twin")
    _unchanged(deployed)
    if deployed.codat.linked:
        deployed.refused("destroy", "--yes", "--skip-preview")
    else:
        deployed.project.must("destroy", "--yes", "--skip-preview")
        assert deployed.remote == (False, {})


# --- the wrong API key ------------------------------------------------------------------------------------------------


def _rotated(own: Own) -> None:
    own.project.environment["OWN_SECRET"] = OTHER_SECRET


def _not_offered(own: Own) -> None:
    own.simulator.codat[OTHER_KEY].integration.offered = False


OPERATIONS: dict[str, tuple[tuple[str, ...], Callable[[Own], None]]] = {
    "refresh": (("refresh", "--yes", "--skip-preview"), lambda own: None),
    "previewed refresh": (("refresh", "--preview-only"), lambda own: None),
    "up with a refresh": (("up", "--yes", "--skip-preview", "--refresh"), lambda own: None),
    "up with a change": (("up", "--yes", "--skip-preview"), _rotated),
    "destroy": (("destroy", "--yes", "--skip-preview"), lambda own: None),
    "not offered there": (("refresh", "--yes", "--skip-preview"), _not_offered),
}


@pytest.mark.parametrize(("words", "prepare"), OPERATIONS.values(), ids=OPERATIONS)
def test_an_api_key_of_another_codat_client(own: Own, words: tuple[str, ...], prepare: Callable[[Own], None]) -> None:
    """Each operation that would read or write there is refused: both clients, where the key is from, and what to do."""
    other = own.simulator.codat[OTHER_KEY]
    other.integration.enabled, other.integration.keys = True, keys("1000.FOREIGNCLIENTFOREIGNCLIENTFORE", OTHER_SECRET)
    own.up()
    before = own.remote, other.integration.enabled, dict(other.integration.keys)
    prepare(own)
    own.simulator.forget_calls()
    said = own.refused(*words, CODAT_API_KEY=OTHER_KEY)
    assert (
        f"WrongCodatClient: The API key from CODAT_API_KEY opens the Codat client 'Production' ({other.id}), and not "
        f"'Development' ({own.codat.id}), which this was deployed to. Nothing was sent. Use the API key of "
        f"'Development' ({own.codat.id}). If the move is meant, run 'pulumi state delete' on the resource, then 'pulumi up'"
    ) in " ".join(said.split())
    assert (own.remote, other.integration.enabled, dict(other.integration.keys)) == before
    own.project.assert_no_secret(SECRET, OTHER_SECRET, API_KEY, OTHER_KEY)


@pytest.mark.parametrize("way", ["renamed", "--replace", "replace_on_changes"])
def test_an_api_key_of_another_codat_client_and_a_new_resource(own: Own, way: str) -> None:
    """Pulumi creates before it tells of the old one; what a live client holds is not replaced, and it is said loudly."""
    other = own.simulator.codat[OTHER_KEY]
    other.linked, other.integration.enabled, other.integration.keys = 3, True, keys(ID, OTHER_SECRET)
    own.up()
    words: tuple[str, ...] = ("up", "--yes", "--skip-preview")
    if way == "renamed":
        own.write(*MOVES["renamed"])
    elif way == "--replace":
        words += ("--replace", urn("zoho-books"))
    else:
        opts = "pulumi.ResourceOptions(replace_on_changes=['on_delete'], delete_before_replace=True)"
        own.write(f'cz.ZohoBooksIntegration("zoho-books", enabled=True, on_delete="disable", opts={opts}, **keys)')
    own.simulator.forget_calls()
    said = own.refused(*words, CODAT_API_KEY=OTHER_KEY)
    assert "WrongCodatClient" in said or "Is the API key that of the Codat client that is meant?" in said
    assert other.integration.keys == keys(ID, OTHER_SECRET) and own.remote == (True, keys())


def test_a_move_that_is_meant(own: Own) -> None:
    """As the error says: deleted from the state, and created in the other Codat client; the first stays as it is."""
    own.up()
    own.project.must("state", "delete", urn("zoho-books"), "--yes")
    own.up(CODAT_API_KEY=OTHER_KEY)
    assert own.remote == (True, keys())
    assert own.simulator.codat[OTHER_KEY].integration.keys == keys()
    assert own.project.resources()["zoho-books"]["outputs"]["codat_client_name"] == "Production"


def test_codat_does_not_tell_which_client(own: Own) -> None:
    """Nothing is refused, nothing is recorded, and it is said."""
    own.simulator.switches.client_told = False
    own.up()
    outputs = own.project.resources()["zoho-books"]["outputs"]
    assert "codat_client" not in outputs
    assert "codat_client: Codat does not tell this API key which client it opens (403)." in outputs["cannot_tell"]
    own.project.must("refresh", "--yes", "--skip-preview", CODAT_API_KEY=OTHER_KEY)


# --- what Codat withdraws ---------------------------------------------------------------------------------------------


def test_codat_withdraws_the_call_that_reads_keys(deployed: Own) -> None:
    """No drift, no attempt to save, and said; a rotation is sent, and destroying finishes."""
    deployed.simulator.switches.keys_shown = False
    said = deployed.project.must("refresh", "--preview-only", "--expect-no-changes")
    assert "none stored" not in said
    _unchanged(deployed, "--refresh")
    untold = deployed.project.resources()["zoho-books"]["outputs"]["cannot_tell"]
    assert any("does not offer reading the stored keys to this API key (404)" in line for line in untold)
    _rotated(deployed)
    deployed.up()
    assert summary(deployed.simulator) == ["save keys"]
    deployed.codat.linked = 0
    deployed.project.must("destroy", "--yes", "--skip-preview")
    assert deployed.remote == (False, {})


# --- what a preview says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False], ids=["recorded", "unknown when last looked at"])
def test_a_preview_says_whom_an_allowed_change_cuts_off(own: Own, told: bool) -> None:
    """In the preview and in the run, with the number; where it was not told, the run counts."""
    own.simulator.switches.linked_count = told
    own.up()
    own.codat.linked = 3
    own.up("--refresh")
    own.write('cz.ZohoBooksIntegration("zoho-books", enabled=False, allow_disruption=True, **keys)')
    said = "Disabling the integration can cut off 3 linked companies; allow_disruption lets it through."
    previewed = own.project.must("preview")
    assert said in previewed or (not told and "companies that may be linked (Codat does not say how many" in previewed)
    assert said in own.up()
    assert own.remote[0] is False


def test_the_ready_made_project_is_told_its_own_settings(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """A refusal names what is to be set there, which is no argument."""
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        program: dict[str, dict[str, Any]] = {
            "client": {"client_id": ID, "client_secret": SECRET, "regions": ["us"]},
            "books": {"enabled": True},
        }
        project.configure(program)
        assert project.up().returncode == 0, project.said[-1]
        simulator.codat[API_KEY].linked = 3
        project.configure({**program, "books": {"enabled": False}})
        for words in (("up", "--yes", "--skip-preview", "--refresh"), ("destroy", "--yes", "--skip-preview")):
            done = project.run(*words)
            assert done.returncode not in (0, 7)
            assert "set codat-zoho:allowDisruption to true (pulumi config set" in " ".join(done.stdout.split())
            assert "allow_disruption" not in done.stdout

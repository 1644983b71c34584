"""What ``codat-zoho adopt`` decides, says and refuses, without an engine."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from codat_zoho.adopt.decide import Choices, ClientIdNeeded, agreed, decide, describe, only_accepted
from codat_zoho.adopt.import_state import commands, import_file, program, record
from codat_zoho.adopt.run import check_version, recorded_already, targets
from codat_zoho.cli import main
from codat_zoho.core.observe import ActualIntegration, Probe, ProbeResult
from codat_zoho.core.plan import plan
from codat_zoho.errors import ConfigurationError, NotAdopted, SettingsError
from codat_zoho.simulator import Simulator, serve
from codat_zoho.terminal.console import refuse_unwritable
from codat_zoho.workspace.command import Pulumi
from codat_zoho.workspace.pulumi_yaml import find_project
from tests.pulumi_stand_in import books, plugin_state, state
from tests.real_engine import ROOT
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys

MASKED = {"clientId": "X" * 31 + ID[-4:], "clientSecret": "X" * 38 + SECRET[-4:]}
OPAQUE = {"clientId": "*" * 8, "clientSecret": "*" * 8}


@given(
    enabled=st.booleans(),
    stored=st.sampled_from([None, MASKED, OPAQUE, keys(), MASKED | {"environment": "XXXX"}]),
    linked=st.sampled_from([None, 0, 3]),
    secret=st.sampled_from([None, SECRET]),
    leave=st.booleans(),
)
def test_what_is_declared_leaves_nothing_to_do(
    enabled: bool, stored: dict[str, str] | None, linked: int | None, secret: str | None, leave: bool
) -> None:
    """Whatever is there, the plan for what adopting declares is empty: that is what adopting means."""
    actual = ActualIntegration(enabled, stored, linked)
    taken = decide(actual, "default", Choices(ID, secret, leave_keys=leave))
    assert plan(taken.desired, actual).empty
    assert taken.desired.enabled is enabled
    assert (taken.client is None) == (stored is None or leave)


@pytest.mark.parametrize("shown", [MASKED, OPAQUE, {"clientSecret": "****"}])
def test_a_hidden_client_id_must_be_said(shown: dict[str, str]) -> None:
    """A masked or opaque client id is never declared: a person says it."""
    with pytest.raises(ClientIdNeeded, match="--client-id"):
        decide(ActualIntegration(enabled=True, keys=shown), "default", Choices())


@pytest.mark.parametrize(
    "choices", [Choices(OTHER_ID), Choices(ID, OTHER_SECRET)], ids=["another id", "another secret"]
)
def test_what_proves_to_be_different_is_refused(choices: Choices) -> None:
    """A client id or secret that the mask excludes is refused, and the secret is not quoted."""
    with pytest.raises(NotAdopted, match="is not the one that Codat stores") as refused:
        decide(ActualIntegration(enabled=True, keys=MASKED), "default", choices)
    assert OTHER_SECRET not in str(refused.value)


def test_a_mask_given_as_the_client_id_is_refused() -> None:
    """Pasting back what Codat shows is told from an id."""
    with pytest.raises(SettingsError, match="is a mask"):
        decide(ActualIntegration(enabled=True, keys=MASKED), "default", Choices(MASKED["clientId"]))


def test_a_secret_that_nothing_speaks_for_stays_unmanaged() -> None:
    """Behind an opaque mask the given secret is not recorded as if it were in place, and that is said."""
    taken = decide(ActualIntegration(enabled=True, keys=OPAQUE), "default", Choices(ID, SECRET))
    assert taken.desired.client_secret is None
    assert any("cannot be told" in note.text and note.setting == "client_secret" for note in taken.notes)


def test_the_description_never_shows_more_than_the_mask() -> None:
    """Also where Codat shows keys unmasked, at most the secret's last four characters are told."""
    for stored in (keys(), MASKED, OPAQUE):
        assert SECRET not in " ".join(describe(ActualIntegration(enabled=True, keys=stored, linked=1)))


def test_all_data_centres_saying_no_is_a_refusal() -> None:
    """Regions that say no are left out; when all do, nothing is taken over."""
    taken = decide(ActualIntegration(enabled=True, keys=MASKED), "default", Choices(ID, SECRET))
    no = ProbeResult(Probe.UNKNOWN_CLIENT)
    asked = {"us": ProbeResult(Probe.ACCEPTED), "eu": ProbeResult(Probe.INCONCLUSIVE, "busy"), "uk": no}
    kept = only_accepted(taken, asked)
    assert kept.client is not None and kept.client.regions == ("eu", "us")
    assert "us: accepted by Zoho; this does not prove that customers can link" in " ".join(map(str, kept.notes))
    with pytest.raises(NotAdopted, match="accepts client id and secret nowhere"):
        only_accepted(taken, dict.fromkeys(("us", "eu", "uk"), no))


def test_connections_with_one_client_declare_the_same_of_it() -> None:
    """Where one connection cannot tell the secret, the shared resource leaves it out for both."""
    sure = decide(ActualIntegration(enabled=True, keys=MASKED), "default", Choices(ID, SECRET))
    unsure = decide(ActualIntegration(enabled=True, keys=OPAQUE), "other", Choices(ID, SECRET))
    assert [taken.desired.client_secret for taken in agreed([sure, unsure])] == [None, None]
    lines = program(record("dev", agreed([sure, unsure]), None).entries)
    assert lines.count("cz.ZohoClientCredentials(") == 1
    compile(lines, "lines", "exec")


def test_no_text_holds_the_secret() -> None:
    """Import file, commands and program hold the secret encrypted or not at all."""
    taken = decide(ActualIntegration(enabled=True, keys=MASKED), "default", Choices(ID, SECRET))
    project = find_project(ROOT)
    for found in (record("dev", [taken], project), record("dev", [taken], None)):
        content = import_file(found.entries, lambda text: {"ciphertext": "sealed"})
        todo = commands(found, "adopt-dev.json")
        typed = "".join(command.shell() for command in todo)
        assert "ZOHO_CLIENT_SECRET" in typed
        texts = f"{content}{typed}{todo!r}{program(found.entries)}{found!r}{taken!r}"
        assert SECRET not in texts and "sealed" in texts


def test_where_connections_go() -> None:
    """The ready-to-use project has a stack for each connection; a program of one's own one for all."""
    ready, stacks = find_project(ROOT), {"dev": True}
    assert [(p.stack, p.connections, p.exists) for p in targets([], None, ready, stacks)] == [
        ("dev", ["default"], True)
    ]
    two = targets(["prod", "test=dev"], None, ready, stacks)
    assert [(p.stack, p.exists) for p in two] == [("prod", False), ("dev", True)]
    assert [p.connections for p in targets(["a", "b"], "dev", None, stacks)] == [["a", "b"]]
    for connections, stack, project in (
        (["a", "a"], None, ready),
        (["a", "b"], "dev", ready),
        (["a=x"], "y", ready),
        (["a=x"], None, None),
    ):
        with pytest.raises(ConfigurationError):
            targets(connections, stack, project, stacks)
    with pytest.raises(ConfigurationError, match="No stack is selected"):
        targets([], None, ready, {})
    with pytest.raises(SettingsError, match="connection"):
        targets(["Not A Name"], "dev", ready, {})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("client=app,books=", "is not of the form"),
        ("zoho=app", "is not of the form"),
        ("eu:client=app", "names eu, which no --connection does"),
        ("client=app", "a program of your own"),
    ],
)
def test_names_that_cannot_be(name: str, words: str, served: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """What --name cannot mean is one line, before anything is asked."""
    assert main(["adopt", "--stack", "test", "--name", name]) == 1
    assert words in capsys.readouterr().err and not served.calls


def test_an_old_cli_is_refused_with_the_way_around(tmp_path: Path) -> None:
    """Below 3.254 the import would lose inputs: refused before anything is done."""
    command = tmp_path / "pulumi"
    command.write_text("#!/bin/sh\necho v3.253.9\n")
    command.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"3\.253\.9 cannot import"):
        check_version(Pulumi(tmp_path, command=str(command)))


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Simulator]:
    """Keys are stored, there is no pulumi, and the folder is in no project."""
    client = simulator.codat[API_KEY]
    client.integration.enabled, client.integration.keys = True, keys()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)
    with serve(simulator) as base:
        for name, value in {"CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho", "CODAT_API_KEY": API_KEY}.items():
            monkeypatch.setenv(name, value)
        yield simulator


def _typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    typed = itertools.chain(lines)
    monkeypatch.setattr("codat_zoho.adopt.command.interactive", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: next(typed))


def test_a_person_is_asked_for_the_client_id(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a terminal the masked id is asked for; files are written without pulumi or a project at hand."""
    _typing(monkeypatch, ID)
    assert main(["adopt", "--stack", "dev"]) == 0
    assert [path.name for path in tmp_path.glob("adopt-*")] == ["adopt-dev.json"]
    said = capsys.readouterr().out
    assert f'client_id="{ID}"' in said and "pulumi import --stack dev --file adopt-dev.json" in said
    assert not served.writes
    assert API_KEY not in said


def test_enter_leaves_the_keys_unmanaged(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who does not know the client id goes on without: the keys are left out and stay."""
    _typing(monkeypatch, "")
    assert main(["adopt", "--stack", "dev", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "Keys: left out" in said and "ZohoClientCredentials" not in said


@pytest.mark.parametrize("runtime", ["yaml", "nodejs"])
def test_a_program_with_the_plugin_is_told_its_own_way(
    runtime: str, served: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pulumi import` and lines that are YAML; no file, no secret, and no step that only dynamic resources know."""
    served.add_codat_client("key-of-eu", enabled=False, keys=keys())
    monkeypatch.setenv("CODAT_API_KEY_EU", "key-of-eu")
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", SECRET)
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop\nruntime: {runtime}\n")
    ids = ["--client-id", ID]
    assert main(["adopt", "--stack", "dev", "--connection", "default", "--connection", "eu", *ids]) == 0
    said = capsys.readouterr().out
    assert f"The runtime is {runtime}, so the plugin's resources fit: pulumi import takes over." in said
    code = str(runtime != "yaml").lower()
    for name, id_ in (("zoho-books", "default"), ("zoho-books-eu", "eu")):
        assert (
            f"\npulumi import codat-zoho:index:ZohoBooksIntegration {name} {id_} --stack dev --generate-code={code} "
            "--protect=true --yes\n"
        ) in said
    assert "| pulumi config set --secret --stack dev zohoClientSecret\n" in said and SECRET not in said
    lines = said.partition("protected from deletion:\n")[2].partition("That up asks")[0]
    declared = yaml.safe_load(lines)["resources"]
    assert {name: one["properties"] for name, one in declared.items()} == {
        "zoho-client": {"clientId": ID, "clientSecret": "${zohoClientSecret}", "regions": ["eu", "uk", "us"]},
        "zoho-books": {
            "clientId": "${zoho-client.clientId}",
            "clientSecret": "${zoho-client.clientSecret}",
            "enabled": True,
        },
        "zoho-books-eu": {
            "clientId": "${zoho-client.clientId}",
            "clientSecret": "${zoho-client.clientSecret}",
            "connection": "eu",
            "enabled": False,
        },
    }
    assert not served.writes and not list(tmp_path.glob("adopt-*"))
    for word, more in (("--run", []), ("--name", ["client=a,books=b"])):
        assert main(["adopt", "--stack", "dev", *ids, word, *more]) == 1
        assert f"{word} takes over into the dynamic resources of Python programs" in capsys.readouterr().err


def test_what_the_plugin_manages_is_not_adopted_again() -> None:
    """One Codat client has one integration: it is no second resource's too, whatever its name."""
    taken = decide(ActualIntegration(enabled=True, keys=MASKED), "default", Choices(ID))
    held = json.loads(plugin_state(state(books(name="link"))))
    with pytest.raises(NotAdopted, match="manages default already, as a resource of the plugin, link"):
        recorded_already(record("dev", [taken], None), held)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stack", "dev"], "Give it with --client-id"),
        (["--stack", "dev", "--run"], "--run needs a Pulumi project"),
        (["--stack", "dev", "--client-id", f"other={ID}"], "which no --connection does"),
        (["--stack", "dev", "--client-id", ID, "--probe"], "--probe asks Zoho about client id and secret"),
        (["--stack", "dev", "--connection", "other"], "CODAT_API_KEY_OTHER"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], said: str, served: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says why and what to do; no file is written, nothing is sent."""
    assert main(["adopt", *arguments]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not list(tmp_path.glob("adopt-*")) and not served.writes and not served.probes


def test_a_refused_key_has_its_own_exit_code(
    served: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 3, and the key is not shown."""
    monkeypatch.setenv("CODAT_API_KEY", "another-key-5d1e")
    assert main(["adopt", "--stack", "dev"]) == 3
    assert "another-key-5d1e" not in capsys.readouterr().err


def test_a_file_that_is_there_stops_all_files(tmp_path: Path) -> None:
    """None is written then; the error names it."""
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_text("mine")
    with pytest.raises(ConfigurationError, match="there is there already, and nothing is overwritten"):
        refuse_unwritable(new, there)
    assert there.read_text() == "mine" and not new.exists()

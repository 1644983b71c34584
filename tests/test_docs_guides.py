"""The guides are followed on the real engine, as they stand, and lead where they say.

A fenced block says ``part=NAME``, which is what a test here follows, and ``tested=FILE::TEST``, which test does.
"""

from __future__ import annotations

import re
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pytest
import yaml

from codat_zoho.declare.platform import CONFIG_KEYS
from codat_zoho.declare.settings import KEYS
from codat_zoho.simulator import CodatClient, Simulator
from codat_zoho.testing import Mocks
from tests.docs_runner import Block, Terminal, blocks, exit_code
from tests.faults.gate import Gate, family, gated, send
from tests.faults.test_kill_matrix import held
from tests.real_engine import ROOT, Project
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET, keys
from tools.engine import Engine

GUIDES = ROOT / "docs" / "guides"
TEST_KEY = "test-api-key-of-another-client"


def session(page: str, name: str) -> list[Block]:
    """The blocks of a page that belong together."""
    found = [block for block in blocks(GUIDES / page) if block.how.get("part") == name]
    assert found, f"{page} has no block part={name}"
    return found


def _as_typed(line: str) -> str:
    """The line as a reader runs it: placeholders filled in, and yes said to what asks."""
    command = line.partition("  #")[0].rstrip().replace("1000.…", ID)
    for name, made_up in {
        "CODAT_API_KEY": TEST_KEY if "of the other Codat client" in line else API_KEY,
        "CODAT_API_KEY_PROD": API_KEY,
        "CODAT_API_KEY_TEST": TEST_KEY,
        "ZOHO_CLIENT_SECRET": SECRET,
    }.items():
        command = command.replace(f"{name}=…", f"{name}={made_up}")
    if re.match(r"pulumi (up|destroy)\b", command):
        return f"{command} --yes --skip-preview"  # the preview is drawn for eyes
    asks = re.match(r"pulumi (cancel|refresh|stack rm|state move|state delete)\b", command) or " --run" in command
    return f"{command} --yes" if asks else command


@dataclass
class Reader:
    """Somebody with the ready-to-use project, a stack of it, and a shell."""

    project: Project
    simulator: Simulator
    gate: Gate
    terminal: Terminal
    said: str = ""
    secret: str = SECRET  # what is typed where a secret is asked for

    @property
    def client(self) -> CodatClient:
        """The Codat client of the stack."""
        return self.simulator.codat[API_KEY]

    def follow(self, page: str, name: str) -> str:
        """Type the lines of a session; each exits as the page says. Returns what they printed."""
        said = ""
        for block in session(page, name):
            for line in block.lines():
                code, printed = self.terminal.run(_as_typed(line), self.secret if "typed" in block.how else "")
                said += f"$ {line}\n{printed}"
                assert code == exit_code(line), f"{page}:{block.line}: {said}"
        self.said += said
        return said


@contextmanager
def reader(engine: Engine, simulator: Simulator, folder: Path) -> Iterator[Reader]:
    """Give a reader a project with the stack prod, whose client id is configured; the secret is not yet."""
    with gated(simulator) as (base, gate):
        project = Project.copy_of(engine, ROOT, folder / "project", base)
        project.stack = "prod"
        project.must("stack", "init", "prod")
        project.must("config", "set", "zohoClientId", ID)
        terminal = Terminal(project.folder, project.environment)
        try:
            yield Reader(project, simulator, gate, terminal)
        finally:
            terminal.close()


AWS = "secretsmanager get-secret-value --secret-id {} --query SecretString --output text"
STORES = {
    "vault": {
        "kv get -mount=secret -field=api_key codat": API_KEY,
        "kv get -mount=secret -field=client_secret zoho": SECRET,
    },
    "aws": {AWS.format("codat-api-key"): f"{API_KEY}\n", AWS.format("zoho-client-secret"): f"{SECRET}\n"},
    "op": {
        "read op://production/codat/api-key": f"{API_KEY}\n",
        "read op://production/zoho/client-secret": f"{SECRET}\n",
    },
}
"""What stand-ins for the stores' commands print for exactly these arguments."""


def _stand_ins(folder: Path) -> str:
    folder.mkdir()
    for name, answers in STORES.items():
        cases = "".join(f"'{arguments}') printf '%s' '{said}' ;;\n" for arguments, said in answers.items())
        script = folder / name
        script.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}*) echo "unknown: $*" >&2; exit 64 ;;\nesac\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(folder)


@pytest.mark.engine
@pytest.mark.parametrize("store", STORES)
def test_secrets_come_from_a_store(store: str, engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """The API key reaches the provider from the environment alone; neither secret is in clear anywhere, the key nowhere."""
    with reader(engine, simulator, tmp_path) as one:
        one.terminal.run(f"export PATH={_stand_ins(tmp_path / 'bin')}:$PATH; unset CODAT_API_KEY")
        said = one.follow("secret-stores.md", store)
        assert one.simulator.codat[API_KEY].integration.keys == keys()
        assert "ciphertext" in one.project.resources()["zoho-books"]["outputs"]["client_secret"]
        assert "apiKey" not in str(one.project.exported())
        assert "secure:" in (one.project.folder / "Pulumi.prod.yaml").read_text()
        one.project.said.append(said)
        one.project.assert_no_secret(SECRET, API_KEY)


def _yaml(name: str) -> dict[str, object]:
    (block,) = session("secret-stores.md", name)
    assert block.language == "yaml"
    found: dict[str, object] = yaml.safe_load(block.text)
    return found


def _opened(value: object, values: dict[str, object]) -> object:
    """What ESC makes of a value: references are replaced, secrets are their text."""
    if isinstance(value, dict):
        if set(value) == {"fn::secret"}:
            return value["fn::secret"]
        return {name: _opened(one, values) for name, one in value.items()}
    reference = re.fullmatch(r"\$\{(.*)\}", str(value))
    if not reference:
        return value
    found: object = values
    for name in reference[1].split("."):
        assert isinstance(found, dict)
        found = found[name]
    return _opened(found, values)


def test_the_esc_environment_gives_what_is_read() -> None:
    """Each name in it is one that this package reads, each reference leads to a secret, and the API key is no config."""
    values = _yaml("esc-environment")["values"]
    assert isinstance(values, dict)
    opened = _opened(values, values)
    assert isinstance(opened, dict)
    assert opened["environmentVariables"] == {"CODAT_API_KEY": values["codat"]["apiKey"]["fn::secret"]}
    assert opened["pulumiConfig"]["codat-zoho:zohoClientSecret"] == values["zoho"]["clientSecret"]["fn::secret"]
    for key in opened["pulumiConfig"]:
        space, _, name = key.partition(":")
        assert space == "codat-zoho" and name in KEYS and name not in CONFIG_KEYS


@pytest.mark.engine
def test_what_esc_hands_over_deploys(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Set where pulumi runs and in the stack's configuration, as ESC does, it is all that a deployment needs."""
    values = _yaml("esc-environment")["values"]
    assert isinstance(values, dict)
    values["codat"]["apiKey"]["fn::secret"], values["zoho"]["clientSecret"]["fn::secret"] = API_KEY, SECRET
    opened = _opened(values, values)
    assert isinstance(opened, dict)
    with reader(engine, simulator, tmp_path) as one:
        del one.project.environment["CODAT_API_KEY"]
        one.project.must("config", "rm", "zohoClientId")
        for key, value in opened["pulumiConfig"].items():
            one.project.must("config", "set", "--secret", key, stdin=str(value).replace("1000.…", ID))
        assert one.project.up(**opened["environmentVariables"]).returncode == 0, one.project.said[-1]
        assert one.simulator.codat[API_KEY].integration.enabled
        # The engine of these tests has a file backend, which ESC does not serve, and says so in the page's words.
        path = one.project.folder / "Pulumi.prod.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | _yaml("esc-stack")))
        assert one.project.run("preview").returncode != 0
        assert "does not support environments" in one.project.said[-1]
        assert "does not support environments" in (GUIDES / "secret-stores.md").read_text()


def test_a_program_takes_the_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines for a program of one's own declare the client with that secret, and pass the real checks."""
    (block,) = session("secret-stores.md", "program")
    mocks = Mocks()
    mocks.simulator.add_zoho_client(ID, SECRET)
    pulumi.runtime.set_mocks(mocks)
    pulumi.runtime.set_config("project:zohoClientId", ID)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", SECRET)
    _declare(block)
    assert len(mocks.simulator.probes) == 3


@contextmanager
def deployed(engine: Engine, simulator: Simulator, folder: Path) -> Iterator[Reader]:
    """The same with the stack deployed, two companies linked since, and an empty log."""
    with reader(engine, simulator, folder) as one:
        one.project.must("config", "set", "--secret", "zohoClientSecret", stdin=SECRET)
        assert one.project.up().returncode == 0, one.project.said[-1]
        one.client.linked = 2
        simulator.forget_calls()
        yield one
        assert (one.client.integration.enabled, one.client.integration.keys) == (True, keys())
        one.project.said.append(one.said)
        one.project.assert_no_secret(SECRET, API_KEY)


@pytest.mark.engine
def test_a_lost_state(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """The stack is made anew from what is in git and in Codat, and nothing is sent or asked."""
    with deployed(engine, simulator, tmp_path) as one:
        backend = one.project.folder / ".state/backend"
        shutil.rmtree(backend)
        backend.mkdir()
        said = one.follow("disaster.md", "state")
        assert "Nothing differs, and nothing was written" in said
        assert not simulator.writes and not simulator.probes


@pytest.mark.engine
def test_a_lost_state_and_a_change_in_codat(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """What adopt wrote down of a click in the Portal is seen in git, and what was declared is had back from there."""
    with deployed(engine, simulator, tmp_path) as one:
        one.terminal.run(
            "git init -q && git add Pulumi* && git -c user.name=r -c user.email=r@r.test commit -qm settings"
        )
        backend = one.project.folder / ".state/backend"
        shutil.rmtree(backend)
        backend.mkdir()
        one.client.integration.enabled = False
        one.follow("disaster.md", "state")
        assert '+  codat-zoho:enabled: "false"' in one.terminal.run("git diff Pulumi.prod.yaml")[1]
        one.follow("disaster.md", "changed")
        assert [call.detail for call in simulator.writes] == ["enable"]


@pytest.mark.engine
def test_a_lost_passphrase(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """A new stack under a new passphrase manages the same integration, and nothing is sent or asked."""
    with deployed(engine, simulator, tmp_path) as one:
        one.terminal.run("export PULUMI_CONFIG_PASSPHRASE=forgotten")
        code, said = one.terminal.run("pulumi preview")
        assert code != 0 and "incorrect passphrase" in said
        one.follow("disaster.md", "passphrase")
        assert not simulator.writes and not simulator.probes
        one.project.environment["PULUMI_CONFIG_PASSPHRASE"] = "…"
        assert one.project.resources().keys() >= {"zoho-client", "zoho-books"}


@pytest.mark.engine
def test_a_lost_api_key(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Another key of the same Codat client is all that changes."""
    with deployed(engine, simulator, tmp_path) as one:
        one.terminal.run("export CODAT_API_KEY=deleted-in-the-portal")
        assert "Codat refused the API key" in one.follow("disaster.md", "key")
        assert not simulator.writes


@pytest.mark.engine
def test_lost_settings(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """What somebody disabled and deleted is saved and enabled again with companies linked, without a word more."""
    with deployed(engine, simulator, tmp_path) as one:
        one.client.integration.enabled = False
        one.client.integration.keys.clear()
        one.follow("disaster.md", "portal")
        assert [call.detail for call in simulator.writes] == ["save keys", "enable"]


@pytest.mark.engine
def test_a_lost_integration(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """It is told as gone; an up in between does no harm; and once it is back it is adopted."""
    with deployed(engine, simulator, tmp_path) as one:
        one.client.integration.offered = False
        assert "declared present, now gone" in one.follow("disaster.md", "gone")
        assert one.project.up("--refresh").returncode != 0
        assert "NotFound" in one.project.said[-1]
        one.client.integration.offered = True
        one.follow("disaster.md", "back")
        assert not simulator.writes


@pytest.mark.engine
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the processes of a run in /proc")
def test_a_killed_run(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Killed while the keys are saved: the lines bring it to its end, and nothing is left to do."""
    with reader(engine, simulator, tmp_path) as one:
        one.project.must("config", "set", "--secret", "zohoClientSecret", stdin=SECRET)
        one.gate.holds, one.gate.drops = ("PUT /codat/integrations/credentials/rwuv", 1), True
        with held(one.project, one.gate, ("up", "--skip-preview")) as (running, _):
            send(family(running.pid), signal.SIGKILL)
            running.wait()
        one.gate.holds = None
        one.follow("disaster.md", "killed")
        assert (one.client.integration.enabled, one.client.integration.keys) == (True, keys())


@pytest.mark.engine
def test_leaving_keeps_the_settings(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Pulumi forgets the integration, and Codat is sent nothing."""
    with deployed(engine, simulator, tmp_path) as one:
        assert "Codat keeps it as it is" in one.follow("leaving.md", "keep")
        assert not simulator.writes and not simulator.probes
        assert "prod" not in one.project.must("stack", "ls")


@pytest.mark.engine
def test_another_codat_client(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Without its own key the new stack stops, though another key is there; with it, the other client is not touched."""
    simulator.add_codat_client(TEST_KEY)
    with deployed(engine, simulator, tmp_path) as one:
        said = one.follow("environments.md", "another")
        assert "No Codat API key for connection 'test'" in said
        assert simulator.codat[TEST_KEY].integration.enabled
        assert len(simulator.writes) == 2


@pytest.mark.engine
def test_rotating_the_secret(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """In the page's order nothing but the keys is saved; a wrong secret stops before Codat; linked companies stay."""
    with deployed(engine, simulator, tmp_path) as one:
        one.follow("rotation.md", "before")
        simulator.zoho[ID].secret = OTHER_SECRET
        one.project.must("config", "set", "--secret", "zohoClientSecret", stdin=f"{OTHER_SECRET[:-1]}0")
        assert one.project.up().returncode != 0 and "RegionRejected" in one.project.said[-1]
        assert not simulator.writes
        one.secret = OTHER_SECRET
        said = one.follow("rotation.md", "rotate")
        assert "~ client_secret_fingerprint" in said and not re.search(r"[~+-] client_id\s*:", said)
        assert [call.detail for call in simulator.writes] == ["save keys"]
        assert one.client.integration.keys == keys(ID, OTHER_SECRET)
        one.client.integration.keys = keys()  # for what deployed() looks at


@pytest.mark.engine
def test_changing_the_data_centres(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Doctor asks each declared one once; a shorter list sends nothing, and is what is declared then."""
    with deployed(engine, simulator, tmp_path) as one:
        one.follow("regions.md", "ask")
        assert len(simulator.probes) == 3
        simulator.forget_calls()
        one.follow("regions.md", "change")
        assert not simulator.probes and not simulator.writes
        assert one.project.resources()["zoho-client"]["outputs"]["regions"] == ["uk", "us"]


def test_several_codat_clients_in_one_program() -> None:
    """Each integration reaches its own Codat client, with its own keys and data centres."""
    (block,) = session("environments.md", "several")
    mocks = Mocks()
    for name, (client_id, secret) in {"uk": (ID, SECRET), "us": (OTHER_ID, OTHER_SECRET)}.items():
        pulumi.runtime.set_config(f"project:{name}ClientId", client_id)
        pulumi.runtime.set_config(f"project:{name}ClientSecret", secret)
    pulumi.runtime.set_mocks(mocks)
    _declare(block)
    assert mocks.codat("uk").integration.keys == keys()
    assert mocks.codat("us").integration.keys == keys(OTHER_ID, OTHER_SECRET)
    assert len(mocks.simulator.probes) == 3


def _declare(block: Block) -> None:
    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> None:
        exec(compile(block.text, block.page.name, "exec"), {})

    run()


@pytest.mark.engine
def test_moving_into_a_component(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """With the aliases of the page nothing but the component is created, and nothing is deleted."""
    programs = {name: session("renaming.md", name)[0].text for name in ("before", "after")}
    with reader(engine, simulator, tmp_path) as one:
        one.project.must("config", "set", "--secret", "zohoClientSecret", stdin=SECRET)
        program = one.project.folder / "__main__.py"
        program.write_text(programs["before"])
        assert one.project.up().returncode == 0, one.project.said[-1]
        one.client.linked = 2
        simulator.forget_calls()
        program.write_text(programs["after"])
        said = one.follow("renaming.md", "component")
        assert re.search(r"\+ 1 created", said) and "deleted" not in said
        assert not simulator.writes and not simulator.probes


@pytest.mark.engine
def test_moving_to_another_stack(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """The state moves, Codat is sent nothing, and the new stack has nothing to do."""
    with deployed(engine, simulator, tmp_path) as one:
        one.follow("renaming.md", "stack")
        assert not simulator.writes and not simulator.probes


@pytest.mark.engine
@pytest.mark.parametrize("told", [True, False], ids=["Codat tells whose a key is", "Codat does not tell"])
def test_one_connection_for_each_stack(told: bool, engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Another name for the API key reaches the state alone."""
    simulator.switches.client_told = told
    with deployed(engine, simulator, tmp_path) as one:
        one.follow("renaming.md", "connection")
        assert not simulator.writes
        assert one.project.resources()["zoho-books"]["id"] == "prod"


@pytest.mark.engine
def test_a_move_to_another_codat_client(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """Refused at first; forgotten and created anew, the other client is set up and the first one stays."""
    other = simulator.add_codat_client(TEST_KEY)
    with deployed(engine, simulator, tmp_path) as one:
        said = one.follow("renaming.md", "client")
        assert "WrongCodatClient" in said
        assert (other.integration.enabled, other.integration.keys) == (True, keys())

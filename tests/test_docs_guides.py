"""The guides are followed on the real engine, as they stand, and lead where they say."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pytest
import yaml

from codat_zoho.environment import CONFIG_KEYS
from codat_zoho.simulator import Simulator, serve
from codat_zoho.stack_config import KEYS
from codat_zoho.testing import Mocks
from tests.docs_runner import Block, Terminal, blocks, exit_code
from tests.real_engine import ROOT, Project
from tests.support import API_KEY, ID, SECRET, keys
from tools.engine import Engine

GUIDES = ROOT / "docs" / "guides"


def session(page: str, name: str) -> list[Block]:
    """The blocks of a page that belong together."""
    found = [block for block in blocks(GUIDES / page) if block.how.get("session") == name]
    assert found, f"{page} has no block session={name}"
    return found


def _as_typed(line: str) -> str:
    """The line as a reader runs it: placeholders filled in, and yes said to what asks."""
    command = line.partition("  #")[0].rstrip().replace("1000.…", ID)
    if re.match(r"pulumi (up|destroy|stack rm)\b", command) or " --run" in command:
        command += " --yes"
    return command


@dataclass
class Reader:
    """Somebody with the ready-made project, a stack of it, and a shell."""

    project: Project
    simulator: Simulator
    terminal: Terminal
    said: str = ""

    def follow(self, page: str, name: str, typed: str = "") -> str:
        """Type the lines of a session; each exits as the page says. Returns what they printed."""
        said = ""
        for block in session(page, name):
            for line in block.text.splitlines():
                code, printed = self.terminal.run(_as_typed(line), block.how.get("typed", typed))
                said += f"$ {line}\n{printed}"
                assert code == exit_code(line), f"{page}:{block.line}: {said}"
        self.said += said
        return said


@contextmanager
def reader(engine: Engine, simulator: Simulator, folder: Path) -> Iterator[Reader]:
    """Give a reader a project with the stack prod, whose client id is configured; the secret is not yet."""
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT, folder / "project", base)
        project.stack = "prod"
        project.must("stack", "init", "prod")
        project.must("config", "set", "zohoClientId", ID)
        terminal = Terminal(project.folder, project.environment)
        try:
            yield Reader(project, simulator, terminal)
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

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def declare() -> None:
        exec(compile(block.text, block.page.name, "exec"), {})

    declare()
    assert len(mocks.simulator.probes) == 3

"""Shows the package at work: the real engine on this repository's own project, against the simulator.

Each chapter says what happens, types `pulumi` commands, and shows what matters of their output and what Codat and Zoho
were sent; `--full` shows every line. Each step is checked to do what it says. Everything is temporary; Ctrl-C ends it
and leaves nothing behind. It needs nothing but what the package itself needs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho.simulator import Simulator, serve  # noqa: E402
from codat_zoho.simulator.consent import connections, consented  # noqa: E402
from tools.engine import EngineMissing, find_or_build, show  # noqa: E402

STACK = "simulated"
API_KEY = "demo-api-key"
CLIENT_ID = "1000.DEMOCLIENT00000000000000000001"
SECRET = "5111a7ed5ec2e7000000000000000000000000c0de"
NEW_SECRET = "5111a7ed5ec2e7000000000000000000000000f00d"
YAML = """\
name: shop
runtime: yaml
plugins: {providers: [{name: codat-zoho, path: .}]}
"""
IMPORTED = """\
resources:
  zoho-books:
    type: codat-zoho:ZohoBooksIntegration
    properties: {allowDisruption: false, connection: default, enabled: true, onDelete: remove}
    options: {protect: true}
"""
LOOK = ("refresh", "--preview-only", "--expect-no-changes", "--diff")
NOTHING = "(?!)"
COUNTS = r"^ +(?:[-+~] )?(\d+ (?:created|deleted|to update|unchanged|updated))$"
DIFFERENCES = r"^ +(~ (?!pulumi)\w+ *:(?!.*\[secret\]).*)$"
BOLD, DIM, PLAIN = (
    ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("",) * 3
)


class NotAsPromised(Exception):
    """A step did not do what the demo says it does."""


class Demo:
    """A simulator, a copy of the project in a temporary folder, and an engine with its backend and home there."""

    def __init__(self, simulator: Simulator, folder: Path, environment: dict[str, str], *, full: bool) -> None:
        self.simulator = simulator
        self.folder = folder
        self.environment = environment
        self.full = full
        self.width = min(shutil.get_terminal_size((100, 24)).columns, 100)
        self.codat = simulator.add_codat_client(API_KEY)
        self.zoho = simulator.add_zoho_client(CLIENT_ID, SECRET)

    def chapter(self, number: int, title: str, text: str) -> None:
        """Announce what comes next."""
        said = textwrap.fill(f"{number}. {title}. {text}", self.width)
        print(f"\n{BOLD}{said[: len(title) + 4]}{PLAIN}{said[len(title) + 4 :]}", flush=True)

    def run(
        self,
        *arguments: str,
        tool: str = "pulumi",
        typed: str = "",
        told: bool = True,
        shows: str = NOTHING,
        code: int = 0,
        writes: Sequence[str] | None = None,
        probes: int | None = None,
        **environment: str,
    ) -> None:
        """Run a command of pulumi or codat-zoho, show what matters and what was sent, and hold it to what was promised.

        What matters are the first groups of the matches of `shows`, a pattern for lines, and how many resources were
        changed. In full, every line is shown, also of commands that are otherwise not told.
        """
        told = told or self.full
        setting = "".join(f"{name}={value} " for name, value in environment.items())
        command = f"$ {setting}{tool} {' '.join(arguments)}"
        if told:
            gap = "\n" if self.full else ""
            print(f"{gap}{BOLD}{command}{PLAIN}{'  (typed in)' if typed else ''}", flush=True)
        self.simulator.forget_calls()
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"]
            if tool == "pulumi"
            else [sys.executable, "-m", "codat_zoho", *arguments],
            cwd=self.folder,
            # No link on the terminal itself: the person here is a function.
            env=self.environment | environment | ({} if tool == "pulumi" else {"CI": "true"}),
            input=typed or None,
            stdin=None if typed else subprocess.DEVNULL,
            stdout=None if self.full else subprocess.PIPE,
            stderr=None if self.full else subprocess.STDOUT,
            text=True,
        )
        said = done.stdout or ""
        with self.simulator.lock:
            sent = [call.detail for call in self.simulator.writes]
            asked, read = len(self.simulator.probes), len(self.simulator.of_kind("read"))
        for line in dict.fromkeys(re.findall(shows, said, re.MULTILINE)):
            print(textwrap.fill(line, self.width, initial_indent="    ", subsequent_indent="      "))
        if arguments[0] in ("preview", "up", "refresh", "destroy", "test-link") and told:
            counts = [f"{', '.join(found)}; " for found in [re.findall(COUNTS, said, re.MULTILINE)] if found]
            zoho = f"; Zoho: {_many(asked, 'probe')}" if tool == "pulumi" else ""
            result = (
                f"-> {''.join(counts)}exit {done.returncode}; Codat: {_many(read, 'read')}, {_many(len(sent), 'write')}"
                f"{' (' + ', '.join(sent) + ')' if sent else ''}{zoho}"
            )
            print(f"{DIM}{textwrap.fill(result, self.width, subsequent_indent='   ')}{PLAIN}", flush=True)
        if done.returncode != code or (writes is not None and sent != list(writes)) or probes not in (None, asked):
            raise NotAsPromised(f"{command}\npromised: exit {code}, writes {writes}, probes {probes}\n{said}".strip())


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def from_nothing(demo: Demo) -> None:
    """The first deployment, and a second one."""
    demo.run("stack", "init", STACK, told=False)
    demo.run("config", "set", "zohoClientId", CLIENT_ID, told=False)
    demo.run("config", "set", "--secret", "zohoClientSecret", typed=SECRET, told=False)
    demo.run("preview", told=False, writes=[], probes=0)
    demo.run("up", "--yes", "--skip-preview", writes=["save keys", "enable"], probes=3)
    demo.run("up", "--yes", "--skip-preview", "--expect-no-changes", writes=[], probes=0)


def clicks(demo: Demo) -> None:
    """Drift, and its repair."""
    with demo.simulator.lock:
        demo.codat.integration.enabled = False
        demo.codat.integration.keys["clientSecret"] = "0" * 38 + "0bad"
    demo.run(*LOOK, shows=DIFFERENCES, code=7, writes=[], probes=0)
    demo.run("up", "--refresh", "--yes", "--skip-preview", writes=["save keys", "enable"], probes=0)


def new_secret(demo: Demo) -> None:
    """A rotation."""
    demo.zoho.secret = NEW_SECRET
    demo.run("config", "set", "--secret", "zohoClientSecret", typed=NEW_SECRET, told=False)
    demo.run("preview", "--diff", shows=DIFFERENCES, writes=[], probes=0)
    demo.run("up", "--yes", "--skip-preview", writes=["save keys"], probes=3)


def customer(demo: Demo) -> None:
    """A link that is tried out, by a person who consents."""
    link, before = demo.folder / "link", set(demo.codat.companies)

    def person() -> None:
        while not link.exists():
            time.sleep(0.1)
        with demo.simulator.lock:
            consented(demo.simulator, connections(demo.simulator)[-1], "us")

    Thread(target=person, daemon=True).start()
    shows = r"^((?:Linked|Proves): .*?)[.:](?: .*)?$"
    writes = ["create company", "create connection", "delete company"]
    demo.run(
        "test-link", "--stack", STACK, "--yes", "--link-file", link.name, tool="codat-zoho", shows=shows, writes=writes
    )
    if set(demo.codat.companies) != before or link.exists():
        raise NotAsPromised("The test company or its link is left.")


def data_centre(demo: Demo) -> None:
    """Zoho no longer accepts the client everywhere."""
    demo.zoho.enabled.discard("uk")
    shows = r"^(?:codat-zoho: )?(regions: .*?accept both)"
    demo.run(*LOOK, shows=shows, code=7, writes=[], probes=3, CODAT_ZOHO_VERIFY="always")
    demo.zoho.enabled.add("uk")


def cut_off(demo: Demo) -> None:
    """What would cut off linked companies."""
    demo.codat.linked = 3
    demo.run("config", "set", "enabled", "false")
    shows = r"^ +error: (PlanBlocked: .*? nothing was changed)"
    demo.run("up", "--yes", "--skip-preview", shows=shows, code=1, writes=[], probes=0)
    demo.run("config", "set", "enabled", "true", told=False)


def in_yaml(demo: Demo) -> None:
    """The plugin, in a project of its own."""
    if not shutil.which("pulumi-language-yaml", path=demo.environment["PATH"]):
        print("Left out: this engine has no pulumi-language-yaml beside it.")
        return
    before, demo.folder = demo.folder, demo.folder.with_name("yaml")
    demo.folder.mkdir()
    plugin = demo.folder / "pulumi-resource-codat-zoho"
    start = "from codat_zoho.plugin.server import main; main()"  # not after #!, which takes no space in a path
    plugin.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{start}" "$@"\n', encoding="utf-8")
    plugin.chmod(0o755)
    (demo.folder / "Pulumi.yaml").write_text(YAML, encoding="utf-8")
    demo.run("stack", "init", STACK, told=False)
    type_ = "codat-zoho:index:ZohoBooksIntegration"
    shows = r"^ +((?:type|enabled): .*)$"
    demo.run("import", type_, "zoho-books", "default", "--yes", shows=shows, writes=[], probes=0)
    with (demo.folder / "Pulumi.yaml").open("a", encoding="utf-8") as program:
        program.write(IMPORTED)
    demo.run("up", "--yes", "--skip-preview", "--expect-no-changes", writes=[], probes=0)
    demo.folder = before


def tear_down(demo: Demo) -> None:
    """The end."""
    demo.codat.linked = 0
    demo.run("destroy", "--yes", "--skip-preview", writes=["disable", "delete keys"], probes=0)


CHAPTERS: dict[tuple[str, str], Callable[[Demo], None]] = {
    (
        "From nothing",
        "The first `up` asks three Zoho data centres whether they accept the client, saves the keys in Codat, and "
        "enables the integration. The second sends nothing.",
    ): from_nothing,
    (
        "Somebody clicks in the Codat Portal",
        "The integration is disabled, another secret saved. Looking for drift writes nothing, and exits with 7; "
        "a secret shows as its fingerprint.",
    ): clicks,
    ("A new secret", "A reviewer sees by its fingerprint that it changes, and nobody sees the secret."): new_secret,
    (
        "A customer can link",
        "`test-link` creates a company, waits until a person links it, and deletes it.",
    ): customer,
    (
        "A data centre is switched off",
        "Zoho is asked when something changed, or somebody wants to know.",
    ): data_centre,
    (
        "What would cut off customers is refused",
        "Three have linked: disabling must be allowed explicitly.",
    ): cut_off,
    (
        "The same in YAML",
        "`pulumi import` takes the integration over, and prints the program.",
    ): in_yaml,
    ("Tear down", "The companies are gone. Destroying disables the integration, then deletes the keys."): tear_down,
}
"""The story: what is said, and what is done. Each chapter leaves the stack deployed as `from_nothing` does."""

NEXT = f"""
{BOLD}That was all of it{PLAIN}; nothing is left behind. Next, in the folder of a Pulumi project of your own:
  python3 -m venv .venv && .venv/bin/pip install {shlex.quote(str(ROOT))}
  .venv/bin/codat-zoho doctor         says what is set up and what is missing
  .venv/bin/codat-zoho adopt --help   takes over what was clicked together in the Portal
No project yet? docs/start.md makes one in ten minutes. `make demo FULL=1` shows every line of this."""


def project(folder: Path) -> None:
    """Copy the project of the repository's root, and let it use this Python."""
    folder.mkdir()
    shutil.copy(ROOT / "__main__.py", folder)
    own = re.sub(
        r"(?m)^( +virtualenv:).*$",
        lambda line: f"{line[1]} {json.dumps(sys.prefix)}",
        (ROOT / "Pulumi.yaml").read_text(encoding="utf-8"),
    )
    (folder / "Pulumi.yaml").write_text(own, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Play, and clean up whatever happens."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        engine = find_or_build()
        simulator = Simulator()
        with tempfile.TemporaryDirectory(prefix="codat-zoho-demo-") as place, serve(simulator) as base:
            project(folder := Path(place, "project"))
            stage = {
                "PULUMI_BACKEND_URL": Path(place).as_uri(),
                "PULUMI_HOME": f"{place}/home",
                "PULUMI_CONFIG_PASSPHRASE": "only for this demo",
                "PYTHONPATH": str(ROOT),
                "CODAT_URL": f"{base}/codat",
                "ZOHO_URL": f"{base}/zoho",
                "CODAT_API_KEY": API_KEY,
            }
            kept = {
                name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "CODAT_", "ZOHO_"))
            }
            environment = engine.environment(kept, python=Path(sys.executable)) | stage
            print(f"Engine: pulumi {engine.version} ({engine.origin}). Simulator of Codat and Zoho: {base}")
            demo = Demo(simulator, folder, environment, full="--full" in arguments)
            for number, ((title, text), act) in enumerate(CHAPTERS.items(), 1):
                demo.chapter(number, title, text)
                act(demo)
    except NotAsPromised as broken:
        print(f"\nThe demo did not go as promised: {broken}", file=sys.stderr)
        return 1
    except EngineMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        show("\nInterrupted; everything temporary is removed.")
        return 130
    except BrokenPipeError:  # who reads has read enough, `head` for example
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    print(NEXT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

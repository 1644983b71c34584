"""Shows the package at work: the real engine on this repository's own project, against the simulator.

It prints each `pulumi` command before it runs, and afterwards what Codat and Zoho were sent, and checks that each step
does what it says. Everything is temporary; Ctrl-C ends it and leaves nothing behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from codat_zoho.simulator import Simulator, serve  # noqa: E402
from tools.engine import EngineMissing, find_or_build  # noqa: E402

STACK = "simulated"
CONFIG = ROOT / f"Pulumi.{STACK}.yaml"
API_KEY = "demo-api-key"
CLIENT_ID = "1000.DEMOCLIENT00000000000000000001"
SECRET = "5111a7ed5ec2e7000000000000000000000000c0de"
NEW_SECRET = "5111a7ed5ec2e7000000000000000000000000f00d"
BOLD, DIM, PLAIN = (
    ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("",) * 3
)


class NotAsPromised(Exception):
    """A step did not do what the demo says it does."""


class Demo:
    """A simulator, and an engine with its backend and home in a temporary folder."""

    def __init__(self, simulator: Simulator, environment: dict[str, str]) -> None:
        self.simulator = simulator
        self.environment = environment
        self.codat = simulator.add_codat_client(API_KEY)
        self.zoho = simulator.add_zoho_client(CLIENT_ID, SECRET)

    def chapter(self, title: str, text: str) -> None:
        """Announce what comes next."""
        print(f"\n{BOLD}{title}{PLAIN}\n{textwrap.fill(text, 100)}", flush=True)

    def run(
        self,
        *arguments: str,
        typed: str = "",
        code: int = 0,
        writes: Sequence[str] | None = None,
        probes: int | None = None,
        **environment: str,
    ) -> None:
        """Run a pulumi command, then say what was sent, and compare with what was promised."""
        setting = "".join(f"{name}={value} " for name, value in environment.items())
        print(f"\n{BOLD}$ {setting}pulumi {' '.join(arguments)}{PLAIN}{'  (typed in)' if typed else ''}", flush=True)
        self.simulator.forget_calls()
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=ROOT,
            env=self.environment | environment,
            input=typed or None,
            stdin=None if typed else subprocess.DEVNULL,
            text=True,
        )
        with self.simulator.lock:
            sent = [call.detail for call in self.simulator.writes]
            asked, read = len(self.simulator.probes), len(self.simulator.of_kind("read"))
        if arguments[0] in ("preview", "up", "refresh", "destroy"):
            print(
                f"{DIM}-> exit {done.returncode}; Codat: {read} reads, {len(sent)} writes"
                f"{' (' + ', '.join(sent) + ')' if sent else ''}; Zoho: {asked} probes{PLAIN}",
                flush=True,
            )
        if done.returncode != code or (writes is not None and sent != list(writes)) or probes not in (None, asked):
            raise NotAsPromised(f"promised: exit {code}, writes {writes}, probes {probes}")


def play(demo: Demo) -> None:
    """The story."""
    demo.chapter(
        "1. From nothing",
        "A stack with a Zoho client id and secret. A preview asks nobody anything; the first `up` asks three Zoho "
        "data centres whether they accept the client, saves the keys in Codat, reads them back, and enables the "
        "integration.",
    )
    demo.run("stack", "init", STACK)
    demo.run("config", "set", "zohoClientId", CLIENT_ID)
    demo.run("config", "set", "--secret", "zohoClientSecret", typed=SECRET)
    demo.run("preview", writes=[], probes=0)
    demo.run("up", "--yes", "--skip-preview", writes=["save keys", "enable"], probes=3)

    demo.chapter("2. Again", "Nothing has changed, so nothing is sent and nobody is asked.")
    demo.run("up", "--yes", "--skip-preview", "--expect-no-changes", writes=[], probes=0)

    demo.chapter(
        "3. Somebody clicks in the Codat Portal",
        "The integration is disabled and another secret saved. Looking for drift runs no program and writes nothing; "
        "exit code 7 means that something differs. Codat shows stored keys only as masks, so the secret shows as a "
        "fingerprint.",
    )
    with demo.simulator.lock:
        demo.codat.integration.enabled = False
        demo.codat.integration.keys["clientSecret"] = "0" * 38 + "0bad"
    demo.run("refresh", "--preview-only", "--expect-no-changes", "--diff", code=7, writes=[], probes=0)
    demo.run("up", "--refresh", "--yes", "--skip-preview", writes=["save keys", "enable"], probes=0)

    demo.chapter(
        "4. A new secret",
        "Somebody generates a new secret in Zoho's console. A reviewer sees which secret it is by its fingerprint, and "
        "nobody sees the secret.",
    )
    demo.zoho.secret = NEW_SECRET
    demo.run("config", "set", "--secret", "zohoClientSecret", typed=NEW_SECRET)
    demo.run("preview", "--diff", writes=[], probes=0)
    demo.run("up", "--yes", "--skip-preview", writes=["save keys"], probes=3)

    demo.chapter(
        "5. A data centre is switched off in Zoho's console",
        "Zoho is asked only when something changed, or when somebody wants to know.",
    )
    demo.zoho.enabled.discard("uk")
    arguments = ("refresh", "--preview-only", "--expect-no-changes", "--diff")
    demo.run(*arguments, code=7, writes=[], probes=3, CODAT_ZOHO_VERIFY="always")
    demo.zoho.enabled.add("uk")

    demo.chapter(
        "6. What would cut off customers is refused",
        "Three companies have linked their books. Disabling the integration now has to be allowed explicitly.",
    )
    demo.codat.linked = 3
    demo.run("config", "set", "enabled", "false")
    demo.run("up", "--yes", "--skip-preview", code=1, writes=[], probes=0)
    demo.run("config", "set", "enabled", "true")

    demo.chapter(
        "7. Tear down", "The companies are gone again. Destroying disables the integration, then deletes the keys."
    )
    demo.codat.linked = 0
    demo.run("destroy", "--yes", "--skip-preview", writes=["disable", "delete keys"], probes=0)


def main() -> int:
    """Play, and clean up whatever happens."""
    try:
        engine = find_or_build()
        simulator = Simulator()
        with tempfile.TemporaryDirectory(prefix="codat-zoho-demo-") as folder, serve(simulator) as base:
            stage = {
                "PULUMI_BACKEND_URL": Path(folder).as_uri(),
                "PULUMI_HOME": f"{folder}/home",
                "PULUMI_CONFIG_PASSPHRASE": "only for this demo",
                "CODAT_URL": f"{base}/codat",
                "ZOHO_URL": f"{base}/zoho",
                "CODAT_API_KEY": API_KEY,
            }
            kept = {
                name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "CODAT_", "ZOHO_"))
            }
            environment = engine.environment(kept, python=Path(sys.executable)) | stage
            print(f"Engine: pulumi {engine.version} ({engine.origin}). Simulator of Codat and Zoho: {base}")
            try:
                play(Demo(simulator, environment))
            finally:
                CONFIG.unlink(missing_ok=True)
    except NotAsPromised as broken:
        print(f"\nThe demo did not go as promised: {broken}", file=sys.stderr)
        return 1
    except EngineMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything temporary is removed.", file=sys.stderr)
        return 130
    print(
        f"\n{BOLD}That was all of it.{PLAIN} Nothing is left behind. "
        "README.md says how to use it on your own Codat client."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

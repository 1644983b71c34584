"""Runs the user's own ``pulumi``, so that it can be stopped, and tells in one line what went wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

from codat_zoho.declare.platform import NAMESPACE, SECRET, SIGNATURE
from codat_zoho.errors import ConfigurationError
from codat_zoho.texts.redact import one_line, register
from codat_zoho.workspace.failures import AUTHENTICATION, Failed, Failure, from_output

TOO_LONG = Failure("timeout", "It took longer than --timeout allows, and was ended.")
IMPORTS_DYNAMIC = "3.254.0"
"""The first Pulumi CLI whose import takes inputs and outputs from the file, as dynamic resources need."""
_INSTALL = "Install Pulumi (https://www.pulumi.com/docs/install/) and put it on PATH."
_SECONDS, _UP_SECONDS = 120.0, 3600.0
_GRACE, _UP_GRACE = 3.0, 120.0  # An update has a lock to give back, and must be let to.
_NOT_LOGGED_IN = 3
_WHY = r'"severity": ?"error"|"message": ?"\\u001b\[31mError'
"""What says in a preview's JSON that it failed; the latter is the YAML host's."""
_KEYS = ("CODAT_API_KEY", "ZOHO_CLIENT_SECRET")


def version_of(text: str) -> tuple[int, ...]:
    """Make a version comparable: ``v3.254.0-dev.1`` is (3, 254, 0)."""
    match = re.search(r"\d{1,9}(?:\.\d{1,9})*", text)
    return tuple(map(int, match[0].split("."))) if match else ()


def is_listed(stack: str, stacks: Iterable[str]) -> bool:
    """A backend may list ``dev`` for ``acme/codat-zoho/dev``, or the other way round."""
    return any(stack == one or stack.endswith(f"/{one}") or one.endswith(f"/{stack}") for one in stacks)


class Stopped(Exception):
    """The run was interrupted."""


class TimedOut(Exception):
    """The command took too long."""


class Children:
    """The commands of one run. Threads share it."""

    def __init__(self) -> None:
        self.stopping = Event()
        self._running: dict[subprocess.Popen[str], float] = {}
        self._lock = Lock()

    def run(
        self,
        command: Sequence[str],
        cwd: str | Path,
        env: Mapping[str, str],
        *,
        seconds: float,
        grace: float,
        given: str = "",
    ) -> tuple[int, str, str]:
        """Run a command to its end and return its exit code, output and error output.

        After ``seconds`` it is told to end, is killed ``grace`` seconds later, and this raises ``TimedOut``. ``given``
        is what it reads on standard input: any user of the machine could read a secret on a command line.
        """
        with self._lock:
            if self.stopping.is_set():
                raise Stopped
            child = subprocess.Popen(  # noqa: S603 - a list of words, no shell
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                # A Ctrl-C at the terminal must not reach it twice, and its session finds all that it starts.
                start_new_session=True,
            )
            self._running[child] = grace
        try:
            out, err = child.communicate(given or None, timeout=seconds)
        except subprocess.TimeoutExpired:
            _signal(child)
            _end(child, grace)
            _kill_session(child.pid)  # What it left behind may hold its output open.
            child.communicate()
            self._ended(child)
            raise TimedOut from None
        # Where this thread is interrupted itself, it stays among those that run, for ``stop`` to end.
        self._ended(child)
        if self.stopping.is_set():
            raise Stopped
        return child.returncode, out, err

    def _ended(self, child: subprocess.Popen[str]) -> None:
        with self._lock:
            del self._running[child]

    def wait(self, seconds: float) -> None:
        """Wait, as long as the run goes on; once it is stopped, this raises ``Stopped``."""
        if self.stopping.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """End everything that runs and start nothing any more. Called again, it kills what does not end by itself."""
        again = self.stopping.is_set()
        self.stopping.set()
        with self._lock:
            running = dict(self._running)
        for child in running:
            _signal(child)
        for child, grace in running.items():
            _end(child, 0.0 if again else grace)


def _signal(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)


def _end(child: subprocess.Popen[str], grace: float) -> None:
    """Wait for a child that was told to end; kill it, and all that it started, where that is not soon enough."""
    try:
        if grace:
            child.wait(grace)
            return
    except subprocess.TimeoutExpired:
        pass
    _kill_session(child.pid)


def _kill_session(leader: int) -> None:
    for pid in _processes():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


def _processes() -> list[int]:
    if Path("/proc/self/stat").exists():
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False)  # noqa: S607
    return [int(word) for word in listed.stdout.split()]


@dataclass(frozen=True)
class Pulumi:
    """The command, run in one folder. Threads share it."""

    folder: Path
    children: Children = field(default_factory=Children)
    command: str = "pulumi"

    @classmethod
    def find(cls, folder: Path) -> Pulumi | None:
        """Find it on PATH."""
        command = shutil.which("pulumi")
        return cls(folder, command=command) if command else None

    def run(
        self, *words: str, given: str = "", seconds: float = _SECONDS, grace: float = _GRACE, keys: bool = False
    ) -> str:
        """Run a command and return what it prints; a failure is raised as ``Failed``.

        ``given`` goes to its standard input. With ``keys`` it gets those in the environment, since it runs the program.
        """
        env = {name: value for name, value in os.environ.items() if keys or not name.startswith(_KEYS)}
        env |= {"PULUMI_SKIP_UPDATE_CHECK": "true", "NO_COLOR": "1"}
        command = [self.command, "--non-interactive", *words]
        shown = f"`pulumi {' '.join(words[:2])}`"
        try:
            code, out, err = self.children.run(command, self.folder, env, seconds=seconds, grace=grace, given=given)
        except FileNotFoundError:
            raise ConfigurationError("There is no pulumi on PATH.", _INSTALL) from None
        except OSError as problem:
            raise ConfigurationError(f"pulumi cannot be started ({type(problem).__name__}).", _INSTALL) from None
        except TimedOut:
            raise Failed(TOO_LONG, f"{shown} took longer than {seconds:.0f} seconds and was ended.") from None
        except KeyboardInterrupt:
            self.children.stop()
            raise
        # A preview that fails says why in its JSON, and one that is to be empty what it holds.
        told = out.lstrip().startswith("{") and ("--expect-no-changes" in words or re.search(_WHY, out))
        if code and not (words[0] in ("preview", "refresh") and told):
            failure = from_output(out, err)
            if code == _NOT_LOGGED_IN:
                failure = Failure(AUTHENTICATION, failure.text)
            said = [line.removeprefix("error: ") for line in err.splitlines() if line.strip()]
            raise Failed(failure, f"{shown} fails: {one_line(said[-1] if said else 'it does not say why')}.")
        return out

    def _json(self, *words: str) -> Any:
        try:
            return json.loads(self.run(*words))
        except (ValueError, RecursionError):
            raise Failed(Failure("pulumi", f"'pulumi {' '.join(words)}' does not print JSON.")) from None

    def version(self) -> str:
        """Its version, for example ``3.259.0``."""
        return self.run("version").strip().removeprefix("v")

    def backend(self) -> str:
        """Where state is kept."""
        return one_line(str(self._json("whoami", "--json", "--verbose").get("url") or "unknown"))

    def stacks(self) -> dict[str, bool]:
        """The stacks of the project, and whether each is the selected one."""
        told = self.run("stack", "ls", "--json")
        try:
            return {str(one["name"]): bool(one.get("current")) for one in json.loads(told)}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Failed(Failure("pulumi", "'pulumi stack ls --json' does not print a list of stacks.")) from None

    def export(self, stack: str, seconds: float = _SECONDS, *, secrets: bool = True) -> str:
        """Export a stack's state."""
        shown = ["--show-secrets"] if secrets else []
        return self.run("stack", "export", *shown, f"--stack={stack}", seconds=seconds)

    def environment(self, name: str, seconds: float) -> str:
        """Open an ESC environment, as JSON."""
        return self.run("env", "open", "--format", "json", "--", name, seconds=seconds)

    def preview(self, stack: str, seconds: float) -> str:
        """Preview a stack as JSON. This runs the program; a preview that fails says so in the JSON."""
        return self.run("preview", "--json", f"--stack={stack}", seconds=seconds, keys=True)

    def up(self, stack: str) -> None:
        """Restore what a stack declares."""
        words = ["up", "--yes", "--skip-preview", "--refresh", "--color", "never", f"--stack={stack}"]
        self.run(*words, seconds=_UP_SECONDS, grace=_UP_GRACE, keys=True)

    def config(self, stack: str) -> dict[str, Any]:
        """Configuration of a stack as programs get it, decrypted; what is secret in it is never shown again."""
        told = self._json("config", "--json", "--show-secrets", "--stack", stack)
        for entry in told.values():
            if entry.get("secret"):
                register(entry.get("value"))
        return {key: entry.get("value") for key, entry in told.items()}

    def secret_keys(self, stack: str) -> frozenset[str]:
        """The keys of a stack's configuration that are encrypted."""
        told = self._json("config", "--json", "--stack", stack)
        return frozenset(key for key, entry in told.items() if entry.get("secret"))

    def encrypted(self, stack: str, settings: Path, value: str) -> dict[str, str]:
        """Encrypt a text as the stack's state holds it, without touching the stack or its settings file."""
        import yaml  # Comes with pulumi.

        register(value)
        key = f"{NAMESPACE}:encrypted"
        with tempfile.TemporaryDirectory(prefix="codat-zoho-") as folder:
            copy = Path(folder, "Pulumi.copy.yaml")
            # Which key encrypts is in the stack's settings; values of others stay out of the copy.
            kept = yaml.safe_load(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
            copy.write_text(yaml.safe_dump({k: v for k, v in (kept or {}).items() if k != "config"}), encoding="utf-8")
            words = ["config", "set", "--secret", "--stack", stack, "--config-file", str(copy), key]
            self.run(*words, given=json.dumps(value))  # State holds values as JSON.
            ciphertext = yaml.safe_load(copy.read_text(encoding="utf-8"))["config"][key]["secure"]
        return {SIGNATURE: SECRET, "ciphertext": str(ciphertext)}

"""Find a `pulumi` engine for tests and the demo, or get one where the machine has none.

Tried in this order: `pulumi` on PATH, the cache folder, the installer of Pulumi's Python SDK, a build of Pulumi's Go
modules (`pulumi-cli/go.mod`: the CLI and the language host for YAML programs). What is installed or built goes to the
user's cache folder, never into the checkout.

    python tools/engine.py                     says where the engine is, and gets it first when need be
    python tools/engine.py notice              says what getting one takes, where there is none; gets nothing
    python tools/engine.py exec pulumi up      runs a command that finds this engine and the Python it is run with
    eval "$(python tools/engine.py env)"       lets this shell find both, until it is closed

`CODAT_ZOHO_ENGINE=path` allows only PATH; `CODAT_ZOHO_ENGINE=build` only the cache and the Go build.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
MODULE = TOOLS / "pulumi-cli"
STAND_IN = TOOLS / "language_host" / "pulumi-language-python"
CLI, SDK = "github.com/pulumi/pulumi/pkg/v3", "github.com/pulumi/pulumi/sdk/v3"
YAML = "github.com/pulumi/pulumi-yaml"
PROGRAMS = {"pulumi": f"{CLI}/cmd/pulumi", "pulumi-language-yaml": f"{YAML}/cmd/pulumi-language-yaml"}

PINNED = dict(re.findall(r"^\s*(go|\S+/v3|\S+-yaml) v?([\d.]+)", (MODULE / "go.mod").read_text(), re.MULTILINE))
VERSION, GO = PINNED[CLI], PINNED["go"]
MINIMUM = "3.227"  # the first CLI whose exit codes tell drift from failure
PACKAGES = 1755  # `go list -deps` of both programs, for the progress line only
INSTALL_SECONDS = 300
BUILD_MINUTES = 4  # on two cores, Go's caches empty
INSTALL_PAGE = "https://www.pulumi.com/docs/install/"
BUILT = "built with Go"
LOG = "log.txt"
MARK = "without-official-language-host"  # a file in the cache folder of an engine built with Go

INSTALL = """
import socket, subprocess, sys
socket.setdefaulttimeout(10)
from pulumi.automation import PulumiCommand
from semver import VersionInfo
try:
    PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
except subprocess.CalledProcessError as failed:
    sys.exit((failed.output or b"").decode(errors="replace") or str(failed))
"""

Progress = Callable[[str], object]
PASSING = "\r"  # ends a line that the next one replaces


def show(text: str) -> None:
    """Print a line on stderr. On a terminal, the next one takes the place of one that ends in `PASSING`."""
    if not sys.stderr.isatty():
        print(text.rstrip(PASSING), file=sys.stderr, flush=True)
        return
    shown = text[: shutil.get_terminal_size().columns - 1].rstrip(PASSING) if text.endswith(PASSING) else text
    print(f"\r\033[K{shown}", end="" if text.endswith(PASSING) else "\n", file=sys.stderr, flush=True)


class EngineMissing(Exception):
    """There is no engine and no way to get one; the text tells what was tried and what to install."""


class _Closed(Exception):
    """One of the ways to an engine is closed; the text says why."""


@dataclass(frozen=True)
class Engine:
    """A usable engine. `origin` is one of "PATH", "cache", "installer", "built with Go"."""

    pulumi: Path
    language_host: Path
    version: str
    origin: str

    def environment(self, base: Mapping[str, str], *, python: Path) -> dict[str, str]:
        """Return `base` with this engine and `python` first on PATH, and with downloads of plugins switched off.

        The backend, the passphrase and PULUMI_HOME are left to the caller.
        """
        engine = [self.pulumi.parent, self.language_host.parent]
        own = [python.absolute().parent]  # not resolved: the Python of a virtual environment is a link
        # The cache folder holds the engine alone; beside an installed one there may be another Python.
        folders = own + engine if self.origin == "PATH" else engine + own
        return {
            **base,
            "PATH": os.pathsep.join([*dict.fromkeys(map(str, folders)), base.get("PATH", os.defpath)]),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def find_or_build(progress: Progress = show, *, python: Path = Path(sys.executable)) -> Engine:
    """Return an engine, after some minutes where it must be built. `python`, with pulumi in it, runs the installer.

    Raises EngineMissing where there is none and no way to get one.
    """
    only = os.environ.get("CODAT_ZOHO_ENGINE", "")
    tried: list[str] = []
    if only != "build":
        try:
            return _engine(os.environ.get("PATH", os.defpath), "PATH")
        except _Closed as closed:
            tried.append(f"PATH: {closed}")
    if only == "path" or sys.platform == "win32":  # the stand-in language host is for POSIX
        raise _missing(tried)
    home = _home()
    root = home.parent
    with contextlib.suppress(_Closed):
        return _cached(home, "cache")
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / f"{home.name}.lock", progress):
        with contextlib.suppress(_Closed):
            return _cached(home, "cache")  # whoever held the lock has made it
        for leftover in root.glob(f"{home.name}.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not (home / MARK).exists() or not _lacking(home):
            shutil.rmtree(home, ignore_errors=True)
        # Others may be running an older engine that only lacks a program: it stays, and gets it.
        lacking, completes = _lacking(home), home.exists()
        for origin, get in {"installer": _install, BUILT: _build}.items():
            if (only == "build" or completes) and origin != BUILT:
                continue
            partial = Path(tempfile.mkdtemp(prefix=f"{home.name}.partial-", dir=root))
            try:
                get(partial, progress, python, lacking)
                if completes:
                    for name in lacking:
                        _place(partial / "bin" / name, home / "bin" / name)
                else:
                    partial.rename(home)  # at once or not at all: a killed build leaves no half engine
                return _cached(home, origin)
            except _Closed as closed:
                progress(f"pulumi: {origin}: {closed}")
                tried.append(f"{origin}: {closed}")
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    raise _missing(tried)


def find() -> Engine:
    """Return an engine that is there already, on PATH or in the cache; build nothing.

    Raises EngineMissing where there is none.
    """
    with contextlib.suppress(_Closed):
        return _engine(os.environ.get("PATH", os.defpath), "PATH")
    with contextlib.suppress(_Closed):
        return _cached(_home(), "cache")
    raise _missing(["PATH and the cache: no engine"])


def notice() -> str:
    """Tell what getting an engine will take, and what to install instead; nothing where there is one."""
    try:
        find()
    except EngineMissing:
        return (
            "pulumi: there is no engine here. Getting one, once, takes a minute with Pulumi's own installer; where\n"
            f"        that is out of reach, about {BUILD_MINUTES} minutes, to build it with Go {GO} or newer. "
            f"To install one instead,\n        press Ctrl-C, get Pulumi {MINIMUM} or newer ({INSTALL_PAGE}), come back."
        )
    return ""


def _home() -> Path:
    """Where the cached engine is, or will be."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "codat-zoho", f"pulumi-{VERSION}")


def _missing(tried: Sequence[str]) -> EngineMissing:
    """Tell all that was tried, and the two ways out."""
    tries = "".join(f"\n  - {line}" for line in tried)
    return EngineMissing(
        f"There is no pulumi engine here. Tried:{tries}\n"
        f"Install Pulumi {MINIMUM} or newer ({INSTALL_PAGE}), or Go {GO} or newer with a module "
        "proxy within its reach; then run this again."
    )


def _engine(path: str, origin: str) -> Engine:
    """Take the engine found on `path`, when it is whole, runs, and is new enough."""
    pulumi = shutil.which("pulumi", path=path)
    if not pulumi:
        raise _Closed("no `pulumi`")
    said = _output([pulumi, "version"], {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"})
    version = said.strip().removeprefix("v")
    if _numbers(version) < _numbers(MINIMUM):
        raise _Closed(f"{pulumi} is {version}, needed is {MINIMUM} or newer")
    host = shutil.which("pulumi-language-python", path=f"{Path(pulumi).parent}{os.pathsep}{path}")
    if not host:
        raise _Closed(f"{pulumi} has no `pulumi-language-python` beside it or on PATH")
    return Engine(Path(pulumi), Path(host), version, origin)


def _lacking(home: Path) -> list[str]:
    """Tell which programs the cache folder has not."""
    return [name for name in PROGRAMS if not (home / "bin" / name).exists()]


def _cached(home: Path, origin: str) -> Engine:
    """Take the finished engine in the cache folder."""
    if lacking := _lacking(home):
        raise _Closed(f"no {', no '.join(lacking)}")
    host = home / "bin" / STAND_IN.name
    # Beside the binary, because the engine takes a language host from elsewhere on PATH only with a warning.
    if (home / MARK).exists() and (not host.exists() or host.read_bytes() != STAND_IN.read_bytes()):
        _place(STAND_IN, host)
    return _engine(str(home / "bin"), origin)


def _install(partial: Path, progress: Progress, python: Path, _lacking: Sequence[str]) -> None:
    """Let the SDK's own installer download the official engine."""

    def tell(_: Sequence[str], elapsed: float) -> None:
        progress(f"pulumi: installing {VERSION}, {elapsed:.0f} s{PASSING}")

    command = [str(python), "-c", INSTALL, str(partial), VERSION]
    _watch(command, partial / LOG, tell, seconds=INSTALL_SECONDS)


def _build(partial: Path, progress: Progress, _python: Path, lacking: Sequence[str]) -> None:
    """Build programs from their Go modules, and put beside them the scripts that Pulumi's SDK module has for them."""
    go = shutil.which("go")
    if not go:
        raise _Closed(f"no `go` on PATH, needed is {GO} or newer")
    # Asked outside the module, Go tells its own version, and whether it may fetch the one that go.mod asks for.
    installed, toolchain = _output([go, "env", "GOVERSION", "GOTOOLCHAIN"], cwd=partial).split("\n")[:2]
    fetches = toolchain.endswith(("auto", "path"))
    if _numbers(installed) < _numbers("1.21" if fetches else GO):
        raise _Closed(f"{go} is {installed}, needed is {GO} or newer")
    what = f"{VERSION} ({', '.join(lacking)}) with {installed}"
    progress(f"pulumi: building {what}: about {BUILD_MINUTES} minutes, 3 GB in Go's own caches")

    def tell(lines: Sequence[str], elapsed: float) -> None:
        fetched = sum(line.startswith("go: ") for line in lines)
        compiled = f"{len(lines) - fetched} of up to {PACKAGES} packages compiled"
        progress(f"pulumi: building, {elapsed:.0f} s, {fetched} modules fetched, {compiled}{PASSING}")

    binaries = partial / "bin"
    binaries.mkdir()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOTMPDIR": str(partial)}
    flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-tags=osusergo,grpcnotrace"]
    versions = {f"{SDK}/go/common/version": VERSION, f"{YAML}/pkg/version": PINNED[YAML]}
    flags += [f"-ldflags=-s -w {' '.join(f'-X {package}.Version=v{number}' for package, number in versions.items())}"]
    command = [go, "build", *flags, "-v", "-o", f"{binaries}/", *map(PROGRAMS.__getitem__, lacking)]
    _watch(command, partial / LOG, tell, cwd=MODULE, env=environment)
    sdk = _output([go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK], environment, cwd=MODULE).strip()
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        _place(Path(sdk, "python", script), binaries / Path(script).name)
    (partial / MARK).touch()


def _place(source: Path, target: Path) -> None:
    """Copy an executable so that nobody ever sees half of it."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as temporary:
        temporary.write(source.read_bytes())
    copy = Path(temporary.name)
    copy.chmod(0o755)
    copy.replace(target)


def _numbers(version: str) -> tuple[int, ...]:
    """Make versions comparable: "go1.25.11" is (1, 25, 11)."""
    return tuple(map(int, re.findall(r"\d+", version)))[:3]


def _output(command: Sequence[str], env: Mapping[str, str] | None = None, *, cwd: Path | None = None) -> str:
    """Run a short command for what it prints."""
    try:
        ran = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise _Closed(f"{command[0]} does not run: {problem}") from None
    if ran.returncode:
        raise _Closed(f"`{' '.join(command[:2])}` fails: {_last(ran.stderr.splitlines())}")
    return ran.stdout


def _watch(
    command: Sequence[str],
    log: Path,
    tell: Callable[[Sequence[str], float], object],
    *,
    seconds: float = float("inf"),
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long command with signs of life; interrupted, end it and all that it started."""
    every = 1 if sys.stderr.isatty() else 60
    started = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(every)
                break
            elapsed = time.monotonic() - started
            if elapsed > seconds:
                raise _Closed(f"not done after {elapsed:.0f} s")
            tell(log.read_text(errors="replace").splitlines(), elapsed)
    finally:
        for stop in (signal.SIGINT, signal.SIGKILL):  # ask first
            if process.poll() is None:
                os.killpg(process.pid, stop)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
    if process.returncode:
        raise _Closed(_last(log.read_text(errors="replace").splitlines()))


def _last(lines: Sequence[str]) -> str:
    """Pick the line that says why: the last that is not blank."""
    return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Let one process at a time get the engine; the lock goes with the process that holds it."""
    import fcntl  # not there on Windows, where this module still finds an engine on PATH

    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("pulumi: another process is getting the engine: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    """Serve the command line."""
    command = list(arguments[1:])
    if arguments and list(arguments) not in (["env"], ["notice"]) and (arguments[0] != "exec" or not command):
        print(__doc__, file=sys.stderr)
        return 2
    if text := notice():
        show(text)
    if list(arguments) == ["notice"]:
        return 0
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        engine = find_or_build()
    except EngineMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        show("pulumi: stopped; nothing half is left")
        return 130
    if list(arguments) == ["env"]:
        found = engine.environment(os.environ, python=Path(sys.executable))
        for name in ("PATH", "PULUMI_SKIP_UPDATE_CHECK", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"):
            print(f"export {name}={shlex.quote(found[name])}")
        return 0
    if not command:
        print(f"pulumi {engine.version} ({engine.origin}): {engine.pulumi}")
        return 0
    try:
        os.execvpe(command[0], command, engine.environment(os.environ, python=Path(sys.executable)))
    except OSError as problem:
        print(f"{command[0]}: {problem.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

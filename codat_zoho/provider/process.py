"""What one provider process knows: the stack's configuration and one HTTP client, shared by all resources."""

from __future__ import annotations

import os
import select
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from codat_zoho.declare.rules import fingerprint
from codat_zoho.declare.settings import Spelling
from codat_zoho.errors import CodatZohoError, ConfigurationError, name_and_place
from codat_zoho.provider.inputs import marked
from codat_zoho.provider.results import HalfWay
from codat_zoho.remote.concurrency import Once
from codat_zoho.texts.environment_variables import counting, debugging
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.redact import redact, register

if TYPE_CHECKING:  # Nobody is called while nothing changed, so what calls is loaded when it is first needed.
    from codat_zoho.core.observe import ActualIntegration, CodatClient, ProbeResult, Recorded
    from codat_zoho.core.plan import Removal, Step
    from codat_zoho.declare.settings import IntegrationSettings
    from codat_zoho.remote.budget import Deadline, Stop
    from codat_zoho.remote.codat import Codat
    from codat_zoho.remote.connection import Environment
    from codat_zoho.remote.converge import Outcome
    from codat_zoho.remote.http import Http


def tell_stderr(text: str) -> None:
    """The engine shows what a process with dynamic resources prints."""
    print(f"codat-zoho: {text}", file=sys.stderr, flush=True)


TOLD: ContextVar[Callable[[str], None]] = ContextVar("TOLD", default=tell_stderr)
"""Who is told what an operation says."""
LIMIT: ContextVar[Deadline | None] = ContextVar("LIMIT", default=None)
"""What an operation is within, where its resource says how long it may take."""


def say(text: str) -> None:
    """Tell the user something, in one line."""
    TOLD.get()(harmless(redact(text)))


class Context:
    """The process's one HTTP client, its settings (:class:`Environment`), and what its operations tell each other."""

    def __init__(
        self,
        http: Http | None = None,
        environment: Environment | None = None,
        *,
        spelling: Spelling | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._config: Callable[[str], Any] = lambda _key: None
        self._given, self._spelling, self._stop = http, spelling, stop
        self._environment, self._explicit = environment, False
        self._http: Http | None = None
        self._calls_said = ""
        if http is not None:
            self._use(http)
        self._reads = Once(keep=False)
        self._asking = Lock()
        self._starting = Lock()
        self.declared: set[str] = set()
        """Connections that the program declares: their inputs were checked in this process, which no refresh and no
        destroy does."""
        self.clients_declared: set[str] = set()
        """Zoho clients that the program declares, likewise."""
        self.whose_secret: dict[str, set[str]] = {}
        """The ids for which it declares a secret."""
        self.moving: dict[str, str] = {}
        """To which connection a resource moves, by the one that it leaves."""
        self.kept: set[str] = set()
        """Zoho clients whose keys a resource that went away has left in Codat."""

    def configure(self, get: Callable[[str], Any]) -> None:
        """Take the stack's configuration."""
        self._config, self._environment = get, None

    def begin(self, get: Callable[[str], Any], spelling: Spelling, stop: Stop, *, explicit: bool) -> None:
        """Take the stack's configuration, and know no more of other runs than a new process does."""
        vars(self).update(vars(Context(self._given, spelling=spelling, stop=stop)))
        self.configure(get)
        self._explicit = explicit

    @property
    def environment(self) -> Environment:
        """The settings, as the last ``configure`` left them."""
        if self._environment is None:
            from codat_zoho.remote.connection import Environment

            self._environment = Environment.of(self._config, explicit=self._explicit)
        return self._environment

    @property
    def spelling(self) -> Spelling:
        """How the program at hand spells settings: the ready-to-use one has none but those of stack configuration."""
        if self._spelling:
            return self._spelling
        ready_made = self._config("codat-zoho:onDelete") is not None  # It has a default there.
        return Spelling.CONFIGURATION if ready_made else Spelling.ARGUMENT

    @property
    def http(self) -> Http:
        """What sends."""
        with self._starting:
            if self._http is None:
                from codat_zoho.remote.http import Http

                stop = self._stop
                self._use(Http(limit=stop, sleep=stop.sleep, patience=stop.patience) if stop else Http())
            assert self._http
            limit = LIMIT.get()
            return self._http.within(limit) if limit else self._http

    def _use(self, http: Http) -> None:
        self._http = http.reporting(say, at_exit=False)
        self._calls_said = http.budget.summary()

    def say_calls(self) -> None:
        """Say what was called so far, where something was since this was last said."""
        if self._http is not None and (summary := self._http.budget.summary()) != self._calls_said:
            self._calls_said = summary
            say(summary)

    def codat(self, connection: str) -> Codat:
        """Start an operation on the Codat client of a connection."""
        limit = LIMIT.get()
        return self.environment.codat(self.http, connection, *((limit.seconds,) if limit else ()))

    def apply(
        self,
        codat: Codat,
        desired: IntegrationSettings | Removal,
        recorded: Recorded | None = None,
        deployed_to: CodatClient | None = None,
        sent: list[Step] | None = None,
    ) -> Outcome:
        """Bring an integration to what is declared, see ``remote.converge``."""
        from codat_zoho.remote.converge import apply

        return apply(codat, desired, recorded, say=say, spelling=self.spelling, deployed_to=deployed_to, sent=sent)

    def actual(self, connection: str) -> ActualIntegration:
        """Read an integration, together with whoever is reading the same one at this moment."""
        codat = self.codat(connection)
        return self._reads.get(codat.whose, codat.actual)

    def ask_zoho(self, code: str, client_id: str, client_secret: str) -> ProbeResult:
        """Ask a data centre whether it accepts id and secret, at most once per process: Zoho counts every request."""
        from codat_zoho.remote.zoho import probe

        url = self.environment.zoho_url()
        question = code, fingerprint(client_id, client_secret), url or ""
        with self._asking:
            return self.http.asked.get(question, lambda: probe(self.http, code, client_id, client_secret, url=url))

    def check_successor(self, connection: str) -> None:
        """Where a resource moves away, its new connection needs an API key: better missed before anything is sent."""
        if successor := self.moving.get(connection):
            self.environment.api_key(successor)

    def declared_as(self, connection: str, *, ask: bool = True) -> str | None:
        """Another connection under which the program declares the same Codat client; None where none is known.

        Pulumi takes a resource that was renamed or moved for two: it creates the new one, then deletes the old one, in
        one process. Deleting is the end of a name then, and not of the integration.
        """
        others = sorted(self.declared - {connection})
        return next((other for other in others if self.same_client(connection, other, ask=ask)), None)

    def same_client(self, one: str, other: str, *, ask: bool = True) -> bool | None:
        """Whether the API keys of two connections open one Codat client; None where that cannot be told.

        Raises:
            CodatZohoError: Codat was asked and refused a key, or did not answer.
        """
        try:
            here, there = self.codat(one), self.codat(other)
        except ConfigurationError:
            return None
        if here.whose == there.whose:
            return True
        ours, theirs = (codat.client() if ask else codat.known_client() for codat in (here, there))
        if ours.id is None or theirs.id is None:
            return None
        return not ours.is_another(theirs.id)


CONTEXT = Context()


def in_provider_process() -> bool:
    """Whether this process is one that the engine started to serve dynamic resources."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec is not None and spec.name == "pulumi.dynamic.__main__"


@cache
def end_with_engine(*, surely: bool = False) -> None:
    """Let a provider process end within seconds of its engine, which may be killed and then ends nobody.

    That this is such a process is found out, unless it is said ``surely``.
    """
    if surely or in_provider_process():
        Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    # Between the two there may be a shell, which lives on: then nobody reads any more what is said here.
    while os.getppid() == parent and not _unheard():
        time.sleep(1)
    os._exit(1)


def _unheard() -> bool:
    if not hasattr(select, "poll"):  # Windows
        return False
    output = select.poll()
    output.register(1, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


def destroy_is_previewed() -> bool:
    """Tell whether it is ``pulumi destroy --preview-only`` that this process serves; false where that is not known.

    Pulumi tells a provider nothing of it. It decides only what is said, never what is done.
    """
    pid = os.getppid()
    try:
        for _ in range(3):  # The command is at most so many generations up.
            program, *words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if Path(program.decode(errors="replace")).name == "pulumi":
                return bool({b"destroy", b"down", b"dn"} & set(words)) and b"--preview-only" in words
            # Behind the command in parentheses, which may hold anything: the state, then the parent.
            pid = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        pass
    return False


P = ParamSpec("P")
R = TypeVar("R")


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let nothing but a one-line error out of what a provider does.

    The SDK shows a whole traceback of whatever a method raises, with its text as it is, and hangs for ever on what is
    no ``Exception``. It prints ``Name: text`` for an exception whose module is ``builtins`` and that has no cause; an
    SDK before 3.260 prints the text alone, so the name goes into the text there.
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            remember_secrets(*args)
            return method(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001
            name, text = shown(error)
            if _sdk_leaves_out_names():
                text = f"{name}: {text}"
        finally:
            if counting():
                CONTEXT.say_calls()
        raise type(name, (Exception,), {"__module__": "builtins"})(text)

    return call


def remember_secrets(*bags: object) -> None:
    """Let nothing show what is secret in inputs and outputs; old ones too: Codat may say the one that it stores."""
    for bag in bags:
        if not isinstance(bag, Mapping):
            continue
        for name in ("client_secret", "client_id") if marked(bag) else ("client_secret",):
            if isinstance(value := bag.get(name), str):
                register(value)


def _sdk_leaves_out_names() -> bool:
    """Whether this is the provider process of an SDK that shows the text of an exception and not its name."""
    if not in_provider_process():
        return False
    import importlib.metadata

    with suppress(importlib.metadata.PackageNotFoundError, ValueError):
        return tuple(map(int, importlib.metadata.version("pulumi").split(".")[:2])) < (3, 260)
    return False


def shown(error: BaseException) -> tuple[str, str]:
    """The name and the text that are shown. The text of a foreign exception may quote anything, so it stays out."""
    if debugging():
        say("".join(traceback.format_exception(error)))
    if isinstance(error, HalfWay):
        error = error.error
    if isinstance(error, CodatZohoError):
        return type(error).__name__, harmless(redact(str(error)))
    if not isinstance(error, Exception):
        return "Interrupted", "The operation was interrupted. Nothing is lost: run it again."
    return (
        "InternalError",
        f"{name_and_place(error)}: a bug in codat-zoho. Run it again with CODAT_ZOHO_DEBUG=1 "
        "and report what it prints.",
    )

"""The calls of ``pulumirpc.ResourceProvider`` that the engine makes, answered by what serves the dynamic resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from codat_zoho._version import __version__
from codat_zoho.declare.describe import camel_case, described
from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE, OUTPUTS, REDIRECT_URI, UNKNOWN
from codat_zoho.declare.rules import warnings_about
from codat_zoho.declare.settings import FINGERPRINT, IntegrationSettings, Spelling, ZohoClientSettings
from codat_zoho.errors import ConfigurationError, NotAdopted
from codat_zoho.plugin.bags import Bag, Props, opened, struct
from codat_zoho.plugin.configuration import KEPT, SECRET_CONFIG, unread
from codat_zoho.plugin.stubs import stub
from codat_zoho.provider.inputs import unknown_fields
from codat_zoho.provider.process import CONTEXT, LIMIT, TOLD, remember_secrets, shown, tell_stderr
from codat_zoho.provider.results import HalfWay
from codat_zoho.remote.budget import Deadline, Stop
from codat_zoho.texts.environment_variables import counting
from codat_zoho.texts.printed import harmless
from codat_zoho.texts.redact import one_line, redact
from codat_zoho.workspace.values import explicit_provider, kind_of

_pb, _plugin = stub("provider_pb2"), stub("plugin_pb2")
SCHEMA = Path(__file__).with_name("schema.json")
Core = Callable[..., Any]
_CODES = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.CANCELLED
"""Neither leaves the engine in doubt about the resource, as "unknown" and "internal" would."""
MODELS = {INTEGRATION: IntegrationSettings, CLIENT: ZohoClientSettings}
_MODULES = {INTEGRATION: "books", CLIENT: "client"}
_SETTLED = "integration_id", "integration_name", "codat_client", "codat_client_name", "redirect_uri"
"""Outputs that an update leaves as they are."""
_SPELL = Spelling.PROPERTY.text
_CALLED_OFF = "It was called off. What was on its way may still arrive: the next run reads first, and finishes."
_DECLARE = (
    "Zoho has no API for the clients of its console, so none can be imported or read.",
    "Declare it: deploying only asks Zoho whether it accepts id and secret, and sends nothing that could change it.",
)


def _answers(method: Callable[[Provider, Any, Core], Any]) -> Callable[[Provider, Any, Any], Any]:
    """Let nothing but a one-line error out, tell beside its resource what is said, and keep to its time."""

    @wraps(method)
    def answer(self: Provider, request: Any, context: Any) -> Any:
        urn, seconds = getattr(request, "urn", ""), getattr(request, "timeout", 0)
        told = TOLD.set(lambda text: self.tell(urn, text))
        limit = LIMIT.set(Deadline(seconds, within=self.stop) if seconds else None)
        try:
            return method(self, request, lambda name, *args: self.core(urn, name, *args))
        except BaseException as error:  # noqa: BLE001
            failure = error
        finally:
            LIMIT.reset(limit)
            if counting():
                CONTEXT.say_calls()
            TOLD.reset(told)
        return self.fail(request, context, failure)

    return answer


class Provider:
    """One provider with one configuration, for one run of the engine, or for one after the other."""

    def __init__(self, engine: str = "") -> None:
        self._engine = engine
        self._log: Any = None
        self.stop = Stop()
        self._warned: set[object] = set()

    # --- the provider itself ---

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return _pb.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: Any) -> Any:
        self._engine, self._log = request.address, None
        return Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return _plugin.PluginInfo(version=__version__)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return _pb.GetSchemaResponse(schema=SCHEMA.read_text(encoding="utf-8"))

    @_answers
    def CheckConfig(self, request: Any, core: Core) -> Any:
        given = opened(request.news)
        refused, warned = unread(given.keys() - KEPT, request.urn)
        for text in warned:
            self.tell(request.urn, text, "WARNING")
        secret = SECRET_CONFIG | {name for name, (_, marked) in given.items() if marked}
        ours = {name: value for name, (value, _) in given.items() if name in KEPT}
        return _pb.CheckResponse(inputs=struct(ours, secret), failures=_failures(refused))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        same = request.old_inputs == request.news
        return _pb.DiffResponse(changes=_pb.DiffResponse.DIFF_NONE if same else _pb.DiffResponse.DIFF_SOME)

    @_answers
    def Configure(self, request: Any, core: Core) -> Any:
        config = {f"{NAMESPACE}:{name}": value for name, (value, _) in opened(request.args).items()}
        self.stop, self._warned = Stop(), set()
        CONTEXT.begin(config.get, Spelling.PROPERTY, self.stop, explicit=bool(explicit_provider(request.urn)))
        return _pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:
        self.stop.call()
        return Empty()

    # --- its resources ---

    @_answers
    def Check(self, request: Any, core: Core) -> Any:
        olds, bag = Bag.of(request.olds), Bag.of(request.news)
        checked = core("check", olds.values if olds.moved else {}, news := bag.marked_by(bag))
        self._warn(request.urn, news)
        problems = [*_strange(_kind(request.urn), bag.given), *map(_SPELL, checked.problems)]
        return _pb.CheckResponse(inputs=struct(checked.inputs, bag.secret), failures=_failures(problems))

    @_answers
    def Diff(self, request: Any, core: Core) -> Any:
        inputs, outs, bag = Bag.of(request.old_inputs), Bag.of(request.olds), Bag.of(request.news)
        olds, news = outs.marked_by(inputs), bag.marked_by(bag)
        found = core("diff", olds, news)
        answer = _pb.DiffResponse(hasDetailedDiff=bool(found.names))
        changed = found.changes is not False or inputs.moved or outs.moved
        answer.changes = answer.DIFF_SOME if changed else answer.DIFF_NONE
        for name in found.names:
            kind = "ADD" if olds.get(name) is None else "DELETE" if news.get(name) is None else "UPDATE"
            kind += "_REPLACE" if name in found.replaces else ""
            answer.detailedDiff[camel_case(name)].CopyFrom(_pb.PropertyDiff(kind=kind, inputDiff=True))
        answer.diffs.extend(map(camel_case, found.names))
        answer.replaces.extend(map(camel_case, found.replaces))
        return answer

    @_answers
    def Create(self, request: Any, core: Core) -> Any:
        bag = Bag.of(request.properties)
        news = bag.marked_by(bag)
        if request.preview:
            return _pb.CreateResponse(properties=struct(_expected(_kind(request.urn), {}, news), bag.secret))
        made = core("create", news)
        return _pb.CreateResponse(id=made.id, properties=struct(made.outs, bag.secret))

    @_answers
    def Read(self, request: Any, core: Core) -> Any:
        inputs, outs = Bag.of(request.inputs), Bag.of(request.properties)
        known = (outs if outs.values else inputs).marked_by(inputs)
        if not known and _kind(request.urn) == CLIENT:
            raise NotAdopted(*_DECLARE)
        found = core("read", request.id, known) if known else core("imported", request.id)
        if found.id is None:
            return _pb.ReadResponse()
        live = None if found.inputs is None else struct(found.inputs, inputs.secret)
        return _pb.ReadResponse(id=found.id, properties=struct(found.outs, inputs.secret), inputs=live)

    @_answers
    def Update(self, request: Any, core: Core) -> Any:
        bag = Bag.of(request.news)
        olds, news = Bag.of(request.olds).marked_by(Bag.of(request.old_inputs)), bag.marked_by(bag)
        outs = _expected(_kind(request.urn), olds, news) if request.preview else core("update", olds, news)
        return _pb.UpdateResponse(properties=struct(outs, bag.secret))

    @_answers
    def Delete(self, request: Any, core: Core) -> Any:
        core("delete", request.id, Bag.of(request.properties).marked_by(Bag.of(request.old_inputs)))
        return Empty()

    # --- how they answer ---

    def core(self, urn: str, method: str, *args: Any) -> Any:
        """Call what serves the dynamic resources too."""
        if self.stop.called:
            raise KeyboardInterrupt
        remember_secrets(*args)
        return getattr(import_module(f"codat_zoho.provider.{_MODULES[_kind(urn)]}"), method)(*args)

    def fail(self, request: Any, context: Any, error: BaseException) -> None:
        """End a call with one line, and with what came of it where it got half-way."""
        name, text = ("Interrupted", _CALLED_OFF) if self.stop.called else shown(error)
        code, text = _CODES[self.stop.called], f"{name}: {_SPELL(text)}"
        if isinstance(error, HalfWay):
            status = stub("status_pb2").Status(code=code.value[0], message=text)
            outs = struct(error.made.outs, Bag.of(request.properties).secret)
            status.details.add().Pack(_pb.ErrorResourceInitFailed(id=error.made.id, properties=outs, reasons=[text]))
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, text)

    def tell(self, urn: str, text: str, severity: str = "INFO") -> None:
        """Let the engine show a line beside its resource."""
        line = _SPELL(harmless(redact(text)))
        with suppress(grpc.RpcError):
            if self._engine:
                if self._log is None:
                    self._log = stub("engine_pb2_grpc").EngineStub(grpc.insecure_channel(self._engine)).Log
                self._log(stub("engine_pb2").LogRequest(severity=severity, message=line, urn=urn), timeout=5)
                return
        tell_stderr(line)

    def _warn(self, urn: str, news: Props) -> None:
        known = {name: value for name, value in news.items() if name not in unknown_fields(news)}
        for text in warnings_about(known):
            once = text, known.get("client_id"), known.get("client_secret")
            if once not in self._warned:  # The integration may declare the client's keys again.
                self._warned.add(once)
                self.tell(urn, text, "WARNING")


def _unserved(request: Any, context: Any) -> None:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "codat-zoho has resources only.")


for _method in _pb.DESCRIPTOR.services_by_name["ResourceProvider"].methods_by_name.keys() - vars(Provider).keys():
    setattr(Provider, _method, staticmethod(_unserved))


def _kind(urn: str) -> str:
    """The class of a resource, by its URN."""
    kind = kind_of("::".join(urn.split("::")[2:3]).rpartition("$")[2])
    if kind not in _MODULES:
        raise ConfigurationError(f"This provider has {' and '.join(_MODULES)}, and no other type of resource.")
    return kind


def _failures(problems: Iterable[str]) -> list[Any]:
    # With a property's name the engine would print its value, a secret among them.
    return [_pb.CheckFailure(reason=harmless(problem)) for problem in problems]


def _strange(kind: str, given: Iterable[str]) -> Iterator[str]:
    """What is declared that is no setting."""
    names = [camel_case(name) for name in (*described(MODELS[kind]), FINGERPRINT)]
    for name in given:
        if name not in names and not name.startswith("__"):
            from difflib import get_close_matches  # Nobody needs it but for a mistake.

            meant = "".join(get_close_matches(name, names, n=1))
            hint = f", did you mean {meant}?" if meant else f": there are {', '.join(names[:-1])}"
            yield f"{one_line(name, 60)}: is not a setting of this resource{hint}"


def _expected(kind: str, olds: Props, news: Props) -> Props:
    """Outputs in a preview: what is declared, and what is known already."""
    computed = {name: olds.get(name) if name in _SETTLED else None for name in OUTPUTS[kind] if name != FINGERPRINT}
    computed = {name: UNKNOWN if value is None else value for name, value in computed.items()}
    return computed | ({"redirect_uri": REDIRECT_URI} if kind == CLIENT else {}) | news

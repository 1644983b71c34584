"""Canary secrets through everything that says something: no text holds a piece of them, in whatever encoding."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from codat_zoho.adopt.decide import Choices, Takeover
from codat_zoho.contract.observe import Keys
from codat_zoho.core.observe import ActualIntegration, Recorded
from codat_zoho.core.plan import Step, StepKind, plan
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, declared, load
from codat_zoho.doctor.finding import Situation
from codat_zoho.doctor.local import proxies
from codat_zoho.errors import CodatZohoError
from codat_zoho.provider import Books, ZohoClient
from codat_zoho.provider.process import CONTEXT, Context, clean
from codat_zoho.remote.codat import ApiKey, Codat
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.converge import apply
from codat_zoho.remote.http import Answer, Http
from codat_zoho.remote.zoho import probe
from codat_zoho.simulator import CodatClient, Simulator
from codat_zoho.simulator import ZohoClient as SimulatedZohoClient
from codat_zoho.simulator.messages import Request
from codat_zoho.texts.redact import redact, register
from tests.canaries import KEY, PROXY_PASSWORD, SECRET, Echo, echoing, encoded, leaks
from tests.support import ID, forget_secrets

MODES: list[int | str] = [302, 400, 401, 402, 403, 404, 405, 409, 418, 429, 500, 503, "names", "garbage"]
BOOKS = {"client_id": ID, "client_secret": SECRET, "enabled": True, "connection": "default", "on_delete": "remove"}
ZOHO = {"client_id": ID, "client_secret": SECRET, "regions": ["us"], "verify": "always"}


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """Everything that is logged at DEBUG, by whomever, as in a program with logging.basicConfig(level=DEBUG)."""
    said = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(said)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(handler)
    root.setLevel(level)


def test_the_search_finds_every_encoding() -> None:
    """A search that finds nothing where something is would prove nothing."""
    for form in encoded(SECRET).split(" | "):
        assert leaks(f"before {form} behind", SECRET), form
    assert not leaks("cAnary of another kind, XXXXXXXX=Vx", SECRET, KEY)


def test_every_encoding_is_redacted() -> None:
    """All that the echo says, at once and one by one."""
    register(SECRET)
    for form in (*encoded(SECRET).split(" | "), encoded(SECRET)):
        assert not leaks(redact(f"before {form} behind"), SECRET), form


@pytest.mark.parametrize("mode", MODES)
def test_a_remote_that_echoes(mode: int | str, heard: io.StringIO) -> None:
    """Error text, correlation id, headers, reason phrase, names: errors, logs and values show nothing of the keys."""
    lines: list[str] = []
    with echoing() as (echo, base):
        http = Http(log=lines.append, sleep=lambda _: None)
        codat = Codat(http, ApiKey.parse(KEY, "CODAT_API_KEY"), url=f"{base}/codat")
        echo.mode = mode
        said = [str(probe(http, "us", ID, SECRET, url=f"{base}/zoho"))]
        desired = load(IntegrationSettings, {name: BOOKS[name] for name in ("client_id", "client_secret", "enabled")})
        for ask in (codat.actual, lambda: codat.apply(Step(StepKind.SAVE_KEYS), ID, SECRET), codat.count_linked):
            said += _said(ask)
        if mode == "names":
            said += _said(lambda: apply(codat, desired, say=said.append))
        http.close()
    assert len(said) > 2
    for text in (*said, *lines, heard.getvalue()):
        assert not leaks(text, KEY, SECRET), text
    assert heard.getvalue()


def _said(ask: Callable[[], object]) -> list[str]:
    """What a call returns or raises, with its traceback as a debugger's reader sees it."""
    try:
        return [repr(ask())]
    except CodatZohoError as error:
        return [str(error), repr(error), redact("".join(traceback.format_exception(error)))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "debug"), [*((mode, "1") for mode in MODES), (400, ""), ("names", ""), ("garbage", "")]
)
def test_a_provider_in_front_of_a_remote_that_echoes(
    mode: int | str, debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], heard: io.StringIO
) -> None:
    """Each method of both providers, with secrets that only its arguments hold: no error and no line has any of it."""
    other = "cAnary=former!secret~77%4e"
    former = {**BOOKS, "client_secret": other}
    said: list[str] = []
    monkeypatch.setenv("CODAT_ZOHO_DEBUG", debug)
    calls: list[tuple[Any, str, tuple[Any, ...]]] = [
        (Books, "read", ("default", BOOKS)),
        (Books, "create", (BOOKS,)),
        (Books, "update", ("default", former, BOOKS)),
        (Books, "delete", ("default", former)),
        (ZohoClient, "create", (ZOHO,)),
        (ZohoClient, "read", (ID, ZOHO)),
        (ZohoClient, "update", (ID, {**ZOHO, "client_secret": other}, ZOHO)),
    ]
    with echoing() as (echo, base):
        config = {"apiKey": KEY, "codatUrl": f"{base}/codat", "zohoUrl": f"{base}/zoho"}
        for face, method, arguments in calls:
            forget_secrets()
            CONTEXT.__init__(Http(sleep=lambda _: None))  # type: ignore[misc]
            CONTEXT.configure(lambda key, c=config: c.get(key.partition(":")[2]))  # type: ignore[misc]
            # It knows what it was sent by somebody before.
            echo.mode, echo.heard = mode, [bag["client_secret"] for bag in arguments if isinstance(bag, dict)]
            echo.heard += [KEY] if face is Books else []
            try:
                result = getattr(face(), method)(*arguments)
            except Exception as error:  # noqa: BLE001
                said.append(f"{type(error).__name__}: {error}")
            else:
                outs = dict(getattr(result, "outs", None) or {})
                outs.pop("client_secret", None)
                said.append(repr(outs))
            CONTEXT.http.close()
    CONTEXT.__init__()  # type: ignore[misc]
    printed = capsys.readouterr()
    for text in (*said, printed.out, printed.err, heard.getvalue()):
        assert not leaks(text, KEY, SECRET, other), text
    assert ("Traceback" in printed.err) == bool(debug) or mode == "names"


def _pickled(thing: object) -> object:
    return pickle.loads(pickle.dumps(thing))


def _objects() -> dict[str, Any]:
    """One of everything that holds a secret."""
    desired = load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET})
    actual = ActualIntegration(True, {"clientId": ID, "clientSecret": SECRET})
    key, http = ApiKey.parse(KEY, "CODAT_API_KEY"), Http()
    simulator = Simulator()
    simulator.add_codat_client(KEY, keys={"clientSecret": SECRET})
    simulator.add_zoho_client(ID, SECRET)
    context = Context(http)
    context.configure({"codat-zoho:apiKey": KEY, "codat-zoho:apiKeys": f'{{"a": "{KEY}"}}'}.get)
    return {
        "settings": desired,
        "client settings": load(ZohoClientSettings, {"client_id": ID, "client_secret": SECRET, "regions": ["us"]}),
        "recorded": Recorded.of(desired),
        "actual": actual,
        "plan": plan(desired, ActualIntegration(True, {"clientId": ID, "clientSecret": "x" * 30})),
        "API key": key,
        "http": http,
        "codat": Codat(http, key),
        "context": context,
        "environment": context.environment,
        "answer": Answer(200, {"set-cookie": SECRET}, SECRET.encode()),
        "choices": Choices(ID, SECRET),
        "takeover": Takeover(actual, desired),
        "keys": Keys(ID, SECRET),
        "declared": declared({"codat-zoho:zohoClientId": ID, "codat-zoho:zohoClientSecret": SECRET}),
        "simulator": simulator,
        "simulated Codat clients": simulator.codat,
        "simulated Codat client": CodatClient(KEY, 0),
        "simulated Zoho clients": simulator.zoho,
        "simulated Zoho client": SimulatedZohoClient(ID, SECRET),
        "simulated integration": simulator.codat[KEY].integration,
        "simulated request": Request("GET", "/", "", {"authorization": KEY}, SECRET.encode()),
    }


@pytest.mark.parametrize("name", _objects())
def test_no_object_shows_its_secret(name: str) -> None:
    """Printed, formatted, in an exception, copied, or from a pickle: what holds a secret does not show it."""
    thing = _objects()[name]
    shown = [repr(thing), str(thing), f"{thing}", f"{[thing]}", repr(ValueError(thing))]
    ways: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, _pickled]
    for again in ways:
        try:
            shown.append(repr(again(thing)))
        except TypeError:  # noqa: PERF203 - locks cannot be copied, and nor can what holds one.
            continue
    for text in shown:
        assert not leaks(text, KEY, SECRET), text


def test_what_is_pickled_into_state_holds_nothing() -> None:
    """The engine keeps pickled providers in clear: a name, and nothing of what the process knows."""
    CONTEXT.configure({"codat-zoho:apiKey": KEY}.get)
    try:
        for face in (Books(), ZohoClient()):
            assert len(pickle.dumps(face)) < 60
            assert not leaks(pickle.dumps(face).decode("latin-1"), KEY, SECRET)
            assert not vars(face)
    finally:
        CONTEXT.__init__()  # type: ignore[misc]


@pytest.mark.parametrize("model", [ZohoClientSettings, IntegrationSettings])
@pytest.mark.parametrize(
    "value", [SECRET + " x", {"a": SECRET}, [SECRET], f"<{SECRET}>", SECRET.encode(), f"'{SECRET}'"]
)
@pytest.mark.parametrize(
    "field", ["client_id", "client_secret", "regions", "enabled", "connection", "verify", "on_delete", "typo"]
)
def test_a_secret_in_any_field_is_not_quoted(model: Any, field: str, value: Any) -> None:
    """Pydantic quotes what it was given; a secret pasted into the wrong field must not be read in a message."""
    try:
        load(model, {"client_id": ID, "regions": ["us"], field: value})
    except CodatZohoError as error:
        assert not leaks(f"{error} {error!r} {''.join(traceback.format_exception(error))}", SECRET)


def test_exceptions_of_libraries() -> None:
    """What httpx says of a failure may quote the request; and a bug anywhere is shown without its text."""
    register(KEY)
    for kind in (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.ProxyError, httpx.DecodingError):

        def fail(_: httpx.Request, kind: type[httpx.HTTPError] = kind) -> httpx.Response:
            raise kind(encoded(KEY))

        http = Http(transport=httpx.MockTransport(fail), sleep=lambda _: None)
        with pytest.raises(CodatZohoError) as caught:
            http.send("GET", "https://api.example/", deadline=http.deadline(5), headers={"Authorization": KEY})
        assert not leaks("".join(traceback.format_exception(caught.value)), KEY)

    @clean
    def method() -> None:
        raise ValueError(encoded(SECRET))

    with pytest.raises(Exception, match="a bug in codat-zoho") as shown:
        method()
    assert not leaks(str(shown.value), SECRET)


@pytest.mark.parametrize("userinfo", ["somebody:{}", "{}", ":{}", "some@body:{}"])
def test_a_password_in_the_proxys_address(userinfo: str, monkeypatch: pytest.MonkeyPatch, heard: io.StringIO) -> None:
    """A proxy that cannot be reached, and one that echoes what it is sent: its password is in no text."""
    with echoing() as (echo, base):
        echo.mode = "names"
        echo.heard = [PROXY_PASSWORD]
        for address in (base.removeprefix("http://"), "127.0.0.1:9"):
            for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://{userinfo.format(quote(PROXY_PASSWORD, safe=''))}@{address}")
            said = _sent("https://api.codat.example/x") + _sent("http://other.example/x")
            for text in (*said, heard.getvalue()):
                assert not leaks(text, PROXY_PASSWORD), text
        for echo.mode in (407, "garbage"):
            monkeypatch.setenv("HTTPS_PROXY", f"http://{userinfo.format(quote(PROXY_PASSWORD, safe=''))}@{base[7:]}")
            said = _sent("https://api.codat.example/")
            assert not leaks("".join(said) + heard.getvalue(), PROXY_PASSWORD), said


def _sent(url: str) -> list[str]:
    http = Http(sleep=lambda _: None)
    said = _said(lambda: http.send("GET", url, deadline=http.deadline(5), retry=False))
    http.close()
    return [*said, repr(http)]


@pytest.mark.parametrize(
    "value",
    [
        "http://user:{}@proxy.example:3128",
        "http://user:{}/x@proxy.example",
        "user:{}@proxy.example",
        "http://{}@proxy.example",
        "http://user:{}#@proxy.example",
        "http://user:{}@x@proxy.example",
    ],
)
def test_doctor_names_a_proxy_without_its_password(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the password does to the address, what stands before the last @ is not shown."""
    for secret in (PROXY_PASSWORD, SECRET):
        monkeypatch.setenv("HTTPS_PROXY", value.format(secret))
        shown = " ".join(one.what for one in proxies(Situation(None, None, Http())))
        assert "proxy.example" in shown
        assert not leaks(shown, secret), shown


def test_a_key_pasted_into_an_address_or_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the wrong variable is not shown by the message that refuses it."""
    for name in ("CODAT_URL", "ZOHO_URL", "CODAT_ENABLED_PATH", "CODAT_CREDENTIALS_PATH", "CODAT_ZOHO_VERIFY"):
        for value in (KEY, f"Basic {KEY}", f"https://user:{KEY}@api.codat.io", f"https://api.codat.io/?key={KEY}"):
            with monkeypatch.context() as env:
                env.setenv(name, value)
                for ask in (
                    Environment().codat_url,
                    Environment().zoho_url,
                    Environment().paths,
                    lambda: Environment().verify("off"),
                ):
                    try:
                        ask()
                    except CodatZohoError as error:  # noqa: PERF203
                        assert not leaks(str(error), KEY), (name, value)


def test_the_old_secret_is_known_too() -> None:
    """Removing needs no secret, and yet a remote may say the one that it stores."""
    Books().delete("default", {**BOOKS, "on_delete": "keep"})
    assert not leaks(redact(encoded(SECRET)), SECRET)


def test_echo_is_an_echo() -> None:
    """The double does what these tests rest on."""
    echo = Echo()
    echo.hear(
        f"Basic {'Y0FuYXJ5K2tleS83Zj0zYX4lMkZxJnpaODE='}",
        f"client_secret={SECRET.replace('%', '%25').replace(';', '%3B')}",
    )
    assert echo.heard == [KEY, SECRET]

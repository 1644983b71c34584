"""Anything at all where input comes in: a value or an error of this package, never a traceback, never without end.

``make fuzz`` runs many more examples than ``make test``; what it found stays as an ``@example``.
"""

from __future__ import annotations

import json
import math
import os
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codat_zoho.core.masks import read_mask, shown_secret
from codat_zoho.core.observe import ActualIntegration, Recorded
from codat_zoho.declare.rules import warnings_about
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings, declared, load
from codat_zoho.doctor import remote
from codat_zoho.drift import findings
from codat_zoho.drift.formats.json import drifts_of
from codat_zoho.errors import CodatZohoError
from codat_zoho.provider import Books, client
from codat_zoho.provider import books as integration
from codat_zoho.remote.codat import ApiKey, Codat
from codat_zoho.remote.connection import Environment
from codat_zoho.remote.converge import apply
from codat_zoho.remote.http import Http, retry_after
from codat_zoho.remote.zoho import probe
from codat_zoho.review import previews
from codat_zoho.review.declared import declared as review_declared
from codat_zoho.review.formats import annotations as review_annotations
from codat_zoho.review.formats import json as review_json
from codat_zoho.review.formats import markdown as review_markdown
from codat_zoho.review.formats import text as review_text
from codat_zoho.simulator import Simulator
from codat_zoho.simulator.command import observed
from codat_zoho.simulator.control import answer as control
from codat_zoho.simulator.messages import Request
from codat_zoho.texts.redact import one_line, redact, register
from codat_zoho.workspace import esc
from codat_zoho.workspace import failures as pulumi_failures
from codat_zoho.workspace import state as exported
from codat_zoho.workspace.command import version_of
from codat_zoho.workspace.pulumi_yaml import read_project, read_stack
from codat_zoho.workspace.yaml_lines import Broken
from tests.canaries import KEY, SECRET
from tests.pulumi_stand_in import plugin_state
from tests.support import ID, REGIONS, Clock, answering, forget_secrets

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
LONG_ENOUGH = 200_000
"""Characters: forty thousand million steps for what is quadratic."""
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)

words = st.sampled_from(
    [
        "",
        " ",
        "true",
        "us",
        "rwuv",
        "default",
        "[secret]",
        "XXXXbeef",
        "****",
        ID,
        SECRET,
        "1_000",
        "9" * 5000,
        "\ud800",
        "\x00",
        "inf",
    ]
)
texts = words | st.text(max_size=20) | st.text(string.printable, max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats() | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@st.composite
def bent(draw: st.DrawFn, valid: Any) -> Any:
    """Something valid, with any of its parts replaced, missing, or joined by something else."""
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    if isinstance(valid, dict):
        kept = {name: draw(bent(value)) for name, value in valid.items() if draw(st.integers(0, 9))}
        return kept | (draw(st.dictionaries(texts, anything, max_size=2)) if draw(st.integers(0, 9)) == 0 else {})
    if isinstance(valid, list):
        return [draw(bent(value)) for value in valid for _ in range(draw(st.sampled_from([1, 1, 1, 0, 2])))]
    return valid


def clean(text: str) -> None:
    """One line, with nothing of the secret in it."""
    assert text.isprintable(), text
    assert not any(SECRET[at : at + 8] in text for at in range(len(SECRET) - 7)), text


def told(ask: Callable[[], object]) -> object:
    """What it gives, or None where it raises what it may."""
    try:
        return ask()
    except CodatZohoError as error:
        clean(str(error))
        return None


# --- declarations -----------------------------------------------------------------------------------------------------

CLIENT = {
    "client_id": ID,
    "client_secret": SECRET,
    "regions": REGIONS,
    "same_credentials_everywhere": True,
    "verify": "off",
}
BOOKS = {
    "client_id": ID,
    "client_secret": SECRET,
    "enabled": True,
    "connection": "default",
    "on_delete": "keep",
    "allow_disruption": False,
}


@fuzz
@given(bent(CLIENT) | bent(BOOKS) | st.dictionaries(st.sampled_from([*CLIENT, *BOOKS]) | texts, anything))
def test_settings(values: Any) -> None:
    """Whatever a program passes: settings, or all problems, each in one line."""
    if not isinstance(values, dict) or SECRET in values:  # Names of fields stand in the program, and are shown.
        return
    for model, check in ((ZohoClientSettings, client.check), (IntegrationSettings, integration.check)):
        told(lambda m=model: load(m, values))  # type: ignore[misc]
        checked = check({}, values)
        for problem in checked.problems:
            clean(problem)
        if not checked.problems:
            assert check(checked.inputs, values).inputs == checked.inputs
    for warning in warnings_about(values):
        clean(warning)
    forget_secrets()


CONFIG = {f"codat-zoho:{key}": "x" for key in ("enabled", "onDelete", "allowDisruption", "connection", "verify")} | {
    "codat-zoho:zohoClientId": ID,
    "codat-zoho:zohoClientSecret": SECRET,
    "codat-zoho:regions": '["us"]',
}


@fuzz
@given(st.fixed_dictionaries({}, optional={key: texts | anything.map(lambda one: _json(one)) for key in CONFIG}))
@example({"codat-zoho:regions": "[" * 100_000})
def test_stack_configuration(config: dict[str, str]) -> None:
    """Whatever is set: declarations, and problems that show nothing."""
    for problem in declared(config).problems():
        clean(str(problem))


def _json(value: object) -> str:
    return json.dumps(value, default=str)


yaml_pieces = st.lists(
    st.sampled_from(
        [
            "config:",
            "\n  ",
            "\n",
            "codat-zoho:regions:",
            " ",
            "- us",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a",
            "*a",
            "<<: ",
            "!!int ",
            "? ",
            "secure: ",
            "'",
            '"',
            "|",
            ">-\n",
            "---\n",
            "\t",
            "1_000",
            "1__00000000000000000000",
            "1e999",
            ".5",
            "#",
            "name: x",
            "default:",
            "codat-zoho:zohoClientSecret: ",
            SECRET,
            "\x00",
            "\ufeff",
            "\u2028",
            "é",
            "encryptionsalt: v1",
            "environment: ",
            ":",
            "٣" * 25,
        ]
    ),
    max_size=14,
).map("".join)


@fuzz
@given(
    st.binary(max_size=60)
    | yaml_pieces.map(str.encode)
    | bent({"name": "codat-zoho", "config": dict(CONFIG)}).map(
        lambda one: yaml.safe_dump(one, allow_unicode=True).encode("utf-8", "replace")
    )
)
@example(b"config:\n  codat-zoho:enabled: 1__00000000000000000000")
@example(b"config:\n  codat-zoho:enabled: " + b"[" * 5000)
@example(b"config:\n  a:b: &a [1]\n  a:c: &b [" + b"*a," * 50 + b"]\n  a:d: [" + b"*b," * 1000 + b"]")
@example(b"config:\n  codat-zoho:enabled: " + "٣".encode() * 25)
@example(b"config:\n  codat-zoho:enabled: !!int 5")
@example(f"config:\n  codat-zoho:zohoClientSecret: !{SECRET}".encode())
@example(f"name: codat-zoho\nconfig:\n  codat-zoho:regions: {{'{SECRET}': null}}".encode())
@example(b"config:\n  codat-zoho:regions: &r [*r]")
@example(b"config:\n  codat-zoho:regions: &r [us, *r]\n  codat-zoho:enabled: *r")
def test_stack_files(content: bytes) -> None:
    """Whatever stands in Pulumi.yaml and Pulumi.<stack>.yaml: it is read, or said to be broken in one line."""
    try:
        project = read_project(content)
        stack = read_stack(content, project.name)
    except Broken as broken:
        clean(broken.text)
        return
    side = review_declared("prod", "Pulumi.prod.yaml", stack, project, "Pulumi.yaml")
    for problem in side.problems:
        clean(problem.text)
    for fields in (*(resource.fields for resource in side.resources), side.provider):
        for name, one in fields.items():
            if name != "client_id":  # Nobody can tell that one from a secret of an unknown shape.
                clean(one.shown)
    for value in stack.settings.values():
        assert value.text is not None and value.identity and list(value.leaves())
    forget_secrets()


def test_a_stack_file_that_is_nested_a_million_deep() -> None:
    """Libyaml reads nested values recursively: without a limit this ends the process, and no test after it runs."""
    for opened in (b"[", b"{", b"- ", b"? "):
        with pytest.raises(Broken, match="nested too deeply"):
            read_stack(b"config:\n  a:b:\n    " + opened * 1_000_000, "x")


# --- what remotes answer ----------------------------------------------------------------------------------------------

INTEGRATION = {
    "key": "rwuv",
    "enabled": True,
    "name": "Zoho Books",
    "integrationId": "i-1",
    "linkedConnectionsCount": 2,
}
STORED = {"clientId": "XXXXTDPH", "clientSecret": "XXXX1=Vx", "environment": "live"}
COMPANIES = {"results": [{"dataConnections": [{"status": "Linked", "integrationKey": "rwuv"}]}] * 2, "totalResults": 2}
ERROR = {"statusCode": 400, "error": "No.", "correlationId": "0123456789abcdef", "canBeRetried": "Unknown"}
headers = st.dictionaries(
    st.sampled_from(
        [
            "Retry-After",
            "X-Rate-Limit-Reset",
            "X-Correlation-Id",
            "Content-Type",
            "Date",
            "X-Rate-Limit-Limit",
            "X-Rate-Limit-Remaining",
        ]
    ),
    (texts | st.integers().map(str)).map(lambda text: "".join(filter(lambda c: c.isascii() and c.isprintable(), text))),
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 405, 409, 429, 500, 599, 999])


def _body(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


bodies = st.one_of(*(bent(one).map(_body) for one in (INTEGRATION, STORED, COMPANIES, ERROR)), st.binary(max_size=40))


@fuzz
@given(st.lists(st.tuples(statuses, headers, bodies), min_size=1, max_size=6))
@example([(200, {}, b"[" * 100_000)])
@example([(200, {}, _body(INTEGRATION)), (200, {}, b'{"a": 1e999}')])
@example([(200, {}, b'{"enabled": true, "linkedConnectionsCount": ' + b"9" * 5000 + b"}")])
@example([(429, {"Retry-After": "9" * 5000}, b"")])
@example([(200, {"Content-Type": SECRET}, b"<html>")])
def test_answers_of_codat(answers: list[tuple[int, dict[str, str], bytes]]) -> None:
    """Whatever Codat or a proxy answers: a result or an error of this package, after a bounded number of requests."""
    clock, sent = Clock(), 0

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        clock.time += 1.0
        status, head, body = answers[sent % len(answers)]
        return httpx.Response(status, headers=head, content=body)

    http = answering(handle, clock=clock, sleep=clock.sleep)
    register(SECRET)  # As the provider does before it calls anybody.
    desired = load(IntegrationSettings, {"client_id": ID, "client_secret": SECRET, "enabled": True})
    said: list[str] = []
    for ask in (
        lambda codat: codat.actual(),
        lambda codat: codat.count_linked(),
        lambda codat: apply(codat, desired, say=said.append),
        lambda codat: apply(codat, desired, Recorded.of(desired), say=said.append),
    ):
        sent = 0
        codat = Codat(http, ApiKey.parse(KEY, "CODAT_API_KEY"), url="https://api.example")
        result = told(lambda ask=ask, codat=codat: ask(codat))  # type: ignore[misc]
        if isinstance(result, ActualIntegration):
            clean(f"{result.name} {result.integration_id} {shown_secret(result.client_secret)}")
        assert sent <= 130, "the operation's deadline bounds it"
    for text in said:
        clean(text)
    forget_secrets()


@fuzz
@given(statuses, headers, bent({"error": "invalid_code"}).map(_body) | st.binary(max_size=40))
@example(200, {}, b"[" * 100_000)
@example(200, {}, b"9" * 5000)
def test_answers_of_zoho(status: int, head: dict[str, str], body: bytes) -> None:
    """A probe never fails, and is sent once."""
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(status, headers=head, content=body)

    clean(probe(answering(handle), "us", ID, SECRET).why)
    assert len(sent) == 1
    forget_secrets()


@fuzz
@given(headers)
@example({"X-Rate-Limit-Remaining": "9" * 5000, "X-Rate-Limit-Limit": "1"})
@example({"X-Rate-Limit-Remaining": "1", "X-Rate-Limit-Limit": "0"})
@example({"Date": "Fri, 31 Dec 9999 23:59:59 -1200"})
def test_headers_that_doctor_reads(head: dict[str, str]) -> None:
    """The rate budget and the clock are told, or said not to be there."""
    http = Http(record=True, transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=head)))
    http.send("GET", "https://api.example/", deadline=http.deadline(5))
    for one in remote.headers(http.answers[-1].headers, http.now()):
        clean(f"{one.what} {one.next_step}")


@fuzz
@given(texts | st.text("0123456789 :,GMTJanFri+-()", max_size=60), st.floats(0, 1e12))
@example("9" * 5000, 0.0)
@example("Fri, 31 Dec 9999 23:59:59 -1200", 0.0)
@example("1 Jan 2026 00:00:00 +99999999999999999", 0.0)
def test_retry_after(text: str, now: float) -> None:
    """Seconds from now, or None: never negative, never more than a year, never an exception."""
    wait = retry_after({"retry-after": text}, now)
    assert wait is None or (0 <= wait <= 366 * 86_400 and math.isfinite(wait))


@fuzz
@given(texts | st.text("Xx*•-. c0de", max_size=60), texts.filter(bool), texts.filter(bool))
def test_masks(shown: str, one: str, other: str) -> None:
    """Whatever Codat shows: it is read, and what it leaves open for two values it proves for neither."""
    first, second = read_mask(shown, one), read_mask(shown, other)
    assert len(shown_secret(shown)) <= len("ends in c0de")
    if first.known.value == second.known.value == "same":
        assert one == other


# --- what the engine and other tools print ----------------------------------------------------------------------------

URN = "urn:pulumi:prod::codat-zoho::pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration::zoho-books"
STATE = {
    "urn": URN,
    "type": "x",
    "inputs": {**BOOKS, "client_secret": "[secret]"},
    "outputs": {"linked_companies": 2.0},
}
STEP = {
    "op": "update",
    "urn": URN,
    "oldState": STATE,
    "newState": STATE,
    "detailedDiff": {"enabled": {"kind": "update"}},
}
PREVIEW = {
    "steps": [
        {**STEP, "op": "refresh"},
        STEP,
        {**STEP, "urn": URN.replace("ZohoBooksIntegration", "ZohoClientCredentials"), "op": "create"},
        {"op": "same", "urn": "urn:pulumi:prod::codat-zoho::pulumi:pulumi:Stack::codat-zoho-prod"},
    ],
    "diagnostics": [{"severity": "info", "message": "x"}],
}
RENDERERS: tuple[ModuleType, ...] = (review_text, review_json, review_markdown, review_annotations)


@fuzz
@given(bent(PREVIEW).map(_json) | st.text(max_size=20))
@example("[" * 100_000)
@example('{"steps": [{"urn": "' + URN + '", "op": "update", "oldState": {"outputs": {"linked_companies": NaN}}}]}')
def test_previews(text: str) -> None:
    """Whatever stands in the file: a review that every format can draw."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "preview.json")
        file.write_bytes(text.encode("utf-8", "replace"))
        made = told(lambda: previews.review([str(file)]))
    for renderer in RENDERERS:
        assert isinstance(renderer.render(made), str)


PLAIN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
EXPORTED: dict[str, Any] = {
    "version": 3,
    "deployment": {
        "resources": [
            {"type": "pulumi:providers:pulumi-python", "urn": URN, "inputs": {"codat-zoho:apiKey": "x", "a:b": "c"}},
            *(
                {
                    "type": f"pulumi-python:dynamic/codat-zoho:{kind}",
                    "urn": f"urn:pulumi:dev::shop::x::{kind}",
                    "id": "default",
                    "inputs": {
                        **inputs,
                        "client_secret": {**PLAIN, "plaintext": '"x"'},
                        "client_secret_fingerprint": "0123456789abcdef",
                    },
                    "outputs": {
                        "declared": {
                            **PLAIN,
                            "plaintext": '{"enabled": true, "regions": ["us"], "at": "2026-01-01T00:00:00Z"}',
                        },
                        "codat_client": "11111111-2222-4333-8444-555555555555",
                        "verdicts": {"us": "accepted", "uk": "unknown client"},
                        "verified_at": "2026-01-01T00:00:00Z",
                    },
                }
                for kind, inputs in (("ZohoClientCredentials", CLIENT), ("ZohoBooksIntegration", BOOKS))
            ),
        ],
        "pending_operations": [{"type": "creating", "resource": {"urn": URN, "type": "pulumi-python:dynamic/x"}}],
    },
}
THERE = ActualIntegration(enabled=False, keys={"clientId": "XXXXc0de", "clientSecret": "****"}, linked=3)


OF_PLUGIN: dict[str, Any] = json.loads(plugin_state(json.dumps(EXPORTED)))


@fuzz
@given(bent(EXPORTED).map(_json) | bent(OF_PLUGIN).map(_json) | st.text(max_size=20))
@example("[" * 100_000)
def test_exported_states(text: str) -> None:
    """Whatever an exported state holds, each resource's state can be told, or the state is refused."""
    forget_secrets()
    try:
        state = exported.read(text)
    except exported.Unreadable as refused:
        assert str(refused).isprintable()
        return
    for one in state.resources:
        if findings.failure(one) is not None:
            continue
        if one.kind == "ZohoClientCredentials":
            asked = findings.question(one)
            assert findings.client(one, asked, None).state
        else:
            assert findings.integration(one, THERE, "pulumi up").state


@fuzz
@given(bent({"pulumiConfig": {"codat-zoho:apiKey": "x"}, "environmentVariables": {"CODAT_API_KEY": "y"}}).map(_json))
def test_esc_environments(text: str) -> None:
    """Whatever an environment gives, what is read of it are settings."""
    given = esc.Esc(lambda name, folder: text).given(("a", "b"), Path())
    assert all(isinstance(value, str) for value in given.variables.values())


@fuzz
@given(
    texts
    | st.lists(
        st.sampled_from(
            ["error: ", "ApiKeyRefused: ", "\n", "Traceback (most recent call last)", "x", "{text}", "{", "Error"]
        ),
        max_size=10,
    ).map("".join)
)
def test_failures_of_the_engine(text: str) -> None:
    """Whatever pulumi says when it fails becomes one line."""
    found = pulumi_failures.from_diagnostic(text)
    for one in (*([found] if found else []), pulumi_failures.from_output(text, text, [text])):
        assert one.text.isprintable() and len(one.text) <= pulumi_failures.LENGTH + 1
    version_of(text)


REPORT = {
    "version": 1,
    "stacks": [
        {
            "project": "x",
            "stack": "y",
            "resources": [
                {"urn": URN, "findings": [{"field": "enabled", "actual": True, "since": "2026-01-01T00:00:00Z"}]}
            ],
        }
    ],
}


@fuzz
@given(bent(REPORT).map(_json) | st.text(max_size=20))
@example("[" * 100_000)
@example("9" * 5000)
def test_earlier_reports(text: str) -> None:
    """A file given as --previous is read or refused."""
    try:
        drifts_of(text)
    except ValueError as problem:
        clean(str(problem))


CONTRACT = {
    "codat-zoho-contract": 1,
    "assumptions": [{"name": "mask", "seen": "opaque"}, {"name": "linked_count", "seen": False}],
}


@fuzz
@given(bent(CONTRACT).map(_json).map(str.encode) | st.binary(max_size=20))
@example(b"[" * 100_000)
@example(b'{"codat-zoho-contract": 1, "assumptions": [{"name": ["x"], "seen": 1}]}')
def test_contract_files(content: bytes) -> None:
    """A file for the simulator gives switches or is refused."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "contract.json")
        file.write_bytes(content)
        told(lambda: observed(file))


# --- the environment --------------------------------------------------------------------------------------------------

VARIABLES = (
    "CODAT_API_KEY",
    "CODAT_URL",
    "ZOHO_URL",
    "CODAT_ENABLED_PATH",
    "CODAT_CREDENTIALS_PATH",
    "CODAT_ZOHO_VERIFY",
)
addresses = st.lists(
    st.sampled_from(
        [
            "http",
            "s",
            "://",
            "127.0.0.1",
            "[::1",
            "]",
            ":",
            "99999",
            "@",
            "/",
            "?",
            "#",
            "\\",
            "%",
            "{key}",
            "{",
            " ",
            SECRET,
            "é",
            "\ud800",
        ]
    ),
    max_size=8,
).map("".join)
values = texts | addresses


@fuzz
@given(
    st.dictionaries(
        st.sampled_from(["apiKey", "apiKeys", "codatUrl", "zohoUrl", "codatEnabledPath", "codatCredentialsPath"]),
        values | anything,
    ),
    st.dictionaries(st.sampled_from(VARIABLES), values.filter(lambda text: text.isascii() and "\0" not in text)),
    st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True),
)
@example({"apiKeys": "[" * 100_000}, {}, "x")
@example({"apiKeys": "9" * 5000}, {}, "x")
@example({"apiKey": "Basic \ud800"}, {}, "default")
@example({"apiKey": "Basic Zm\u00f6v"}, {}, "default")
def test_the_environment(config: dict[str, Any], variables: dict[str, str], connection: str) -> None:
    """Whatever is set where addresses and keys are looked for: one is found, or the place is named."""
    environment = Environment.of({f"codat-zoho:{key}": value for key, value in config.items()}.get)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        for ask in (
            environment.codat_url,
            environment.zoho_url,
            environment.paths,
            lambda: environment.verify("off"),
            lambda: environment.api_key("default"),
            lambda: environment.api_key(connection),
        ):
            told(ask)
    forget_secrets()


@fuzz
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    st.sampled_from(["/calls", "/state", "/codat", "/zoho", "/switches", "/faults", "/x"]),
    bent({"apiKey": "k", "clientId": ID, "enabled": True, "linked": 2, "status": 500, "body": "x", "times": 1}).map(
        _body
    )
    | st.binary(max_size=20),
)
@example("PUT", "/codat", b"[" * 100_000)
@example("PUT", "/codat", b"9" * 5000)
def test_control_of_the_simulator(method: str, path: str, body: bytes) -> None:
    """Whatever is sent to the control interface: done, or 400 and why."""
    assert control(Simulator(), Request(method, path, "", {}, body)).status in (200, 400, 404)


@fuzz
@given(bent({**BOOKS, "client_secret_fingerprint": "x", "linked_companies": 2.0}), bent(BOOKS))
def test_anything_recorded(olds: Any, news: Any) -> None:
    """Whatever an older version or somebody else left in state, the engine gets an answer or one line."""
    if not isinstance(olds, dict) or not isinstance(news, dict):
        return
    try:
        checked = Books().check(olds, news)
        if not checked.failures:
            Books().diff("default", olds, checked.inputs)
    except Exception as error:  # noqa: BLE001
        assert type(error).__module__ == "builtins"
        clean(str(error))
    forget_secrets()


# --- long inputs ------------------------------------------------------------------------------------------------------

LONG = {
    "one character": "a" * LONG_ENOUGH,
    "addresses": "://" * (LONG_ENOUGH // 3),
    "user names": "://a@" * (LONG_ENOUGH // 5),
    "escapes": "\\" * LONG_ENOUGH,
    "colours": "\x1b[0" * (LONG_ENOUGH // 3),
    "percents": "%41" * (LONG_ENOUGH // 3),
    "entities": "&#65;" * (LONG_ENOUGH // 5),
    "masks": "X" * LONG_ENOUGH,
    "nearly masks": "XXXx" * (LONG_ENOUGH // 4),
    "digits": "9" * LONG_ENOUGH,
    "hex": "0123456789abcdef" * (LONG_ENOUGH // 16),
    "schemes": "basic " * (LONG_ENOUGH // 6),
    "spaces": "basic" + " " * LONG_ENOUGH,
    "lines": "error: \n" * (LONG_ENOUGH // 8),
    "names": "ValueError" * (LONG_ENOUGH // 10),
    "underscores": "x_" * (LONG_ENOUGH // 2),
    "braces": "{" * LONG_ENOUGH,
    "dots": "1." * (LONG_ENOUGH // 2),
    "commas": "," * LONG_ENOUGH,
    "parentheses": "(" * LONG_ENOUGH,
}
READERS: dict[str, Callable[[str], object]] = {
    "redact": redact,
    "one_line": one_line,
    "read_mask": lambda text: read_mask(text, ID),
    "read_mask, declared": lambda text: read_mask("XXXX" + text[:100], text),
    "shown_secret": shown_secret,
    "retry_after": lambda text: retry_after({"retry-after": text}, 0.0),
    "settings": lambda text: told(
        lambda: load(ZohoClientSettings, {"client_id": text, "client_secret": text, "regions": [text], "verify": text})
    ),
    "warnings": lambda text: warnings_about({"client_id": text, "client_secret": text, "regions": [text]}),
    "addresses": lambda text: told(Environment({"codatUrl": text}).codat_url),
    "paths": lambda text: told(Environment({"codatEnabledPath": f"/{text}"}).paths),
    "diagnostics": pulumi_failures.from_diagnostic,
    "outputs": lambda text: pulumi_failures.from_output(text, text),
    "versions": version_of,
    "stack configuration": lambda text: [
        *map(str, declared({"codat-zoho:zohoClientId": text, "codat-zoho:regions": text}).problems())
    ],
    "stack files": lambda text: _stack(f"config:\n  codat-zoho:zohoClientId: {text}".encode()),
    "exported states": lambda text: _exported(text),
}


def _exported(text: str) -> object:
    try:
        return exported.read(text)
    except exported.Unreadable:
        return None


def _stack(content: bytes) -> object:
    try:
        return read_stack(content, "codat-zoho")
    except Broken:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_long_texts(reader: str) -> None:
    """What takes quadratic time would not come back from any of these; they end."""
    for text in LONG.values():
        READERS[reader](f"{text}!")

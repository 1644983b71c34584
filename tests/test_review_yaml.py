"""Each kind of change of a YAML program, reviewed from files as a person would; what is not read is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codat_zoho.cli import main
from codat_zoho.review.formats import json as review_json
from tests.review_cases import Repo
from tests.support import ID, OTHER_ID, SECRET

PROJECT = """\
name: billing
runtime: yaml
plugins:
  providers: [{name: codat-zoho, path: ./bin}]
config:
  zohoClientId: {type: string}
  zohoClientSecret: {type: string, secret: true}
  linking: {type: boolean, default: true}
variables:
  centres: [us, uk]
resources:
  bucket:
    type: aws:s3:Bucket
    properties: {acl: private}
  client:
    type: codat-zoho:index:ZohoClientCredentials
    properties:
      clientId: ${zohoClientId}
      clientSecret: ${zohoClientSecret}
      regions: ${centres}
  books:
    type: codat-zoho:ZohoBooksIntegration
    properties:
      clientId: ${client.clientId}
      clientSecret: ${client.clientSecret}
      enabled: ${linking}
      onDelete: disable
    options: {protect: true}
outputs:
  bucket: ${bucket.id}
"""
STACK = f"""\
encryptionsalt: v1:c2FsdA==:v1:bm9uY2U=:Y2hlY2s=
config:
  billing:zohoClientId: {ID}
  billing:zohoClientSecret:
    secure: v1:Zmlyc3Q=:c2VjcmV0
"""
BASE = {"Pulumi.yaml": PROJECT, "Pulumi.prod.yaml": STACK}
_UNLESS_LINKED = "unless companies are linked: then it is refused"
_BOOKS = PROJECT[PROJECT.index("  books:") : PROJECT.index("outputs:")]
_PROTECT = "    options: {protect: true}\n"


@dataclass(frozen=True)
class Case:
    """A change, as what replaces what in the program, and what must be said of it."""

    name: str
    edits: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    exit: int = 0
    verdict: str = "changed"
    says: tuple[str, ...] = ()
    files: Mapping[str, str | None] = field(default_factory=dict)
    base: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True  # else there is more to say


def _provider(properties: str) -> str:
    return f"resources:\n  zoho: {{type: 'pulumi:providers:codat-zoho', properties: {{{properties}}}}}\n"


_WITH_PROVIDER = {
    "resources:\n": _provider("codatUrl: 'https://codat'"),
    _PROTECT: "    options: {provider: '${zoho}'}\n",
}
_DISABLED = (f"disable the integration in Codat, {_UNLESS_LINKED}",)
CASES = (
    Case(
        "disabled in the program",
        {"enabled: ${linking}": "enabled: false"},
        ("books.enabled: true -> false",),
        _DISABLED,
        ("danger disable",),
        7,
        "danger",
        ("Pulumi.yaml:26", "How many companies are linked"),
    ),
    Case(
        "disabled by a default of the project",
        {"default: true": "default: false"},
        ("books.enabled: true -> false",),
        _DISABLED,
        ("danger disable",),
        7,
        "danger",
    ),
    Case(
        "disabled by the stack",
        {},
        ("books.enabled: true -> false",),
        _DISABLED,
        ("danger disable",),
        7,
        "danger",
        files={"Pulumi.prod.yaml": f"{STACK}  billing:linking: false\n"},
    ),
    Case(
        "another client id",
        {},
        (
            f"client.clientId: {ID} -> {OTHER_ID}",
            "client.clientSecretFingerprint: not known while encrypted -> another one, not known while encrypted",
            f"books.clientId: {ID} -> {OTHER_ID}",
            "books.clientSecretFingerprint: not known while encrypted -> another one, not known while encrypted",
        ),
        (
            "ask Zoho's data centres uk, us whether they accept the client",
            f"save keys in Codat, {_UNLESS_LINKED}",
        ),
        ("danger client-id-changed",),
        7,
        "danger",
        files={"Pulumi.prod.yaml": STACK.replace(ID, OTHER_ID)},
    ),
    Case(
        "a region removed in a variable",
        {"[us, uk]": "[us]"},
        ("client.regions: uk, us -> us",),
        (),
        ("danger region-dropped",),
        7,
        "danger",
        ("Pulumi.yaml:10",),
    ),
    Case(
        "disruption allowed",
        {"onDelete: disable": "onDelete: disable\n      allowDisruption: true"},
        ("books.allowDisruption: false -> true",),
        (),
        ("danger linked-company-guard",),
        7,
        "danger",
        ("allowDisruption is switched on",),
    ),
    Case(
        "a deletion policy that is left out is the default",
        {"      onDelete: disable\n": ""},
        ("books.onDelete: disable -> remove",),
        (),
        ("danger deletion-policy",),
        7,
        "danger",
    ),
    Case(
        "removed",
        {_BOOKS: ""},
        (
            f"books.clientId: {ID} -> None",
            "books.clientSecret: encrypted -> None",
            "books.clientSecretFingerprint: not known while encrypted -> None",
            "books.enabled: true -> None",
            "books.connection: default -> None",
            "books.onDelete: disable -> None",
            "books.allowDisruption: false -> None",
        ),
        _DISABLED,
        ("danger removed", "caution refused"),
        7,
        "danger",
        ("books is protected",),
    ),
    Case(
        "renamed",
        {"  books:": "  integration:"},
        (),
        ("end the name books: integration is the same integration, so Codat stays as is",),
        ("caution renamed", "caution refused"),
    ),
    Case(
        "renamed with an alias",
        {"  books:": "  integration:", "protect: true": "protect: true, aliases: [{name: books}]"},
        ('integration.options.aliases: None -> [{"name": "books"}]',),
    ),
    Case(
        "renamed, to another connection",
        {"  books:": "  integration:", "onDelete: disable": "onDelete: disable\n      connection: second"},
        (
            f"books.clientId: {ID} -> None",
            "books.clientSecret: encrypted -> None",
            "books.clientSecretFingerprint: not known while encrypted -> None",
            "books.enabled: true -> None",
            "books.connection: default -> None",
            "books.onDelete: disable -> None",
            "books.allowDisruption: false -> None",
            f"integration.clientId: None -> {ID}",
            "integration.clientSecret: None -> encrypted",
            "integration.clientSecretFingerprint: None -> not known while encrypted",
            "integration.enabled: None -> true",
            "integration.connection: None -> second",
            "integration.onDelete: None -> disable",
            "integration.allowDisruption: None -> false",
        ),
        (
            "save keys in Codat, unless Codat holds the same already",
            "enable the integration in Codat, unless Codat holds the same already",
            *_DISABLED,
        ),
        ("danger removed", "caution refused"),
        7,
        "danger",
    ),
    Case(
        "not protected any more",
        {_PROTECT: ""},
        ("books.options.protect: true -> None",),
        (),
        ("danger options-changed",),
        7,
        "danger",
        ("nothing keeps Pulumi from deleting it any more",),
    ),
    Case(
        "a change that is ignored",
        {"protect: true": "protect: true, ignoreChanges: [enabled]", "default: true": "default: false"},
        ("books.options.ignoreChanges: None -> enabled",),
        (),
        ("danger options-changed",),
        7,
        "danger",
    ),
    Case(
        "a change that was ignored",
        {"protect: true, ignoreChanges: [enabled]": "protect: true"},
        ("books.enabled: as it was deployed (ignoreChanges) -> false", "books.options.ignoreChanges: enabled -> None"),
        (),
        ("danger hidden-value", "danger options-changed"),
        7,
        "danger",
        base={"protect: true": "protect: true, ignoreChanges: [enabled]", "enabled: ${linking}": "enabled: false"},
    ),
    Case(
        "replaced on changes",
        {"protect: true": "protect: true, replaceOnChanges: [enabled]"},
        ("books.options.replaceOnChanges: None -> enabled",),
        (),
        ("danger options-changed",),
        7,
        "danger",
    ),
    Case(
        "a provider of its own",
        _WITH_PROVIDER,
        (
            "books.options.protect: true -> None",
            "books.options.provider: None -> zoho",
            "zoho.codatUrl: None -> https://codat",
        ),
        (),
        ("danger options-changed", "danger options-changed", "danger address-changed"),
        7,
        "danger",
    ),
    Case(
        "another address of the provider",
        {"https://codat": "https://evil"},
        ("zoho.codatUrl: https://codat -> https://evil",),
        (),
        ("danger address-changed",),
        7,
        "danger",
        base=_WITH_PROVIDER,
    ),
    Case(
        "a secret in clear by its name",
        {"clientSecret: ${zohoClientSecret}": "clientSecret: {fn::secret: an-api-key-in-clear-1}"},
        tuple(
            f"{resource}.{change}"
            for resource in ("client", "books")
            for change in (
                "clientSecret: encrypted -> in clear",
                "clientSecretFingerprint: not known while encrypted -> <fingerprint>",
            )
        ),
        (
            "ask Zoho's data centres uk, us whether they accept the client, if the encrypted secret is another one",
            "save keys in Codat, if the encrypted secret is another one",
        ),
        ("danger secret-in-clear", "caution secret-changed", "caution shape"),
        7,
        "danger",
        ("clientSecret of client stands in clear",),
    ),
    Case(
        "an API key in clear",
        _WITH_PROVIDER | {"codatUrl: 'https://codat'": "apiKey: an-api-key-in-clear"},
        findings=("danger secret-in-clear", "caution api-key-changed"),
        exit=7,
        verdict="danger",
        says=("apiKey of zoho stands in clear", "apiKey is set, and comes before the environment's."),
        exact=False,
    ),
    Case(
        "a value from a function",
        {"enabled: ${linking}": "enabled: {fn::select: [0, [true]]}"},
        ("books.enabled: true -> what an expression gives that is not evaluated here",),
        (),
        ("danger hidden-value",),
        7,
        "danger",
    ),
    Case(
        "a value from another package",
        {"onDelete: disable": "onDelete: disable\n      connection: ${bucket.region}"},
        ("books.connection: default -> what bucket of another package gives",),
        (),
        ("danger hidden-value",),
        7,
        "danger",
    ),
    Case(
        "what a value from another package is made of",
        {"acl: private": "acl: public"},
        (
            "books.connection: what bucket of another package gives -> perhaps another, what bucket of another package gives",
        ),
        (),
        ("danger hidden-value",),
        7,
        "danger",
        base={"onDelete: disable": "onDelete: disable\n      connection: ${bucket.region}"},
    ),
    Case("a resource of another package", {"acl: private": "acl: public"}, verdict="unchanged"),
    Case(
        "a file that a function reads",
        files={"on.txt": "false"},
        findings=("caution not-reviewed",),
        verdict="not reviewed",
        base={"enabled: ${linking}": "enabled: {fn::fromBase64: {fn::filebase64: on.txt}}"},
    ),
    Case("a file that no function reads", files={"on.txt": "false"}, verdict="unchanged"),
    Case(
        "the plugin",
        files={"bin/pulumi-resource-codat-zoho": "#!/bin/sh"},
        findings=("caution not-reviewed",),
        verdict="not reviewed",
    ),
    Case(
        "a compiler",
        {"runtime: yaml": "runtime: {name: yaml, options: {compiler: cue}}"},
        findings=("danger project-changed", "caution not-reviewed"),
        exit=7,
        verdict="danger",
        exact=False,
    ),
    Case(
        "another language",
        {"runtime: yaml": "runtime: nodejs"},
        findings=("danger project-changed", "caution not-reviewed"),
        exit=7,
        verdict="danger",
        exact=False,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_each_kind_of_change(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Changes, steps, findings and exit code are exactly right, and the secret is never said."""
    _changed(tmp_path, case)
    code, out = _run(tmp_path, capsys, "--format", "json")
    told = json.loads(out)
    jsonschema.validate(told, json.loads(review_json.FORM.schema.read_text()))
    [environment] = told["environments"]
    code_text, text = _run(tmp_path, capsys)
    assert code == code_text == case.exit, text
    assert environment["verdict"] == case.verdict, text
    for phrase in case.says:
        assert phrase in text
    assert "an-api-key-in-clear" not in text + out
    found = [f"{found['level']} {found['rule']}" for found in environment["findings"]]
    if not case.exact:
        assert {*case.findings} <= {*found}
        return
    changes = [f"{c['resource']}.{c['field']}: {c['before']} -> {c['after']}" for c in environment["changes"]]
    assert [re.sub(r"\b[0-9a-f]{16}\b", "<fingerprint>", change) for change in changes] == list(case.changes)
    steps = [", ".join(filter(None, (step["text"], step["condition"]))) for step in environment["steps"]]
    assert steps == list(case.steps)
    assert found == list(case.findings)


def _changed(folder: Path, case: Case) -> None:
    repo = Repo(folder)
    repo.commit({**BASE, "Pulumi.yaml": _edited(PROJECT, case.base)})
    repo.git("checkout", "--quiet", "-b", "change")
    repo.commit({"Pulumi.yaml": _edited(_edited(PROJECT, case.base), case.edits), **case.files})


def _edited(text: str, edits: Mapping[str, str]) -> str:
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["review", "--directory", str(folder), "--base", "main", "--head", "change", *arguments])
    said = capsys.readouterr()
    assert not said.err, said.err
    return code, said.out


REFUSED = {
    "an alias": ({"[us, uk]": "&c [us, uk]", "regions: ${centres}": "regions: *c"}, "uses an alias"),
    "a merge": ({"properties: {acl: private}": "<<: {properties: {acl: private}}"}, "uses an alias"),
    "another spelling": ({"    options: {": "    Options: {"}, "spells options as 'Options'"),
    "a look-alike": ({"resources:\n": "re\u017fources:\n"}, "spells resources as"),
    "a key twice": ({"onDelete: disable": "onDelete: disable\n      onDelete: keep"}, "sets 'onDelete' twice"),
    "a tag": ({"enabled: ${linking}": "enabled: !!bool true"}, "has a tag"),
    "an unknown property": ({"onDelete:": "onDelet:"}, "'onDelet' is no property of it"),
    "an unknown option": ({"protect:": "protected:"}, "'protected' is nothing that Pulumi reads there"),
    "an unknown type": ({"codat-zoho:ZohoBooks": "codat-zoho:ZohoBook"}, "is no type of codat-zoho"),
    "an unknown name": ({"${linking}": "${link}"}, "refers to 'link'"),
    "no end": ({"${linking}": "${linking"}, "is not closed"),
    "itself": ({"${client.clientId}": "${books.clientId}"}, "refers to itself"),
    "a resource that is read": ({_PROTECT: "    get: {id: default}\n"}, "is read with get"),
    "a number": ({"enabled: ${linking}": "enabled: ${zohoClientId}", "default: true": "default: true"}, "must be true"),
    "a rule that is broken": ({"[us, uk]": "[us, gb]"}, "client: regions 'gb' is not a Zoho data centre"),
    "properties by a function": (
        {"    options: {": "    options: {"}
        | {_BOOKS: _BOOKS[: _BOOKS.index("    prop")] + "    properties: {fn::secret: {enabled: true}}\n"},
        "properties is an expression",
    ),
    "an option as an expression": ({"protect: true": "retainOnDelete: '${linking}'"}, "has retainOnDelete otherwise"),
    "a number from the stack": (
        {"type: boolean, default: true": "type: integer, default: 1"},
        "books refers to a setting that Pulumi may read as a number",
    ),
    "a text that grows": (
        {
            "variables:\n": "variables:\n  v0: ${zohoClientId}\n"
            + "".join(f"  v{n}: '${{v{n - 1}}}${{v{n - 1}}}'\n" for n in range(1, 60))
        },
        "comes to a value that is much too long",
    ),
    "a long chain": (
        {
            "variables:\n": "variables:\n  v0: [us]\n" + "".join(f"  v{n}: ${{v{n - 1}}}\n" for n in range(1, 2000)),
            "regions: ${centres}": "regions: ${v1999}",
        },
        "is nested too deeply",
    ),
    "a setting with a name of a resource": (
        {"config:\n": "config:\n  books: {type: string, default: a}\n"},
        "billing:books has the name of a resource",
    ),
    "a name that is not one line": ({"  books:": '  "books\\n::error::":'}, "is too long, or not printable"),
    "a variable that cannot be": (
        {"centres: [us, uk]": "centres: [us, uk]\n  odd: ${centres[7]}"},
        "the variable odd refers to",
    ),
    "secure": ({"enabled: ${linking}": "enabled: {secure: abc}"}, "has secure: outside of configuration"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_not_reviewed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was not compared with the engine, or the engine refuses, is named with file and line; exit code 1."""
    edits, why = REFUSED[name]
    _changed(tmp_path, Case(name, edits))
    code, text = _run(tmp_path, capsys)
    assert code == 1
    assert re.search(rf"head: Pulumi(\.prod)?\.yaml:\d+: .*{re.escape(why)}", text), text


def test_a_program_in_a_file_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``Main.yaml`` beside the project, or where ``main`` leads, is the program; one in JSON is not reviewed."""
    top, resources = PROJECT.split("variables:")
    program = f"variables:{resources}"
    repo = Repo(tmp_path)
    repo.commit({**BASE, "Pulumi.yaml": f"{top}main: src\n", "src/Main.yaml": program})
    repo.git("checkout", "--quiet", "-b", "change")
    repo.commit({"src/Main.yaml": program.replace("enabled: ${linking}", "enabled: false")})
    code, text = _run(tmp_path, capsys)
    assert code == 7
    line = program[: program.index("enabled:")].count("\n") + 1
    assert f"books: enabled: true -> false  [src/Main.yaml:{line}]" in text
    repo.commit({"src/Main.json": "{}"})
    code, text = _run(tmp_path, capsys)
    assert code == 1
    assert "src/Main.json: is JSON" in text


def test_a_program_without_stack_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stack needs no file: the program alone is reviewed, and the project's removal is a danger."""
    repo = Repo(tmp_path)
    alone = PROJECT.replace("${zohoClientId}", ID).replace("enabled: ${linking}", "enabled: true")
    repo.commit({"Pulumi.yaml": alone})
    repo.git("checkout", "--quiet", "-b", "change")
    repo.commit({"Pulumi.yaml": alone.replace("enabled: true", "enabled: false")})
    code, text = _run(tmp_path, capsys)
    assert code == 7
    assert "books: enabled: true -> false" in text
    repo.commit({"Pulumi.yaml": None})
    code, text = _run(tmp_path, capsys)
    assert code == 7
    assert "The project file is deleted." in text


def test_only_secrets_in_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--clear-secrets`` finds them in a program, by shape and by the property's name."""
    repo = Repo(tmp_path)
    by_name = PROJECT.replace("clientSecret: ${zohoClientSecret}", "clientSecret: hunter2hunter2")
    repo.commit({**BASE, "Pulumi.yaml": by_name.replace("acl: private", f"acl: {SECRET}")})
    repo.git("branch", "change")
    code, text = _run(tmp_path, capsys, "--clear-secrets")
    assert code == 7
    assert "clientSecret of client stands in clear" in text
    assert "Something here has the shape of" in text
    assert "hunter2" not in text
    assert SECRET not in text


# --- previews of the plugin, whatever language the program is in ------------------------------------------------------

_INTEGRATION = "codat-zoho:index:ZohoBooksIntegration"
_PLUGIN = "pulumi:providers:codat-zoho"
_BEFORE: dict[str, Any] = {
    "connection": "default",
    "enabled": True,
    "onDelete": "keep",
    "clientId": ID,
    "clientSecret": "[secret]",
}


def _state(type_: str, provider: str = "default", **inputs: object) -> dict[str, Any]:
    return {"type": type_, "inputs": inputs, "provider": f"urn:pulumi:prod::billing::{_PLUGIN}::{provider}::1"}


def _step(operation: str, name: str, old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::billing::{new['type']}::{name}"
    return {"op": operation, "urn": urn, "oldState": old, "newState": new}


def _previewed(
    folder: Path, capsys: pytest.CaptureFixture[str], *steps: dict[str, Any], exit: int = 0
) -> tuple[dict[str, Any], str]:
    path = folder / "preview.json"
    path.write_text(json.dumps({"steps": steps}))
    assert main(["review", "--preview", str(path), "--format", "json"]) == exit
    told = json.loads(capsys.readouterr().out)
    assert main(["review", "--preview", str(path)]) == exit
    return told["environments"][0], capsys.readouterr().out


def test_a_preview_of_the_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Properties are those of the dynamic resources, called as the engine calls them; so are paths and outputs."""
    old = _state(_INTEGRATION, **_BEFORE) | {"outputs": {"linkedCompanies": 3}}
    new = _state(_INTEGRATION, **{**_BEFORE, "enabled": False, "allowDisruption": True})
    step = _step("update", "books", old, new) | {"detailedDiff": {"clientSecret": {}, "enabled": {}}}
    environment, text = _previewed(tmp_path, capsys, step, exit=7)
    assert "books: clientSecret: [secret] -> another one, [secret]" in text
    assert "books: allowDisruption: not set -> true" in text
    assert "At the last look 3 companies were linked." in text
    assert "no preview lists the plugin's default provider" in text
    assert not re.search("allow_disruption|client_secret|on_delete", text)
    assert {found["rule"] for found in environment["findings"]} >= {"disable", "linked-company-guard"}


def test_a_state_that_moves_to_the_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Inputs that the dynamic resource left behind are compared with the plugin's by their meaning."""
    old = _state("pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration", on_delete="keep", connection="default")
    new = _state(_INTEGRATION, onDelete="keep", connection="default")
    environment, _ = _previewed(tmp_path, capsys, _step("update", "books", old, new))
    assert (environment["status"], environment["changes"]) == ("unchanged", [])


def test_an_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is imported is recorded; only what the program declares otherwise is sent."""
    new = _state(_INTEGRATION, **_BEFORE)
    alone, _ = _previewed(tmp_path, capsys, _step("import", "books", None, new))
    assert (alone["status"], alone["changes"]) == ("changed", [])
    assert [step["text"] for step in alone["steps"]] == ["import books: record what is there"]
    found = _state(_INTEGRATION, **{**_BEFORE, "enabled": False})
    steps = (_step("import", "books", None, new), _step("update", "books", found, new))
    both, text = _previewed(tmp_path, capsys, *steps)
    assert "1. import books: record what is there\n    2. enable the integration in Codat" in text
    assert len(both["changes"]) == 1


def test_a_provider_in_a_preview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another address or key of an explicit provider, and another provider of a resource, are named."""
    old = _state(_PLUGIN, codatUrl="https://codat", apiKey="[secret]", version="1")
    new = _state(_PLUGIN, codatUrl="https://evil", apiKey="[secret]", version="2")
    _, text = _previewed(tmp_path, capsys, _step("update", "zoho", old, new), exit=7)
    assert "zoho: codatUrl: https://codat -> https://evil" in text
    assert "zoho: apiKey: [secret] -> perhaps another, [secret] (whether it differs cannot be known)" in text
    assert "sent to another address: https://evil" in text
    step = _step("same", "books", _state(_INTEGRATION, **_BEFORE), _state(_INTEGRATION, "zoho", **_BEFORE))
    _, text = _previewed(tmp_path, capsys, step, exit=7)
    assert "danger options-changed: books: the option provider changes" in text


def test_a_preview_whose_program_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host for YAML programs says so on stderr, which the engine takes for a line of the program."""
    said = [{"severity": "info#err", "message": '\x1b[31mError\x1b[0m: "onn" not found\n'}]
    step = {"op": "create", "urn": "urn:pulumi:prod::billing::pulumi:pulumi:Stack::billing-prod"}
    (tmp_path / "preview.json").write_text(json.dumps({"steps": [step], "diagnostics": said}))
    assert main(["review", "--preview", str(tmp_path / "preview.json")]) == 1
    assert "the preview failed:" in capsys.readouterr().out

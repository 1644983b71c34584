"""Review reads YAML programs as the engine does, or says that it cannot; each danger is the one that the engine plans.

Made programs are read by our reader and by ``pulumi preview --json`` through the language host for YAML. Ours may refuse
what the engine reads; it may never read something else, nor read what the engine refuses. ``YAML_PROGRAMS=1000`` compares
that many instead of the fixed sample.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from codat_zoho.cli import main
from codat_zoho.declare.describe import camel_case
from codat_zoho.review import declared, expressions
from codat_zoho.review.environments import read_side
from codat_zoho.simulator import Simulator
from codat_zoho.simulator.server import serve
from codat_zoho.workspace.values import kind_of
from codat_zoho.workspace.yaml_program import PROVIDER
from tests.real_engine import Project
from tests.review_cases import Repo
from tests.support import API_KEY, ID, OTHER_ID, OTHER_SECRET, SECRET
from tools.engine import Engine

pytest.importorskip("codat_zoho.plugin")
pytestmark = [pytest.mark.engine, pytest.mark.slow]
COUNT = int(os.environ.get("YAML_PROGRAMS", "10"))
LONG = "YAML_PROGRAMS" in os.environ
SEED = int(os.environ.get("YAML_PROGRAMS_SEED") or (random.SystemRandom().randrange(10**6) if LONG else 7))
PLUGIN = f"""#!{sys.executable}
from codat_zoho.plugin.server import main
main()
"""
Files = Mapping[str, str]


@pytest.fixture
def project(engine: Engine, simulator: Simulator, tmp_path: Path) -> Iterator[Project]:
    """A folder for a YAML program with the plugin beside it, against a simulator."""
    if not (engine.pulumi.parent / "pulumi-language-yaml").exists() and not os.environ.get("YAML_HOST"):
        pytest.skip("this engine has no language host for YAML")
    with serve(simulator) as base:
        folder = tmp_path / "project"
        (folder / "bin").mkdir(parents=True)
        plugin = folder / "bin" / "pulumi-resource-codat-zoho"
        plugin.write_text(PLUGIN)
        plugin.chmod(0o755)
        made = Project.at(engine, folder, base)
        made.environment["PATH"] = os.environ.get("YAML_HOST", "") + os.pathsep + made.environment["PATH"]
        yield made


# --- made programs ----------------------------------------------------------------------------------------------------

_FLAGS = ("true", "false", "True", "yes", '"true"', "null", "~", "1", "t", '"false"', "TRUE")
_TEXTS = (
    "keep",
    "disable",
    '"keep"',
    "remove",
    "off",
    "t",
    "1",
    "1e3",
    "0x10",
    "'[\"keep\"]'",
    "null",
    "'\"keep\"'",
    "$$keep",
)
_LISTS = ("[us, uk]", "[uk, us, us]", "[us]", "us", '\'["us", "uk"]\'', "[]", "[us, null]", "{us: uk}", "[gb]")
_OPTIONS = (
    "",
    "protect: true",
    "ignoreChanges: [enabled]",
    "import: null",
    "retainOnDelete: true",
    "Protect: true",
    "dependsOn: ['${client}']",
)


def made_program(chance: random.Random) -> dict[str, str]:
    """The files of a program whose values come from anywhere, now and then oddly."""

    def one(*of: str) -> str:
        return chance.choice(of)

    def seldom(usual: str, *odd: str, share: float = 0.12) -> str:
        return chance.choice(odd) if chance.random() < share else usual

    flag, mode, centres = (seldom(one(*of[:2]), *of, share=0.3) for of in (_FLAGS, _TEXTS, _LISTS))
    default = f"default: {flag}"
    config = [
        f"  flag: {one('{type: boolean}', f'{{type: boolean, {default}}}', f'{{{default}}}', flag)}",
        f"  mode: {one('{type: string}', f'{{default: {mode}}}')}",
        f"  centres: {one(f'{{type: array, items: {{type: string}}, default: {centres}}}', '{type: string}')}",
        f"  id: {{type: string, default: {ID}}}",
        "  zoho: {type: object}",
    ]
    stack = [
        f"  shop:flag: {seldom(one(*_FLAGS[:2]), *_FLAGS)}",
        f"  shop:mode: {seldom(one(*_TEXTS[:2]), *_TEXTS)}",
        f"  shop:centres: {seldom(one(*_LISTS[:2]), *_LISTS)}",
        f"  shop:zoho: {{on: {seldom('true', *_FLAGS)}, ids: [{ID}, {OTHER_ID}]}}",
        f"  other:flag: {flag}",
        f"  shop:{seldom('unused', 'word', 'place', 'client', 'books', 'on', 'pulumi')}: {one('keep', 'us', 'true')}",
    ]
    flags = ("true", "false", "${flag}", "${on}", "${shop:flag}", "${other:flag}", '${["flag"]}', "${zoho.on}")
    odd_flags = (
        "{fn::secret: '${on}'}",
        "{Fn::Secret: true}",
        "{fn::unsecret: {fn::secret: false}}",
        "yes",
        "${not}",
        "'${on}'",
        "${flag}x",
        "null",
        "{fn::select: [0, [true]]}",
        "${client.sameCredentialsEverywhere}",
    )
    ids = (ID, "${id}", "${client.clientId}", "${zoho.ids[1]}", '${zoho["ids"][0]}', "${tail}")
    odd_ids = (
        "1000.${flag}",
        "${zoho.ids[2]}",
        "${client.id}",
        "${client}",
        "$${id}",
        "${pulumi.stack}",
        "${books.clientId}",
        "${id",
        "${}",
        "1000.$A",
    )
    modes = ("keep", "${mode}", "${word}", "disable")
    odd_modes = (
        "${pulumi.project}",
        "{fn::join: ['', [ke, ep]]}",
        "${centres[0]}",
        "${mode}${word}",
        "off",
        "${pulumi.cwd}",
    )
    lists = ("[us, uk]", "${centres}", "${area}", "['${place}', uk]")
    odd_lists = ("{fn::split: [',', 'us,uk']}", "[us, '${place}', us]", "us", "&c [us]", "[[us]]", "['us${flag}']")
    areas = ("[us]", "${centres}", "[us, '${place}']")
    variables = [
        f"  on: {seldom(one('true', '${flag}', 'false'), '${off}', '${client.verify}', '*c')}",
        f"  word: {seldom(one('keep', '${mode}', 'dis${able}'), '${on}')}",
        "  able: able",
        f"  tail: {seldom(f'{ID[:5]}${{rest}}', '1000.${word}')}",
        f"  rest: {ID[5:]}",
        f"  area: {one(*areas)}",
        f"  place: {one('us', 'uk', '${centres[0]}')}",
    ]
    client = {
        "clientId": seldom(one(ID, "${id}", "${tail}"), *odd_ids),
        "clientSecret": one(SECRET, f"{{fn::secret: {SECRET}}}"),
        "regions": seldom(one(*lists), *odd_lists),
        "verify": seldom('"off"', "off", "on-change", '"${word}"'),
    }
    books = {
        "clientId": seldom(one(*ids), *odd_ids),
        "clientSecret": seldom("${client.clientSecret}", SECRET),
        "enabled": seldom(one(*flags), *odd_flags, share=0.25),
        "onDelete": seldom(one(*modes), *odd_modes, share=0.25),
        "connection": seldom("default", "c-${pulumi.stack}", "${word}", "Default"),
        "allowDisruption": seldom("false", "${on}", "{fn::secret: true}"),
    }
    kept = {name for name in books if chance.random() < 0.7}
    if "clientSecret" in kept:
        kept.add("clientId")
    text = {
        "client": _resource(
            "client",
            seldom("codat-zoho:index:ZohoClientCredentials", "codat-zoho:zohoclientcredentials"),
            client,
            "",
            seldom,
        ),
        "books": _resource(
            seldom("books", "Books"),
            seldom(
                "codat-zoho:ZohoBooksIntegration",
                "codat-zoho:index:zohoBooksIntegration",
                "codat-zoho:index/zohobooksintegration:ZohoBooksIntegration",
            ),
            {k: v for k, v in books.items() if k in kept},
            seldom("", *_OPTIONS, share=0.4),
            seldom,
        ),
    }
    if chance.random() < 0.4:
        used = chance.random() < 0.6
        text["zoho-plugin"] = (
            "  plug:\n    type: pulumi:providers:codat-zoho\n"
            + ("    defaultProvider: true\n" if used else "")
            + "    properties: {codatUrl: 'http://127.0.0.1:1/${word}', apiKey: '${word}'}\n"
        )
    order = [*text]
    chance.shuffle(order)
    resources = (
        seldom("resources", "Resources", "re\u017fources", share=0.06) + ":\n" + "".join(text[name] for name in order)
    )
    program = "variables:\n" + "\n".join(variables) + f"\n{resources}"
    top = (
        "name: shop\nruntime: yaml\nplugins:\n  providers: [{name: codat-zoho, path: ./bin}]\n"
        + "config:\n"
        + "\n".join(config)
        + "\n"
    )
    files = {
        "Pulumi.test.yaml": "config:\n"
        + "\n".join(line for line in stack if chance.random() < 0.75 or "zoho" in line)
        + "\n"
    }
    if chance.random() < 0.15:
        return files | {"Pulumi.yaml": top, "Main.yaml": program}
    return files | {"Pulumi.yaml": top + program}


def _resource(name: str, type_: str, properties: Mapping[str, str], options: str, seldom: Callable[..., str]) -> str:
    lines = [f"  {name}:", f"    type: {type_}", f"    {seldom('properties', 'Properties', share=0.04)}:"]
    lines += [f"      {key}: {_quoted(value)}" for key, value in properties.items()] or ["      {}"]
    lines += [f"    options: {{{options}}}"] if options else []
    lines += [f"    name: {name}-named"] if seldom("", "named") else []
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return f"'{value}'" if value.startswith(("${", "$$")) and "'" not in value else value


# --- the comparison ---------------------------------------------------------------------------------------------------

Read = dict[tuple[str, str], dict[str, Any]]


def ours(files: Files) -> Read | str:
    """The fields of each resource as review reads them, None for what it does not know; or why it refuses."""
    [side] = read_side({name: text.encode() for name, text in files.items()}, {}).values()
    if side.problems:
        return side.problems[0].text
    assert side.yaml
    return {
        (one.kind, one.name): {
            name if one.kind == PROVIDER else camel_case(name): field.value if field.known else None
            for name, field in one.fields.items()
        }
        for one in side.resources
    }


def the_engines(project: Project, files: Files) -> Read | str:
    """The inputs that the engine plans to create, or why it refuses."""
    for path in project.folder.iterdir():
        if path.is_file():
            path.unlink()
    for name, text in files.items():
        (project.folder / name).write_text(text)
    done = project.run("preview", "--json", "--stack", "test")
    told = json.loads(done.stdout or "{}")
    failed = [one["message"] for one in told.get("diagnostics") or () if one["severity"].endswith(("error", "err"))]
    if done.returncode:
        saved = _saved(project, done.stdout)
        assert main(["review", "--preview", str(saved), "--output", str(saved.with_suffix(".txt"))]) == 1
        return "\n".join([*failed, done.stderr])
    found: Read = {}
    for step in told["steps"]:
        type_, name = step["urn"].split("::")[2:]
        kind = PROVIDER if type_.startswith("pulumi:providers:") else kind_of(type_)
        if kind:
            found[kind, name] = step["newState"].get("inputs") or {}
    return found


def _saved(project: Project, text: str) -> Path:
    path = project.folder / ".state" / "preview.json"
    path.write_text(text)
    return path


def difference(mine: Read, theirs: Read) -> str:
    """Where two readings contradict each other; "" for nowhere."""
    if mine.keys() != theirs.keys():
        return f"resources: {sorted(mine)} for {sorted(theirs)}"
    for key, fields in mine.items():
        for name in {*fields, *theirs[key]} - {"version"}:
            if name not in fields or name not in theirs[key]:
                if name in fields and fields[name] is None and "ecret" not in name:
                    continue  # Not known: it may come to nothing.
                return f"{key}: {name} is only in {'ours' if name in fields else 'the engine s'}"
            one, other = fields[name], theirs[key][name]
            if one is not None and other != "[secret]" and (one, type(one)) != (other, type(other)):
                return f"{key}: {name} is {one!r} for {other!r}"
    return ""


def test_made_programs_are_read_as_the_engine_reads_them(project: Project) -> None:
    """What ours reads, the engine plans, to the value; what the engine refuses, ours refuses."""
    (project.folder / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")
    project.must("stack", "init", "test")
    chance = random.Random(SEED)
    found: list[str] = []
    refused: dict[str, int] = {}
    read = 0
    while read < COUNT:
        files = made_program(chance)
        mine = ours(files)
        if isinstance(mine, str):
            refused[mine] = refused.get(mine, 0) + 1
            continue
        theirs = the_engines(project, files)
        if isinstance(theirs, str) and "error: validating stack config:" in theirs:
            continue  # The engine's own check of declared types, before any program runs.
        unknown = not isinstance(mine, str) and any(None in fields.values() for fields in mine.values())
        if isinstance(theirs, str) and unknown and "has a problem" in theirs:
            continue  # What ours does not know may break a rule.
        read += 1
        why = f"the engine refuses: {theirs}" if isinstance(theirs, str) else difference(mine, theirs)
        if why:
            found.append(f"{why}\n" + "\n".join(f"--- {name}\n{text}" for name, text in files.items()))
    print(read, "read", sum(refused.values()), "refused", *sorted(refused.items(), key=lambda item: -item[1]), sep="\n")
    assert not found, f"seed {SEED}:\n" + "\n\n".join(found[:9])


CONTRARY = {
    "Pulumi.test.yaml": f"config:\n  shop:letter: t\n  shop:on: false\n  shop:zoho: {{ids: [{OTHER_ID}, {ID}]}}\n",
    "Pulumi.yaml": """\
name: shop
runtime: yaml
plugins:
  providers: [{name: codat-zoho, path: ./bin}]
variables:
  on: true
resources:
  books:
    type: codat-zoho:ZohoBooksIntegration
    properties:
      clientId: ${zoho.ids[1]}
      enabled: ${letter}
      allowDisruption: ${on}
""",
}
"""A setting that is a letter, one with the name of a variable, and a part of one."""


def test_a_fault_in_our_reader_would_be_found(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings as plain texts, variables before settings, parts counted from one: each contradicts the engine."""
    (project.folder / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")
    project.must("stack", "init", "test")
    theirs = the_engines(project, CONTRARY)
    assert not isinstance(theirs, str), theirs
    right = ours(CONTRARY)
    assert not isinstance(right, str), right
    assert difference(right, theirs) == ""
    reads, finds, within = expressions.as_host_reads, declared._Sources.as_host_reads, expressions._within
    faults: dict[str, tuple[object, str, Callable[..., object]]] = {
        "a letter is no flag": (declared, "as_host_reads", lambda text: reads(text) if len(text) > 1 else False),
        "variables win": (
            declared._Sources,
            "as_host_reads",
            lambda self, name: None if name == "on" else finds(self, name),
        ),
        "the first part": (expressions, "_within", lambda found, rest, value: within(found, (*rest[:-1], 0), value)),
    }
    for name, (where, what, fault) in faults.items():
        with monkeypatch.context() as patch:
            patch.setattr(where, what, fault)
            wrong = ours(CONTRARY)
        assert not isinstance(wrong, str), f"{name}: {wrong}"
        assert difference(wrong, theirs), name


# --- changes of a program that is deployed ----------------------------------------------------------------------------

PROGRAM = f"""\
name: shop
runtime: yaml
plugins:
  providers: [{{name: codat-zoho, path: ./bin}}]
config:
  hidden: {{type: string, secret: true}}
  linking: {{type: boolean, default: true}}
resources:
  client:
    type: codat-zoho:index:ZohoClientCredentials
    properties:
      clientId: {ID}
      clientSecret: ${{hidden}}
      regions: [us, uk]
  books:
    type: codat-zoho:ZohoBooksIntegration
    properties:
      clientId: ${{client.clientId}}
      clientSecret: ${{client.clientSecret}}
      enabled: ${{linking}}
      onDelete: disable
    options: {{customTimeouts: {{create: 5m}}}}
"""
BOOKS = PROGRAM[PROGRAM.index("  books:") :]
CHANGES: dict[str, Mapping[str, str]] = {
    "disabled": {"default: true": "default: false"},
    "another client id": {f"clientId: {ID}": f"clientId: {OTHER_ID}"},
    "region dropped": {"[us, uk]": "[us]"},
    "a policy left out": {"      onDelete: disable\n": ""},
    "another connection": {"onDelete: disable": "connection: second"},
    "removed": {BOOKS: ""},
    "renamed": {"  books:": "  integration:"},
    "renamed with an alias": {"  books:": "  integration:", "{customT": "{aliases: [{name: books}], customT"},
    "renamed by an option": {"  books:\n": "  books:\n    name: integration\n"},
    "ignored": {"default: true": "default: false", "{customT": "{ignoreChanges: [enabled], customT"},
    "another provider": {
        "resources:\n": "resources:\n  plug: {type: 'pulumi:providers:codat-zoho', defaultProvider: true}\n",
        "linking: {": "unused: {type: string, default: a}\n  linking: {",
    },
}


@pytest.fixture
def deployed(project: Project, simulator: Simulator) -> Repo:
    """The program, deployed and committed."""
    simulator.add_zoho_client(OTHER_ID, OTHER_SECRET)
    project.environment["CODAT_API_KEY_SECOND"] = API_KEY
    repo = Repo(project.folder)
    repo.write({"Pulumi.yaml": PROGRAM, ".gitignore": ".state/\nbin/\n"})
    project.must("stack", "init", "test")
    project.must("config", "set", "--secret", "hidden", stdin=SECRET)
    repo.commit()
    assert project.up().returncode == 0, project.said[-1]
    return repo


def test_each_change_is_what_the_engine_plans(
    project: Project, deployed: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Offline and from the preview, a review lists the same changes, dangers and steps."""
    found = []
    for name, edits in CHANGES.items():
        text = PROGRAM
        for old, new in edits.items():
            assert old in text, name
            text = text.replace(old, new)
        deployed.write({"Pulumi.yaml": text})
        capsys.readouterr()
        main(["review", "--directory", str(project.folder), "--base", "HEAD", "--format", "json"])
        [offline] = json.loads(capsys.readouterr().out)["environments"]
        preview = _saved(project, project.run("preview", "--json").stdout)
        main(["review", "--preview", str(preview), "--format", "json"])
        [planned] = json.loads(capsys.readouterr().out)["environments"]
        found += [(name, _told(offline), _told(planned))] if _told(offline) != _told(planned) else []
    assert not found, "\n".join(f"{name}:\n  {offline}\n  {planned}" for name, offline, planned in found)


def _told(environment: dict[str, Any]) -> tuple[object, ...]:
    """What both ways can tell."""
    changes = {
        (
            one["resource"],
            one["field"],
            *(None if "ecret" in one["field"] else one[side] for side in ("before", "after")),
        )
        for one in environment["changes"]
        if "." not in one["field"]
    }
    only = ("options-changed", "replaced")  # Options are in no preview, and that something is replaced in no file.
    rules = {one["rule"] for one in environment["findings"] if one["level"] == "danger" and one["rule"] not in only}
    steps = [step["text"] for step in environment["steps"] if step["kind"] != "forget"]
    return environment["problems"], sorted(changes), rules, steps

"""The policy pack: its rules as plain functions, and the whole pack on the real engine."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from codat_zoho.declare.platform import INTEGRATION, PLUGIN_PREFIX, TOKEN_PREFIX
from codat_zoho.declare.settings import Spelling
from codat_zoho.policy import rules
from codat_zoho.policy.files import clear_settings
from codat_zoho.simulator import Simulator, serve
from tests.real_engine import ROOT, Project
from tests.review_cases import PROJECT, STACK
from tests.support import API_KEY, ID, SECRET
from tools.engine import Engine

VENV = ROOT / ".venv-policy"
GOOD = {"enabled": True, "on_delete": "keep", "allow_disruption": False, "verify": "on-change", "regions": ["us"]}
RULES = {rule.name: rule for rule in rules.RULES}


def violations(rule: str, stack: str, values: dict[str, object], **parameters: Any) -> list[str]:
    """What a rule says."""
    check = RULES[rule].check
    assert check is not None
    return list(check({**values, "stack": stack}, **parameters))


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        ("linked-company-guard", {"allow_disruption": True}),
        ("verification-on", {"verify": "off"}),
        ("supported-regions", {"regions": ["us", "au"]}),
        ("deletion-policy", {"on_delete": "remove"}),
    ],
)
def test_each_rule_sees_its_own_violation(rule: str, bad: dict[str, object]) -> None:
    """A rule objects to what it is about, once, and to nothing that is right, missing or not known yet."""
    assert len(violations(rule, "prod", GOOD | bad)) == 1
    assert violations(rule, "prod", GOOD) == []
    assert violations(rule, "prod", {}) == []


def test_production_rules_leave_other_stacks_alone() -> None:
    """What only production must not do is allowed elsewhere, and which stacks are production is a parameter."""
    bad = GOOD | {"allow_disruption": True, "on_delete": "remove"}
    for rule in ("linked-company-guard", "deletion-policy"):
        assert violations(rule, "staging", bad) == []
        assert violations(rule, "staging", bad, production=["staging"])
        assert violations(rule, "eu-prod", bad)
    assert violations("deletion-policy", "prod", bad | {"protect": True}) == []
    assert violations("deletion-policy", "prod", bad, allowed=["remove"]) == []
    assert violations("supported-regions", "prod", GOOD | {"regions": ["au"]}, supported=["au"]) == []


def test_what_to_type_is_spelled_as_the_program_spells_it() -> None:
    """In a program that uses the plugin the option of the resource and its properties are other words."""
    [said] = violations("deletion-policy", "prod", GOOD | {"on_delete": "remove", "spelling": Spelling.PROPERTY})
    assert said.startswith("onDelete is remove") and "(protect: true)" in said


def test_secrets_in_clear_are_found_in_the_files(tmp_path: Path) -> None:
    """A secret in clear is named with file and line and not shown; files that cannot be read are no silent pass."""

    def look(folders: tuple[Path, ...] = (tmp_path,), name: str = "codat-zoho", stack: str = "prod") -> Any:
        return clear_settings(folders, name, stack)

    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(STACK)
    assert look() == []
    path.write_text(STACK.replace(":\n    secure: v1:Zmlyc3Q=:c2VjcmV0", f": {SECRET}"))
    [text] = look() or []
    assert text.startswith("Pulumi.prod.yaml, line 4: codat-zoho:zohoClientSecret stands in clear.")
    assert SECRET not in text
    path.write_text(f"{STACK}# {SECRET}\n")
    [found] = look() or []
    assert found.startswith("Pulumi.prod.yaml, line 8: Something here has the shape of a Zoho client secret")
    path.write_text(STACK.replace(":\n    secure: v1:Zmlyc3Q=:c2VjcmV0", f": {SECRET}"))
    (pack := tmp_path / "elsewhere" / "pack").mkdir(parents=True)
    assert look(folders=(pack, tmp_path)) == look(folders=(pack,)) == [text]  # Above the pack, as pulumi finds it.
    assert look(name="another") is None
    path.write_text("config: [")
    assert look() is None
    assert look(stack="dev") is None
    values: dict[str, object] = {"found": None}
    assert "nobody has looked" in violations("configuration-found", "prod", values)[0]
    assert violations("configuration-found", "prod", {"found": []}) == []


@pytest.mark.parametrize(
    ("given", "looked"),
    [
        ({}, True),
        ({"codat-zoho:verify": "off"}, False),
        ({"codat-zoho:verify": None}, False),
        ({"codat-zoho:zohoClientSecret": None}, False),
        ({"codat-zoho:apiKey": API_KEY}, False),
        ({"aws:region": "eu-west-1"}, True),
    ],
)
def test_files_of_another_folder_are_not_looked_at(tmp_path: Path, given: dict[str, str | None], looked: bool) -> None:
    """After `pulumi -C` the folder may hold another stack of that name: its configuration is not the engine's."""
    (tmp_path / "Pulumi.yaml").write_text("name: codat-zoho\nruntime: python\n")
    lines = "codat-zoho:verify: always", "codat-zoho:enabled: true", "codat-zoho:zohoClientSecret: {secure: v1:a:b}"
    (tmp_path / "Pulumi.prod.yaml").write_text("\n  ".join(["config:", *lines, ""]))
    real = {"codat-zoho:verify": "always", "codat-zoho:enabled": "true", "codat-zoho:zohoClientSecret": SECRET}
    configuration = {name: value for name, value in (real | given).items() if value is not None}
    found = clear_settings([tmp_path], "codat-zoho", "prod", configuration)
    assert found == ([] if looked else None)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(f"{TOKEN_PREFIX}{INTEGRATION}", "allow_disruption"), (f"{PLUGIN_PREFIX}{INTEGRATION}", "allowDisruption")],
)
def test_the_pack_sees_into_components(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine tells a resource's own type, and a URN with the component's before it: the stack is told all the same."""
    # The real one needs a virtual environment of its own, see below.
    monkeypatch.setitem(sys.modules, "pulumi_policy", MagicMock(ResourceValidationPolicy=SimpleNamespace))
    monkeypatch.delitem(sys.modules, "codat_zoho.policy.pack", raising=False)
    pack = importlib.import_module("codat_zoho.policy.pack")
    monkeypatch.delitem(sys.modules, "codat_zoho.policy.pack")
    rule = RULES["linked-company-guard"]
    found: dict[str, list[str]] = {}
    for stack in ("prod", "dev"):
        args = SimpleNamespace(
            resource_type=kind,
            urn=f"urn:pulumi:{stack}::shop::acme:app:Billing$acme:codat:Books${kind}::books",
            props={name: True},
            opts=SimpleNamespace(protect=False),
            get_config=dict,
        )
        pack._resource_policy(rule).validate(args, found.setdefault(stack, []).append)
    assert len(found["prod"]) == 1 and found["dev"] == []
    assert found["prod"][0].startswith(f"{name} is on in prod")


def test_every_rule_is_documented() -> None:
    """docs/review.md has each rule with its level and its parameters."""
    text = (ROOT / "docs/review.md").read_text().partition("## The policy pack")[2]
    for rule in rules.RULES:
        level = "mandatory" if rule.mandatory else "advisory"
        [row] = re.findall(rf"(?m)^\| `{rule.name}` \|.*$", text)
        assert f"| {level} |" in row
        assert all(f"`{name}`" in row for name in rule.parameters)


@pytest.mark.engine
@pytest.mark.skipif(not (VENV / ".ready").exists(), reason="no .venv-policy: make .venv-policy/.ready sets it up")
def test_the_pack_on_the_engine(engine: Engine, simulator: Simulator, tmp_path: Path) -> None:
    """`pulumi preview --policy-pack` stops what is mandatory, warns of the rest, and lets pass what is right."""
    pack = tmp_path / "pack"
    shutil.copytree(ROOT / "examples/policy-pack", pack)
    file = pack / "PulumiPolicy.yaml"
    file.write_text(file.read_text().replace("virtualenv: venv", f"virtualenv: {VENV}"))
    with serve(simulator) as base:
        project = Project.copy_of(engine, ROOT, tmp_path / "project", base)
        project.stack = "prod"
        bad = {"regions": ["us", "au"], "verify": "off", "allow_disruption": True}
        keys = {"client_id": ID, "client_secret": SECRET}
        project.configure({"books": keys | bad})
        refused = project.run("preview", "--policy-pack", str(pack), PYTHONPATH=str(ROOT))
        assert refused.returncode != 0
        for rule in rules.RULES[2:]:
            assert f"[{'mandatory' if rule.mandatory else 'advisory'}]  {rule.name}" in refused.stdout, refused.stdout
        project.configure({"books": keys | {"regions": ["us"], "on_delete": "keep"}})
        passed = project.run("preview", "--policy-pack", str(pack), PYTHONPATH=str(ROOT), PWD=str(project.folder))
        assert passed.returncode == 0, project.said[-1]
        assert "[mandatory]" not in passed.stdout
        assert "[advisory]" not in passed.stdout
        path = project.folder / "Pulumi.prod.yaml"
        path.write_text(path.read_text().replace("config:\n", f"config:\n  codat-zoho:apiKey: {API_KEY}\n"))
        # As a shell sets it, and as one that is elsewhere does.
        clear = project.run("preview", "--policy-pack", str(pack), PYTHONPATH=str(ROOT), PWD=str(project.folder))
        assert clear.returncode != 0
        assert "[mandatory]  secret-in-clear" in clear.stdout
        unseen = project.run("preview", "--policy-pack", str(pack), PYTHONPATH=str(ROOT), PWD=str(pack))
        # Where the language host starts a pack in the project's folder, it sees it all the same.
        assert re.search(r"\[advisory\]  configuration-found|\[mandatory\]  secret-in-clear", unseen.stdout), (
            unseen.stdout
        )
        assert all(secret not in said for said in project.said for secret in (SECRET, API_KEY))

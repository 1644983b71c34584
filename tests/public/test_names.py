"""The import paths are the interface."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import codat_zoho
import codat_zoho.simulator
import codat_zoho.testing

MODULES = [codat_zoho, codat_zoho.simulator, codat_zoho.testing]
NAMES = [pytest.param(module, name, id=f"{module.__name__}.{name}") for module in MODULES for name in module.__all__]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_public_names_are_sorted(module: ModuleType) -> None:
    """A reader finds a name where it belongs, once: constants, classes, functions, as `sorted` has it."""
    names = module.__all__
    constants = [name for name in names if name.isupper()]
    classes = [name for name in names if name[0].isupper() and name not in constants]
    rest = [name for name in names if name not in constants and name not in classes]
    assert list(names) == sorted(constants) + sorted(classes) + sorted(rest)
    assert len(set(names)) == len(names)
    assert set(names) <= set(dir(module))


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_public_names_are_documented_and_typed(module: ModuleType, name: str) -> None:
    """`help()` says what it is, and an editor knows its types: each public method too."""
    value = getattr(module, name)
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        assert isinstance(value, str) or _documented_value(name), f"{name} has no text after its definition"
        return
    assert (inspect.getdoc(value) or "").strip(), f"{name} has no docstring"
    for what, function in _functions(name, value):
        assert (inspect.getdoc(function) or "").strip() or what.endswith("__init__"), f"{what} has no docstring"
        signature = inspect.signature(function)
        untyped = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.annotation is inspect.Parameter.empty and parameter.name not in ("self", "cls")
        ]
        assert not untyped, f"{what}: {untyped} have no type"
        assert signature.return_annotation is not inspect.Signature.empty, f"{what} says not what it returns"


def _functions(name: str, value: Any) -> list[tuple[str, Any]]:
    if inspect.isroutine(value):
        return [(name, value)]
    own = {
        member: getattr(found, "__func__", getattr(found, "fget", found))
        for member, found in vars(value).items()
        if not member.startswith("_") or member == "__init__"
    }
    return [
        (f"{name}.{member}", found)
        for member, found in own.items()
        if inspect.isfunction(found) and found.__qualname__.startswith(name)
    ]


def _documented_value(name: str) -> bool:
    """A constant is followed by a text in the file that defines it."""
    for path in Path(codat_zoho.__file__).parent.rglob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for statement, following in itertools.pairwise(body):
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
            if named and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                return True
    return False


@pytest.mark.parametrize("name", ["ZohoBooksIntegration", "ZohoClientCredentials"])
def test_arguments_and_outputs_are_documented(name: str) -> None:
    """Each argument of a resource is explained, with its allowed values."""
    resource = getattr(codat_zoho, name)
    text = inspect.getdoc(resource) or ""
    missing = [one for one in inspect.signature(resource).parameters if f"{one}:" not in text]
    assert not missing


@pytest.mark.parametrize(
    "name",
    [
        "codat_zoho",
        "codat_zoho.simulator",
        "codat_zoho.testing",
        "codat_zoho.testing._converges",
        "codat_zoho.testing._mocks",
        "codat_zoho.testing._running",
    ],
)
def test_examples_in_docstrings_run(name: str) -> None:
    """What a docstring shows is what happens."""
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted and not result.failed

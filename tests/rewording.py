"""Climbs the ladder and checks for drift at each step, if asked with every sentence of this package reworded.

``python -m tests.rewording plain|reworded [STATES]`` prints what came of each step as JSON: the kind of error, what was
sent, how each setting stands, exit codes. ``STATES`` is the output of another run, whose states are checked in place of
its own. Nothing in it depends on the wording, so all runs must print the same.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

NOT_OURS = ("codat_zoho.simulator", "codat_zoho.workspace")
"""What Codat, Zoho and the ``pulumi`` command say; all else in this package is its own wording."""
WORD = re.compile(r"(?<![{\w])[A-Za-z]{3,}(?![}\w])")
SHORT = re.compile(r"^differs \(|^ends in |^none stored$|^hidden$")


def is_sentence(text: str) -> bool:
    """Three words or more, or a short way to say how a stored key stands: other short texts are names and values."""
    return len([word for word in text.split() if WORD.search(word)]) >= 3 or SHORT.search(text) is not None


class Reworded(ast.NodeTransformer):
    """Spells each word of each sentence backwards; regular expressions, docstrings and enumerations stay."""

    count = 0

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return self._spelt(node) if isinstance(node.value, str) and is_sentence(node.value) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        texts = [part for part in node.values if isinstance(part, ast.Constant)]
        if is_sentence("_".join(str(part.value) for part in texts)):
            node.values = [self._spelt(part) if isinstance(part, ast.Constant) else part for part in node.values]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func.value if isinstance(node.func, ast.Attribute) else None
        return node if isinstance(called, ast.Name) and called.id == "re" else self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        is_enum = any(isinstance(base, ast.Name) and base.id in ("Enum", "IntEnum") for base in node.bases)
        return node if is_enum else self.generic_visit(node)

    def _spelt(self, node: ast.Constant) -> ast.Constant:
        Reworded.count += 1
        return ast.copy_location(ast.Constant(WORD.sub(lambda word: word[0][::-1], str(node.value))), node)


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module with its sentences reworded, and leaves no bytecode of that behind."""

    def get_code(self, fullname: str) -> CodeType:
        tree = Reworded().visit(ast.parse(self.get_data(self.path)))
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class Finder:
    """Finds this package's modules for :class:`Loader`."""

    @staticmethod
    def find_spec(name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        del target
        ours = name.partition(".")[0] == "codat_zoho" and not name.startswith(NOT_OURS)
        spec = importlib.machinery.PathFinder.find_spec(name, path) if ours else None
        if spec is not None and spec.origin:
            spec.loader = Loader(name, spec.origin)
        return spec


def steps(given: Iterator[list[str]], folder: Path) -> Iterator[dict[str, Any]]:
    """Take each step of the ladder, under a few of the things nobody knows of Codat."""
    from codat_zoho.simulator import Simulator, serve
    from tests.ladder import LADDER, World
    from tests.mini_engine import Failed, MiniEngine, Plain
    from tests.support import API_KEY, ID, SECRET

    for switches in ({}, {"mask": "opaque"}, {"keys_shown": False, "linked_count": False}):
        simulator = Simulator()
        simulator.add_codat_client(API_KEY)
        simulator.add_zoho_client(ID, SECRET)
        for name, value in switches.items():
            setattr(simulator.switches, name, value)
        with serve(simulator) as base:
            os.environ |= {"CODAT_URL": f"{base}/codat", "ZOHO_URL": f"{base}/zoho", "CODAT_API_KEY": API_KEY}
            world, engine = World(simulator), MiniEngine(Plain())
            for step in LADDER:
                engine.wire.renew()
                simulator.forget_calls()
                step.act(world)
                refreshed = MiniEngine(engine.wire, dict(engine.state))
                with contextlib.suppress(Failed):
                    refreshed.refresh()
                result: dict[str, Any] = {"step": step.name, "states": [exported(engine), exported(refreshed)]}
                checked = next(given, result["states"])
                result["drift"] = [drift(state, folder) for state in checked[:2]]
                try:
                    engine.destroy() if step.destroy else engine.up(world.program(), refresh=step.refresh)
                    result["error"] = None
                except Failed as error:
                    result["error"] = str(error).partition(":")[0]
                result["writes"] = [call.detail for call in simulator.writes]
                result["states"].append(exported(engine))
                result["drift after"] = drift(checked[2], folder)
                yield result
            yield from failures(folder)


def failures(folder: Path) -> Iterator[dict[str, Any]]:
    """What each kind of failure comes to."""
    from codat_zoho.remote import http
    from tests.pulumi_stand_in import books
    from tests.pulumi_stand_in import state as made

    state = made(books())
    for name, change in {
        "no key": {"CODAT_API_KEY": ""},
        "malformed key": {"CODAT_API_KEY": "two words"},
        "refused key": {"CODAT_API_KEY": "of-nobody"},
        "nobody answers": {"CODAT_URL": "http://127.0.0.1:9/codat"},
        "no address": {"CODAT_URL": "ftp://example"},
    }.items():
        before = dict(os.environ)
        os.environ |= change
        http.ATTEMPTS = 1
        yield {"step": name, "states": [], "drift": drift(state, folder)}
        os.environ |= before


def exported(engine: Any) -> str:
    """The engine's state as ``pulumi stack export --show-secrets`` gives it."""
    from codat_zoho.declare.platform import CLIENT, INTEGRATION
    from tests.pulumi_stand_in import resource, secret, state

    kinds = {"client": CLIENT, "books": INTEGRATION}

    def shown(bag: dict[str, Any]) -> dict[str, Any]:
        return {name: secret(value) if name in ("client_secret", "declared") else value for name, value in bag.items()}

    return state(
        *(
            resource(kinds[kind], shown(one.inputs), shown(one.outputs), name=kind, id=one.id)
            for kind, one in engine.state.items()
        )
    )


def drift(state: str, folder: Path) -> dict[str, Any]:
    """Check it, strictly and not: exit codes, kinds of failures, and how each setting stands."""
    from codat_zoho.cli import main

    file, written = folder / "state.json", folder / "report.json"
    file.write_text(state)
    codes = []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for words in ([], ["--strict"]):
            written.unlink(missing_ok=True)
            codes.append(
                main(["drift", "--state", str(file), "--report", f"json={written}", "--timeout", "20", *words])
            )
    report = json.loads(written.read_text())
    (stack,) = report["stacks"]
    failed = [one["failure"]["kind"] for one in (stack, *stack["resources"]) if one["failure"]]
    found = [
        (one["name"], finding["field"], finding["state"]) for one in stack["resources"] for finding in one["findings"]
    ]
    return {"codes": codes, "state": stack["state"], "failures": failed, "findings": found}


def main(mode: str, states: str = "") -> None:
    """Print what came of each step."""
    if mode == "reworded":
        sys.meta_path.insert(0, Finder)
    run = json.loads(Path(states).read_text())["steps"] if states else []
    given = iter([step["states"] for step in run if step["states"]])
    with tempfile.TemporaryDirectory() as folder:
        made = list(steps(given, Path(folder)))
    print(json.dumps({"reworded": Reworded.count, "steps": made}))


if __name__ == "__main__":
    main(*sys.argv[1:])

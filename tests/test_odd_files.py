"""Review reads what the engine reads, or says that it cannot: shown on odd project and stack files.

Each made folder is read by our reader and by ``pulumi config --json``. Ours may refuse what the engine reads; it may
never read something else, nor read what the engine refuses. ``make odd-files`` compares thousands; what disagreed once
stays in ``KEPT``.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from codat_zoho.review import environments
from codat_zoho.review.declared import declared
from codat_zoho.workspace import yaml_lines
from codat_zoho.workspace.pulumi_yaml import FILE, Project, Stack, read_project, read_stack
from codat_zoho.workspace.yaml_lines import Broken, Value
from tests.odd_files import KEPT, PROJECTS, STACK, Folder, sample
from tools.engine import Engine

pytestmark = [pytest.mark.engine, pytest.mark.slow]
FIXED = 2
COUNT = int(os.environ.get("ODD_FILES", "60"))
LONG = "ODD_FILES" in os.environ
# In `make test` always the same; a long run looks at others every time, and says which.
SEED = int(os.environ.get("ODD_FILES_SEED") or (random.SystemRandom().randrange(10**6) if LONG else FIXED))
AT_ONCE = 2
MOST_LOOKS, MOST_KINDS = (60, 30) if LONG else (20, 8)
"""Looks at one folder to make it smaller, and how many kinds of disagreement are made smaller and shown."""


@dataclass(frozen=True)
class Refused:
    """The files are not read; ``why`` in the reader's words."""

    why: str


@dataclass(frozen=True)
class Secret:
    """A value that is encrypted, as a whole or in part."""


Read = Mapping[str, object]
"""What a program gets by key: a text, what JSON stands for where it is an object or a list, or `Secret()`."""


# --- our reader -------------------------------------------------------------------------------------------------------


def ours(folder: Path, stack: str) -> Read | Refused:
    """What review reads of a stack: which files it picks, and what stands in them. The only place that knows how."""
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    content = {path: (folder / path).read_bytes() for path in paths if FILE.fullmatch(path.rpartition("/")[2])}
    seen: list[tuple[Stack, Project]] = []

    def remembered(name: str, file: str, read: Stack, project: Project, project_file: str, program: object) -> object:
        if name == stack and project_file:  # A stack file without a project is for `--config-file`.
            seen.append((read, project))
        assert program is None
        return declared(name, file, read, project, project_file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{environments.__name__}.declared", remembered)
        found = environments.read_side(content, {})
    refused = [problem.text for one in found.values() if one.stack == stack for problem in one.problems]
    if refused:
        return Refused(refused[0])
    if len(seen) > 1:
        return Refused("several files are read as the same stack's")
    if not seen:
        # Review shows no such stack. A stack without a file has what the project sets.
        homes = [content[path] for path in content if stack not in path]
        if len(homes) > 1 or not any(f"Pulumi.{stack}." in path for path in paths):
            return Refused("there is no stack file, or more than one project to go by")
        try:
            seen = [(Stack(), read_project(home)) for home in homes]
        except Broken as why:
            return Refused(why.text)
    settings = {key: value for read, project in seen for key, value in {**project.settings, **read.settings}.items()}
    if any(value.unread for value in settings.values()):
        return Refused("a setting has an odd value")  # `declared` says so of each setting that is ours
    return {":".join(key): _as_program_gets_it(value) for key, value in settings.items()}


def _as_program_gets_it(value: Value) -> object:
    if value.hides:
        return Secret()
    return json.loads(value.text) if isinstance(value.plain, (dict, list)) else value.text


# --- the engine -------------------------------------------------------------------------------------------------------


class Judge:
    """The real engine, with a backend for each call that may run at a time."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._one_reader = threading.Lock()  # `ours` and the planted faults replace names of modules
        self._free: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        for number in range(AT_ONCE):
            state = folder / f"state-{number}"
            (state / "backend").mkdir(parents=True)
            machine = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
            environment = engine.environment(machine, python=Path(sys.executable)) | {
                "PULUMI_BACKEND_URL": (state / "backend").as_uri(),
                "PULUMI_HOME": str(state / "home"),
                "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
                "NO_COLOR": "1",
            }
            (state / "Pulumi.yaml").write_text(f"name: {PROJECTS[0]}\nruntime: python\n")
            made = self._run(environment, state, "stack", "init", STACK)
            assert made.returncode == 0, made.stderr
            stacks = state / "backend" / ".pulumi" / "stacks"
            for project in PROJECTS[1:]:
                shutil.copytree(stacks / PROJECTS[0], stacks / project)
            self._free.put(environment)

    @staticmethod
    def _run(environment: Mapping[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
        )

    def compare(self, made: Folder, read: Callable[[Path, str], Read | Refused] = ours) -> Disagreement | None:
        """Read a folder both ways; the engine is asked only where ours reads something."""
        with self.written(made) as folder:
            try:
                with self._one_reader:
                    mine = read(folder, STACK)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is to be shown with its files
                return Disagreement(
                    made, f"Ours fails: {type(error).__name__}", Refused(repr(error)), Refused("not asked")
                )
            if isinstance(mine, Refused):
                return None
            # Of two spellings of a key the engine takes one by chance, so that one look may agree by chance.
            for _ in range(5 if _spells_a_key_twice(made) else 1):
                theirs = self._read(folder)
                kind = _difference(mine, theirs)
                if kind:
                    return Disagreement(made, kind, mine, theirs)
            return None

    @contextmanager
    def written(self, made: Folder) -> Iterator[Path]:
        """The folder on disk, for as long as it is looked at; the name of its last part is always the same."""
        folder = self._folder / f"{next(self._numbers)}" / "here"
        folder.mkdir(parents=True)
        try:
            made.write(folder)
            yield folder
        finally:
            shutil.rmtree(folder.parent)

    def _read(self, folder: Path) -> Read | Refused:
        environment = self._free.get()
        try:
            done = self._run(environment, folder, "config", "--json", "--stack", STACK)
        finally:
            self._free.put(environment)
        if done.returncode:
            return Refused(done.stderr.replace(str(folder), "<folder>").strip())
        return {key: _as_engine_says(value) for key, value in json.loads(done.stdout).items()}

    def smaller(self, found: Disagreement, read: Callable[[Path, str], Read | Refused] = ours) -> Disagreement:
        """The same kind of disagreement with as few files and lines as a limited number of looks allows."""
        left = MOST_LOOKS
        while True:
            for less in found.folder.smaller():
                if not left:
                    return found
                left -= 1
                again = self.compare(less, read)
                if again is not None and again.kind == found.kind:
                    found = again
                    break
            else:
                return found


def _as_engine_says(value: Mapping[str, object]) -> object:
    if value.get("secret"):
        return Secret()
    return value["objectValue"] if "objectValue" in value else value["value"]


def _spells_a_key_twice(made: Folder) -> bool:
    names: dict[str, set[bytes]] = {}
    for _, content in made.files:
        for key in re.findall(rb"""(?m)(?:^|[{,?]|<<:)\s*['"]?([\w:-]+?)['"]?\s*:(?=\s|$)""", content):
            names.setdefault(key.decode().rpartition(":")[2], set()).add(key)
    return any(len(spellings) > 1 for spellings in names.values())


# --- the comparison ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Disagreement:
    """Ours read something, and the engine something else or nothing."""

    folder: Folder
    kind: str
    mine: Read | Refused
    theirs: Read | Refused

    def __str__(self) -> str:
        """The files and both readings."""
        return f"{self.kind}\n{self.folder}\n    ours:   {self.mine}\n    engine: {self.theirs}"


def _difference(mine: Read | Refused, theirs: Read | Refused) -> str:
    """In which way they disagree, in words that are the same for disagreements of one cause; "" where they agree."""
    if isinstance(mine, Refused):
        return ""
    if isinstance(theirs, Refused):
        last = next((line for line in reversed(theirs.why.splitlines()) if line.strip()), "")
        return "The engine refuses: " + re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\d+|/\S+", "…", last.strip())
    for key in sorted({*mine, *theirs}):
        if key not in mine:
            return "The engine reads a key more"
        if key not in theirs:
            return "Ours reads a key more"
        if not _same(mine[key], theirs[key]):
            return f"Another value: {_shape(mine[key])} for {_shape(theirs[key])}"
    return ""


def _same(one: object, other: object) -> bool:
    """Equal, and of one kind: 1 is not true, though Python says so."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shape(value: object) -> str:
    """A value's kind: what makes two disagreements one."""
    if not isinstance(value, str):
        return "a secret" if isinstance(value, Secret) else type(value).__name__
    for name, shape in (
        ("whole number", r"-?\d+"),
        ("date", r"\d+-\d+-\d+.*"),
        ("number", r"[-+]?[\d.]+(e[-+]?\d+)?"),
        ("truth", "true|false"),
        ("nothing", ""),
    ):
        if re.fullmatch(shape, value):
            return name
    return "text"


# --- the tests --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """The engine with its backends."""
    return Judge(engine, tmp_path_factory.mktemp("odd"))


def test_review_and_the_engine_read_the_same(judge: Judge) -> None:
    """Of a project and a stack file review reads what the engine reads, key by key, or refuses."""
    again = f"ODD_FILES={COUNT} ODD_FILES_SEED={SEED} make odd-files"
    print(f"Again: {again}")
    made = sample(COUNT, SEED)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [one for one in pool.map(judge.compare, made) if one]
    kinds: dict[str, Disagreement] = {}
    for one in found:
        kinds.setdefault(one.kind, one)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        shown = list(pool.map(judge.smaller, list(kinds.values())[:MOST_KINDS]))
    report = "\n\n".join(f"[{sum(one.kind == kind.kind for one in found)} of this kind] {kind}" for kind in shown)
    assert not found, f"{len(found)} of {COUNT} folders disagree, in {len(kinds)} ways. Again: {again}\n\n{report}"


@pytest.mark.parametrize("name", KEPT)
def test_what_disagreed_once_agrees(judge: Judge, name: str) -> None:
    """A disagreement that was found and settled does not come back."""
    found = judge.compare(KEPT[name])
    assert found is None, str(found)


def test_most_of_what_is_made_is_read(judge: Judge) -> None:
    """The comparison proves something: neither are most folders refused, nor are there no odd ones among them."""
    read = 0
    for made in sample(60, FIXED):
        with judge.written(made) as folder:
            read += not isinstance(ours(folder, STACK), Refused)
    assert 20 <= read < 60


def _yes_is_true(patch: pytest.MonkeyPatch) -> None:
    plain = re.compile(rb"(?<=: )(yes|on)(?=\r?\n)")
    patch.setattr(
        f"{environments.__name__}.read_stack", lambda content, project: read_stack(plain.sub(b"true", content), project)
    )


def _bare_keys_are_the_packages(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{environments.__name__}.read_stack", lambda content, project: read_stack(content, "codat-zoho"))


def _no_defaults(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{environments.__name__}.read_project", lambda content: replace(read_project(content), settings={}))


def _nothing_is_encrypted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Value, "leaves", lambda value: iter(()))


def _merges_are_left_out(patch: pytest.MonkeyPatch) -> None:
    followed = yaml_lines._keys

    def own(mapping: yaml.MappingNode, budget: list[int]) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
        written = vars(mapping).setdefault("written", list(mapping.value))
        return {name: pair for name, pair in followed(mapping, budget).items() if pair in written}

    patch.setattr(yaml_lines, "_keys", own)


def _json_is_no_project(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(environments, "FILE", re.compile(r"Pulumi(?:\.(.+))?\.ya?ml"))


FAULTS = {
    "what is merged is left out": _merges_are_left_out,
    "a JSON file does not count": _json_is_no_project,
    "yes and on are true": _yes_is_true,
    "a bare key is the package's": _bare_keys_are_the_packages,
    "what the project sets is left out": _no_defaults,
    "what is encrypted is taken for text": _nothing_is_encrypted,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_reader_is_found(judge: Judge, fault: Callable[[pytest.MonkeyPatch], None]) -> None:
    """The comparison notices what it is there to notice: a faulty reader disagrees where the real one agrees."""

    def faulty(folder: Path, stack: str) -> Read | Refused:
        with pytest.MonkeyPatch.context() as patch:
            fault(patch)
            return ours(folder, stack)

    assert any(judge.compare(made, faulty) and not judge.compare(made) for made in _read_otherwise(judge, faulty)), (
        "no folder tells the faulty reader from the real one"
    )


def _read_otherwise(judge: Judge, faulty: Callable[[Path, str], Read | Refused]) -> Iterator[Folder]:
    """The folders of the fixed sample, and those that were kept, that the faulty reader reads otherwise than the real one."""
    for made in (*sample(60, FIXED), *KEPT.values()):
        with judge.written(made) as folder:
            differs = faulty(folder, STACK) != ours(folder, STACK)
        if differs:
            yield made

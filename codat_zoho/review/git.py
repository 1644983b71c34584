"""Reads files at git revisions without checking anything out, without writing there and without the network."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from codat_zoho.errors import ConfigurationError
from codat_zoho.link.record import FILE as RECORD
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.pulumi_yaml import FILE
from codat_zoho.workspace.yaml_program import TEMPLATES

WORKTREE = "worktree"
INDEX = "index"
_REGULAR = "100"
_SETTINGS = ("core.fsmonitor=false", "core.quotePath=false", "core.splitIndex=false")
_REWRITE = ("filter", "ident", "working-tree-encoding")
# Git may otherwise fetch missing objects of a partial clone, ask for a password, run a file-system monitor or write.
_OFFLINE = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_MAX_BYTES = 1024 * 1024
_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


Tree = Mapping[str, str | None]
"""The Pulumi files of one side: git's name of the content, "" for a file to be read from disk, None for no file.

Paths are relative to the top of the repository, with ``/``. None, under any name, is also what files may be behind: a
link, which is not followed, or a submodule; on disk it may be anything, a pipe for example. A Pulumi file is None, too,
where ``.gitattributes`` let a checkout differ from what git has.
"""


class Repository:
    """The repository that a folder is in. Every method raises ConfigurationError where git cannot answer."""

    def __init__(self, folder: Path) -> None:
        git = shutil.which("git")
        if not git:
            raise ConfigurationError("There is no git on PATH.", "Install it: review reads the files from git.")
        self._command = [git, *(part for one in _SETTINGS for part in ("-c", one)), "-C", str(folder)]
        top = os.fsdecode(self._output("rev-parse", "--show-toplevel")).rstrip("\n")
        self._command[-1] = top
        self._top = Path(top)

    def commit(self, ref: str, option: str) -> str:
        """The commit that ``ref`` names; ``option`` says where that came from."""
        commit = self._find_commit(ref)
        if not commit:
            branch = ref.removeprefix("origin/")
            pasted = branch if re.fullmatch(r"[\w./-]+", branch) else "<branch>"  # Into a shell, as it is.
            raise ConfigurationError(
                f"{option}: git knows no commit {one_line(ref)!r} here.",
                f"Check the name, or fetch it: git fetch origin {pasted} (in a pipeline, "
                "check out with the whole history: fetch-depth: 0).",
            )
        return commit

    @property
    def has_commits(self) -> bool:
        """A new repository has none, and everything in it is new."""
        return bool(self._find_commit("HEAD"))

    def default_base(self) -> str:
        """The branch that changes are usually merged into."""
        for ref in _BASES:
            if self._find_commit(ref):
                return ref
        raise ConfigurationError(
            f"None of {', '.join(_BASES)} exists here to compare with.", "Name the branch to merge into with --base."
        )

    def merge_base(self, base: str, head: str) -> str:
        """Where ``head`` left ``base``: what happened on the base branch since is not part of the change."""
        found = self._run("merge-base", base, head)
        if found.returncode:
            raise ConfigurationError(
                "The two revisions have no common history in this clone.",
                "A shallow clone lacks it: git fetch --unshallow (in a pipeline: fetch-depth: 0).",
            )
        return found.stdout.decode().split()[0]

    def _find_commit(self, ref: str) -> str:
        found = self._run("rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}")
        return "" if found.returncode else found.stdout.decode().strip()

    def tree(self, revision: str) -> Tree:
        """The Pulumi files, and what is kept of link tests, of a commit, of ``index``, or on disk (``worktree``)."""
        found: dict[str, str | None] = {}
        commit = revision not in (INDEX, WORKTREE)
        listing = ("ls-tree", "-r", "--full-tree", revision) if commit else ("ls-files", "--stage", "-t")
        for record in self._records(*listing):
            about, _, path = record.partition("\t")
            # A commit: mode, kind, blob. The index: S for what a sparse checkout leaves out, mode, blob, stage.
            one, two, three, *_ = about.split()
            mode = one if commit else two
            if revision != WORKTREE or (one == "S" and not os.path.lexists(self._top / path)):
                found[path] = three if mode.startswith(_REGULAR) else None
            elif os.path.lexists(self._top / path):
                found[path] = self._on_disk(path)
        if revision == WORKTREE:
            for path in self._records("ls-files", "--others", "--exclude-standard"):
                found[path.rstrip("/")] = self._on_disk(path.rstrip("/"))
        attributes = any(posixpath.basename(path) == ".gitattributes" for path in found)
        found = {path: blob for path, blob in found.items() if blob is None or _is_read(posixpath.basename(path))}
        if attributes:
            stored = [path for path, blob in found.items() if blob]
            found |= dict.fromkeys(self._rewritten(revision if commit else "", stored))
        return found

    def _on_disk(self, path: str) -> str | None:
        return "" if stat.S_ISREG((self._top / path).lstat().st_mode) else None

    def _rewritten(self, commit: str, paths: list[str]) -> Iterator[str]:
        """The files that a checkout of a commit, or of the index, makes something else of."""
        with tempfile.TemporaryDirectory() as folder:
            # `check-attr --source` does it without an index of its own, but only since git 2.40.
            own = {"GIT_INDEX_FILE": f"{folder}/index"} if commit else {}
            if commit:
                self._output("read-tree", commit, env=own)
            asked = os.fsencode("".join(f"{path}\0" for path in paths))
            out = self._output("check-attr", "--cached", "-z", "--stdin", *_REWRITE, stdin=asked, env=own)
        said = os.fsdecode(out).split("\0")[:-1]
        for path, value in zip(said[::3], said[2::3], strict=True):
            if value not in ("unspecified", "unset"):
                yield path

    def changed(self, base: str, head: str) -> frozenset[str]:
        """The paths that differ between a commit and a commit, ``index`` or ``worktree``."""
        against = {INDEX: ["--cached", base], WORKTREE: [base]}.get(head, [base, head])
        options = ("--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
        paths = self._records("diff", *options, *against, "--")
        if head == WORKTREE:
            paths += self._records("ls-files", "--others", "--exclude-standard")
        return frozenset(path.rstrip("/") for path in paths)

    def naming(self, *revisions: str) -> frozenset[str]:
        """The paths whose text names this package, in any of some commits, in ``index`` or in ``worktree``."""
        found: set[str] = set()
        for revision in revisions:
            where = {INDEX: ["--cached"], WORKTREE: ["--untracked"]}.get(revision, [revision])
            names = ("-e", "codat_zoho", "-e", "codat-zoho")
            done = self._run("grep", "-z", "-l", "--text", "-F", "--no-recurse-submodules", *names, *where, "--")
            if done.returncode > 1:
                said = one_line(done.stderr.decode(errors="replace"))
                raise ConfigurationError(f"git grep fails: {said or 'no reason given'}.")
            paths = os.fsdecode(done.stdout).split("\0")[:-1]
            found |= {path.removeprefix(f"{revision}:") for path in paths}
        return frozenset(found)

    def read(self, *trees: Tree) -> list[dict[str, bytes | None]]:
        """The content of each tree's files by path. None: it is no file, is not in this clone, or is much too large."""
        blobs = sorted({blob for tree in trees for blob in tree.values() if blob})
        content = dict(zip(blobs, self._blobs(blobs), strict=True))

        def of(path: str, blob: str | None) -> bytes | None:
            if blob is None:
                return None
            return content[blob] if blob else _from_disk(self._top / path)

        return [{path: of(path, blob) for path, blob in tree.items()} for tree in trees]

    def _blobs(self, blobs: list[str]) -> list[bytes | None]:
        if not blobs:
            return []
        out = self._output("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
        found: list[bytes | None] = []
        at = 0
        for _ in blobs:
            end = out.index(b"\n", at)
            about = out[at:end].split()
            at = end + 1
            if len(about) != 3:  # "missing": a partial clone, and nothing is fetched
                found.append(None)
                continue
            size = int(about[2])
            found.append(out[at : at + size] if size <= _MAX_BYTES else None)
            at += size + 1
        return found

    def _records(self, command: str, *arguments: str) -> list[str]:
        return os.fsdecode(self._output(command, "-z", *arguments)).split("\0")[:-1]

    def _output(self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        done = self._run(*arguments, stdin=stdin, env=env)
        if done.returncode:
            said = one_line(done.stderr.decode(errors="replace")).removeprefix("fatal: ")
            if "not a git repository" in said:
                raise ConfigurationError(
                    "This folder is in no git repository.",
                    "Change into the one to review, or name it with --directory.",
                )
            raise ConfigurationError(f"git {arguments[0]} fails: {said or 'no reason given'}.")
        return done.stdout

    def _run(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603
                [*self._command, *arguments],
                env={**os.environ, **_OFFLINE, **(env or {})},
                input=stdin,
                capture_output=True,
                check=False,
            )
        except OSError as problem:
            raise ConfigurationError(f"git does not run: {problem.strerror}.") from None


def _is_read(name: str) -> bool:
    return bool(FILE.fullmatch(name)) or name in (*TEMPLATES, RECORD)


def _from_disk(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= _MAX_BYTES else None

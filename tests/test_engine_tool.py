"""How an engine is got where there is none; `go` is a script here, so that nothing is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import engine as tool

VERSION = f"#!/bin/sh\necho v{tool.VERSION}\n"
GO = """#!/bin/sh
case $1 in
  env) printf 'go1.99.0\\nlocal\\n' ;;
  list) echo "$FAKE_SDK" ;;
  build)
    while [ "$1" != -o ]; do shift; done
    folder=$2; shift 2
    for package; do
      name=${package##*/}
      echo "$name" >> "$FAKE_SDK/built"
      printf '#!/bin/sh\\necho v%s\\n' "$FAKE_VERSION" > "$folder/$name"
      chmod +x "$folder/$name"
    done ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cached engine will be; PATH has no engine and a `go` that notes what it was asked to build."""
    _executable(tmp_path / "path" / "go", GO)
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        _executable(tmp_path / "sdk/python" / script, "")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_SDK", str(tmp_path / "sdk"))
    monkeypatch.setenv("FAKE_VERSION", tool.VERSION)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CODAT_ZOHO_ENGINE", "build")
    return tmp_path / "cache/codat-zoho" / f"pulumi-{tool.VERSION}"


def _executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _built(tmp_path: Path) -> list[str]:
    return (tmp_path / "sdk/built").read_text().split()


def _older(home: Path) -> Path:
    """An engine that was built before the language host for YAML programs was part of it."""
    (home / tool.MARK).parent.mkdir(parents=True)
    (home / tool.MARK).touch()
    return _executable(home / "bin/pulumi", VERSION)


def test_both_programs_are_built(home: Path, tmp_path: Path) -> None:
    """From nothing: the CLI and the host for YAML programs, once; what is cached is then taken as it is."""
    said: list[str] = []
    found = tool.find_or_build(said.append)
    assert (found.origin, found.pulumi) == (tool.BUILT, home / "bin/pulumi")
    assert _built(tmp_path) == ["pulumi", "pulumi-language-yaml"]
    assert f"building {tool.VERSION} (pulumi, pulumi-language-yaml) with go1.99.0" in said[0]
    assert tool.find_or_build(said.append).origin == "cache"
    assert len(_built(tmp_path)) == 2


def test_an_older_engine_is_completed(home: Path, tmp_path: Path) -> None:
    """Others may be running it: what it has stays the same file, and what it lacks is put beside it."""
    pulumi = _older(home)
    before = pulumi.stat().st_ino
    with pytest.raises(tool.EngineMissing):
        tool.find()
    said: list[str] = []
    assert tool.find_or_build(said.append).pulumi == pulumi
    assert pulumi.stat().st_ino == before
    assert _built(tmp_path) == ["pulumi-language-yaml"]
    assert f"building {tool.VERSION} (pulumi-language-yaml)" in said[0]
    assert sorted(path.name for path in home.parent.iterdir()) == [home.name, f"{home.name}.lock"]
    assert tool.find().origin == "cache"


def test_an_older_engine_stays_where_it_cannot_be_completed(home: Path, tmp_path: Path) -> None:
    """Without Go the reason is told, and the older engine is still there for whoever uses it."""
    pulumi = _older(home)
    (tmp_path / "path/go").unlink()
    with pytest.raises(tool.EngineMissing, match="no `go` on PATH"):
        tool.find_or_build(lambda _: None)
    assert pulumi.exists()


def test_an_engine_that_does_not_run_is_built_anew(home: Path, tmp_path: Path) -> None:
    """A whole engine that fails is not completed but replaced."""
    pulumi = _older(home)
    _executable(home / "bin/pulumi-language-yaml", VERSION)
    pulumi.write_text("#!/bin/sh\nexit 1\n")
    assert tool.find_or_build(lambda _: None).origin == tool.BUILT
    assert _built(tmp_path) == ["pulumi", "pulumi-language-yaml"]

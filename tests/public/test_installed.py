"""What an installed package must have, wherever it is installed."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

import codat_zoho
from codat_zoho.remote.http import Http

PACKAGE = Path(codat_zoho.__file__).parent


def test_one_version_everywhere() -> None:
    """`pip`, `__version__` and the command line agree."""
    done = subprocess.run([sys.executable, "-m", "codat_zoho", "--version"], capture_output=True, text=True, check=True)
    assert importlib.metadata.version("codat-zoho") == codat_zoho.__version__
    assert done.stdout.split()[-1] == codat_zoho.__version__


@pytest.mark.parametrize("name", ["codat-zoho", "pulumi-resource-codat-zoho"])
def test_the_command_is_installed(name: str) -> None:
    """It is on PATH after `pip install`; the second is what the engine looks for."""
    (command,) = [entry for entry in importlib.metadata.distribution("codat-zoho").entry_points if entry.name == name]
    assert callable(command.load())


def test_user_agent() -> None:
    """Codat's support can tell from its logs which release asked."""
    seen: list[str] = []

    def app(environ: dict[str, str], start_response: object) -> list[bytes]:
        seen.append(environ["HTTP_USER_AGENT"])
        start_response("200 OK", [("Content-Length", "2")])  # type: ignore[operator]
        return [b"{}"]

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        http = Http()
        http.send("GET", f"http://127.0.0.1:{server.server_port}/", deadline=http.deadline(10))
        thread.join()
    assert seen == [f"codat-zoho/{codat_zoho.__version__}"]


@pytest.mark.parametrize(
    "name", ["contract/schema.json", "drift/formats/drift-report.schema.json", "review/formats/review.schema.json"]
)
def test_schemas_are_shipped(name: str) -> None:
    """The JSON schemas of the reports, and that of the plugin, come along, readable."""
    assert json.loads((PACKAGE / name).read_text(encoding="utf-8"))["$schema"]
    assert json.loads((PACKAGE / "plugin/schema.json").read_text(encoding="utf-8"))["resources"]


def test_types_are_shipped() -> None:
    """A type checker looks into a package only where it finds py.typed."""
    assert (PACKAGE / "py.typed").is_file()


def test_no_test_is_shipped() -> None:
    """The wheel holds the package and nothing else."""
    files = importlib.metadata.files("codat-zoho") or []
    strangers = [
        str(file) for file in files if file.parts[0] == "codat_zoho" and file.name.startswith(("test_", "conftest"))
    ]
    assert not strangers

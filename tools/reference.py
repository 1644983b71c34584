"""Write docs/reference/ from the docstrings and the command line's own help.

python tools/reference.py            writes the pages
python tools/reference.py --check    fails where a page is not what would be written
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["COLUMNS"] = "110"  # argparse wraps its help to the width of the terminal

import yaml  # noqa: E402

from codat_zoho import errors, resources  # noqa: E402
from codat_zoho.cli import COMMANDS  # noqa: E402
from codat_zoho.settings import IntegrationSettings, ZohoClientSettings  # noqa: E402
from codat_zoho.simulator import Switches, control  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
MARK = "<!-- Written by tools/reference.py: change the docstrings, not this page. -->\n\n"


def _plain(text: str) -> str:
    """Turn the few marks of our docstrings into Markdown."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    return re.sub(r"\s+", " ", text.replace("``", "`")).strip().replace("|", "\\|")


def _arguments(made: object) -> dict[str, str]:
    """What the Args section of a docstring says of each argument."""
    section = re.search(r"(?ms)^Args:\n(.*?)(?=^\S|\Z)", inspect.getdoc(made) or "")
    entries = re.split(r"(?m)^ {4}(\w+): ", section[1]) if section else [""]
    return {name: _plain(text) for name, text in zip(entries[1::2], entries[2::2], strict=True)}


def _lead(made: object) -> str:
    """The docstring before its sections, in paragraphs."""
    text = re.split(r"(?m)^(?:Args|Raises):$", inspect.getdoc(made) or "")[0]
    return "\n\n".join(map(_plain, text.strip().split("\n\n")))


def _outputs(made: type) -> dict[str, tuple[str, str]]:
    """Type and text of each attribute that is documented by the string below it."""
    source = inspect.getsource(made)
    found = re.findall(r'(?m)^    (\w+): pulumi\.Output\[(.*)\]\n    """(.*)"""$', source)
    return {name: (kind, _plain(text)) for name, kind, text in found}


def _resources() -> str:
    parts = ["# Resources"]
    for name in resources.__all__:
        made = getattr(resources, name)
        parts += [f"## {name}", _lead(made), "| argument | default | |\n|---|---|---|"]
        given = inspect.signature(made.__init__).parameters
        texts, model = _arguments(made), _MODELS[name].model_fields
        for argument in list(given)[1:]:
            default = given[argument].default
            if argument in model and argument not in _MODELS[name].required:
                default = model[argument].default
            needed = default is inspect.Parameter.empty or argument in _MODELS[name].required
            shown = "needed" if needed else f"`{default!r}`"
            parts[-1] += f"\n| `{argument}` | {shown} | {texts[argument]} |"
        parts += ["None means that the argument is left out.", "| output | type | |\n|---|---|---|"]
        for output, (kind, text) in _outputs(made).items():
            parts[-1] += f"\n| `{output}` | `{kind}` | {text} |".replace(" | None`", " \\| None`").replace(
                "int | str", "int \\| str"
            )
    return "\n\n".join(parts)


def _configuration() -> str:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    rows = "\n".join(
        f"| `{name}` | {one['type']}{', secret' if one.get('secret') else ''} | "
        f"{_default(one)} | {_plain(one['description'])} |"
        for name, one in declared.items()
    )
    return f"# Configuration of the ready-made project\n\n| key | type | default | |\n|---|---|---|---|\n{rows}"


def _default(one: dict[str, object]) -> str:
    if "default" not in one:
        return "none"
    value = one["default"]
    return f"`{', '.join(value) if isinstance(value, list) else str(value).lower()}`"


def _cli() -> str:
    parts = ["# Command line"]
    for name in COMMANDS:
        text = importlib.import_module(f"codat_zoho.cli.{name}").parser().format_help()
        text = re.sub(r"one a core, \d+", "one a core", text)  # is of this machine
        parts += [f"## codat-zoho {name}", f"```text\n{text.rstrip()}\n```"]
    return "\n\n".join(parts)


def _errors() -> str:
    parts = ["# Errors", "Each message names what happened, where, why and what to do next."]
    rows = "\n".join(
        f"| `{name}` | {_lead(getattr(errors, name)).replace(chr(10) * 2, ' ')} |" for name in errors.__all__
    )
    return "\n\n".join([*parts, f"| error | |\n|---|---|\n{rows}"])


def _simulator() -> str:
    texts = _arguments(Switches)
    rows = "\n".join(
        f"| `{one.name}` | `{str(one.type).replace('|', chr(92) + '|')}` | `{one.default}` | {texts[one.name]} |"
        for one in dataclasses.fields(Switches)
    )
    interface = inspect.getdoc(control) or ""
    return (
        f"# Simulator\n\n{_lead(Switches)}\n\n| switch | values | default | |\n|---|---|---|---|\n{rows}"
        f"\n\n## Control interface\n\n```text\n{interface}\n```"
    )


_MODELS = {"ZohoBooksIntegration": IntegrationSettings, "ZohoClientCredentials": ZohoClientSettings}
PAGES = {
    "resources": _resources,
    "configuration": _configuration,
    "cli": _cli,
    "errors": _errors,
    "simulator": _simulator,
}


def main(arguments: list[str]) -> int:
    """Write or compare."""
    stale = []
    for name, draw in PAGES.items():
        path, text = FOLDER / f"{name}.md", f"{MARK}{draw()}\n"
        if arguments == ["--check"]:
            stale += [] if path.exists() and path.read_text(encoding="utf-8") == text else [name]
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"docs/reference is stale: {', '.join(stale)}. Run: make reference", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

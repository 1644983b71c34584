"""Write docs/reference/ from the docstrings and the command line's own help.

python tools/reference.py            writes the pages
python tools/reference.py --check    fails where a page is not what would be written
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
COLUMNS = 90  # as wide as the site's page
os.environ["COLUMNS"] = str(COLUMNS)  # argparse wraps its help to the width of the terminal

import yaml  # noqa: E402

from codat_zoho import errors, resources  # noqa: E402
from codat_zoho.cli import COMMANDS, module_of  # noqa: E402
from codat_zoho.declare import settings  # noqa: E402
from codat_zoho.declare.datacentres import DATA_CENTRES, SUPPORTED  # noqa: E402
from codat_zoho.declare.describe import described  # noqa: E402
from codat_zoho.declare.settings import IntegrationSettings, ZohoClientSettings  # noqa: E402
from codat_zoho.errors import Exit, exit_of  # noqa: E402
from codat_zoho.link.advice import ADVICE  # noqa: E402
from codat_zoho.simulator import Fault, Switches, control  # noqa: E402
from codat_zoho.simulator.screens import OUTCOMES  # noqa: E402
from codat_zoho.texts.environment_variables import VARIABLES  # noqa: E402
from tools.generated import write_or_compare  # noqa: E402
from tools.markdown import arguments, code, lead, outputs, plain, table  # noqa: E402
from tools.plugin_schema import files as plugin_schema  # noqa: E402
from tools.schemas import files, reports  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
MARK = "<!-- Written by tools/reference.py: change the docstrings, not this page. -->\n\n"


def _resources() -> str:
    parts = ["# Resources"]
    for name in resources.__all__:
        made = getattr(resources, name)
        given = inspect.signature(made.__init__).parameters
        texts, settings_of = arguments(made), described(_MODELS[name])
        rows, plain_ones = [], [code(one) for one in list(given)[1:] if "Input" not in given[one].annotation]
        for argument in list(given)[1:]:
            default = given[argument].default
            setting = settings_of.get(argument)
            needed = default is inspect.Parameter.empty or (setting is not None and setting.required)
            if setting is not None and not needed:
                default = setting.default
            shown = "needed" if needed else code(repr(default))
            rows.append((code(argument), code(_type(given[argument].annotation)), shown, _capital(texts[argument])))
        told = [(code(output), code(kind), text) for output, (kind, text) in outputs(made).items()]
        parts += [
            f"## {name}",
            lead(made),
            table(("argument", "type", "default", "meaning"), *rows),
            f"`None` means that the argument is left out. All but {', '.join(plain_ones)} may also be outputs of "
            "other resources.",
            table(("output", "type", "meaning"), *told),
        ]
    places = [
        (
            code(one.code),
            code(one.console),
            code(one.accounts),
            "yes" if one.code in SUPPORTED else "",
            "" if one.documented else "seen in public projects, not documented by Zoho",
        )
        for one in DATA_CENTRES.values()
    ]
    parts += [
        "## Data centres",
        "What `regions` may name. The client secret is sent to these accounts servers and to no other host of Zoho. "
        "Codat supports customers in the UK and the US; data centres where none of them can be bring a warning.",
        table(("code", "API console", "accounts server", "UK and US customers", "hosts"), *places),
    ]
    return "\n\n".join(parts)


def _type(annotation: str) -> str:
    """An argument's type as one writes it: without Pulumi's wrapper and without None, aliases spelled out."""
    while wrapped := re.search(r"pulumi\.Input\[((?:[^][]|\[[^][]*\])*)\]", annotation):
        annotation = annotation.replace(wrapped[0], wrapped[1])
    annotation = annotation.replace("pulumi.ResourceOptions", "ResourceOptions")
    named = annotation.removesuffix(" | None").removesuffix(" | None")
    alias = getattr(settings, named, None)
    return " | ".join(json.dumps(value) for value in get_args(alias)) or named


def _configuration() -> str:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    keys = [
        (
            code(name),
            f"{one['type']}{', secret' if one.get('secret') else ''}",
            _default(one),
            plain(one["description"]),
        )
        for name, one in declared.items()
    ]
    variables = [
        (code(one.name), code(one.key) if one.key else "", one.of or "everything", plain(one.text)) for one in VARIABLES
    ]
    return "\n\n".join(
        [
            "# Configuration",
            "## Keys of the ready-to-use project",
            "Set with `pulumi config set`. A program of your own names its keys itself.",
            table(("key", "type", "default", "meaning"), *keys),
            "## Environment variables, and keys that any project may set",
            "The environment comes first, then the key of stack configuration in the namespace `codat-zoho:`; only API "
            "keys that a program gives to an explicit provider come before the environment's. All of "
            "stack configuration is copied into state, secrets encrypted, so an API key that must not be there belongs "
            "in the environment.",
            table(("variable", "key", "read by", "meaning"), *variables),
        ]
    )


def _default(one: dict[str, object]) -> str:
    if "default" not in one:
        return "none"
    value = one["default"]
    return f"`{', '.join(value) if isinstance(value, list) else str(value).lower()}`"


def _cli() -> str:
    helps = {name: module_of(name).parser().format_help() for name in COMMANDS}
    codes = [
        (str(int(number)), *("yes" if int(number) in exit_codes(one) else "" for one in helps.values()), text)
        for number, text in zip(Exit, _documented(Exit), strict=True)
    ]
    parts = [
        "# Command line",
        "## Exit codes",
        "Where several apply, the upper one wins. The same holds for `codat-zoho` itself: an unknown command is 2.",
        table(("code", *COMMANDS, "meaning"), *codes),
    ]
    for name, text in helps.items():
        text = re.sub(r"one a core,\s+\d+", "one a core", text)  # is of this machine
        text = "\n\n".join(map(_wrapped, text.rstrip().split("\n\n")))
        parts += [f"## codat-zoho {name}", f"```text\n{text}\n```"]
    return "\n\n".join(parts)


def _wrapped(paragraph: str) -> str:
    """Wrap what argparse leaves alone: a command's own paragraphs and lists, written for wider terminals."""
    if begin := re.match(r"usage: codat-zoho \S+ ", paragraph):  # Python 3.14 breaks it within a pair of brackets
        glued = re.sub(r"\[(?:[^][]|\[[^]]*\])*\]", lambda one: "\0".join(one[0].split()), paragraph)
        below = " " * len(begin[0])
        filled = textwrap.fill(" ".join(glued.split()), COLUMNS - 2, subsequent_indent=below, break_on_hyphens=False)
        return filled.replace("\0", " ")
    if "\n " not in paragraph:
        return textwrap.fill(paragraph, COLUMNS, break_on_hyphens=False)
    lines = []
    for line in paragraph.splitlines():
        indent = re.match(r"( *(?:codat-zoho .*|\w+)? {2,})?", line)
        assert indent
        lines.append(textwrap.fill(line, COLUMNS, subsequent_indent=" " * len(indent[0]), break_on_hyphens=False))
    return "\n".join(lines)


def exit_codes(text: str) -> set[int]:
    """The exit codes that a command's help names; all but the simulator can be interrupted."""
    section = re.search(r"(?s)exit codes[^:\n]*:(.*?)(?:\n\n|\Z)", text)
    assert section, text
    named = {int(code) for code in re.findall(r"(?:^|[\s,;])(\d+)(?=\s+[a-zA-Z])", section[1])}
    return named | ({130} if "ended with Ctrl-C" not in section[1] else set())


def _documented(made: type) -> list[str]:
    """The texts below the members of a class, in order."""
    return [plain(text) for text in re.findall(r'(?m)^    [A-Z_]+ = .*\n    """(.*)"""$', inspect.getsource(made))]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _errors() -> str:
    rows = []
    for name in errors.__all__:
        made = getattr(errors, name)
        meaning, cause, cure = map(_capital, re.split(r"\s+(?:Cause|Cure): ", lead(made)))
        rows.append((code(name), meaning, cause, cure, str(int(exit_of(made)))))
    return "\n\n".join(
        [
            "# Errors",
            "Each message names what happened, where, why and what to do next; those of Codat end with its correlation "
            "id. In `pulumi up` an error stands below its resource. A command of `codat-zoho` that ends with one "
            "prints it as one line on stderr and exits as below; `drift` reports errors of single stacks and goes on.",
            table(("error", "meaning", "cause", "what to do", "exit code"), *rows),
        ]
    )


def _links() -> str:
    rows = [(plain(one.seen), plain(one.means), plain(one.cure)) for one in ADVICE]
    return "\n\n".join(
        [
            "# When a link fails",
            "Zoho shows what is wrong to the person who links, and tells neither Codat nor you. So compare the screen "
            "with this table, which `codat-zoho test-link` prints after a link that failed.",
            table(("the person sees", "it most often means", "what to do"), *rows),
        ]
    )


def _simulator() -> str:
    texts, faults = arguments(Switches), arguments(Fault)
    switches = [
        (code(one.name), code(_literals(str(one.type))), code(one.default), _capital(texts[one.name]))
        for one in dataclasses.fields(Switches)
    ]
    wrong = [(code(one.name), code(one.type), _capital(faults[one.name])) for one in dataclasses.fields(Fault)]
    outcomes = [
        (code(name), one.where, one.title, plain(one.text), "yes" if one.heard else "no")
        for name, one in OUTCOMES.items()
    ]
    drawn, *notes = (inspect.getdoc(control) or "").split("\n\n")[1:]
    rows = [
        re.split(r"\s{2,}", line, maxsplit=2) for line in re.sub(r"\n +", " ", drawn).splitlines() if "===" not in line
    ]
    return "\n\n".join(
        [
            "# Simulator",
            "`codat-zoho simulate` stands in for Codat and Zoho on this machine, and `codat_zoho.testing` in tests.",
            "## Switches",
            lead(Switches),
            table(("switch", "values", "default", "meaning"), *switches),
            "## Control interface",
            "What a person does in the Portal or in Zoho's console, and faults, over HTTP as JSON.",
            table(rows[0], *((method, code(path), plain(text)) for method, path, text in rows[1:])),
            *map(plain, notes),
            "## Links",
            "Below `/link` are the pages that a person who links sees in a browser. The address of a connection's link "
            "leads there; no page holds a secret or a script, and other sites get nothing of them.",
            table(("outcome", "shown by", "page", "text", "Codat hears of it"), *outcomes),
            "## Faults",
            lead(Fault),
            table(("field", "type", "meaning"), *wrong),
        ]
    )


def _literals(text: str) -> str:
    found = re.fullmatch(r"Literal\[(.*)\]", text)
    return found[1].replace("'", "").replace(", ", " | ") if found else text.replace("bool", "True | False")


_MODELS: dict[str, type[ZohoClientSettings] | type[IntegrationSettings]] = {
    "ZohoBooksIntegration": IntegrationSettings,
    "ZohoClientCredentials": ZohoClientSettings,
}
PAGES: dict[str, Callable[[], str]] = {
    "resources": _resources,
    "configuration": _configuration,
    "cli": _cli,
    "reports": reports,
    "errors": _errors,
    "simulator": _simulator,
    "links": _links,
}


def main(arguments: list[str]) -> int:
    """Write or compare."""
    drawn = {FOLDER / f"{name}.md": f"{MARK}{draw()}\n" for name, draw in PAGES.items()}
    drawn |= files() | plugin_schema()
    return write_or_compare(drawn, "docs/reference", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Odd but plausible project and stack files of Pulumi, for comparing what our reader and the engine make of them.

``folders()`` makes whole folders: which files compete, how each is spelled, and what stands in it. Most of what it makes
is fine, with one to three oddities in it, so that one refused oddity does not hide all the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

STACK = "prod"
PROJECTS = ("shop", "codat-zoho", "yes")
"""The names that made projects can have; `yes` is what YAML 1.1 would read as true."""
T = TypeVar("T")


@dataclass(frozen=True)
class Folder:
    """A folder with its files by relative path, as what a generator or a person thought of."""

    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, **texts: str) -> Folder:
        """Make one from texts: `Pulumi_yaml="..."` is the file `Pulumi.yaml`, `conf__Pulumi_prod_yaml` one in `conf`."""
        named = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in texts.items()}
        return cls(tuple(named.items()))

    def write(self, folder: Path) -> None:
        """Write the files."""
        for name, content in self.files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def smaller(self) -> Iterable[Folder]:
        """The same folder without one of its files, or without a run of lines of one file; large runs first."""
        for at, (name, content) in enumerate(self.files):
            if len(self.files) > 1:
                yield Folder(self.files[:at] + self.files[at + 1 :])
            lines = content.splitlines(keepends=True)
            size = len(lines) // 2
            while size:
                for start in range(0, len(lines), size):
                    rest = b"".join(lines[:start] + lines[start + size :])
                    yield Folder((*self.files[:at], (name, rest), *self.files[at + 1 :]))
                size //= 2

    def __str__(self) -> str:
        """The files as they can be read in a report and pasted into `KEPT`: exact, with a line per line."""
        shown = []
        for name, content in self.files:
            lines = content.splitlines(keepends=True) or [b""]
            shown.append(f"--- {name}\n" + "\n".join(f"    {line!r}" for line in lines))
        return "\n".join(shown)


# --- what stands in a file --------------------------------------------------------------------------------------------

PLAIN = (
    *("text", "two words", "5", "true", "false", "1.5", "'quoted'", '"quoted"', "https://example.com/a", "a-b.c", "eu"),
    *("yes", "on", "no", "{secure: AAAA}", "{secure: BBBB}"),  # the oddities that people write most
)
DEFAULTS = tuple(text for text in PLAIN if text != "1.5" and "secure" not in text)
"""What the engine takes as a project's own; it refuses broken numbers there."""
SCALARS: tuple[tuple[str, ...], ...] = (
    # Numbers that YAML 1.1, YAML 1.2, Go and Python read differently.
    (
        *(
            "0",
            "-0",
            "+1",
            "007",
            "010",
            "-010",
            "08",
            "0o10",
            "0x10",
            "0X1F",
            "-0x10",
            "0b11",
            "1_000",
            "_1",
            "1_",
            "0x_1",
        ),
        *(
            "1.0",
            "1.50",
            "0.10",
            ".5",
            "5.",
            "1e3",
            "1E3",
            "1e+3",
            "1e-7",
            "0.0000001",
            "1_0.5",
            "1e21",
            "1e400",
            "-.5",
        ),
        *(
            "9007199254740993",
            "9223372036854775808",
            "12345678901234567890",
            "18446744073709551616",
            "9" * 25,
            "-" + "9" * 20,
        ),
        *("123456789.5", "100000000000000000000.0", "1234567.0", "3.141592653589793238", "12e0", "0e0", "-0.0"),
        *(".inf", "-.Inf", ".nan", "inf", "NaN", "190:20:30", "12:30", "1,000", "0x", "0b2", "0o9", "1__0"),
    ),
    # Truth.
    (*("yes", "no", "on", "off", "y", "n", "Yes", "NO", "True", "TRUE", "tRUE", "False", "FALSE"),),
    # Nothing and dates.
    (
        *("~", "null", "Null", "NULL", "nULL", "", "''", '""'),
        *(
            "2001-01-01",
            "2001-1-1",
            "2001-01-01T10:00:00Z",
            "2001-01-01 10:00:00",
            "2001-01-01t10:00:00.5+01:00",
            "2001-13-01",
        ),
    ),
    # Text that looks like something else.
    (
        *(
            "=",
            "<<",
            "a#b",
            "text # comment",
            "text #",
            "-",
            "- a",
            "a: b",
            "@a",
            "%a",
            "`a",
            "*none",
            "!",
            "a\tb",
            "[",
            "}",
        ),
        *(
            "'it''s'",
            "'010'",
            '"010"',
            "'true'",
            '"a\\tb\\u00e9\\x41"',
            '"a\\qb"',
            '"line\\nbreak"',
            '"<&>"',
            "é",
            "\u2028",
            "\x85",
        ),
        *(
            "'two\n    lines'",
            "two\n    lines",
            '"two \\\n    lines"',
            "|\n    block\n    text",
            ">-\n    folded\n    text",
        ),
        *("|+\n    kept\n\n", "|2\n     indented", "|\n    010", ">\n    a\n\n    b"),
    ),
    # Tags, anchors and aliases.
    (
        *(
            "!!str 010",
            "!!str yes",
            "!!str",
            "!!str ~",
            "!!str 2001-01-01",
            "!!int 3",
            '!!int "3"',
            "!!int 010",
            "!!int x",
            "!!int 3.0",
        ),
        *(
            "!!float 3",
            '!!float "3"',
            "!!float 1e3",
            "!!float x",
            "!!bool true",
            "!!bool yes",
            '!!bool "on"',
            "!!bool x",
        ),
        *(
            "!!null ''",
            "!!null x",
            "!!null ~",
            "!!binary aGk=",
            "!!binary '*'",
            "!!timestamp 2001-01-01",
            '!!timestamp "2001-01-01"',
        ),
        *("!foo bar", "!foo 010", "! 010", "!foo {k: 010}", "!<tag:yaml.org,2002:str> 010", "!!foo 010", "!e!x 010"),
        *(
            "&one 010",
            "&one text",
            "*text",
            "*number",
            "*map",
            "*list",
            "&one {k: *text}",
            "!!merge x",
            "!!set {a, b}",
            "!!omap [a: 1]",
        ),
    ),
    # Lists, objects and what is encrypted.
    (
        *(
            "[1, 2]",
            "[010, yes, ~]",
            "[]",
            "{}",
            "{k: v}",
            "{k: 010, l: [yes]}",
            "{k: 1.0}",
            "{1: a}",
            "{true: a}",
            "{k: {l: m}}",
        ),
        *(
            "{k: 1e21}",
            "{k: 2001-01-01}",
            "{k: 12345678901234567890}",
            "{<<: *map, k: v}",
            "{<<: [*map, *nested]}",
            "{k: v, k: w}",
        ),
        *(
            "{k: !!binary aGk=}",
            "{k: <<}",
            "{~: a}",
            "{k: }",
            "{k}",
            "[a: b]",
            "!!map {k: v}",
            "!!seq [1]",
            "!!str {k: v}",
            "{? k : v}",
        ),
        *(
            "{secure: AAAA}",
            "{secure: AAAA, k: v}",
            "{secure: 5}",
            "{secure: ~}",
            "{secure: true}",
            "{secure: [a]}",
            "{secure: ''}",
        ),
        *(
            "{secure: 010}",
            "{Secure: AAAA}",
            "{k: {secure: AAAA}}",
            "[{secure: AAAA}]",
            "!!str {secure: AAAA}",
            "{<<: *hidden}",
        ),
        *(
            "{secure: !!str 5}",
            "{secure: yes}",
            "{secure: 2001-01-01}",
            "{'secure': 'AAAA'}",
            "*hidden",
            "{!!str secure: AAAA}",
        ),
        *(
            "\n    k: v\n    l: 010",
            "\n    - a\n    - 010",
            "\n  - a\n  - b",
            "\n    secure: AAAA",
            "# comment",
            "\n    # comment\n    text",
        ),
    ),
)
ANCHORS = (
    "anchors:\n"
    "  text: &text some text\n"
    "  number: &number 010\n"
    "  list: &list [a, 010]\n"
    "  map: &map {merged: 1, 'shop:other': yes}\n"
    "  nested: &nested {<<: *map, inner: 2}\n"
    "  deeper: &deeper {<<: [*nested], deep: 3}\n"
    "  hidden: &hidden {secure: AAAA}\n"
    "  key: &key aliased\n"
    "  whole: &whole {config: {'shop:whole': 1}}\n"
)
SPELLINGS = ("{0}", "shop:{0}", "shop:config:{0}", "codat-zoho:{0}", "codat-zoho:config:{0}", "other:{0}", "yes:{0}")
ODD_KEYS = (
    *(
        '"shop:a"',
        "'a'",
        '"a"',
        "!!str a",
        "&a a",
        "*key",
        "? a\n ",
        "shop: a",
        "shop:a:b",
        "shop:a:b:c",
        "shop:config:a:b",
    ),
    *(
        "shop:config:",
        ":a",
        "a:",
        "::",
        "config:a",
        "config:config:a",
        "''",
        "1",
        "010",
        "0x10",
        "1.0",
        "true",
        "yes",
        "~",
        "null",
    ),
    *(
        "2001-01-01",
        "[a]",
        "{a: b}",
        "a b",
        "a.b",
        "'a[0]'",
        "a.b.c",
        "shop:a.b",
        "Shop:a",
        "é",
        "!!int a",
        "!!binary YQ==",
        "!foo a",
    ),
    *(
        "=",
        "!!merge a",
        "-a",
        "'<<'",
        '"<<"',
        "!!str <<",
        "shop:config",
        "'shop:a '",
        "' a'",
        "a\u00a0",
        "'a\\b'",
        '"a\\tb"',
        "__proto__",
    ),
)
MERGES = (
    *(
        "<<: *map",
        "<<: *nested",
        "<<: *deeper",
        "<<: [*map, *nested]",
        "<<: [*nested, *map]",
        "!!merge <<: *map",
        '!!merge "<<": *nested',
    ),
    *(
        '"<<": *map',
        "<<: {inline: 1}",
        "<<: [{inline: 1}, *map]",
        "<<: []",
        "<<: {}",
        "<<: ~",
        "<<: *text",
        "<<: *list",
        "!!merge m: *map",
    ),
    *(
        "<<: *map\n  <<: *nested",
        "<<: {<<: {innermost: 1}, merged: 2}",
        "!!str <<: *map",
        "<<: *hidden",
        "<<: [[*map]]",
        "<<: {a: b}",
    ),
)
TOPS = (
    *(
        "config: ~",
        "config: null",
        "config:",
        "config: []",
        "config: {}",
        "config: ''",
        "config: text",
        "config: 5",
        "config: [a, b]",
    ),
    *(
        "config: *map",
        "config: *nested",
        "config: &here {a: 1}",
        '"config": {a: 1}',
        "!!str config: {a: 1}",
        "Config: {a: 1}",
        "CONFIG: {a: 1}",
    ),
    *(
        "<<: *whole",
        "<<: {config: {a: 1}}",
        "config: !!map {a: 1}",
        "config: !foo {a: 1}",
        "{config: {a: 1}}",
        "[config]",
        "config",
    ),
    *(
        "config: {a: 1, 'shop:b': {secure: AAAA}, c: [1]}",
        "config: {a: 1}\nconfig: {b: 2}",
        "? config\n: a: 1",
        "config: {a: 1,}",
        "config: {a:1}",
    ),
    *(
        "config: {shop:a: 1}",
        "config: {a: }",
        "config: {a}",
        "config: |\n  a: 1",
        "config:\n\ta: 1",
        "config:\n- a",
        "config : {a: 1}",
        "config:\n  a: 1\n b: 2",
    ),
)
EXTRA_LINES = (
    *(
        "# comment",
        "unknown: 1",
        "Config: {a: 2}",
        "config2: {a: 2}",
        "secretsprovider: passphrase",
        "secretsprovider: 5",
        "environment: ~",
    ),
    *(
        "unknown: {a: 1, a: 2}",
        "5: 6",
        "<<: {config: {z: 1}}",
        "<<: *whole",
        "environment: []",
        "tags: {}",
        "~: 1",
        "encryptedkey: ''",
    ),
)
LAYOUTS: tuple[Callable[[str], str], ...] = (
    lambda text: "\ufeff" + text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\r"),
    lambda text: "---\n" + text,
    lambda text: "---\n" + text + "...\n",
    lambda text: "%YAML 1.1\n---\n" + text,
    lambda text: "%YAML 1.2\n---\n" + text,
    lambda text: "%TAG !e! tag:example.com,2000:\n---\n" + text,
    lambda text: text + "---\nconfig: {second: 1}\n",
    lambda text: "---\n---\n" + text,
    lambda text: text + "...\ngarbage: [\n",
    lambda text: text + "---\n}\n",
    lambda text: "# comment\n\n" + text.replace("\n", " # comment\n", 1),
    lambda text: text.rstrip("\n"),
    lambda text: text.replace("\n", "\t\n"),
    lambda text: text.replace(": ", ":\t"),
    lambda text: "\n".join("  " + line for line in text.split("\n")),
    lambda text: text.replace("  ", "\t"),
    lambda text: text + "\x00",
    lambda text: text + "# \x07\n",
    lambda text: "\n\n" + text + "\n\n",
    lambda text: text.replace("\n", "\n\n"),
    lambda text: "",
    lambda text: "# nothing\n",
    lambda text: "---\n",
    lambda text: "null\n",
    lambda text: "{}\n",
    lambda text: "[]\n",
)
BYTES: tuple[Callable[[str], bytes], ...] = (
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-16-le"),
    lambda text: text.encode() + b"# \xff\n",
    lambda text: text.replace("text", "é").encode("latin-1", "replace"),
    lambda text: b"\xef\xbb\xbf\xef\xbb\xbf" + text.encode(),
)
DECLARATIONS = (
    *(
        "{{default: {0}}}",
        "{{value: {0}}}",
        "{{type: string, default: {0}}}",
        "{{description: words, default: {0}}}",
        "{0}",
        "{0}",
        "[{0}]",
    ),
    *(
        "{{type: string}}",
        "{{type: integer, default: 3}}",
        "{{type: integer, default: {0}}}",
        "{{type: boolean, default: true}}",
    ),
    *(
        "{{type: array, items: {{type: string}}, default: [a]}}",
        "{{type: array, default: [a]}}",
        "{{type: object, default: {{k: v}}}}",
    ),
    *(
        "{{default: {0}, value: 5}}",
        "{{value: ~}}",
        "{{default: ~}}",
        "{{default: false}}",
        "{{value: ''}}",
        "{{}}",
        "{{Default: {0}}}",
    ),
    *(
        "{{secret: true, default: {0}}}",
        "{{secret: true}}",
        "{{value: {{k: v}}}}",
        "{{value: {{secure: AAAA}}}}",
        "{{secure: AAAA}}",
        "{{k: v}}",
    ),
    *(
        "\n    default: {0}",
        "\n    type: string\n    default: {0}",
        "{{<<: *default, description: words}}",
        "{{default: *text}}",
        "{{type: text}}",
    ),
)
PROJECT_LINES = (
    *(
        "main: src",
        "main: 5",
        "main: ''",
        "stackConfigDir: conf",
        "stackConfigDir: ./conf",
        "stackConfigDir: ''",
        "stackConfigDir: conf/",
    ),
    *(
        "stackConfigDir: 5",
        "stackConfigDir: ../here/conf",
        "stackConfigDir: ~",
        "stackConfigDir: [conf]",
        "StackConfigDir: conf",
        "unknown: 1",
    ),
    *(
        "description: words",
        "author: me",
        "backend: {url: ''}",
        "options: {refresh: always}",
        "Runtime: nodejs",
        "Name: other",
        "license: 5",
    ),
    *(
        "stackConfigDir: !!str conf",
        "<<: {stackConfigDir: conf}",
        "plugins: {}",
        "packages: {}",
        "template: {}",
        "website: ~",
        "stackConfigDir: conf/../conf",
    ),
)
PROJECT_CONFIGS = (
    *(
        "config: conf",
        "config: ./conf",
        "config: ''",
        "config: ~",
        "config:",
        "config: []",
        "config: {}",
        "config: 5",
        "config: [a]",
    ),
    *(
        "config: conf\nstackConfigDir: conf",
        "Config: {a: 1}",
        "config: *map",
        "config: !!str conf",
        "config: {a: 1}\nconfig: {b: 1}",
        "config: 'conf'",
    ),
    *("<<: {config: {a: 1}}", "config: {<<: *map}", "config: {<<: *nested, a: 1}", "config: true", "config: |\n  conf"),
)
NAMES = (
    *("name: shop",) * 120,
    *("name: codat-zoho",) * 25,
    *(
        "name: 'shop'",
        'name: "shop"',
        "name: !!str shop",
        "name: shop # comment",
        "name: yes",
        "name: &name shop",
        "name: !foo shop",
    ),
    *(
        "<<: {name: shop}",
        "Name: shop",
        "name: ~",
        "name: 010",
        "name: [shop]",
        "name: ''",
        "'name': shop",
        "name: |-\n  shop",
        "name: *none",
    ),
    *("name: !!binary c2hvcA==", "name: shop\nname: shop", "name: shop\n<<: {name: codat-zoho}", "name:\n  shop"),
)
RUNTIMES = (
    *("runtime: python",) * 60,
    "runtime: {name: python}",
    "runtime: ~",
    "runtime: 5",
    "runtime: {name: python, options: {}}",
    "# none",
)
JSON_VALUES = (
    *(
        '"text"',
        '"text"',
        '"5"',
        "5",
        "true",
        "1.0",
        "1e3",
        "-0",
        "12345678901234567890",
        "0.10",
        "1e21",
        '""',
        '"yes"',
        '"\\/"',
    ),
    *(
        '{"secure": "AAAA"}',
        '{"secure": "AAAA", "k": 1}',
        '{"k": {"secure": "AAAA"}}',
        '{"k": 1.0}',
        '{"k": 1, "k": 2}',
        "null",
    ),
    *("[1, 2]", "[]", "{}", '"\\u00e9"', '"\\ud800"', '"2001-01-01"', '{"secure": 5}', '{"Secure": "AAAA"}'),
)
ODD_JSON_VALUES = ("1e400", '"a\tb"', "010", "0x10", "NaN", "'text'", "text", "~", "+1", ".5", "")
JSON_LAYOUTS: tuple[Callable[[str], str], ...] = (
    lambda text: "\ufeff" + text,
    lambda text: text.replace("}", ",}", 1),
    lambda text: "// comment\n" + text,
    lambda text: text + "\n" + text,
    lambda text: text + "# comment",
    lambda text: text.replace('"config"', '"Config"'),
    lambda text: text.replace('"config"', '"config": {"first": 1}, "config"'),
    lambda text: text.replace('"', ""),
    lambda text: text.replace('"', "'"),
    lambda text: "",
    lambda text: "null",
    lambda text: "config: {a: 1}\n",
    lambda text: text.replace("\n", "\r\n\t"),
)


# --- drawing ----------------------------------------------------------------------------------------------------------


class _Draw:
    """Chances and choices on top of hypothesis's `draw`."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one(self, things: Sequence[T]) -> T:
        return self._draw(st.sampled_from(things))

    def chance(self, percent: int) -> bool:
        return self.one(range(100)) < percent

    def some(self, things: Sequence[T], most: int) -> list[T]:
        return [self.one(things) for _ in range(self.one(range(most + 1)))]

    # --- YAML ---

    def value(self) -> str:
        return self.one(self.one(SCALARS)) if self.chance(12) else self.one(PLAIN)

    def key(self, name: str) -> str:
        if self.chance(3):
            return self.one(ODD_KEYS)
        return self.one(SPELLINGS).format(name) if self.chance(50) else f"shop:{name}"

    def stack(self) -> bytes:
        if self.chance(10):
            body = self.one(TOPS) + "\n"
        else:
            names = ["a", "b", "c", "d", "e"][: self.one(range(1, 6))]
            if self.chance(5):
                names.append("a")  # a second spelling, or a duplicate
            lines = [f"  {self.key(name)}: {self.value()}\n" for name in names]
            if self.chance(20):
                lines.insert(self.one(range(len(lines) + 1)), f"  {self.one(MERGES)}\n")
            body = "config:\n" + "".join(lines)
        if self.chance(12):
            extra = self.one(EXTRA_LINES) + "\n"
            body = extra + body if self.chance(50) else body + extra
        return self.laid_out(self.anchored(body))

    def project(self) -> bytes:
        parts = [self.one(NAMES), self.one(RUNTIMES)]
        if self.chance(12):
            parts.append(self.one(PROJECT_LINES))
        if self.chance(8):
            parts.append(self.one(PROJECT_CONFIGS))
        elif self.chance(50):
            parts.append("config:")
            for name in ["a", "f", "g"][: self.one(range(1, 4))]:
                own = self.chance(75)
                declared = self.one(DECLARATIONS) if self.chance(30) else "{0}" if own else "{{value: {0}}}"
                key = name if own else self.key(name)
                parts.append(f"  {key}: {declared.format(self.value() if self.chance(25) else self.one(DEFAULTS))}")
            if self.chance(8):
                parts.append(f"  {self.one(MERGES)}")
        return self.laid_out(self.anchored("\n".join(parts) + "\n"), percent=7)

    def anchored(self, body: str) -> str:
        """Put what the aliases in `body` name before it; the engine refuses unknown aliases."""
        if "*" not in body:
            return body
        return ANCHORS + ("  default: &default {default: from an anchor}\n" if "*default" in body else "") + body

    def laid_out(self, text: str, percent: int = 10) -> bytes:
        if self.chance(2):
            return self.one(BYTES)(text)
        if self.chance(percent):
            text = self.one(LAYOUTS)(text)
        return text.encode("utf-8", "surrogatepass")

    # --- JSON ---

    def json(self, *, project: bool) -> bytes:
        pairs = []
        for name in ["a", "b", "c"][: self.one(range(1, 4))]:
            key = self.one(SPELLINGS).format(name) if self.chance(50) else name
            value = self.one(ODD_JSON_VALUES if self.chance(7) else JSON_VALUES)
            if project and self.chance(60):
                value = self.one(('{"default": %s}', '{"value": %s}', '{"type": "string", "default": %s}')) % value
            pairs.append(f"    {json.dumps(key)}: {value}")
        if self.chance(10):
            pairs.append(pairs[0])
        head = f'  "name": "{self.one(PROJECTS[:2])}",\n  "runtime": "python",\n' if project else ""
        if project and self.chance(15):
            head += '  "stackConfigDir": "conf",\n'
        text = "{\n" + head + '  "config": {\n' + ",\n".join(pairs) + "\n  }\n}\n"
        if project and self.chance(30):
            text = "{\n" + head + '  "description": "words"\n}\n'
        if self.chance(10):
            text = self.one(JSON_LAYOUTS)(text)
        return text.encode()

    # --- a folder ---

    def folder(self) -> Folder:
        files: dict[str, bytes] = {}
        extensions = [self.one(("yaml",) * 16 + ("yml",) * 3 + ("json",))]
        if self.chance(4):
            extensions.append(self.one(("yaml", "yml", "json")))
        for extension in dict.fromkeys(extensions):
            files[f"Pulumi.{extension}"] = self.json(project=True) if extension == "json" else self.project()
        used = min(extensions, key=("json", "yaml", "yml").index)
        stacks = [used if self.chance(95) else self.one(("yaml", "yml", "json"))]
        if self.chance(6):
            stacks.append(self.one(("yaml", "yml", "json")))
        elsewhere = any(word in content for content in files.values() for word in (b"conf\n", b'"conf"', b"conf/"))
        for extension in dict.fromkeys(stacks):
            place = "conf/" if self.chance(80 if elsewhere else 3) else ""
            made = self.json(project=False) if extension == "json" else self.stack()
            files[f"{place}Pulumi.{STACK}.{extension}"] = made
            if place and self.chance(30):
                files[f"Pulumi.{STACK}.{extension}"] = self.stack()
        if self.chance(5):
            files[self.one(("pulumi.prod.yaml", "Pulumi.prod.yaml.bak", "Pulumi.Prod.yaml", "Pulumi.prod.YAML"))] = (
                self.stack()
            )
        return Folder(tuple(files.items()))


@st.composite
def folders(draw: st.DrawFn) -> Folder:
    """Folders with a project and a stack `prod`, mostly fine, with a few oddities."""
    return _Draw(draw).folder()


def sample(count: int, number: int) -> list[Folder]:
    """The first `count` different folders that follow from the seed `number`."""
    found: dict[Folder, None] = {}
    part = 0
    while len(found) < count:

        @seed(number + part)
        @settings(
            max_examples=min(count, 500),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(folders())
        def collect(folder: Folder) -> None:
            found.setdefault(folder)

        collect()
        part += 1
    return list(found)[:count]


# --- what disagreed once ----------------------------------------------------------------------------------------------

_PROJECT = "name: shop\nruntime: python\n"


def _stack(text: str, project: str = _PROJECT) -> Folder:
    return Folder.of(Pulumi_yaml=project, Pulumi_prod_yaml=text)


def _project(text: str) -> Folder:
    return _stack("config: {shop:z: 1}\n", _PROJECT + text)


KEPT: dict[str, Folder] = {
    # Which files.
    "a stack file of another extension": Folder.of(Pulumi_yaml=_PROJECT, Pulumi_prod_yml="config: {a: 1}\n"),
    "two stack files, the project is yml": Folder.of(
        Pulumi_yml=_PROJECT, Pulumi_prod_yaml="config: {a: 1}\n", Pulumi_prod_yml="config: {a: 2}\n"
    ),
    "two byte-order marks": Folder.of(
        Pulumi_yaml="\ufeff\ufeffname: shop\nruntime: python\nconfig:\n  a: {value: ''}\n",
        Pulumi_prod_yaml="config: {c: 1}\n",
    ),
    "a dot in a key of the project": Folder.of(
        Pulumi_yaml=f"{_PROJECT}config:\n  a.b.c: {{value: two words}}\n", Pulumi_prod_yaml="config: {shop:a: 1}\n"
    ),
    "a dot in a key of the stack": Folder.of(Pulumi_yaml=_PROJECT, Pulumi_prod_yaml="config: {a.b: 1, 'a[0]': 2}\n"),
    "json alone": Folder.of(
        Pulumi_json='{"name": "shop", "runtime": "python"}', Pulumi_prod_json='{"config": {"shop:a": 1}}'
    ),
    "json beside yaml": Folder.of(
        Pulumi_yaml=_PROJECT,
        Pulumi_json='{"name": "shop", "runtime": "python"}',
        Pulumi_prod_yaml="config: {a: 1}\n",
        Pulumi_prod_json='{"config": {"shop:a": 2}}',
    ),
    "json with a capital letter": Folder.of(
        Pulumi_json='{"name": "shop", "runtime": "python", "Config": {"a": {"default": 1}}}',
        Pulumi_prod_json='{"Config": {"shop:b": 2}}',
    ),
    "a folder for stack files as text with a tag": Folder.of(
        Pulumi_yaml=_PROJECT + "config: !!str conf\n", Pulumi_prod_yaml="config: {a: 1}\n"
    ),
    "a folder for stack files that is left": Folder.of(
        Pulumi_yaml=_PROJECT + "stackConfigDir: conf\n", Pulumi_prod_yaml="config: {a: 1}\n"
    ),
    "a folder for stack files by way of the folder above": Folder.of(
        Pulumi_yaml=_PROJECT + "stackConfigDir: ../here/conf\n", conf__Pulumi_prod_yaml="config: {shop:a: 1}\n"
    ),
    "json with a folder for stack files": Folder.of(
        Pulumi_json='{"name": "shop", "runtime": "python", "stackConfigDir": "conf"}',
        conf__Pulumi_prod_json='{"config": {"shop:a": 1}}',
    ),
    # Which keys.
    "two spellings, the older one": _stack("config: {codat-zoho:config:a: 1, codat-zoho:a: 2}\n"),
    "two spellings, the bare one": _stack("config: {a: 1, shop:a: 2}\n"),
    "two spellings of what the project sets": _project("config: {a: 1, shop:a: 2}\n"),
    "a merge": _stack("a: &a {shop:a: 1}\nconfig: {<<: *a, shop:b: 2}\n"),
    "a nested merge": _stack("a: &a {shop:a: 1}\nb: &b {<<: *a}\nconfig: {<<: *b}\n"),
    "a merge with a tag": _stack('a: &a {shop:a: 1}\nconfig: {!!merge "<<": *a}\n'),
    "a merge with a text's tag": _stack("a: &a {shop:a: 1}\nconfig: {!!str <<: *a}\n"),
    "a merge of what is no map": _stack("a: &a {shop:a: 1}\n<<: [[*a]]\nconfig: {shop:b: 1}\n"),
    "a merge that names a bare key": _stack("a: &a {a: 1}\nconfig: {<<: *a, null: 2}\n"),
    "a merge within a value": _stack("a: &a {k: 1}\nconfig: {shop:a: {<<: *a}}\n"),
    "a bare key with a tag": _stack("config: {!foo a: 1}\n"),
    "a bare key that is a number": _stack("config: {010: 1}\n"),
    "a key that is a number at the top": _stack("5: 6\nconfig: {shop:a: 1}\n"),
    "a key twice below": _stack("unknown: {a: 1, a: 2}\nconfig: {shop:a: 1}\n"),
    "a key of three parts": _stack("config: {shop:a:b: 1}\n"),
    # Which values.
    **{
        f"the value {value}": _stack(f"config: {{shop:a: {value}}}\n")
        for value in (
            *(
                "010",
                "-010",
                "0x10",
                "0o10",
                "0b11",
                "1_000",
                "0x_1",
                "1e3",
                "12e0",
                "1.0",
                "-0.0",
                "3.141592653589793238",
            ),
            *(
                "12345678901234567890",
                "1e21",
                "2001-01-01",
                "~",
                "False",
                "TRUE",
                "yes",
                ".inf",
                ".nan",
                "!!binary aGk=",
            ),
            *(
                "!!bool yes",
                "!!null x",
                "!!int x",
                "!!float 3",
                "!foo 010",
                "[010]",
                "{k: 010}",
                "{1: a}",
                "{secure: ~}",
            ),
            *("{secure: 5}", "{secure: 2001-01-01}", "{secure: AAAA, k: v}", "[{secure: AAAA}]", "{Secure: AAAA}"),
        )
    },
    "a value of a next line character": _stack("config:\n  shop:a: \x85\n"),
    "an alias of a number": _stack("n: &n 010\nconfig: {shop:a: *n}\n"),
    "YAML 1.2": _stack("%YAML 1.2\n---\nconfig: {shop:a: 1}\n"),
    # What a project may say.
    "a project without a name": _stack("config: {shop:a: 1}\n", "runtime: python\n"),
    "a project with a number for a name": _stack("config: {shop:a: 1}\n", "name: 010\nruntime: python\n"),
    "a project with a list for a name": _stack("config: {shop:a: 1}\n", "name: [shop]\nruntime: python\n"),
    "a project that merges its name": _stack("config: {a: 1}\n", "<<: {name: shop}\nruntime: python\n"),
    "a project whose name is binary": _stack("config: {a: 1}\n", "name: !!binary c2hvcA==\nruntime: python\n"),
    "an empty project": _stack("config: {shop:a: 1}\n", ""),
    "a project without a runtime": _stack("config: {shop:a: 1}\n", "name: shop\n"),
    "a project with a number for its runtime": _stack("config: {shop:a: 1}\n", "name: shop\nruntime: 5\n"),
    "a program that is a number": _project("main: 5\n"),
    "two folders for stack files": _project("config: ''\nstackConfigDir: ''\n"),
    "a default that is a broken number": _project("config: {a: 1.5}\n"),
    "a value that is not a number": _project("config: {shop:a: .nan}\n"),
    "a default of another type": _project("config: {a: {type: string, default: 5}}\n"),
    "a type that there is not": _project("config: {a: {type: text}}\n"),
    "an array of nothing": _project("config: {a: {type: array, default: [a]}}\n"),
    "an array": _project("config: {a: {type: array, items: {type: string}, default: [a]}}\n"),
    "a default and a value": _project("config: {a: {default: 1, value: 2}}\n"),
    "an encrypted default": _project("config: {a: {secure: AAAA}}\n"),
    "a secret default": _project("config: {a: {secret: true, default: 1.5}}\n"),
    "a default of another namespace": _project("config: {other:a: {default: 1}}\n"),
    "a type of another namespace": _project("config: {other:a: {type: string, value: a}}\n"),
    "no value of another namespace": _project("config: {other:a: {value: ~}}\n"),
    "a key named type": _project("config:\n  type: string\n"),
    "an older spelling of its own namespace": _project("config: {shop:config:a: {default: b}}\n"),
    "a number in hexadecimal by default": _project("config: {a: 0x10}\n"),
}
"""Folders that were read otherwise than by the engine, or are just what is not to be; they come back in every run."""

"""Reports for programs: JSON of what their dataclasses hold, in camelCase. tools/schemas.py makes the schemas."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from codat_zoho.texts.redact import redact


@dataclasses.dataclass(frozen=True)
class Form:
    """The JSON form of a report.

    Args:
        report: the dataclass of the whole report.
        schema: the file of its JSON Schema.
        computed: properties that are told beside the fields: for each dataclass, the property by its name in JSON.
        version: changes when a reader would have to; a new field does not change it.
    """

    report: type
    schema: Path
    computed: Mapping[type, Mapping[str, str]]
    version: int = 1

    def text(self, report: Any) -> str:
        """Draw a report."""
        return json.dumps({"version": self.version, **self._plain(report)}, indent=2) + "\n"

    def names(self, kind: type[Any]) -> dict[str, str]:
        """What is told of a dataclass: its attributes by their names in JSON."""
        fields = {camel(one.name): one.name for one in dataclasses.fields(kind)}
        return {**self.computed.get(kind, {}), **fields}

    def _plain(self, value: Any) -> Any:
        if dataclasses.is_dataclass(value):
            return {name: self._plain(getattr(value, attribute)) for name, attribute in self.names(type(value)).items()}
        if isinstance(value, tuple):
            return [self._plain(item) for item in value]
        if isinstance(value, Enum):
            return value.value
        return round(value, 3) if isinstance(value, float) else value


def redacted(report: Any) -> Any:
    """A report without secrets: whatever its texts were read from, each is redacted, and on one line."""
    return reworded(report, _plain_line)


def reworded(report: Any, change: Callable[[str], str]) -> Any:
    """The same report with each of its texts changed."""
    if isinstance(report, str) and not isinstance(report, Enum):
        return change(report)
    if isinstance(report, tuple):
        return tuple(reworded(one, change) for one in report)
    if dataclasses.is_dataclass(report) and not isinstance(report, type):
        parts = {one.name: reworded(getattr(report, one.name), change) for one in dataclasses.fields(report)}
        return dataclasses.replace(report, **parts)
    return report


@functools.lru_cache(maxsize=1024)
def _plain_line(text: str) -> str:
    return " ".join(redact(text).splitlines())


_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def camel(name: str) -> str:
    """``exit_code`` becomes ``exitCode``."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))

"""What Pulumi's names tell: ``urn:pulumi:<stack>::<project>::<types of its parents>$<type>::<name>``."""

from __future__ import annotations

from codat_zoho.declare.tokens import TOKEN_PREFIX
from codat_zoho.texts.redact import one_line


def name_of(urn: str) -> str:
    """A resource's own name."""
    return one_line(urn.rpartition("::")[2])


def kind_of(resource_type: object) -> str:
    """The class of a resource of this package, by its type; "" for those of others."""
    text = str(resource_type)
    return text.removeprefix(TOKEN_PREFIX) if text.startswith(TOKEN_PREFIX) else ""


def project_and_stack(urn: str) -> tuple[str, str] | None:
    """Where a resource belongs; None where the text is no URN."""
    parts = urn.split("::")
    if len(parts) < 4 or not parts[0].startswith("urn:pulumi:"):
        return None
    return one_line(parts[1]), one_line(parts[0].removeprefix("urn:pulumi:"))

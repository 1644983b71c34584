"""The rules of the policy pack as plain functions over declared values. The review of a pull request uses them too.

Each yields one sentence per violation and knows nothing of Pulumi. ``values`` are a resource's inputs under the
names of Python, ``spelling``, how the program spells them, ``stack``, the stack's name, and ``protect``, Pulumi's
option, or, for a rule on a stack, what was ``found`` in its files; one that is missing, or not known yet, violates
nothing. The docstring of a rule is its description in the pack.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from codat_zoho.declare.datacentres import DATA_CENTRES, SUPPORTED
from codat_zoho.declare.settings import OnDelete, Spelling

Values = Mapping[str, object]
Check = Callable[..., Iterator[str]]
"""Given values, and the rule's parameters by name, yields violations."""
PRODUCTION = ("prod", "prod-*", "*-prod", "production", "production-*", "*-production", "live", "live-*", "*-live")
"""Which stacks are production, by name; a parameter of the rules that ask."""
_SPARING = ("disable", "keep")
"""What destroying may do in production: it leaves the keys."""


@dataclass(frozen=True)
class Rule:
    """One rule of the pack."""

    name: str
    applies_to: Literal["client", "integration", "stack"]
    mandatory: bool  # it stops a deployment; otherwise it warns
    description: str
    parameters: Mapping[str, Mapping[str, Any]]  # JSON Schema of each, with its default
    check: Check


RULES: list[Rule] = []
"""Every rule, in the order of the report."""


def _rule(
    name: str,
    applies_to: Literal["client", "integration", "stack"],
    *,
    mandatory: bool,
    **parameters: Mapping[str, Any],
) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        RULES.append(Rule(name, applies_to, mandatory, inspect.getdoc(check) or "", parameters, check))
        return check

    return keep


def _texts(default: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", **more}, "default": list(default)}


def is_production(stack: object, patterns: Sequence[str] = PRODUCTION) -> bool:
    """Tell whether a stack is one of production.

    >>> is_production("prod-eu"), is_production("staging")
    (True, False)
    """
    return any(fnmatchcase(str(stack), pattern) for pattern in patterns)


def _spelling(values: Values) -> Spelling:
    told = values.get("spelling")
    return told if isinstance(told, Spelling) else Spelling.ARGUMENT


def _spelled(values: Values, name: str) -> str:
    return _spelling(values).name_of(name)


def secret_in_clear(key: str, *, looks_like: str = "") -> str:
    """Say that a setting holds a secret as it is; ``looks_like`` says of what, where the name alone does not tell.

    Without a key it stands elsewhere in the file, in a comment for example.
    """
    if not key:
        return (
            f"Something here has the shape of {looks_like}, and stands in clear. Whoever can read the file has it, and "
            "git keeps it: make a new one, and take this one out."
        )
    what = f"has the shape of {looks_like}, and stands in clear" if looks_like else "stands in clear"
    return (
        f"{key} {what}. Whoever can read the file has it, and git keeps it: make a new one, and set it with "
        f"`pulumi config set --secret {key}`."
    )


@_rule("secret-in-clear", "stack", mandatory=True)
def no_secret_in_clear(values: Values) -> Iterator[str]:
    """Secrets in stack configuration are encrypted."""
    found = values.get("found")
    yield from found if isinstance(found, list) else ()


@_rule("configuration-found", "stack", mandatory=False)
def configuration_found(values: Values) -> Iterator[str]:
    """The stack's files are found, so that secrets in clear can be looked for."""
    if values.get("found") is None:
        yield (
            f"Pulumi.{values.get('stack')}.yaml cannot be found or read from here, so nobody has looked for secrets in "
            "clear. Call pulumi in the project's folder, or run `codat-zoho review --clear-secrets` there."
        )


@_rule("linked-company-guard", "integration", mandatory=True, production=_texts(PRODUCTION))
def linked_company_guard(values: Values, production: Sequence[str] = PRODUCTION) -> Iterator[str]:
    """In production, changes that cut off linked companies are refused."""
    stack = values.get("stack")
    if is_production(stack, production) and values.get("allow_disruption") is True:
        yield (
            f"{_spelled(values, 'allow_disruption')} is on in {stack}: disabling, another client id or deleting the "
            "keys then goes through while companies are linked. Set it for the one run that needs it, and back."
        )


@_rule("verification-on", "client", mandatory=True)
def verification_on(values: Values) -> Iterator[str]:
    """Zoho is asked whether it accepts the client."""
    if values.get("verify") == "off":
        yield (
            "verify is off: nobody asks Zoho whether it accepts the client, so a wrong secret or a data centre that is "
            "not enabled shows only when customers cannot link. Set it to on-change."
        )


@_rule("supported-regions", "client", mandatory=False, supported=_texts(sorted(SUPPORTED), enum=list(DATA_CENTRES)))
def supported_regions(values: Values, supported: Sequence[str] = tuple(sorted(SUPPORTED))) -> Iterator[str]:
    """Only data centres are listed where customers that Codat supports can be."""
    regions = values.get("regions")
    outside = [code for code in regions if code not in supported] if isinstance(regions, Sequence) else []
    if outside:
        yield (
            f"regions: {', '.join(map(str, outside))} listed, but only {', '.join(supported)} are supported: Codat "
            "supports UK and US customers for Zoho Books."
        )


@_rule(
    "deletion-policy",
    "integration",
    mandatory=False,
    production=_texts(PRODUCTION),
    allowed=_texts(_SPARING, enum=[*get_args(OnDelete)]),
)
def deletion_policy(
    values: Values, production: Sequence[str] = PRODUCTION, allowed: Sequence[str] = _SPARING
) -> Iterator[str]:
    """In production, destroying the stack does not delete the keys."""
    stack, mode, protected = values.get("stack"), values.get("on_delete"), values.get("protect") is True
    if isinstance(mode, str) and is_production(stack, production) and mode not in allowed and not protected:
        protect = _spelling(values).of("protect", value=True)
        yield (
            f"{_spelled(values, 'on_delete')} is {mode} in {stack}: destroying deletes the keys, and what becomes of "
            f"linked companies is documented nowhere. Set it to {' or '.join(allowed)}, or protect the resource "
            f"({protect})."
        )

"""The rules as a Pulumi policy pack. The only module that imports ``pulumi_policy`` (the extra ``policy``).

A pack is a folder with a ``PulumiPolicy.yaml`` and a ``__main__.py`` of two lines::

    from codat_zoho.policy.pack import policy_pack

    policy_pack()
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from codat_zoho.declare.describe import snake_case
from codat_zoho.declare.platform import CLIENT, INTEGRATION, NAMESPACE, UNKNOWN
from codat_zoho.policy.files import clear_settings
from codat_zoho.policy.rules import RULES, Rule
from codat_zoho.texts.printed import harmless
from codat_zoho.workspace.values import kind_of, spelling_of

_KINDS = {"client": CLIENT, "integration": INTEGRATION}


def policy_pack(name: str = NAMESPACE) -> None:
    """Serve the pack to the engine; does not return.

    Args:
        name: what the pack is called in the engine's messages.
    """
    PolicyPack(name, policies())


def policies() -> list[Any]:
    """Every rule as a policy, to be put into a pack of one's own beside others."""
    return [_stack_policy(rule) if rule.applies_to == "stack" else _resource_policy(rule) for rule in RULES]


def _about(rule: Rule) -> dict[str, Any]:
    level = EnforcementLevel.MANDATORY if rule.mandatory else EnforcementLevel.ADVISORY
    about: dict[str, Any] = {"name": rule.name, "description": rule.description, "enforcement_level": level}
    if rule.parameters:
        about["config_schema"] = PolicyConfigSchema({name: dict(value) for name, value in rule.parameters.items()})
    return about


def _resource_policy(rule: Rule) -> Any:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if kind_of(args.resource_type) == _KINDS[rule.applies_to]:
            values = {**_known(args.props), "stack": _stack_of(args.urn), "protect": args.opts.protect}
            values["spelling"] = spelling_of(args.resource_type)
            config = args.get_config()
            parameters = {name: config[name] for name in rule.parameters if config.get(name) is not None}
            for text in rule.check(values, **parameters):
                report_violation(harmless(text))

    return ResourceValidationPolicy(validate=validate, **_about(rule))


def _stack_policy(rule: Rule) -> Any:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        stack, project = next((str(one.urn).split("::")[:2] for one in args.resources), ("", ""))
        # Some language hosts start a pack in the project's folder; Pulumi's own starts it in the pack's, and leaves
        # the folder that pulumi was called in in PWD.
        folders = [Path(folder) for folder in (os.environ.get("PWD"), ".") if folder]
        given = os.environ.get("PULUMI_CONFIG")
        found = clear_settings(folders, project, _stack_of(stack), json.loads(given) if given else None)
        for text in rule.check({"stack": _stack_of(stack), "found": found}):
            report_violation(harmless(text))

    return StackValidationPolicy(validate=validate, **_about(rule))


def _stack_of(urn: object) -> str:
    return str(urn).split("::")[0].removeprefix("urn:pulumi:")


def _known(props: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that are known; what a preview does not know yet violates nothing. The secret is none of a rule's."""
    known = {}
    for spelled in props:
        name = snake_case(spelled)
        if name in ("client_secret", "__provider"):
            continue
        with suppress(Exception):  # pulumi_policy raises on access to what is unknown.
            known[name] = props[spelled]
    return {name: value for name, value in known.items() if value != UNKNOWN}

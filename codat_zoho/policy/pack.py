"""The rules as a Pulumi policy pack. The only module that imports ``pulumi_policy`` (the extra ``policy``).

A pack is a folder with a ``PulumiPolicy.yaml`` and a ``__main__.py`` of two lines::

    from codat_zoho.policy.pack import policy_pack

    policy_pack()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

from codat_zoho.policy.files import clear_settings
from codat_zoho.policy.rules import RULES, Rule

NAME = "codat-zoho"
_TYPES = {
    "client": "pulumi-python:dynamic/codat-zoho:ZohoClientCredentials",
    "integration": "pulumi-python:dynamic/codat-zoho:ZohoBooksIntegration",
}
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def policy_pack(name: str = NAME) -> None:
    """Serve the pack to the engine; does not return.

    Args:
        name: what the pack is called in the engine's messages.
    """
    PolicyPack(name, policies())


def policies() -> list[Any]:
    """Every rule as a policy, to be put into a pack of one's own beside others."""
    return [_stack_policy(rule) if rule.check is None else _resource_policy(rule) for rule in RULES]


def _about(rule: Rule) -> dict[str, Any]:
    level = EnforcementLevel.MANDATORY if rule.mandatory else EnforcementLevel.ADVISORY
    about: dict[str, Any] = {"name": rule.name, "description": rule.description, "enforcement_level": level}
    if rule.parameters:
        about["config_schema"] = PolicyConfigSchema({name: dict(value) for name, value in rule.parameters.items()})
    return about


def _resource_policy(rule: Rule) -> Any:
    check, type_ = rule.check, _TYPES[rule.applies_to]
    assert check is not None

    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        if args.resource_type == type_:
            stack = str(args.urn).split("::")[0].removeprefix("urn:pulumi:")
            values = {**_known(args.props), "protect": args.opts.protect}
            for text in check(stack, values, _parameters(rule, args.get_config())):
                report_violation(text)

    return ResourceValidationPolicy(validate=validate, **_about(rule))


def _stack_policy(rule: Rule) -> Any:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        stack = next((str(one.urn).split("::")[0].removeprefix("urn:pulumi:") for one in args.resources), "")
        found = clear_settings(Path.cwd(), stack)
        if found is None:
            args.not_applicable(
                f"Pulumi.{stack}.yaml cannot be read here, so whether a secret is in clear is not known"
            )
        for text in found or ():
            report_violation(text)

    return StackValidationPolicy(validate=validate, **_about(rule))


def _parameters(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in rule.parameters if given.get(name) is not None}


def _known(props: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that are known; what a preview does not know yet violates nothing. The secret is none of a rule's."""

    def known() -> Iterator[tuple[str, Any]]:
        for name in props:
            if name in ("client_secret", "__provider"):
                continue
            try:
                value = props[name]
            except Exception:  # noqa: BLE001, S112
                continue  # pulumi_policy raises on access to what is unknown
            if value != _UNKNOWN:
                yield name, value

    return dict(known())

"""What both resources do with their inputs: check them, and say which of them changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult
from pydantic import BaseModel, SecretStr

from codat_zoho._provider.context import unknown_fields
from codat_zoho._redact import register
from codat_zoho.errors import SettingsError
from codat_zoho.settings import IntegrationSettings, ZohoClientSettings, fingerprint, load

__all__ = ["FINGERPRINT", "changed", "check", "declared", "plain"]

FINGERPRINT = "client_secret_fingerprint"
Props = Mapping[str, Any]


def declared(model: type[BaseModel], props: Props) -> dict[str, Any]:
    """Only the fields that a user declares, without what is None."""
    secret = props.get("client_secret")
    if isinstance(secret, str):
        register(secret)
    return {name: value for name in model.model_fields if (value := props.get(name)) is not None}


def plain(settings: BaseModel) -> dict[str, Any]:
    """The declared fields as the engine keeps them: plain values, lists, nothing that is None."""
    values = {name: value for name, value in settings if value is not None}
    for name, value in values.items():
        if isinstance(value, SecretStr):
            values[name] = value.get_secret_value()
        elif isinstance(value, tuple):
            values[name] = list(value)
    return values


def check(model: type[ZohoClientSettings] | type[IntegrationSettings], news: Props) -> CheckResult:
    """Validate and normalise inputs to exactly the shape that ``read`` returns, and add the secret's fingerprint."""
    given = declared(model, news)
    unknown = unknown_fields(given)
    try:
        settings = load(model, given, unknown=unknown)
    except SettingsError as error:
        # With a property name the engine would print the property's value, a secret among them.
        return CheckResult(dict(given), [CheckFailure("", problem) for problem in error.problems])
    inputs = plain(settings) | {name: given[name] for name in unknown}
    if "client_secret" in inputs:
        unsettled = [name for name in ("client_secret", "client_id") if name in unknown]
        inputs[FINGERPRINT] = (
            given[unsettled[0]] if unsettled else fingerprint(inputs["client_id"], inputs["client_secret"])
        )
    return CheckResult(inputs, [])


def changed(olds: Props, news: Props, names: Iterable[str]) -> list[str]:
    """Which of the managed values differ between recorded outputs and checked inputs."""
    unknown = unknown_fields({name: news.get(name) for name in names})
    return [name for name in names if name in unknown or _comparable(olds.get(name)) != _comparable(news.get(name))]


def _comparable(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value

"""What both resources do with their inputs: check them, and say which of them changed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, CheckResult

from codat_zoho.declare.rules import broken, fingerprint
from codat_zoho.errors import SettingsError
from codat_zoho.provider.process import unknown_fields
from codat_zoho.texts.redact import register

if TYPE_CHECKING:  # While nothing changed, nothing is validated, and pydantic takes long to load.
    from pydantic import BaseModel

FINGERPRINT = "client_secret_fingerprint"
DECLARED = "declared"
"""What the last deployment declared. A refresh leaves it alone, so what it changes elsewhere can be told from it."""
Props = Mapping[str, Any]


def declared(fields: Iterable[str], props: Props) -> dict[str, Any]:
    """Only the fields that a user declares, without what is None."""
    secret = props.get("client_secret")
    if isinstance(secret, str):
        register(secret)
    return {name: value for name in fields if (value := props.get(name)) is not None}


def as_deployed(outs: Props) -> dict[str, Any]:
    """What a deployment records of its declaration: the values that a refresh may change, and when it was made."""
    values = {name: value for name in _RECORDED if (value := outs.get(name)) is not None}
    return {DECLARED: {**values, "at": utc_now()}}


def utc_now() -> str:
    """The time as outputs have it, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def stale(olds: Props, news: Props) -> bool:
    """Whether what is on record as declared is not what is declared now.

    So it is where a refresh took over what somebody changed, and the program then declared that: nothing differs from
    Codat, and the record has to follow all the same.
    """
    recorded = olds.get(DECLARED)
    return isinstance(recorded, Mapping) and bool(changed(recorded, news, _RECORDED))


_RECORDED = ("enabled", "client_id", "regions", FINGERPRINT)
"""What a deployment records of either resource's declaration, as far as it has it."""


def plain(settings: BaseModel) -> dict[str, Any]:
    """The declared fields as the engine keeps them: plain values, lists, nothing that is None."""
    values = {name: value for name, value in settings if value is not None}
    for name, value in values.items():
        if name == "client_secret":
            values[name] = value.get_secret_value()
        elif isinstance(value, tuple):
            values[name] = list(value)
    return values


def check(
    fields: Mapping[str, object],
    olds: Props,
    news: Props,
    load: Callable[[Props, Collection[str]], BaseModel],
    required: Collection[str] = (),
) -> CheckResult:
    """Validate and normalise inputs to exactly the shape that ``read`` returns, and add the secret's fingerprint.

    Args:
        fields: what may be declared, with its defaults.
        olds: the inputs of the last run. What is declared as it was then needs no model to validate it.
        news: what is declared now.
        load: reads the settings; the second argument names what is not known yet.
        required: the fields that must be declared.
    """
    given = declared(fields, news)
    unknown = unknown_fields(given)
    try:
        checked = _as_checked(fields, olds, given) if given.keys() >= {*required} else None
        inputs = plain(load(given, unknown)) | {name: given[name] for name in unknown} if checked is None else checked
    except SettingsError as error:
        # With a property name the engine would print the property's value, a secret among them.
        return CheckResult(dict(given), [CheckFailure("", problem) for problem in error.problems])
    if "client_secret" in inputs:
        unsettled = [name for name in ("client_secret", "client_id") if name in unknown]
        inputs[FINGERPRINT] = (
            given[unsettled[0]] if unsettled else fingerprint(inputs["client_id"], inputs["client_secret"])
        )
    return CheckResult(inputs, [])


def _as_checked(fields: Mapping[str, object], olds: Props, given: Props) -> dict[str, Any] | None:
    """The inputs as they were checked last time, where the same is declared now."""
    before = {name: value for name in fields if (value := olds.get(name)) is not None}
    now = {name: value for name, value in (*fields.items(), *given.items()) if value is not None}
    if isinstance(regions := now.get("regions"), list):
        now["regions"] = sorted(set(regions)) if all(isinstance(code, str) for code in regions) else None
    same = before and before == now and all(type(before[name]) is type(now[name]) for name in now)
    # A refresh may have put a mask where the client id was, or taken it away.
    whole = "client_secret" not in now or "client_id" in now
    return now if same and whole and not any(broken(now)) else None


def changed(olds: Props, news: Props, names: Iterable[str]) -> list[str]:
    """Which of the managed values differ between recorded outputs and checked inputs."""
    unknown = unknown_fields({name: news.get(name) for name in names})
    return [name for name in names if name in unknown or _comparable(olds.get(name)) != _comparable(news.get(name))]


def _comparable(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value

"""What both resources do with their inputs: check them, and say which of them changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from codat_zoho.declare.describe import described
from codat_zoho.declare.platform import SECRET_ID, UNKNOWN
from codat_zoho.declare.recorded import odd, utc_now
from codat_zoho.declare.settings import FINGERPRINT, S, load
from codat_zoho.errors import ConfigurationError, SettingsError
from codat_zoho.provider.results import Checked

DECLARED = "declared"
"""What the last deployment declared. A refresh leaves it alone, so what it changes elsewhere can be told from it."""
_RECORDED = ("enabled", "client_id", "regions", FINGERPRINT)
"""What a deployment records of either resource's declaration, as far as it has it."""
Props = Mapping[str, Any]


def declared(model: type[S], props: Props) -> dict[str, Any]:
    """Only the settings that a user declares, without what is None."""
    return {field.name: value for field in fields(model) if (value := props.get(field.name)) is not None}


def desired(model: type[S], props: Props, unknown: Collection[str] = ()) -> S:
    """What a resource declares."""
    return load(model, declared(model, props), unknown=unknown)


def unknown_fields(values: Props) -> frozenset[str]:
    """Which values a preview does not know yet."""
    return frozenset(name for name, value in values.items() if _unknown(value))


def _unknown(value: Any) -> bool:
    """Whether a value holds one that is not known: the engine's own mark, or what Pulumi's SDK makes of it."""
    if isinstance(value, Mapping):
        return any(map(_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_unknown, value))
    kind = type(value)
    return value == UNKNOWN if kind is str else (kind.__name__, kind.__module__) == ("Unknown", "pulumi.output")


def check(model: type[S], moved: Props, news: Props) -> Checked:
    """Validate and normalise inputs to exactly the shape that ``read`` returns, and add the secret's fingerprint.

    ``moved`` are the inputs of the other face of the resource, where this one takes its place, by the names used here.
    """
    given = declared(model, news)
    unknown = unknown_fields(given)
    try:
        inputs = load(model, given, unknown=unknown).as_inputs() | {name: given[name] for name in unknown}
    except SettingsError as error:
        return Checked(given, [*_left_behind(model, moved, given), *map(str, error.problems)])
    unsettled = [given[name] for name in ("client_secret", "client_id") if name in unknown]
    if "client_secret" in inputs and unsettled:
        inputs[FINGERPRINT] = unsettled[0]
    return Checked(inputs | marked(news), [*_left_behind(model, moved, given)])


def _left_behind(model: type[S], moved: Props, given: Props) -> Iterator[str]:
    """Name what a move would change without a word.

    The engine takes what a program lists in ``ignoreChanges`` out of the inputs where the old ones have no such name.
    """
    for name, one in described(model).items():
        before = moved.get(name)
        if before is not None and name not in given and before != one.default:
            yield (
                f"{name}: was deployed, and does not come along where the resource moves. Declare it as it was, and "
                "list it in no option that ignores changes, run pulumi up, then change it"
            )


def mixed(whose: Mapping[str, Collection[str]], inputs: Props) -> Iterator[str]:
    """Say so where the program declares a secret for other Zoho clients only than the one whose id is beside it."""
    client_id, secret = inputs.get("client_id"), inputs.get("client_secret")
    if not (isinstance(client_id, str) and isinstance(secret, str)) or _unknown([client_id, secret]):
        return
    if client_id not in whose.get(secret, [client_id]):
        yield (
            "client_id: the program declares this client_secret for another Zoho client, so Zoho would refuse the two "
            "together. Take both from one client, and list neither or both in an option that ignores changes"
        )


def recorded(props: Props) -> Props:
    """What the state records of a resource, in the forms that are known.

    Raises:
        ConfigurationError: it holds something in another form.
    """
    if names := odd(props):
        raise ConfigurationError(
            f"The stack's state holds {', '.join(names)} of this resource in a form that this package does not know.",
            "Put it right in the output of 'pulumi stack export' and import that; or run 'pulumi state delete' on the "
            "resource, then pulumi up, which takes over what is there.",
        )
    return props


def marked(props: Props) -> dict[str, Any]:
    """The mark that the client id is secret, where it is."""
    return {SECRET_ID: True} if props.get(SECRET_ID) is True else {}


def changed(olds: Props, news: Props, names: Iterable[str]) -> list[str]:
    """Which of the managed values differ between recorded outputs and checked inputs."""
    unknown = unknown_fields({name: news.get(name) for name in names})
    return [name for name in names if name in unknown or _comparable(olds.get(name)) != _comparable(news.get(name))]


def _comparable(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value


def replacing(model: type[S], changes: Collection[str]) -> list[str]:
    """The changes that replace the resource."""
    return [name for name, one in described(model).items() if one.replaces and name in changes]


def as_deployed(outs: Props) -> dict[str, Any]:
    """What a deployment records of its declaration: the values that a refresh may change, and when it was made."""
    values = {name: value for name in _RECORDED if (value := outs.get(name)) is not None}
    return {DECLARED: {**values, "at": utc_now()}}


def stale(olds: Props, news: Props) -> bool:
    """Whether what is on record as declared, or as secret, is not so now.

    So it is where a refresh took over what somebody changed, and the program then declared that: nothing differs from
    Codat, and the record has to follow all the same.
    """
    before = olds.get(DECLARED)
    return marked(olds) != marked(news) or (before is not None and bool(changed(before, news, _RECORDED)))

"""What a user declares, and every rule about it.

The models know nothing of Pulumi or HTTP: the resources, the review of a pull request and the adoption of
existing settings all read the same declarations through them. All problems of a declaration are reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from codat_zoho.declare.rules import (
    LISTS,
    REQUIRED,
    bad_client_id,
    bad_client_secret,
    bad_connection,
    bad_regions,
)
from codat_zoho.errors import SettingsError
from codat_zoho.texts.redact import one_line

Verify = Literal["on-change", "always", "off"]
OnDelete = Literal["remove", "disable", "keep"]

_T = TypeVar("_T")


def _refuse(problems: Callable[[_T], Iterator[str]]) -> AfterValidator:
    def check(value: _T) -> _T:
        found = list(problems(value))
        if found:
            raise PydanticCustomError("rule", "{text}", {"text": "; ".join(found)})
        return value

    return AfterValidator(check)


ClientId = Annotated[str, _refuse(bad_client_id)]
ClientSecret = Annotated[SecretStr, _refuse(lambda secret: bad_client_secret(secret.get_secret_value()))]
Regions = Annotated[
    tuple[str, ...],
    Field(strict=False),
    _refuse(bad_regions),
    AfterValidator(lambda codes: tuple(sorted(set(codes)))),
]
Connection = Annotated[str, _refuse(bad_connection)]


_WORDING = {
    "bool_type": "must be true or false",
    "extra_forbidden": "is not a setting of this resource",
    "string_type": "must be a text",
    "tuple_type": 'must be a list of data-centre codes, for example ["us", "uk"]',
}


class _Settings(BaseModel):
    """Base of both models: strict types, and the rules that need more than one field, checked along with the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
    required: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _between_fields(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield (field, problem) for the rules between fields; ``values`` are raw, and lack what is unknown yet."""
        if values.get("client_secret") and values["client_secret"] == values.get("client_id"):
            yield "client_secret", "is the same as client_id"

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, data: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        unknown: Collection[str] = (info.context or {}).get("unknown", ())
        known = {field: value for field, value in data.items() if field not in unknown and value is not None}
        problems: list[InitErrorDetails] = []

        def add(field: str, text: str) -> None:
            problems.append(
                {"type": PydanticCustomError("rule", "{text}", {"text": text}), "loc": (field,), "input": None}
            )

        made = None
        for field in cls.required:
            if field not in unknown and data.get(field) is None:
                add(field, "is missing")
        try:
            made = handler(known)
        except ValidationError as error:
            for line in error.errors(include_url=False, include_input=False, include_context=False):
                add(one_line(str((*line["loc"], "settings")[0]), 60), _WORDING.get(line["type"], line["msg"]))
        for field, text in cls._between_fields(known, unknown):
            add(field, text)
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems, hide_input=True)
        return made


class ZohoClientSettings(_Settings):
    """The OAuth client in Zoho's console that is declared to exist.

    Args:
        client_id: Zoho's id of the client.
        client_secret: its secret; None while a client is being adopted whose secret nobody has at hand.
        regions: codes of the data centres that must accept it, see :data:`codat_zoho.declare.datacentres.DATA_CENTRES`.
        same_credentials_everywhere: the console's switch "Use the same OAuth credentials for all data centers" is on.
        verify: when to ask Zoho whether it accepts the client: on changes, also on each refresh, or never.
    """

    required: ClassVar[tuple[str, ...]] = REQUIRED

    client_id: ClientId = ""
    client_secret: ClientSecret | None = None
    regions: Regions = ()
    same_credentials_everywhere: bool = True
    verify: Verify = "on-change"

    @classmethod
    def _between_fields(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[tuple[str, str]]:
        yield from super()._between_fields(values, unknown)
        regions = values.get("regions")
        several = isinstance(regions, LISTS) and len({code for code in regions if isinstance(code, str)}) > 1
        if values.get("same_credentials_everywhere") is False and several:
            yield (
                "same_credentials_everywhere",
                "is false, but several regions are listed: without Zoho's switch 'Use the same OAuth credentials for "
                "all data centers' each data centre has its own secret, and Codat stores one; turn the switch on (API "
                "console, Settings tab) and set this to true, or list one region",
            )


class IntegrationSettings(_Settings):
    """The Zoho Books integration of one Codat client, as declared. What is None is left as it is in Codat.

    Args:
        client_id: Zoho's client id for Codat to use; None leaves Codat's stored keys alone.
        client_secret: its secret; None leaves Codat's stored secret alone.
        enabled: whether customers can link Zoho Books; None leaves it as it is. Omitted never means false.
        connection: the name of the Codat API key, and so of the Codat client, to use.
        on_delete: what destroying does: ``remove`` disables and deletes the keys, ``disable``, or ``keep``.
        allow_disruption: lets changes through that can cut off linked companies.
    """

    client_id: ClientId | None = None
    client_secret: ClientSecret | None = None
    enabled: bool | None = None
    connection: Connection = "default"
    on_delete: OnDelete = "remove"
    allow_disruption: bool = False

    @classmethod
    def _between_fields(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[tuple[str, str]]:
        yield from super()._between_fields(values, unknown)
        if "client_secret" in values and "client_id" not in {*values, *unknown}:
            yield "client_secret", "is set without client_id: Codat stores the two together"


S = TypeVar("S", bound=_Settings)


def load(model: type[S], values: Mapping[str, object], *, unknown: Collection[str] = ()) -> S:
    """Read a declaration.

    Args:
        model: :class:`ZohoClientSettings` or :class:`IntegrationSettings`.
        values: the declared fields; None counts as not declared.
        unknown: fields that are declared, but whose value is not known yet (a Pulumi preview). They are not checked.

    Raises:
        SettingsError: with all problems at once.

    >>> load(IntegrationSettings, {"enabled": "no", "on_delete": "keep"})
    Traceback (most recent call last):
    codat_zoho.errors.SettingsError: enabled: must be true or false
    """
    declared = {field: value for field, value in values.items() if value is not None} | dict.fromkeys(unknown)
    try:
        return model.model_validate(declared, context={"unknown": frozenset(unknown)})
    except ValidationError as error:
        lines = error.errors(include_url=False, include_input=False, include_context=False)
    raise SettingsError(f"{'.'.join(map(str, line['loc']))}: {line['msg']}" for line in lines)

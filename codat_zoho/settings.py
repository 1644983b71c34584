"""What a user declares, and every rule about it.

The models know nothing of Pulumi or HTTP: the resources, the review of a pull request and the adoption of
existing settings all read the same declarations through them. All problems of a declaration are reported at once.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
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

from codat_zoho.datacentres import DATA_CENTRES, SUPPORTED, problem_with
from codat_zoho.errors import SettingsError

__all__ = [
    "REDIRECT_URI",
    "IntegrationSettings",
    "OnDelete",
    "Verify",
    "ZohoClientSettings",
    "fingerprint",
    "load",
    "looks_like_client_id",
    "warnings_about",
]

REDIRECT_URI = "https://zohobooks.codat.io/oauth/callback"
"""The redirect URI that Codat needs, compared exactly by Zoho (Codat's Zoho Books set-up page)."""

Verify = Literal["on-change", "always", "off"]
OnDelete = Literal["remove", "disable", "keep"]

_CLIENT_ID = re.compile(r"\d{4}\.[0-9A-Z]{30}")
_SECRET = re.compile(r"[0-9a-f]{42}")
_TOKEN = re.compile(r"\d{4}\.[0-9a-f]{32}\.[0-9a-f]{32}")
# Ids and secrets are random, so 'XXXX' may be part of one, except at its beginning; '****' and 'XXXXXXXX' may not.
_MASKED = re.compile(r"^[Xx*•]{4}|[*•]{4}|X{8}|x{8}")
_CONNECTION = re.compile(r"[a-z][a-z0-9-]{0,39}")
_INVISIBLE = frozenset("\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")
_QUOTES = frozenset("'\"`‘’“”«»")


def looks_like_client_id(text: str) -> bool:
    """Tell whether ``text`` has the shape of every Zoho client id seen so far: ``1000.`` and 30 of ``0-9A-Z``."""
    return _CLIENT_ID.fullmatch(text) is not None


def fingerprint(client_id: str, client_secret: str) -> str:
    """Name a secret without telling it: the first 16 hex digits of SHA-256 over client id, NUL, secret."""
    return hashlib.sha256(f"{client_id}\0{client_secret}".encode()).hexdigest()[:16]


def _bad_characters(text: str) -> Iterator[str]:
    """What a key must not contain. Codat: "Make sure that your secure keys don't contain any spaces"."""
    if not text:
        yield "is empty"
    kinds: dict[str, str] = {}
    for position, char in enumerate(text, start=1):
        at = f"at position {position}: copy it again, from Zoho's console"
        if char.isspace() or char in _INVISIBLE:
            name = unicodedata.name(char, "white space")
            kinds.setdefault("space", f"contains white space (U+{ord(char):04X} {name}) {at}")
        elif char in _QUOTES:
            kinds.setdefault("quote", f"contains a quotation mark {at}, without quotes")
        elif unicodedata.category(char) == "Cc":
            kinds.setdefault("control", f"contains a control character (U+{ord(char):04X}) {at}")
        elif not char.isascii():
            kinds.setdefault("ascii", f"contains a non-ASCII character (U+{ord(char):04X}) {at}")
        elif char == "<":
            kinds.setdefault("placeholder", f"contains '<' {at}: is it still a placeholder?")
    yield from kinds.values()
    if _MASKED.search(text):
        yield "is a mask, as Codat shows stored keys, not the key itself: copy it from Zoho's console"


def _bad_client_id(text: str) -> Iterator[str]:
    yield from _bad_characters(text)
    if _TOKEN.fullmatch(text):
        yield "is a Zoho token or grant code, not a client id; revoke it, since it may have been stored in clear"
    elif _SECRET.fullmatch(text):
        yield "has the shape of a client secret, not of a client id; are the two swapped?"


def _bad_client_secret(text: str) -> Iterator[str]:
    yield from _bad_characters(text)
    if _TOKEN.fullmatch(text):
        yield "is a Zoho token or grant code, not a client secret"
    elif looks_like_client_id(text):
        yield "has the shape of a client id, not of a client secret; are the two swapped?"


def _bad_regions(codes: tuple[str, ...]) -> Iterator[str]:
    if not codes:
        yield "is empty: name at least one Zoho data centre, for example 'us'"
    problems = list(filter(None, map(problem_with, codes)))
    if problems:
        yield f"{'; '.join(problems)} (the codes are {', '.join(DATA_CENTRES)})"


def _bad_connection(text: str) -> Iterator[str]:
    if not _CONNECTION.fullmatch(text):
        yield (
            "must be lower-case letters, digits and '-', starting with a letter, at most 40 characters: "
            "it names the Codat API key to use"
        )


_T = TypeVar("_T")


def _refuse(problems: Callable[[_T], Iterator[str]]) -> AfterValidator:
    def check(value: _T) -> _T:
        found = list(problems(value))
        if found:
            raise PydanticCustomError("rule", "{text}", {"text": "; ".join(found)})
        return value

    return AfterValidator(check)


ClientId = Annotated[str, _refuse(_bad_client_id)]
ClientSecret = Annotated[SecretStr, _refuse(lambda secret: _bad_client_secret(secret.get_secret_value()))]
Regions = Annotated[
    tuple[str, ...],
    Field(strict=False),
    _refuse(_bad_regions),
    AfterValidator(lambda codes: tuple(sorted(set(codes)))),
]
Connection = Annotated[str, _refuse(_bad_connection)]


_LISTS = (list, tuple, set, frozenset)
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
                add(str(line["loc"][0]), _WORDING.get(line["type"], line["msg"]))
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
        regions: codes of the data centres that must accept it, see :data:`codat_zoho.datacentres.DATA_CENTRES`.
        same_credentials_everywhere: the console's switch "Use the same OAuth credentials for all data centers" is on.
        verify: when to ask Zoho whether it accepts the client: on changes, also on each refresh, or never.
    """

    required: ClassVar[tuple[str, ...]] = ("client_id", "regions")

    client_id: ClientId = ""
    client_secret: ClientSecret | None = None
    regions: Regions = ()
    same_credentials_everywhere: bool = True
    verify: Verify = "on-change"

    @classmethod
    def _between_fields(cls, values: Mapping[str, Any], unknown: Collection[str]) -> Iterator[tuple[str, str]]:
        yield from super()._between_fields(values, unknown)
        regions = values.get("regions")
        several = isinstance(regions, _LISTS) and len({code for code in regions if isinstance(code, str)}) > 1
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

    >>> load(ZohoClientSettings, {"client_id": "1000.GFXJNB9VM0KE5C9C4CMSRQEX0CTDPH", "regions": ["gb", "us"]})
    Traceback (most recent call last):
    codat_zoho.errors.SettingsError: regions: 'gb' is not a Zoho data centre; did you mean 'uk' ...
    """
    declared = {field: value for field, value in values.items() if value is not None} | dict.fromkeys(unknown)
    try:
        return model.model_validate(declared, context={"unknown": frozenset(unknown)})
    except ValidationError as error:
        lines = error.errors(include_url=False, include_input=False, include_context=False)
    raise SettingsError(f"{'.'.join(map(str, line['loc']))}: {line['msg']}" for line in lines)


def warnings_about(values: Mapping[str, object]) -> tuple[str, ...]:
    """What is allowed but looks wrong in a declaration; ``values`` may be incomplete or invalid."""
    found = []
    client_id, secret, regions = values.get("client_id"), values.get("client_secret"), values.get("regions")
    if isinstance(client_id, str) and not looks_like_client_id(client_id):
        found.append(
            "client_id does not have the shape of the Zoho client ids seen so far ('1000.' and 30 upper-case letters "
            "or digits): check that it was copied whole"
        )
    if isinstance(secret, str) and not _SECRET.fullmatch(secret):
        found.append(
            "client_secret does not have the shape of most Zoho client secrets (42 hexadecimal digits): check that it "
            "was copied whole"
        )
    if isinstance(regions, _LISTS):
        # What is no code at all is refused elsewhere, and not shown: it may be anything.
        outside = sorted({code for code in regions if isinstance(code, str) and code in DATA_CENTRES} - SUPPORTED)
        if outside:
            found.append(
                f"regions: {', '.join(outside)} listed, but Codat supports UK and US customers only for Zoho Books, "
                f"and those are in {', '.join(sorted(SUPPORTED))}"
            )
    return tuple(found)

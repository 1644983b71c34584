"""What deployed state depends on: it may never change."""

from __future__ import annotations

import base64
import pickle
import subprocess
import sys
from types import ModuleType
from typing import Any

import pulumi
import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

import codat_zoho
from codat_zoho.provider import Books, ZohoClient
from codat_zoho.resources import ZohoBooksIntegration, ZohoClientCredentials, _pickled_as_ever
from codat_zoho.testing import CLIENT_ID, CLIENT_SECRET, Mocks

FROZEN = {
    Books: "gASVJAAAAAAAAACME2NvZGF0X3pvaG8ucHJvdmlkZXKUjAVCb29rc5STlCmBlC4=",
    ZohoClient: "gASVKQAAAAAAAACME2NvZGF0X3pvaG8ucHJvdmlkZXKUjApab2hvQ2xpZW50lJOUKYGULg==",
}


@pytest.mark.parametrize("protocol", [4, 5])
def test_state_is_the_same_from_each_python(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pickled does not follow Python's default protocol, which is 5 from 3.14 on: a team's Pythons may differ."""
    monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", protocol)
    seen: list[str] = []

    class Seen(Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            seen.append(args.inputs["__provider"])
            return super().new_resource(args)

    pulumi.runtime.set_mocks(Seen())

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[Any]:
        client = ZohoClientCredentials("client", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, regions=["us"])
        return ZohoBooksIntegration("books", credentials=client, enabled=True).integration_id

    program()
    assert sorted(seen) == sorted(FROZEN.values())
    assert protocol == pickle.DEFAULT_PROTOCOL


@pytest.mark.parametrize(("provider", "frozen"), FROZEN.items())
def test_the_provider_is_pickled_by_reference(provider: type[ResourceProvider], frozen: str) -> None:
    """State holds this string: another one would show as a change of every deployed resource."""
    with _pickled_as_ever():
        assert serialize_provider(provider()) == frozen
    assert len(frozen) <= 72
    assert b"codat_zoho.provider" in base64.b64decode(frozen)
    assert not vars(provider())
    assert provider.serialize_as_secret_always is False


def test_type_tokens() -> None:
    """State holds these: another one would orphan every deployed resource."""
    assert ZohoBooksIntegration._resource_type_name == "dynamic/codat-zoho:ZohoBooksIntegration"
    assert ZohoClientCredentials._resource_type_name == "dynamic/codat-zoho:ZohoClientCredentials"


def test_public_names() -> None:
    """The import path is the interface: what is listed is there, and nothing else is public (ruff keeps it sorted)."""
    assert all(getattr(codat_zoho, name) is not None for name in codat_zoho.__all__)
    modules = {name for name, value in vars(codat_zoho).items() if isinstance(value, ModuleType)}
    helpers = {"TYPE_CHECKING", "annotations"}
    public = {name for name in vars(codat_zoho) if not name.startswith("_")} - modules - helpers
    assert public | {"__version__"} == set(codat_zoho.__all__) == set(dir(codat_zoho))
    with pytest.raises(AttributeError, match="no attribute 'Typo'"):
        _ = codat_zoho.Typo  # type: ignore[attr-defined]


def test_importing_does_not_import_httpx() -> None:
    """A preview makes no request, so it does not pay for an HTTP client."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import codat_zoho.resources"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "codat_zoho.resources" in imported
    assert not {name for name in imported if name.partition(".")[0] in ("httpx", "httpcore")}

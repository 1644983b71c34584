"""Where keys and addresses come from."""

from __future__ import annotations

import base64
import json

import pytest

from codat_zoho.environment import Environment
from codat_zoho.errors import ConfigurationError


def of(**config: object) -> Environment:
    """An environment with this stack configuration."""
    return Environment.of({f"codat-zoho:{key}": value for key, value in config.items()}.get)


def key_in(environment: Environment, connection: str = "default") -> tuple[str, str]:
    """The API key that is found, and where."""
    found = environment.api_key(connection)
    return base64.b64decode(found.header.removeprefix("Basic ")).decode(), found.source


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that must not be in state is in the environment; stack configuration is the second place."""
    assert key_in(of(apiKey="from-config")) == ("from-config", "codat-zoho:apiKey")
    monkeypatch.setenv("CODAT_API_KEY", "from-environment")
    assert key_in(of(apiKey="from-config")) == ("from-environment", "CODAT_API_KEY")
    monkeypatch.setenv("CODAT_API_KEY", "")
    assert key_in(of(apiKey="from-config")) == ("from-config", "codat-zoho:apiKey")


def test_each_connection_has_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name in the environment, or in a map in stack configuration (which arrives as JSON)."""
    environment = of(apiKeys=json.dumps({"prod-eu": "from-map", "default": "default-from-map"}))
    assert key_in(environment, "prod-eu") == ("from-map", "codat-zoho:apiKeys.prod-eu")
    assert key_in(environment) == ("default-from-map", "codat-zoho:apiKeys.default")
    monkeypatch.setenv("CODAT_API_KEY_PROD_EU", "from-environment")
    assert key_in(environment, "prod-eu") == ("from-environment", "CODAT_API_KEY_PROD_EU")
    assert key_in(of(apiKeys={"dev": "a-mapping"}), "dev") == ("a-mapping", "codat-zoho:apiKeys.dev")


def test_another_connections_key_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default key belongs to another Codat client: a missing key is an error that says where to put it."""
    monkeypatch.setenv("CODAT_API_KEY", "the-default")
    with pytest.raises(
        ConfigurationError, match=r"connection 'prod'.* CODAT_API_KEY_PROD, or run: .*--path codat-zoho:apiKeys\.prod"
    ):
        of(apiKey="x", apiKeys='{"dev": "y", "prod": ""}').api_key("prod")


@pytest.mark.parametrize("broken", ["not json", "[]", '"text"', "3"])
def test_a_broken_map_of_keys(broken: str) -> None:
    """Said as such, without what it holds."""
    with pytest.raises(ConfigurationError, match="is not a map from connection names to API keys") as caught:
        of(apiKeys=broken).api_key("default")
    assert broken not in str(caught.value)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The public address unless another is set; Zoho can only be stood in for on this machine."""
    assert of().codat_url() == "https://api.codat.io"
    assert of(codatUrl="https://eu.example/").codat_url() == "https://eu.example"
    monkeypatch.setenv("CODAT_URL", "http://127.0.0.1:9/codat")
    assert of(codatUrl="https://eu.example").codat_url() == "http://127.0.0.1:9/codat"
    assert of().zoho_url() is None
    with pytest.raises(
        ConfigurationError, match=r"codat-zoho:zohoUrl is https://accounts\.zoho\.com, but only a loopback"
    ):
        of(zohoUrl="https://accounts.zoho.com").zoho_url()


def test_paths_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two paths that are in no published file."""
    paths = of(codatEnabledPath="/v2/{key}/on").paths()
    assert (paths.enabled, paths.credentials) == ("/v2/{key}/on", "/integrations/credentials/{key}")
    for wrong in ("no-slash", "/a b", "/{other}", "/x?y", "/ü", "/\\x"):
        monkeypatch.setenv("CODAT_CREDENTIALS_PATH", wrong)
        with pytest.raises(ConfigurationError, match="CODAT_CREDENTIALS_PATH is no path like"):
            of().paths()


def test_when_to_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment overrides what is declared; a typo is an error and not a silent default."""
    assert of().verify("off") == "off"
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "always")
    assert of().verify("off") == "always"
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "allways")
    with pytest.raises(ConfigurationError, match="must be on-change, always or off"):
        of().verify("off")


def test_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The repr of what holds keys holds no key."""
    assert "a-key" not in repr(of(apiKey="a-key"))

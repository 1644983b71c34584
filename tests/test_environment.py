"""Where keys and addresses come from, and that no connection ever uses another one's key."""

from __future__ import annotations

import json

import pytest

from codat_zoho.errors import ConfigurationError
from codat_zoho.remote.codat import ApiKey, Paths
from codat_zoho.remote.connection import Environment
from tests.support import API_KEY

OTHER = "another-api-key-91c2"


def header(key: str) -> str:
    return ApiKey.parse(key, "").header


def test_the_environment_comes_before_stack_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under refresh the stack configuration is that of the last up; the environment is of now."""
    environment = Environment.of({"codat-zoho:apiKey": API_KEY, "other:apiKey": "x"}.get)
    assert environment.api_key("default") == ApiKey(header(API_KEY), "codat-zoho:apiKey")
    monkeypatch.setenv("CODAT_API_KEY", OTHER)
    assert environment.api_key("default") == ApiKey(header(OTHER), "CODAT_API_KEY")
    assert API_KEY not in repr(environment)


@pytest.mark.parametrize("as_text", [True, False])
def test_named_connections(monkeypatch: pytest.MonkeyPatch, as_text: bool) -> None:
    """Each has a key of its own, from a map (the engine hands it over as JSON) or the environment."""
    named = {"eu-live": OTHER}
    environment = Environment({"apiKey": API_KEY, "apiKeys": json.dumps(named) if as_text else named})
    assert environment.api_key("eu-live") == ApiKey(header(OTHER), "codat-zoho:apiKeys.eu-live")
    monkeypatch.setenv("CODAT_API_KEY_EU_LIVE", "third-key-5555")
    assert environment.api_key("eu-live").source == "CODAT_API_KEY_EU_LIVE"


def test_a_connection_never_uses_the_default_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """That one belongs to another Codat client; the error names where to put the right one."""
    monkeypatch.setenv("CODAT_API_KEY", API_KEY)
    for config in ({"apiKey": API_KEY}, {"apiKeys": {"default": API_KEY, "eu": "", "us": 7}}):
        for connection in ("eu", "us"):
            with pytest.raises(ConfigurationError) as caught:
                Environment(config).api_key(connection)
            assert f"CODAT_API_KEY_{connection.upper()}" in str(caught.value)
            assert f"--path codat-zoho:apiKeys.{connection}" in str(caught.value)
            assert API_KEY not in str(caught.value)


def test_what_a_demanded_certificate_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The id for the header is that of the connection and no other's; a key without its certificate is refused."""
    config = {"apiKey": API_KEY, "apiKeys": {"eu": OTHER}, "codatClientId": "one-of-the-default"}
    assert Environment(config).api_key("default").headers["x-codat-client"] == "one-of-the-default"
    assert "x-codat-client" not in Environment(config).api_key("eu").headers
    config["codatClientIds"] = {"eu": "one-of-the-eu"}
    assert Environment(config).api_key("eu").headers["x-codat-client"] == "one-of-the-eu"
    monkeypatch.setenv("CODAT_CLIENT_ID_EU", "one\nInjected: header")
    with pytest.raises(ConfigurationError, match="CODAT_CLIENT_ID_EU is no id"):
        Environment(config).api_key("eu")
    monkeypatch.setenv("CODAT_CLIENT_KEY", "key.pem")
    with pytest.raises(ConfigurationError, match="CODAT_CLIENT_KEY is set without CODAT_CLIENT_CERT"):
        Environment(config).api_key("default")


@pytest.mark.parametrize("named", ["[1]", "{broken", "7", ["x"]])
def test_a_map_of_keys_that_is_none(named: object) -> None:
    """Said as such, without showing what stands there."""
    with pytest.raises(ConfigurationError, match="is not a map") as caught:
        Environment({"apiKeys": named}).api_key("eu")
    assert "broken" not in str(caught.value)


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codat's public one unless another is set; Zoho's own unless this machine stands in."""
    assert Environment().codat_url() == "https://api.codat.io"
    assert Environment().zoho_url() is None
    monkeypatch.setenv("CODAT_URL", "http://codat.example")
    monkeypatch.setenv("ZOHO_URL", "https://zoho.example")
    with pytest.raises(ConfigurationError, match="CODAT_URL"):
        Environment().codat_url()
    with pytest.raises(ConfigurationError, match="ZOHO_URL"):
        Environment().zoho_url()


def test_paths() -> None:
    """Both undocumented paths can be set; what is no path is refused."""
    config = {"codatEnabledPath": "/v2/{key}/on"}
    assert Environment(config).paths() == Paths("/v2/{key}/on", "/integrations/credentials/{key}")
    for bad in ("integrations", "/a b", "/a?b", "/a#b", "/{other}", "/é", "/a\x00", "/a\\b"):
        with pytest.raises(ConfigurationError, match="is not a path like"):
            Environment({"codatCredentialsPath": bad}).paths()


def test_when_to_ask_zoho(monkeypatch: pytest.MonkeyPatch) -> None:
    """As declared, unless the environment says otherwise; a typo is no silent pass."""
    assert Environment().verify("off") == "off"
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "always")
    assert Environment().verify("off") == "always"
    monkeypatch.setenv("CODAT_ZOHO_VERIFY", "alwys")
    with pytest.raises(ConfigurationError, match="must be on-change, always or off"):
        Environment().verify("off")

"""What Codat calls Zoho Books: each name, key and address of the integration once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """One accounting platform at Codat."""

    key: str  # in Codat's paths
    name: str
    id_key: str  # the names under which Codat stores client id and secret
    secret_key: str
    redirect_uri: str  # compared exactly by the platform
    portal: str  # where its settings are in the Codat Portal

    def keys(self, client_id: str, client_secret: str) -> dict[str, str]:
        """Both keys as Codat takes and shows them."""
        return {self.id_key: client_id, self.secret_key: client_secret}


ZOHO_BOOKS = Platform(
    key="rwuv",
    name="Zoho Books",
    id_key="clientId",
    secret_key="clientSecret",  # noqa: S106
    redirect_uri="https://zohobooks.codat.io/oauth/callback",
    portal="Settings > Integrations > Zoho Books",
)
REDIRECT_URI = ZOHO_BOOKS.redirect_uri
"""The redirect URI to register in Zoho's console (Codat's Zoho Books set-up page)."""


INTEGRATION, CLIENT = "ZohoBooksIntegration", "ZohoClientCredentials"
TOKEN_PREFIX = "pulumi-python:dynamic/codat-zoho:"
"""Frozen: every state holds it before the name of the resource's class."""
PLUGIN_PREFIX = "codat-zoho:index:"
"""Frozen likewise: the resources of the plugin, whose properties are spelled in camelCase."""
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key that marks an object as a special value, and what it holds where that is a secret."""
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that is not known before an update."""
NAMESPACE = "codat-zoho"
"""Of stack configuration, and the name of the ready-to-use project."""
CONFIG_KEYS = (
    *("apiKey", "apiKeys", "codatClientId", "codatClientIds"),
    *("codatUrl", "zohoUrl", "codatEnabledPath", "codatCredentialsPath"),
)
"""What is read from stack configuration to reach Codat and Zoho; the rest declares resources."""
SECRET_ID = "client_id_is_secret"
"""The input that is true where the program marked the client id as secret: the engine does not tell."""

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
UNKNOWNS = frozenset(
    (
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)
"""The same for a text, a boolean, a number, a list, an asset, an archive, an object: the engine has one for each."""
_SHARED = "client_secret_fingerprint", "declared", "cannot_tell"
OUTPUTS = {
    INTEGRATION: (
        *_SHARED,
        *("integration_id", "integration_name", "linked_companies", "codat_client", "codat_client_name"),
    ),
    CLIENT: (*_SHARED, "verdicts", "verified_at", "redirect_uri", "manual_steps"),
}
"""What the resources have beside their settings; ``resources`` says what each is."""
NAMESPACE = "codat-zoho"
"""Of stack configuration, and the name of the ready-to-use project."""
CONFIG_KEYS = (
    *("apiKey", "apiKeys", "codatClientId", "codatClientIds"),
    *("codatUrl", "zohoUrl", "codatEnabledPath", "codatCredentialsPath"),
)
"""What is read from stack configuration to reach Codat and Zoho; the rest declares resources."""
SECRET_ID = "client_id_is_secret"
"""The input that is true where the program marked the client id as secret: the engine does not tell."""

"""How Pulumi writes this package's resources, in states and in previews: type tokens and marks."""

from __future__ import annotations

INTEGRATION, CLIENT = "ZohoBooksIntegration", "ZohoClientCredentials"
TOKEN_PREFIX = "pulumi-python:dynamic/codat-zoho:"
"""Frozen: every state holds it before the name of the resource's class."""
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""The key that marks an object as a special value, and what it holds where that is a secret."""
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that is not known before an update."""
NAMESPACE = "codat-zoho"
"""Of stack configuration, and the name of the ready-to-use project."""
CONFIG_KEYS = ("apiKey", "apiKeys", "codatUrl", "zohoUrl", "codatEnabledPath", "codatCredentialsPath")
"""What is read from stack configuration to reach Codat and Zoho; the rest declares resources."""

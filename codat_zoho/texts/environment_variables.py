"""Every environment variable that this package reads, for ``--help`` and the reference, and the switches among them."""

from __future__ import annotations

import os
import textwrap
from typing import NamedTuple


def switched_on(variable: str) -> bool:
    """Tell whether an environment variable is set to anything but ``0``."""
    return os.environ.get(variable, "") not in ("", "0")


def debugging() -> bool:
    """``CODAT_ZOHO_DEBUG=1`` asks for tracebacks and a request log, both redacted, on stderr."""
    return switched_on("CODAT_ZOHO_DEBUG")


def counting() -> bool:
    """``CODAT_ZOHO_CALLS=1`` asks how many calls were made and what is left of the day."""
    return switched_on("CODAT_ZOHO_CALLS")


class Variable(NamedTuple):
    """One variable; ``<NAME>`` in it stands for a connection in capitals.

    ``key`` is the key of stack configuration, in the namespace ``codat-zoho``, that is looked at after it; ``of`` names
    the commands that read it, where not all do.
    """

    name: str
    text: str
    key: str = ""
    of: str = ""


VARIABLES = (
    Variable(
        "CODAT_API_KEY",
        "API key of the connection ``default``, bare or as the Portal's ready ``Basic ...`` header.",
        "apiKey",
    ),
    Variable(
        "CODAT_API_KEY_<NAME>",
        "API key of another connection: ``CODAT_API_KEY_EU_PROD`` for ``eu-prod``. The default's key never stands in.",
        "apiKeys",
    ),
    Variable(
        "CODAT_CLIENT_CERT",
        "Client certificate (a PEM file, with its chain) for a Codat account that demands one (mTLS).",
    ),
    Variable("CODAT_CLIENT_KEY", "Its private key (a PEM file without a passphrase), where that is a file of its own."),
    Variable(
        "CODAT_CLIENT_ID",
        "What Codat gave you with it for the header ``x-codat-client``; for the connection ``default``.",
        "codatClientId",
    ),
    Variable("CODAT_CLIENT_ID_<NAME>", "The same for another connection.", "codatClientIds"),
    Variable(
        "CODAT_URL",
        "Codat's address: https, or http on this machine. Default: ``https://api.codat.io``.",
        "codatUrl",
    ),
    Variable(
        "ZOHO_URL",
        "An address on this machine that stands in for all of Zoho's data centres: the simulator.",
        "zohoUrl",
    ),
    Variable(
        "CODAT_ENABLED_PATH",
        "Path of the call that enables the integration, where Codat's differs; ``{key}`` is the integration's key.",
        "codatEnabledPath",
    ),
    Variable(
        "CODAT_CREDENTIALS_PATH",
        "Path of the calls that read, save and delete its keys, likewise.",
        "codatCredentialsPath",
    ),
    Variable(
        "CODAT_ZOHO_VERIFY",
        "``on-change``, ``always`` or ``off``: when to ask Zoho, in place of the argument ``verify``.",
    ),
    Variable("CODAT_ZOHO_CALLS", "``1`` says how many calls were made, and how many Codat leaves for today."),
    Variable("CODAT_ZOHO_DEBUG", "``1`` prints tracebacks and a request log on stderr, both redacted."),
    Variable(
        "ZOHO_CLIENT_ID", "Zoho's client id, which Codat masks; ``--client-id`` comes first.", of="adopt, contract"
    ),
    Variable("ZOHO_CLIENT_SECRET", "Its secret; else a prompt, where one was asked for.", of="adopt, contract"),
    Variable("NO_COLOR", "Anything switches colours off.", of="doctor, drift"),
    Variable("TERM", "``dumb`` switches colours off.", of="drift"),
    Variable("CI", "Anything switches the progress line off.", of="drift"),
    Variable(
        "HTTPS_PROXY",
        "A proxy for all calls but those to this machine; also ``HTTP_PROXY``, ``ALL_PROXY``, ``NO_PROXY``.",
    ),
    Variable("SSL_CERT_FILE", "Certificates to trust in place of the built-in ones; or a folder, ``SSL_CERT_DIR``."),
    Variable("PWD", "The shell's: the folder in which the policy pack looks for the project.", of="policy pack"),
    Variable(
        "PULUMI_CONFIG",
        "Pulumi's: all configuration of the stack, by which the pack knows its files from another's.",
        of="policy pack",
    ),
    Variable("PULUMI_HOME", "Where ``doctor`` looks for an installed plugin last, in ``plugins``.", of="doctor"),
    Variable(
        "PULUMI_PYTHON_CMD", "Pulumi's: the Python that runs the provider, where the project names none.", of="doctor"
    ),
    Variable(
        "UV_PROJECT_ENVIRONMENT", "uv's: where the project's environment is, with ``toolchain: uv``.", of="doctor"
    ),
)


def help_text() -> str:
    """Draw the variables that all commands read for ``codat-zoho --help``."""
    lines = (f"  {one.name:<24}{one.text.replace('``', '')}" for one in VARIABLES if not one.of)
    return "".join(textwrap.fill(line, 100, subsequent_indent=" " * 26) + "\n" for line in lines)

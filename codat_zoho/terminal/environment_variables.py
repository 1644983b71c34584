"""Every environment variable that this package reads: what ``codat-zoho --help`` and the reference draw.

Whoever reads a new one adds it here; ``tests/test_reference.py`` compares this table with the code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Args:
        name: as it is written; ``<NAME>`` stands for a connection in capitals.
        text: what it is for.
        key: the key of stack configuration, in the namespace ``codat-zoho``, that is looked at after it.
        of: who reads it: empty for all, else some commands.
        brief: its line in ``codat-zoho --help``, empty where it is not worth one there.
    """

    name: str
    text: str
    key: str = ""
    of: str = ""
    brief: str = ""


VARIABLES = (
    Variable(
        "CODAT_API_KEY",
        "API key of the connection ``default``, bare or as the Portal's ready ``Basic ...`` header.",
        key="apiKey",
        brief="API key of the default connection; CODAT_API_KEY_<NAME> of another",
    ),
    Variable(
        "CODAT_API_KEY_<NAME>",
        "API key of another connection: ``CODAT_API_KEY_EU_PROD`` for ``eu-prod``. The default's key never stands in.",
        key="apiKeys",
    ),
    Variable(
        "CODAT_URL",
        "Codat's address: https, or http on this machine. Default: ``https://api.codat.io``.",
        key="codatUrl",
        brief="Codat's address, when it is not the public one",
    ),
    Variable(
        "ZOHO_URL",
        "An address on this machine that stands in for all of Zoho's data centres: the simulator.",
        key="zohoUrl",
        brief="a loopback address (the simulator) in place of Zoho's own",
    ),
    Variable(
        "CODAT_ENABLED_PATH",
        "Path of the call that enables the integration, where Codat's differs; ``{key}`` is the integration's key.",
        key="codatEnabledPath",
    ),
    Variable(
        "CODAT_CREDENTIALS_PATH",
        "Path of the calls that read, save and delete its keys, likewise.",
        key="codatCredentialsPath",
    ),
    Variable(
        "CODAT_ZOHO_VERIFY",
        "``on-change``, ``always`` or ``off``: when to ask Zoho, in place of the argument ``verify``.",
        brief="on-change, always or off: when to ask Zoho, in place of what is declared",
    ),
    Variable(
        "CODAT_ZOHO_CALLS",
        "``1`` says how many calls were made, and how many Codat leaves for today.",
        brief="1 says how many calls were made, and how many are left today",
    ),
    Variable(
        "CODAT_ZOHO_DEBUG",
        "``1`` prints tracebacks and a request log on stderr, both redacted.",
        brief="1 prints tracebacks and a redacted request log",
    ),
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
    Variable(
        "PULUMI_PYTHON_CMD", "Pulumi's: the Python that runs the provider, where the project names none.", of="doctor"
    ),
    Variable(
        "UV_PROJECT_ENVIRONMENT", "uv's: where the project's environment is, with ``toolchain: uv``.", of="doctor"
    ),
)


def help_text() -> str:
    """Draw the variables for ``codat-zoho --help``."""
    return "".join(f"  {one.name:<22}{one.brief}\n" for one in VARIABLES if one.brief)

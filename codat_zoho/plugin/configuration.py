"""What the provider takes of its configuration.

A default provider is handed every key of stack configuration in the namespace ``codat-zoho``, and the state keeps what
it does not refuse or drop. That is also the namespace of the ready-to-use project's own keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from codat_zoho.declare.platform import CONFIG_KEYS, NAMESPACE
from codat_zoho.declare.settings import SECRET_KEYS, SETTINGS, Spelling
from codat_zoho.texts.redact import one_line
from codat_zoho.workspace.values import explicit_provider, project_and_stack

SECRET_CONFIG = frozenset(CONFIG_KEYS) & {*SECRET_KEYS}
_ALL = f": there are {', '.join(CONFIG_KEYS)}"
KEPT = frozenset({*CONFIG_KEYS, "version", "pluginDownloadURL"})
"""What the provider and the engine want."""


def unread(keys: Iterable[str], urn: str) -> tuple[list[str], list[str]]:
    """Say what is wrong with keys that nobody reads, first where it is certain.

    It is not in stack configuration of a project that is itself named ``codat-zoho``: there each may be the program's.
    """
    project, _ = project_and_stack(urn) or ("", "")
    shared = not explicit_provider(urn)  # Explicit providers are declared in the program, and share nothing.
    refused, warned = [], []
    for key in sorted(keys):
        guess = _like(key)
        name = f"{NAMESPACE}:{one_line(key, 60)}" if shared else one_line(key, 60)
        setting = next((one.name for one in SETTINGS.values() if one.key == key), "")
        if not shared or (project != NAMESPACE and not setting):
            refused.append(f"{name} is no setting of this provider{guess or _ALL}")
        elif project != NAMESPACE:
            what = f"declare {Spelling.PROPERTY.name_of(setting)} on the resource"
            warned.append(f"{name} is a setting of the ready-to-use project, and is not read here: {what}.")
        elif guess and not setting:
            warned.append(f"{name} is not read by the provider{guess}")
    return refused, warned


def _like(key: str) -> str:
    from difflib import get_close_matches  # Nobody needs it but for a mistake.

    found = get_close_matches(key, CONFIG_KEYS, n=1, cutoff=0.7)
    return f", did you mean {NAMESPACE}:{found[0]}?" if found else ""

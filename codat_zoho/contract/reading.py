"""The reading part: what two reads tell."""

from __future__ import annotations

import re

from codat_zoho.contract.client import Client
from codat_zoho.contract.table import Table
from codat_zoho.core.observe import ActualIntegration
from codat_zoho.declare.platform import ZOHO_BOOKS
from codat_zoho.declare.rules import looks_like_client_id
from codat_zoho.remote.http import Answer

_REQUIRED = {"key", "logoUrl", "name", "enabled"}
_KNOWN = _REQUIRED | {
    *("sourceId", "integrationId", "sourceType", "isOfflineConnector", "isBeta", "dataProvidedBy", "datatypeFeatures"),
    *("supportedEnvironments", "linkedConnectionsCount", "totalConnectionsCount"),
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_HIDDEN = re.compile(r"[Xx*•.\s]*")
_LAST4 = re.compile(r"([Xx*•])\1{3,}[^\s]{4}")


def read(client: Client, table: Table) -> ActualIntegration:
    """Look once and keep what that tells."""
    actual, integration, keys = client.look()
    body = integration.json()
    table.see("required_fields", body.keys() >= _REQUIRED)
    table.see("unknown_fields", _names(body.keys() - _KNOWN))
    table.see("linked_count", "linkedConnectionsCount" in body)
    table.see("integration_id", bool(body.get("integrationId")))
    headers = integration.headers
    table.see("rate_limit_headers", all(f"x-rate-limit-{name}" in headers for name in ("limit", "remaining")))
    table.see("client_told", actual.codat_client.id is not None)
    table.see("keys_shown", not actual.keys_untold)
    if actual.keys_untold:
        for name in ("absent_keys", "mask", "mask_client_id", "key_names"):
            table.miss(name, "Codat does not offer reading the stored keys")
    elif actual.keys is None:
        see_absent(keys, table)
        for name in ("mask", "mask_client_id", "key_names"):
            table.miss(name, "no keys are stored")
    else:
        table.miss("absent_keys", "keys are stored")
        see_masks(actual, table)
    return actual


def see_absent(answer: Answer, table: Table) -> None:
    """How an answer on keys says that there are none."""
    table.see("absent_keys", "empty" if answer.status == 200 else str(answer.status))


def see_masks(actual: ActualIntegration, table: Table) -> None:
    """What stored keys look like."""
    keys = actual.keys or {}
    table.see("key_names", {ZOHO_BOOKS.id_key, ZOHO_BOOKS.secret_key} <= set(keys))
    if ZOHO_BOOKS.id_key in keys:
        table.see("mask_client_id", not looks_like_client_id(keys[ZOHO_BOOKS.id_key]))
    if shown := keys.get(ZOHO_BOOKS.secret_key):
        style = "opaque" if _HIDDEN.fullmatch(shown) else "last4" if _LAST4.fullmatch(shown) else "another"
        table.see("mask", style)


def _names(fields: set[str]) -> str:
    """Name fields; what does not look like a name stays out, whatever it is."""
    named = sorted(name for name in fields if _NAME.fullmatch(name))
    odd = ["(not a name)"] if len(named) < len(fields) else []
    return ", ".join([*named, *odd]) or "none"

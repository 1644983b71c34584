"""How the simulated Codat and Zoho behave where nobody knows how the real ones do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass
class Switches:
    """Everything about Codat and Zoho that nobody could find out, one switch each. The defaults are the likeliest.

    Args:
        absent_keys: how Codat says that no keys are stored: 200 with ``{}``, 404, or 204.
        saving: whether saving keys replaces the stored bag or merges into it.
        saving_keeps_enabled: False makes saving keys enable the integration.
        disabling_keeps_keys: False makes disabling delete the keys.
        mask_client_id: False shows the client id as it is.
        mask: ``last4`` shows the last four characters behind ``X``, length kept; ``opaque`` shows nothing.
        linked_count: whether answers carry ``linkedConnectionsCount``.
        client_told: False answers 403 to the question which Codat client an API key opens.
        keys_shown: False withdraws the call that reads stored keys, as Codat words it.
        writes_offered: False makes the undocumented write paths answer 404.
        zoho_client_before_token: False makes Zoho complain about the token before it looks at the client.
        zoho_wrong_secret: what Zoho answers to a known client id with a wrong secret.
        zoho_disabled: what a data centre answers that is not enabled for the client.
        connection_needs_enabled: True refuses to create a connection while the integration is not enabled.
        one_time_links: whether the account has one-time Link URLs, which work once and not for ever.
        link_lifetime: how long a one-time link lasts: Codat's pages say a day, one of them an hour.
        link_renewed: False keeps showing a one-time link that was used or has expired, instead of a new one.
        failed_link: the status of a connection after a link that Codat hears of and that failed.
        failed_link_error: True makes such a connection report an error.
        no_data: how data status says that nothing was read yet: each data type as ``Initial``, or none.
        data_arrives: False leaves the first sync waiting until the control interface lets data arrive.
    """

    absent_keys: Literal["empty", "404", "204"] = "empty"
    saving: Literal["replace", "merge"] = "replace"
    saving_keeps_enabled: bool = True
    disabling_keeps_keys: bool = True
    mask_client_id: bool = True
    mask: Literal["last4", "opaque"] = "last4"
    linked_count: bool = True
    client_told: bool = True
    keys_shown: bool = True
    writes_offered: bool = True
    zoho_client_before_token: bool = True
    zoho_wrong_secret: Literal["invalid_client_secret", "invalid_client"] = "invalid_client_secret"
    zoho_disabled: Literal["invalid_client", "invalid_client_secret"] = "invalid_client"
    connection_needs_enabled: bool = False
    one_time_links: bool = False
    link_lifetime: Literal["day", "hour"] = "day"
    link_renewed: bool = True
    failed_link: Literal["PendingAuth", "Unlinked", "Deauthorized"] = "PendingAuth"
    failed_link_error: bool = False
    no_data: Literal["initial", "none"] = "initial"
    data_arrives: bool = True

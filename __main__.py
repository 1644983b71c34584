"""The ready-to-use program: both resources, from stack configuration alone (declared in Pulumi.yaml)."""

import pulumi

import codat_zoho as cz

config = pulumi.Config()
client_id = config.get("zohoClientId") or None
if client_id and pulumi.runtime.is_config_secret("codat-zoho:zohoClientId"):
    client_id = config.require_secret("zohoClientId")
client_secret = config.get_secret("zohoClientSecret") if config.get("zohoClientSecret") else None
client = client_id is not None and cz.ZohoClientCredentials(
    "zoho-client",
    client_id=client_id,
    client_secret=client_secret,
    regions=config.require_object("regions"),
    same_credentials_everywhere=config.require_bool("sameCredentialsEverywhere"),
    verify=config.require("verify"),
)
books = cz.ZohoBooksIntegration(
    "zoho-books",
    credentials=client or None,
    enabled=config.require_bool("enabled"),
    connection=config.require("connection"),
    on_delete=config.require("onDelete"),
    allow_disruption=config.require_bool("allowDisruption"),
)
pulumi.export("linkedCompanies", books.linked_companies)
pulumi.export("cannotTell", books.cannot_tell)

"""Zoho Books in several environments: one stack each, with its own Codat client, Zoho client and data centres."""

import pulumi

import codat_zoho as cz

config = pulumi.Config()
environment = pulumi.get_stack()
production = environment == "prod"

client = cz.ZohoClientCredentials(
    "zoho-client",
    client_id=config.require("clientId"),
    client_secret=config.require_secret("clientSecret"),
    regions=config.require_object("regions"),
)
books = cz.ZohoBooksIntegration(
    "zoho-books",
    credentials=client,
    enabled=config.require_bool("enabled"),
    connection=environment,  # the API key in CODAT_API_KEY_DEV or CODAT_API_KEY_PROD
    on_delete="keep" if production else "remove",
    opts=pulumi.ResourceOptions(protect=production),
)

pulumi.export("linkedCompanies", books.linked_companies)

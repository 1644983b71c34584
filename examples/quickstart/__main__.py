"""The Codat Zoho Books integration, from a program of one's own."""

import pulumi

import codat_zoho as cz

config = pulumi.Config()

client = cz.ZohoClientCredentials(
    "zoho-client",
    client_id=config.require("clientId"),
    client_secret=config.require_secret("clientSecret"),
    regions=["us", "uk", "eu"],  # the Zoho data centres that must accept this client
)
books = cz.ZohoBooksIntegration("zoho-books", credentials=client, enabled=True)

pulumi.export("linkedCompanies", books.linked_companies)
pulumi.export("manualSteps", client.manual_steps)

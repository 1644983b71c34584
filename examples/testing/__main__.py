"""A program of one's own, and what is beside it tests it."""

import pulumi
from infrastructure import declare

config = pulumi.Config()
books = declare(config.require("clientId"), config.require_secret("clientSecret"), ["us", "uk", "eu"])
pulumi.export("linkedCompanies", books.linked_companies)

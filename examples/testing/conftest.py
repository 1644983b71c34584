"""Switches on the fixtures of codat-zoho."""

pytest_plugins = ["codat_zoho.testing.plugin"]

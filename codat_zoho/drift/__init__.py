"""Drift of many stacks: what was deployed, compared with what Codat and Zoho say."""

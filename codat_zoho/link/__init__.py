"""Proves that a customer can link: a person links a test company, which is deleted again."""

"""Drift of many stacks.

``commands`` runs the user's own ``pulumi``, ``exported`` reads what it exports, ``remote`` asks Codat and Zoho,
``findings`` says what differs, and ``driver`` puts these together for a stack.
"""

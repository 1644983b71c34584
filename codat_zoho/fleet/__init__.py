"""Drives the user's own Pulumi over many stacks, through the Automation API. Only this package imports it.

``ahead`` and ``children`` do without: what they start runs while the rest of this package is still being loaded.
"""

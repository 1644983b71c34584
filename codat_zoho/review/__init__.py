"""Judges a change of configuration before it is deployed: from files at two git revisions, or from a preview.

``revisions`` and ``previews`` read both sides, ``judge`` asks the same core as the deployment what follows, ``report``
is what comes out, and ``formats`` draw it. Nothing here imports pulumi or uses the network.
"""

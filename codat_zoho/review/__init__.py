"""Judges a change of configuration before it is deployed: from files at two git revisions, or from a preview.

``git`` and ``stackfile`` read, ``declared`` turns settings into the resources' fields, ``consequences`` and ``risks``
ask the same core as the deployment, ``revisions`` and ``previews`` put a review together. None of them imports pulumi
or uses the network; ``codat_zoho.review.report`` is what they give, and the modules beside that draw it.
"""

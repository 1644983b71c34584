"""``codat-zoho simulate``: the simulator, as ``python -m codat_zoho.simulator`` runs it."""

from codat_zoho.simulator.__main__ import parser, run

__all__ = ["parser", "run"]

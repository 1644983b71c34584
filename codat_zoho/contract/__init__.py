"""Settles on a test client what nobody could find out about Codat and Zoho.

:mod:`table` lists what this package assumes, :mod:`observe` looks, :mod:`trial` tries and restores. The simulator reads
the result (``codat-zoho simulate --contract FILE``).
"""

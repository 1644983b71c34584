"""Settles on a test client what nobody could find out about Codat and Zoho.

:mod:`table` lists what this package assumes, :mod:`reading` looks, :mod:`writing` tries and restores, :mod:`zoho` asks
Zoho, :mod:`file` keeps the result, which the simulator loads (``codat-zoho simulate --contract FILE``).
"""

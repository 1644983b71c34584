"""Takes over an integration that somebody clicked together: reads what is there and declares exactly that.

Nothing here writes to Codat or Zoho. :mod:`decide` is pure, :mod:`import_state` says what a stack gets.
"""

"""Takes over an integration that somebody clicked together: reads what is there and declares exactly that.

:mod:`decide` is pure: what to declare, or why not. :mod:`record` turns it into stack configuration, an import file and
lines of a program, :mod:`perform` does it through Pulumi's Automation API. Nothing here writes to Codat or Zoho.
"""

"""What ``codat-zoho doctor`` looks at: one small function per question, each with a verdict and the next step.

:mod:`local` asks this machine, :mod:`remote` asks Codat and Zoho (reading only). No check shows a key or a secret.
"""

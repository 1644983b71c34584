"""``python -m codat_zoho`` is ``codat-zoho``."""

import sys

from codat_zoho.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""``python -m codat_zoho.simulator`` is ``codat-zoho simulate``."""

import sys

from codat_zoho.simulator.command import parser, run

if __name__ == "__main__":
    sys.exit(run(parser().parse_args()))

"""``python -m skfed.sites`` is the command ``skfed-site``."""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())

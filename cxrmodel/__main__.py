"""The program: ``cxrmodel COMMAND --help``, or ``python -m cxrmodel COMMAND --help``."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from cxrmodel.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""The program: ``cxrmodel COMMAND --help``, or ``python -m cxrmodel COMMAND --help``."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from cxrmodel.cli import streams
from cxrmodel.cli.main import main as run


def main() -> int:
    """Run one command of the process's own arguments; gives the exit status."""
    streams.prepare_streams()
    return run()


if __name__ == "__main__":
    sys.exit(main())

"""Standard input, output and error, whatever the program was started with."""

import io
import os
import sys
from typing import Any


def prepare_streams() -> None:
    """Give the program three open streams, of which standard error never fails; before anything else is opened.

    A scheduler may start it with streams closed. The next file that is opened would get their numbers, and with them
    what libraries print. Standard error may lead to a full disk or to a program that has ended: results come all the
    same.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 (for the life of the program)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    unfailing = io.BufferedWriter(_Unfailing(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(unfailing, encoding, "backslashreplace", line_buffering=True)


class _Unfailing(io.FileIO):
    """A file that drops what it cannot take."""

    def write(self, content: Any, /) -> int:
        """Write bytes, and count those dropped as written."""
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes

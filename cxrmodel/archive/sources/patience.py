"""Back-off: a server that does not answer is asked again, ever later."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from cxrmodel.errors import CxrError, DataError, SourceUnavailable

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts; each is shortened by up to a half at random, so that many readers do not ask at once."""

Answer = TypeVar("Answer")


def patiently(ask: Callable[[], Answer], probe: Callable[[], object]) -> Answer:
    """Call a function until it can reach its server.

    Parameters
    ----------
    ask : callable
    probe : callable
        Asks the same server for something else, to tell a server that is gone from an image that it cannot give.

    Raises
    ------
    SourceUnavailable
        When the last attempt fails, too, and so does the probe.
    DataError
        When the last attempt fails, and the probe does not.
    CxrError
        Any other of the function, at once.
    """
    for wait in WAITS:
        try:
            return ask()
        except SourceUnavailable:
            time.sleep(wait * random.uniform(0.5, 1))
    try:
        return ask()
    except SourceUnavailable as error:
        try:
            probe()
        except SourceUnavailable:
            raise error from None
        except CxrError:
            pass  # it answers
        raise DataError("sources.only_this", reason=error.message) from error

"""Wait for what comes about on another thread or in another process."""

import time
from collections.abc import Callable


def wait_until(true: Callable[[], object], seconds: float = 60.0, pause: float = 0.02) -> None:
    """Wait until something is true.

    Parameters
    ----------
    true : callable
    seconds : float
        After which it fails; guards against hanging.
    pause : float
        Seconds between two looks.

    Raises
    ------
    AssertionError
        When it does not become true in time.
    """
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it is not so after {seconds} s"
        time.sleep(pause)

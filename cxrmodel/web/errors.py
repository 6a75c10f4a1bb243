"""What happens when something goes wrong that the program has no name for.

The user gets one sentence and a reference number. The log gets the same number, the kind of error and the lines of code
it passed through, but never its message: messages quote file names and values, which may be a patient's.
"""

import logging
import secrets
import traceback
from pathlib import Path

__all__ = ["log_failure"]

_LOG = logging.getLogger("cxrmodel.web")


def log_failure(error: BaseException) -> str:
    """Write an unexpected error to the server's log, without its message.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        The reference number under which it was logged, six characters.
    """
    reference = secrets.token_hex(3).upper()
    lines = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    _LOG.error("reference %s: %s at %s", reference, type(error).__name__, " > ".join(lines) or "no line")
    return reference

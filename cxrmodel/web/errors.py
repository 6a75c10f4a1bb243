"""Unexpected errors: a reference number for the user, and a log entry without the error's message.

Messages quote file names and values, which may be a patient's. The log gets the kind of error and the lines of code.
"""

import logging
import secrets
import traceback
from pathlib import Path

_LOG = logging.getLogger("cxrmodel.web")


def log_failure(error: BaseException) -> str:
    """Write an unexpected error to the server's log, without its message.

    Returns
    -------
    str
        The reference number under which it was logged, six hexadecimal digits.
    """
    reference = secrets.token_hex(3).upper()
    lines = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    _LOG.error("reference %s: %s at %s", reference, type(error).__name__, " > ".join(lines) or "no line")
    return reference

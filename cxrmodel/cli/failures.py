"""Errors of a command as sentences: what happened, and what to do."""

import errno
import os
import traceback
from pathlib import Path

from cxrmodel.errors import CxrError
from cxrmodel.messages import Message
from cxrmodel.sinks import terminal

OPTIONAL = {
    "keras": "Keras",
    "onnx": "onnx",
    "tensorflow": "TensorFlow",
    "tf2onnx": "tf2onnx",
    "tf_keras_vis": "tf-keras-vis",
}
"""Libraries of the extras ``train`` and ``compare``, and their titles."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def explained(error: BaseException) -> Message:
    """Put an error that ended a command into words.

    Parameters
    ----------
    error : BaseException
        An unexpected one gives its kind and its line of code, never its own message: that may quote a patient's name.
    """
    if isinstance(error, CxrError):
        return error.message
    if isinstance(error, KeyboardInterrupt):
        return Message("cli.stopped")
    if isinstance(error, MemoryError):
        return Message("cli.no_memory")
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, ModuleNotFoundError):
        library = (error.name or "").partition(".")[0]
        if library in OPTIONAL:
            return Message("package.missing_extra", library=OPTIONAL[library], extra="train,compare")
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return Message("cli.unexpected", error=type(error).__name__, place=place)


def _of_system(error: OSError) -> Message:
    reason = error.strerror or str(error)
    named = isinstance(error.filename, str | bytes | os.PathLike) and error.filename not in ("", b"")
    if error.errno in _FULL:
        return Message("cli.disk_full", reason=reason)
    if named:
        return Message("cli.file_error", file=terminal(os.fsdecode(error.filename)), reason=reason)
    return Message("cli.system_error", reason=reason)

"""Silence the libraries that decode images: their warnings and logs may quote a file's own text.

They use `warnings`, `logging` and, in C, a log of their own. All threads share the list of warning filters, so these
are set for good and not for the time of a call.
"""

import logging
import warnings

import cv2

# A warning counts as coming from the caller of the function that warns.
_MODULES = r"(PIL|pydicom|openjpeg|jpeg_ls|cxrmodel\.imaging)\b"

# At its debug level Pillow logs the values of a file's tags.
logging.getLogger("PIL").setLevel(logging.WARNING)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
for _name in ("pydicom", "pylibjpeg", "openjpeg", "jpeg_ls"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    # pydicom sets its level again when it is imported.
    logging.getLogger(_name).addFilter(lambda record: False)


def silence_decoders() -> None:
    """Ignore the libraries' warnings, again if other filters were put before ours."""
    first = warnings.filters[0] if warnings.filters else (None,) * 5
    if first[0] != "ignore" or getattr(first[3], "pattern", None) != _MODULES:
        warnings.filterwarnings("ignore", category=UserWarning, module=_MODULES)

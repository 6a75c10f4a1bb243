"""What the libraries that decode images have to say of them is said to nobody: it may quote an image's own words.

They speak through `warnings` and through `logging`. The list of warning filters is shared by all threads, so these are
set for good and not for the time of a call.
"""

import logging
import warnings

__all__ = ["hush"]

# Warnings count as coming from the caller of the function that warns.
_SPEAKERS = r"(PIL|pydicom|openjpeg|jpeg_ls|cxrmodel\.imaging)\b"

# At its debug level Pillow logs the values of a file's tags.
logging.getLogger("PIL").setLevel(logging.WARNING)
for _name in ("pydicom", "pylibjpeg", "openjpeg", "jpeg_ls"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    # pydicom sets its level anew when it is imported.
    logging.getLogger(_name).addFilter(lambda record: False)


def hush() -> None:
    """Silence the libraries' warnings, again where others have come before the filter or exchanged the list."""
    first = warnings.filters[0] if warnings.filters else (None,) * 5
    if first[0] != "ignore" or getattr(first[3], "pattern", None) != _SPEAKERS:
        warnings.filterwarnings("ignore", category=UserWarning, module=_SPEAKERS)

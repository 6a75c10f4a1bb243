"""The account that runs the program: libraries keep settings and caches in its home folder, which it may not have."""

import os
import tempfile

_kept: list["tempfile.TemporaryDirectory[str]"] = []
"""The folder in place of a home. It goes when the program ends."""


def ensure_home() -> None:
    """Give an account whose home folder is missing or read-only a temporary one; before libraries are imported.

    Streamlit does not start without a home folder, and Matplotlib and Keras complain.
    """
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # the account's entry decides, if there is one
    home = os.path.expanduser("~")
    if os.path.isdir(home) and os.access(home, os.W_OK | os.X_OK):
        return
    try:
        _kept.append(tempfile.TemporaryDirectory(prefix="cxrmodel-home-"))
        os.environ["HOME"] = _kept[-1].name
    except OSError:  # nothing can be written anywhere; what needs no cache runs
        os.environ["HOME"] = os.sep

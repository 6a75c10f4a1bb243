"""Files made when the user asks for them."""

from collections.abc import Callable
from pathlib import PurePath

from cxrmodel.reading import Reading
from cxrmodel.web.errors import log_failure

__all__ = ["file_title", "lazily"]


def file_title(reading: Reading, ending: str) -> str:
    """Name a file made of a reading so that images of one name give files of different names.

    Parameters
    ----------
    reading : Reading
    ending : str
        What the file is, with its suffix: ``reading.pdf``.

    Returns
    -------
    str
        Name of the image without its suffix, start of the image's checksum, and ending.
    """
    return f"{PurePath(reading.name).stem} {reading.radiograph.sha256[:8]} {ending}"


def lazily(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Wrap the making of a file so that no detail of a failure reaches Streamlit's own log.

    Parameters
    ----------
    make : callable
        Makes the bytes of the file.

    Returns
    -------
    callable
        Does the same; an error leaves it as a RuntimeError that holds only a reference number.
    """

    def made() -> bytes:
        try:
            return make()
        except Exception as error:
            reference = log_failure(error)
        raise RuntimeError(f"the file could not be made, reference number {reference}")

    return made

"""Optional libraries: an error that names what to install where one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from cxrmodel.errors import CxrError

__all__ = ["MissingExtra", "optional_libraries"]

_TITLES = {
    "keras": "Keras",
    "onnx": "onnx",
    "tensorflow": "TensorFlow",
    "tf2onnx": "tf2onnx",
    "tf_keras_vis": "tf-keras-vis",
}


class MissingExtra(CxrError):
    """A library of the extras ``train`` and ``compare`` is not installed."""


@contextmanager
def optional_libraries() -> Iterator[None]:
    """Name the library when an import in this block fails because an extra is not installed.

    Raises
    ------
    MissingExtra
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library not in _TITLES:
            raise
        raise MissingExtra("package.missing_extra", library=_TITLES[library]) from error

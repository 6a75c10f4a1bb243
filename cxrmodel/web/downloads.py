"""Files made when the user asks for them."""

from collections.abc import Callable

from cxrmodel.web.failures import log_failure

__all__ = ["lazily"]


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

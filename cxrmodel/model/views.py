"""A film is read twice, as it is and mirrored, and what is said of it is the mean of both.

Pneumonia is as likely on either side, and training mirrors half of its films, yet a network answers the two views of
one film a little differently. The mean does not depend on how the film lies, and is nearer the truth than either.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["both_ways", "mirrored"]


def mirrored(views):
    """Exchange left and right: any tensor of shape (N, H, W, ...)."""
    return views[:, :, ::-1]


def both_ways(maps: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Mean of what a function draws over films as they are and, laid back, over them mirrored.

    Parameters
    ----------
    maps : callable
        (N, size, size, 1) -> (N, h, w).
    inputs : ndarray of float32, shape (N, size, size, 1)

    Returns
    -------
    ndarray of float32, shape (N, h, w)
    """
    return (maps(inputs) + mirrored(maps(np.ascontiguousarray(mirrored(inputs))))) / 2

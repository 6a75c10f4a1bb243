"""A reading without its image: all numbers and sentences stay, and its memory is free."""

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrmodel.imaging.lungs import LungFields
from cxrmodel.imaging.radiograph import Radiograph
from cxrmodel.reading import Reading


def without_image(reading: Reading) -> Reading:
    """Replace the arrays of a reading by ones of the same shape that take no memory.

    Parameters
    ----------
    reading : Reading

    Returns
    -------
    Reading
        With a blank image and mask. Size of the image, peak and shares of the map stay as they were.
    """
    mask = reading.lungs.mask
    bare = replace(
        reading,
        radiograph=blank(reading.radiograph),
        lungs=LungFields(_filled(mask, mask.dtype.type(0))),
        heat=_filled(reading.heat, reading.heat.max()),
    )
    bare.__dict__["shares"] = reading.shares  # known already: it is not computed from the blank map
    return bare


def blank(radiograph: Radiograph, shape: tuple[int, int] | None = None) -> Radiograph:
    """A radiograph of the same size, or of another, whose pixels take no memory."""
    bare = copy(radiograph)  # not by its constructor, which would give the pixels memory of their own
    object.__setattr__(bare, "pixels", np.broadcast_to(np.float32(0), shape or radiograph.pixels.shape))
    return bare


def _filled(array: NDArray[Any], value: Any) -> NDArray[Any]:
    """An array of the same shape that holds one value once."""
    return np.broadcast_to(value, array.shape)

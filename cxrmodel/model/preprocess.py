"""Preprocessing: canonical image and lung fields to the network's input, and maps back onto the image.

Training, evaluation and reading share it.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrmodel.imaging.canonical import IMAGE_SIDE

Box = tuple[int, int, int, int]
"""Top, left, bottom and right (exclusive), in pixels of the canonical image."""

Floats = NDArray[np.float32]
Pixels = TypeVar("Pixels", NDArray[np.uint8], Floats)


@dataclass(frozen=True, eq=False)
class ModelInput:
    """The network's input for one image.

    Attributes
    ----------
    tensor : ndarray of float32, shape (size, size, 1)
        The crop, normalised by the statistics of the training crops.
    box : Box
        Of the crop.
    """

    tensor: Floats
    box: Box

    def to_image(self, heat: Floats) -> Floats:
        """Place a map of the network's input on the canonical image.

        Parameters
        ----------
        heat : ndarray of float32, shape (h, w)
            Map of the crop, at any resolution.

        Returns
        -------
        ndarray of float32, shape (224, 224)
            Zero outside the crop.
        """
        return placed_on_image(heat, self.box)


def placed_on_image(heat: Floats, box: Box) -> Floats:
    """Place a map of a crop on the canonical image, (224, 224) float32; see ``ModelInput.to_image``."""
    top, left, bottom, right = box
    image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
    image[top:bottom, left:right] = cv2.resize(
        np.asarray(heat, np.float32), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
    )
    return image


def crop_box(lung_box: Box, margin: float) -> Box:
    """Widen a lung box by a share of its height and width, within the image.

    Parameters
    ----------
    lung_box : Box
    margin : float
        Share added on each side, 0..1.
    """
    top, left, bottom, right = lung_box
    rows, columns = round((bottom - top) * margin), round((right - left) * margin)
    return max(0, top - rows), max(0, left - columns), min(IMAGE_SIDE, bottom + rows), min(IMAGE_SIDE, right + columns)


def crop(image: Pixels, box: Box, size: int) -> Pixels:
    """Crop a canonical image to a box and resize it to a square, antialiased where it is reduced.

    Parameters
    ----------
    image : ndarray, shape (224, 224)
    box : Box
    size : int
        Side of the result in pixels.

    Returns
    -------
    ndarray, shape (size, size), of the image's dtype
    """
    top, left, bottom, right = box
    part = image[top:bottom, left:right]
    shrinks = min(part.shape) >= size
    resized = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype(image.dtype, copy=False)


def normalise(crops: NDArray[np.uint8] | Floats, mean: float, std: float) -> Floats:
    """Normalise grey levels by the statistics of the training crops.

    Parameters
    ----------
    crops : ndarray of uint8 or float32 in 0..255, shape (..., size, size)
    mean, std : float
        Of the training crops, 0..1.

    Returns
    -------
    ndarray of float32, shape (..., size, size, 1)
    """
    scaled: Floats = (crops.astype(np.float32) / 255.0 - mean) / std
    return scaled[..., None]


def prepare(
    image: NDArray[np.uint8], lung_box: Box, *, margin: float, size: int, mean: float, std: float
) -> ModelInput:
    """Crop a canonical image to its lungs, widened by the margin, and normalise it.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)
    lung_box : Box
    margin, size, mean, std
        As of ``crop_box``, ``crop`` and ``normalise``; a specification's ``preparation``.
    """
    box = crop_box(lung_box, margin)
    return ModelInput(normalise(crop(image, box, size), mean, std), box)

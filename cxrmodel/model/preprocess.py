"""Canonical image + lung fields -> what the network sees, and the way back.

The only such code: training, evaluation and reading share it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from cxrmodel.imaging.canonical import IMAGE_SIDE

__all__ = ["Box", "ModelInput", "crop", "crop_box", "normalise", "prepare"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """One image as the network sees it.

    Attributes
    ----------
    tensor : ndarray of float32, shape (size, size, 1)
        The crop, normalised with the training images' statistics.
    box : tuple of int
        Top, left, bottom, right of the crop in the canonical image.
    """

    tensor: np.ndarray
    box: Box

    def to_image(self, heat: np.ndarray) -> np.ndarray:
        """Lay a map of the network's input back onto the image.

        Parameters
        ----------
        heat : ndarray of float32, shape (h, w)
            A map over the crop, of any resolution.

        Returns
        -------
        ndarray of float32, shape (224, 224)
            Zero outside the crop.
        """
        top, left, bottom, right = self.box
        image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
        image[top:bottom, left:right] = cv2.resize(
            np.asarray(heat, np.float32), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
        )
        return image


def crop_box(lung_box: Box, margin: float) -> Box:
    """Widen a lung box by a share of its own height and width, within the image.

    Parameters
    ----------
    lung_box : tuple of int
        Top, left, bottom, right (exclusive), in canonical pixels.
    margin : float
        Share added on each side, 0..1.
    """
    top, left, bottom, right = lung_box
    rows, columns = round((bottom - top) * margin), round((right - left) * margin)
    return max(0, top - rows), max(0, left - columns), min(IMAGE_SIDE, bottom + rows), min(IMAGE_SIDE, right + columns)


def crop(image: np.ndarray, box: Box, size: int) -> np.ndarray:
    """Cut a box out of a canonical image and squash it to a square, antialiased where it shrinks.

    Parameters
    ----------
    image : ndarray, shape (224, 224)
    box : tuple of int
        Top, left, bottom, right.
    size : int
        Side of the result in pixels.

    Returns
    -------
    ndarray, shape (size, size), of the image's dtype
    """
    top, left, bottom, right = box
    part = image[top:bottom, left:right]
    shrinks = min(part.shape) >= size
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def normalise(crops: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Scale grey levels by the training images' statistics.

    Parameters
    ----------
    crops : ndarray of uint8 or float32 in 0..255, shape (..., size, size)
    mean, std : float
        Of the training crops, in 0..1.

    Returns
    -------
    ndarray of float32, shape (..., size, size, 1)
    """
    return ((crops.astype(np.float32) / 255.0 - mean) / std)[..., None]


def prepare(image: np.ndarray, lung_box: Box, *, margin: float, size: int, mean: float, std: float) -> ModelInput:
    """Crop a canonical image to its lungs and normalise it.

    Returns
    -------
    ModelInput
    """
    box = crop_box(lung_box, margin)
    return ModelInput(normalise(crop(image, box, size), mean, std), box)

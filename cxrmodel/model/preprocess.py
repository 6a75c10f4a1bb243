"""Canonical film + lung fields -> what the network sees, and the way back.

The only such code: training, evaluation and reading share it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from cxrmodel.imaging.canonical import FILM_SIDE

__all__ = ["Box", "ModelInput", "crop", "crop_box", "normalise", "prepare"]

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """One film as the network sees it.

    Attributes
    ----------
    tensor : ndarray of float32, shape (size, size, 1)
        The crop, normalised with the training films' statistics.
    box : tuple of int
        Top, left, bottom, right of the crop in the canonical film.
    """

    tensor: np.ndarray
    box: Box

    def to_film(self, heat: np.ndarray) -> np.ndarray:
        """Lay a map of the network's input back onto the film.

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
        film = np.zeros((FILM_SIDE, FILM_SIDE), np.float32)
        film[top:bottom, left:right] = cv2.resize(
            np.asarray(heat, np.float32), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
        )
        return film


def crop_box(lung_box: Box, margin: float) -> Box:
    """Widen a lung box by a share of its own height and width, within the film.

    Parameters
    ----------
    lung_box : tuple of int
        Top, left, bottom, right (exclusive), in canonical pixels.
    margin : float
        Share added on each side, 0..1.
    """
    top, left, bottom, right = lung_box
    rows, columns = round((bottom - top) * margin), round((right - left) * margin)
    return max(0, top - rows), max(0, left - columns), min(FILM_SIDE, bottom + rows), min(FILM_SIDE, right + columns)


def crop(film: np.ndarray, box: Box, size: int) -> np.ndarray:
    """Cut a box out of a canonical film and squash it to a square, antialiased where it shrinks.

    Parameters
    ----------
    film : ndarray, shape (224, 224)
    box : tuple of int
        Top, left, bottom, right.
    size : int
        Side of the result in pixels.

    Returns
    -------
    ndarray, shape (size, size), of the film's dtype
    """
    top, left, bottom, right = box
    part = film[top:bottom, left:right]
    shrinks = min(part.shape) >= size
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def normalise(crops: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Scale grey levels by the training films' statistics.

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


def prepare(film: np.ndarray, lung_box: Box, *, margin: float, size: int, mean: float, std: float) -> ModelInput:
    """Crop a canonical film to its lungs and normalise it.

    Returns
    -------
    ModelInput
    """
    box = crop_box(lung_box, margin)
    return ModelInput(normalise(crop(film, box, size), mean, std), box)

"""Small pictures of images for a list."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 96
"""Pixels of the longer side."""
_QUALITY = 80


def thumbnail(pixels: NDArray[np.float32]) -> str:
    """Give a small JPEG of an image as a data URL.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1.
    """
    height, width = pixels.shape
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".jpg", np.rint(small * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(coded.tobytes()).decode()}"

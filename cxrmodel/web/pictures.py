"""Films as pictures of a size that a screen can use."""

import cv2
import numpy as np

__all__ = ["DISPLAY_SIDE", "for_display", "jpeg", "outlined"]

DISPLAY_SIDE = 1600
_JPEG_QUALITY = 95
_OUTLINE = (124, 220, 255)
_SIDES_PER_LINE = 500


def for_display(pixels: np.ndarray, side: int = DISPLAY_SIDE) -> np.ndarray:
    """Shrink a film, antialiased, until its longer side fits; a smaller one stays as it is.

    Parameters
    ----------
    pixels : ndarray of float32, shape (H, W)
        0..1.
    side : int
        Longest side allowed, in pixels.

    Returns
    -------
    ndarray of float32, shape (h, w)
        0..1.
    """
    height, width = pixels.shape
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def jpeg(rgb: np.ndarray) -> bytes:
    """Code a picture for the screen.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    bytes
        A JPEG of high quality.

    Raises
    ------
    ValueError
        When the picture cannot be coded.
    """
    done, coded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be coded as JPEG")
    return coded.tobytes()


def outlined(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the edge of a mask as a thin line on a copy of a picture.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    mask : ndarray of bool, shape (h, w)
        Covers the whole picture, at any resolution.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    height, width = rgb.shape[:2]
    grown = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) >= 0.5
    edges, _ = cv2.findContours(grown.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    thickness = max(1, round(max(height, width) / _SIDES_PER_LINE))
    return cv2.drawContours(np.ascontiguousarray(rgb).copy(), edges, -1, _OUTLINE, thickness, cv2.LINE_AA)

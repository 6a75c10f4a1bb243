"""Pictures for Streamlit's own image element."""

import cv2
import numpy as np

__all__ = ["jpeg"]

_JPEG_QUALITY = 95


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

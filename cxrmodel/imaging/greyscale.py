"""Whether an image stored in colour is grey, and its grey levels."""

import cv2
import numpy as np

from cxrmodel.errors import ColourImage

# Colour is judged at no more than this many pixels a side, and smoothed. This removes the chroma noise of scanners and
# JPEG and coloured letters, but not the colours of a scene.
_JUDGED_SIDE = 256
_SMOOTHING = 5
# Distance of a pixel's colour from the mean colour of pixels as bright, and of that mean colour from grey, both in
# levels of 255: a blue film base is at 33, the sepia of photo editors at up to 54, red at 179.
_OFF_TINT = 12.0
_STRONG_TINT = 40.0
# The share of pixels that may be off: a marker or label, not a subject.
_COLOURED_SHARE = 0.01
# A tint below this is rounding and gets no note.
_MIN_TINT = 4.0

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def single_channel(samples: np.ndarray, white: float) -> tuple[np.ndarray, bool]:
    """Reduce a grey image that is stored in colour to one channel.

    Where red, green and blue are equal, that channel is returned unchanged. Otherwise the image is accepted if its
    colour is faint and depends on brightness alone (a blue film base, a scanner's cast), and its luma (ITU-R BT.601) is
    returned. Anything else, including a pseudo-colour map, is a true-colour image.

    Parameters
    ----------
    samples : ndarray of uint8, uint16, int32 or float32, shape (H, W) or (H, W, 3)
        Grey levels, or red, green and blue.
    white : float
        Stored value of white, or the length of the grey scale.

    Returns
    -------
    grey : ndarray, shape (H, W)
        Of the same dtype and scale.
    tinted : bool
        Whether a tint was removed.

    Raises
    ------
    ColourImage
        More than 1 % of the pixels are coloured.
    """
    if samples.ndim == 2:
        return samples, False
    grey = single_if_equal(samples)
    if grey.ndim == 2:
        return grey, False
    coloured, tint = _colour(samples, white)
    if coloured > _COLOURED_SHARE:
        raise ColourImage("imaging.colour")
    return cv2.cvtColor(samples, cv2.COLOR_RGB2GRAY), tint > _MIN_TINT


def single_if_equal(samples: np.ndarray) -> np.ndarray:
    """Give one channel of an image whose red, green and blue are equal; any other image as it is."""
    if samples.ndim == 2:
        return samples
    red, green, blue = (cv2.extractChannel(samples, channel) for channel in range(3))
    return green if np.array_equal(red, green) and np.array_equal(green, blue) else samples


def _colour(samples: np.ndarray, white: float) -> tuple[float, float]:
    """Share of pixels whose colour is no faint tint that depends on brightness alone; mean tint in levels."""
    scale = min(1.0, _JUDGED_SIDE / max(samples.shape[:2]))
    size = [max(1, round(side * scale)) for side in samples.shape[1::-1]]
    resized = cv2.resize(samples, size, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(255 / white)
    small: np.ndarray = cv2.blur(resized, (_SMOOTHING, _SMOOTHING)).reshape(-1, 3)
    luma = small @ _LUMA
    chroma = small[:, ::2] - luma[:, None]
    level = (luma / 8).astype(np.intp)
    count = np.maximum(np.bincount(level), 1)
    mean = np.stack([np.bincount(level, chroma[:, axis]) / count for axis in range(2)], axis=1)[level]
    tint = np.hypot(mean[:, 0], mean[:, 1])
    off_tint = np.linalg.norm(chroma - mean, axis=1)
    return float(((off_tint > _OFF_TINT) | (tint > _STRONG_TINT)).mean()), float(tint.mean())

"""Check of local equalisation: it brings every part of an image to the contrast of the whole."""

import numpy as np

from cxrmodel.checks.check import Check, Stage

_BLOCK = 28


def local_contrast(image: np.ndarray) -> float:
    """Contrast within the parts of an image, against that of the whole.

    Parameters
    ----------
    image : ndarray of uint8, shape (224, 224)

    Returns
    -------
    float
        Median over 64 square blocks of the standard deviation of grey levels, divided by that of the image, 0..1 or
        little more; 0 for a uniform image.
    """
    count = image.shape[0] // _BLOCK
    blocks = image.reshape(count, _BLOCK, count, _BLOCK).std(axis=(1, 3))
    return float(np.median(blocks) / max(1.0, float(image.std())))


LOCAL_CONTRAST = Check(
    "local_contrast",
    Stage.IMAGE,
    lambda image: local_contrast(image.canonical),
    warning="checks.local_contrast.warning",
)

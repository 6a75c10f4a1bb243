"""Random disturbances of a training image, in NumPy and OpenCV so that no deep-learning backend is involved.

Every function takes its own random generator: a sample is a pure function of seed, epoch and image, whatever
thread makes it, so a resumed training sees what an unbroken one would have seen.
"""

import cv2
import numpy as np

from cxrmodel.model.preprocess import Box

__all__ = ["borrow_greys", "disturb_greys", "jitter_box", "reframed", "replace", "soft_mask", "turn"]


def turn(
    image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, degrees: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rotate image and mask together by up to ``degrees`` either way, and mirror half of them.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    image, mask : ndarray
        Of the same shapes and dtypes. Corners are filled by repeating the edge.
    """
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), rng.uniform(-degrees, degrees), 1.0)
    image = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(mask.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST)
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    return np.ascontiguousarray(image), np.ascontiguousarray(mask) > 0


def jitter_box(box: Box, rng: np.random.Generator, share: float, side: int) -> Box:
    """Move each side of a box by up to ``share`` of its extent: crop, shift and aspect change in one.

    Returns
    -------
    tuple of int
        Top, left, bottom, right within 0..side, never smaller than 8 pixels.
    """
    top, left, bottom, right = box
    rows, columns = bottom - top, right - left
    moves = rng.uniform(-share, share, 4) * (rows, columns, rows, columns)
    top, left = max(0, round(top + moves[0])), max(0, round(left + moves[1]))
    bottom, right = min(side, round(bottom + moves[2])), min(side, round(right + moves[3]))
    top, left = min(top, side - 8), min(left, side - 8)
    return top, left, max(bottom, top + 8), max(right, left + 8)


def reframed(image: np.ndarray, rng: np.random.Generator, degrees: float, stretch: float, shift: float) -> np.ndarray:
    """An image as another frame around the same patient would have it: turned, stretched and shifted a little.

    How tightly an image is framed differs between hospitals and ages, and is not what makes it a chest radiograph.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (S, S)
    degrees : float
        Turned by up to so much either way.
    stretch : float
        Natural logarithm of the largest factor along each axis.
    shift : float
        Share of the side.

    Returns
    -------
    ndarray, shape (S, S), of the image's dtype
        What the frame newly takes in is black, or repeats the edge.
    """
    side, middle = image.shape[0], (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(-degrees, degrees), 1.0)
    scale = np.exp(rng.uniform(-stretch, stretch, 2))
    matrix = np.diag(scale) @ matrix
    matrix[:, 2] += (1 - scale) * middle + rng.uniform(-shift, shift, 2) * side
    filling = cv2.BORDER_REPLICATE if rng.random() < 0.6 else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=filling)


def soft_mask(mask: np.ndarray, rng: np.random.Generator, grow: tuple[int, int] = (0, 7)) -> np.ndarray:
    """Grow a mask by a random number of pixels and soften its edge.

    Returns
    -------
    ndarray of float32, shape of ``mask``, 0..1
    """
    pixels = int(rng.integers(grow[0], grow[1] + 1))
    grown = mask.astype(np.uint8)
    if pixels:
        grown = cv2.dilate(grown, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1)))
    return cv2.GaussianBlur(grown.astype(np.float32), (0, 0), rng.uniform(0.5, 3.0))


def replace(crop: np.ndarray, keep: np.ndarray, rng: np.random.Generator, other: np.ndarray | None) -> np.ndarray:
    """Replace what lies outside ``keep`` by grey, noise, its own blur, or another image.

    Parameters
    ----------
    crop : ndarray of float32, shape (S, S), 0..255
    keep : ndarray of float32, shape (S, S), 0..1
        1 where the image stays.
    other : ndarray of float32, shape (S, S), or None
        Another image's crop; None leaves that choice out.

    Returns
    -------
    ndarray of float32, shape (S, S)
    """
    kind = rng.random() * (1.0 if other is not None else 0.6)
    if kind < 0.25:
        filling = np.full_like(crop, rng.uniform(0, 255))
    elif kind < 0.45:
        coarse = rng.normal(rng.uniform(60, 200), rng.uniform(10, 60), (int(rng.integers(4, 40)),) * 2)
        filling = cv2.resize(coarse.astype(np.float32), crop.shape, interpolation=cv2.INTER_LINEAR)
    elif kind < 0.6:
        filling = cv2.GaussianBlur(crop, (0, 0), crop.shape[0] * rng.uniform(0.06, 0.2))
    else:
        filling = other
    return crop * keep + filling * (1 - keep)


def borrow_greys(crop: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Move the distribution of a crop's greys towards another's, so that the histogram tells less of the label.

    Parameters
    ----------
    crop, other : ndarray of float32, shape (S, S), 0..255
    share : float
        0 leaves the crop as it is, 1 gives it the other's histogram.

    Returns
    -------
    ndarray of float32, shape (S, S), 0..255
        Lighter pixels stay lighter: the change is one rising curve over all greys.
    """
    own = np.cumsum(np.bincount(crop.astype(np.uint8).ravel(), minlength=256)) / crop.size
    wanted = np.cumsum(np.bincount(other.astype(np.uint8).ravel(), minlength=256)) / other.size
    greys = np.arange(256, dtype=np.float32)
    matched = np.interp(own, wanted, greys)
    curve = (1 - share) * greys + share * matched
    return np.interp(crop, greys, curve).astype(np.float32)


def disturb_greys(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change contrast, brightness, gamma, local contrast, sharpness, noise and JPEG quality at random.

    Parameters
    ----------
    crop : ndarray of float32, shape (S, S), 0..255

    Returns
    -------
    ndarray of float32, shape (S, S), 0..255
    """
    if rng.random() < 0.15:
        tiles = int(rng.integers(2, 9))
        equalise = cv2.createCLAHE(rng.uniform(1.0, 4.0), (tiles, tiles))
        crop = equalise.apply(np.clip(crop, 0, 255).astype(np.uint8)).astype(np.float32)
    if rng.random() < 0.7:
        crop = 255.0 * np.power(np.clip(crop / 255.0, 0, 1), np.exp(rng.uniform(-0.55, 0.55)))
    if rng.random() < 0.7:
        mean = crop.mean()
        crop = (crop - mean) * rng.uniform(0.55, 1.5) + mean + rng.uniform(-45, 45)
    if rng.random() < 0.25:
        crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.3:
        crop = crop + rng.normal(0, rng.uniform(1, 12), crop.shape)
    crop = np.clip(crop, 0, 255)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 91))]
        coded = cv2.imencode(".jpg", crop.astype(np.uint8), quality)[1]
        crop = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return crop.astype(np.float32)

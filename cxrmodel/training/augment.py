"""Augmentation of training images, in NumPy and OpenCV, independent of the deep-learning backend.

Every function takes its own random generator. A sample is therefore a pure function of seed, epoch and image, on any
thread, and a resumed training sees the same samples as an uninterrupted one.
"""

from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrmodel.model.preprocess import Box

FloatImage = NDArray[np.float32]
AnyImage = TypeVar("AnyImage", NDArray[np.float32], NDArray[np.uint8])


def rotate_and_flip(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], rng: np.random.Generator, degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Rotate image and mask together, and flip them horizontally with probability 0.5.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
    mask : ndarray of bool, shape (H, W)
    degrees : float
        Largest angle in either direction.

    Returns
    -------
    image, mask : ndarray
        Same shapes and dtypes. Corners repeat the edge of the image.
    """
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), rng.uniform(-degrees, degrees), 1.0)
    rotated = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rotated_mask = cv2.warpAffine(mask.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST)
    if rng.random() < 0.5:
        rotated, rotated_mask = rotated[:, ::-1], rotated_mask[:, ::-1]
    return np.ascontiguousarray(rotated, np.uint8), np.ascontiguousarray(rotated_mask) > 0


def jitter_crop(box: Box, rng: np.random.Generator, share: float, side: int) -> Box:
    """Move each side of a box at random: crop, shift and aspect ratio in one.

    Parameters
    ----------
    box : tuple of int
        Top, left, bottom, right in pixels.
    share : float
        Largest move as a share of the box's height or width.
    side : int
        Side of the image in pixels.

    Returns
    -------
    tuple of int
        Top, left, bottom, right within 0..side, at least 8 pixels apart.
    """
    top, left, bottom, right = box
    rows, columns = bottom - top, right - left
    moves = rng.uniform(-share, share, 4) * (rows, columns, rows, columns)
    top, left = max(0, round(top + moves[0])), max(0, round(left + moves[1]))
    bottom, right = min(side, round(bottom + moves[2])), min(side, round(right + moves[3]))
    top, left = min(top, side - 8), min(left, side - 8)
    return top, left, max(bottom, top + 8), max(right, left + 8)


def random_affine(image: AnyImage, rng: np.random.Generator, degrees: float, stretch: float, shift: float) -> AnyImage:
    """Rotate, scale and shift an image at random, as another collimation of the same patient would.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (S, S)
    degrees : float
        Largest rotation in either direction.
    stretch : float
        Natural logarithm of the largest scale factor along each axis.
    shift : float
        Largest shift as a share of the side.

    Returns
    -------
    ndarray, shape (S, S), of the image's dtype
        Pixels from outside the image are black or repeat the edge.
    """
    side, middle = image.shape[0], (image.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(-degrees, degrees), 1.0)
    scale = np.exp(rng.uniform(-stretch, stretch, 2))
    matrix = np.diag(scale) @ matrix
    matrix[:, 2] += (1 - scale) * middle + rng.uniform(-shift, shift, 2) * side
    border = cv2.BORDER_REPLICATE if rng.random() < 0.6 else cv2.BORDER_CONSTANT
    return cast(AnyImage, cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border))


def soft_mask(
    mask: NDArray[np.bool_] | NDArray[np.uint8], rng: np.random.Generator, grow: tuple[int, int] = (0, 7)
) -> FloatImage:
    """Dilate a mask by a random number of pixels and blur its edge.

    Parameters
    ----------
    mask : ndarray of bool or uint8 (0 or 1), shape (H, W)
    grow : tuple of int
        Fewest and most pixels of dilation.

    Returns
    -------
    ndarray of float32, shape of ``mask``, 0..1
    """
    pixels = int(rng.integers(grow[0], grow[1] + 1))
    grown: NDArray[Any] = mask.astype(np.uint8)
    if pixels:
        grown = cv2.dilate(grown, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1)))
    return cast(FloatImage, cv2.GaussianBlur(grown.astype(np.float32), (0, 0), rng.uniform(0.5, 3.0)))


def replace_background(
    crop: FloatImage, keep: FloatImage, rng: np.random.Generator, other: FloatImage | None
) -> FloatImage:
    """Replace the background, outside ``keep``, by uniform grey, noise, a blurred copy or another image.

    Parameters
    ----------
    crop : ndarray of float32, shape (S, S), 0..255
    keep : ndarray of float32, shape (S, S), 0..1
        1 where the image stays unchanged.
    other : ndarray of float32, shape (S, S), or None
        Another image's crop; None excludes that choice.

    Returns
    -------
    ndarray of float32, shape (S, S)
    """
    kind = rng.random() * (1.0 if other is not None else 0.6)
    if other is not None and kind >= 0.6:
        filling = other
    elif kind < 0.25:
        filling = np.full_like(crop, rng.uniform(0, 255))
    elif kind < 0.45:
        coarse = rng.normal(rng.uniform(60, 200), rng.uniform(10, 60), (int(rng.integers(4, 40)),) * 2)
        filling = np.asarray(
            cv2.resize(coarse.astype(np.float32), crop.shape, interpolation=cv2.INTER_LINEAR), np.float32
        )
    else:
        filling = np.asarray(cv2.GaussianBlur(crop, (0, 0), crop.shape[0] * rng.uniform(0.06, 0.2)), np.float32)
    return crop * keep + filling * (1 - keep)


def match_histogram(crop: FloatImage, other: FloatImage, share: float) -> FloatImage:
    """Match a crop's histogram to another's in part, to hide label information in the grey levels.

    Parameters
    ----------
    crop, other : ndarray of float32, shape (S, S), 0..255
    share : float
        0 leaves the crop unchanged, 1 gives it the other's histogram.

    Returns
    -------
    ndarray of float32, shape (S, S), 0..255
        The mapping of grey levels is monotonic.
    """
    source = np.cumsum(np.bincount(crop.astype(np.uint8).ravel(), minlength=256)) / crop.size
    target = np.cumsum(np.bincount(other.astype(np.uint8).ravel(), minlength=256)) / other.size
    levels = np.arange(256, dtype=np.float32)
    matched = np.interp(source, target, levels)
    return np.interp(crop, levels, (1 - share) * levels + share * matched).astype(np.float32)


def perturb_intensity(crop: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Change contrast, brightness, gamma, local contrast, sharpness, noise and JPEG quality at random.

    Parameters
    ----------
    crop : ndarray of float32, shape (S, S), 0..255

    Returns
    -------
    ndarray of float32, shape (S, S), 0..255
    """
    pixels: NDArray[Any] = crop
    if rng.random() < 0.15:
        tiles = int(rng.integers(2, 9))
        equalise = cv2.createCLAHE(rng.uniform(1.0, 4.0), (tiles, tiles))
        pixels = equalise.apply(np.clip(pixels, 0, 255).astype(np.uint8)).astype(np.float32)
    if rng.random() < 0.7:
        pixels = 255.0 * np.power(np.clip(pixels / 255.0, 0, 1), np.exp(rng.uniform(-0.55, 0.55)))
    if rng.random() < 0.7:
        mean = pixels.mean()
        pixels = (pixels - mean) * rng.uniform(0.55, 1.5) + mean + rng.uniform(-45, 45)
    if rng.random() < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.3:
        pixels = pixels + rng.normal(0, rng.uniform(1, 12), pixels.shape)
    pixels = np.clip(pixels, 0, 255)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 91))]
        coded = cv2.imencode(".jpg", pixels.astype(np.uint8), quality)[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
    return pixels.astype(np.float32)

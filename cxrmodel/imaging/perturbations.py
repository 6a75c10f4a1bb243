"""Perturbations of images: rotation, windowing, compression, markers.

Pure functions on canonical images (uint8, 224 x 224), and the list of those that are measured.
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from cxrmodel.imaging.canonical import canonical_image

INTACT = "intact"
"""The kind of an image that is not perturbed."""
KINDS = {
    "histogram": ("histogram_matched",),
    "clahe": ("clahe",),
    "gamma": ("gamma_0_6", "gamma_1_6"),
    "aspect": ("aspect_wider", "aspect_narrower"),
    "rotation": ("rotated_left", "rotated_right"),
    "shift": ("shifted_right", "shifted_left", "shifted_down", "shifted_up"),
    "crop": ("border_cropped",),
    "jpeg": ("jpeg_30",),
    "blur": ("blurred",),
    "marker": ("marker_added", "marker_erased", "marker_moved"),
    "resampling": ("resampled",),
    "noise": ("noise",),
}
"""Names of the perturbations by kind."""
COUNT = sum(map(len, KINDS.values()))
"""How many perturbations there are."""

Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""A perturbation of an image with known lungs: ``change(image, lungs, rng) -> image``."""


def histogram(images: np.ndarray) -> np.ndarray:
    """Share of pixels at or below each of the 256 greys, over all images: float64, shape (256,)."""
    return np.cumsum(np.bincount(images.ravel(), minlength=256)) / images.size


def match_histogram(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Give an image the distribution of greys that ``histogram`` found; lighter stays lighter."""
    counts = np.bincount(image.ravel(), minlength=256)
    middle = (np.cumsum(counts) - counts / 2) / image.size
    table = np.searchsorted(reference, middle)
    return np.asarray(np.minimum(table, 255).astype(np.uint8)[image])


def clahe(image: np.ndarray, limit: float = 2.0, tiles: int = 8) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994)."""
    return cv2.createCLAHE(limit, (tiles, tiles)).apply(image)


def gamma(image: np.ndarray, exponent: float) -> np.ndarray:
    """Raise grey levels, as shares of white, to a power: below 1 is lighter."""
    return np.asarray(np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)[image])


def squeeze(image: np.ndarray, rows: float, columns: float) -> np.ndarray:
    """Make the picture lower or narrower, 0..1 of the image, and fill up with black on both sides."""
    height, width = round(image.shape[0] * rows), round(image.shape[1] * columns)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    result = np.zeros_like(image)
    result[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return result


def rotate(image: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate counter-clockwise about the centre; corners become black."""
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)


def shift(image: np.ndarray, rows: float, columns: float) -> np.ndarray:
    """Move down and right by shares of the image; the freed border is black."""
    down, right = round(rows * image.shape[0]), round(columns * image.shape[1])
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float64)
    return cv2.warpAffine(image, matrix, image.shape[::-1], flags=cv2.INTER_NEAREST)


def crop_border(image: np.ndarray, share: float) -> np.ndarray:
    """Cut a share of the image off each side and enlarge the rest to the old size."""
    rows, columns = round(share * image.shape[0]), round(share * image.shape[1])
    part = image[rows : image.shape[0] - rows, columns : image.shape[1] - columns]
    return cv2.resize(part, image.shape[::-1], interpolation=cv2.INTER_LINEAR)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Store as JPEG and open again."""
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian of ``sigma`` pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def noise(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Add normal noise of so many grey levels to each pixel."""
    return np.clip(np.rint(image + rng.normal(0, deviation, image.shape)), 0, 255).astype(np.uint8)


def resample(image: np.ndarray, side: int = 512) -> np.ndarray:
    """Enlarge, and come back the way every upload comes to its canonical size."""
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    return canonical_image(large.astype(np.float32) / 255.0, image.shape[0])


def add_marker(image: np.ndarray, letter: str = "R", left: bool = True) -> np.ndarray:
    """Burn a white letter into an upper corner."""
    result = image.copy()
    place = (8, 30) if left else (image.shape[1] - 26, 30)
    return cv2.putText(result, letter, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2, cv2.LINE_AA)


def find_marker(image: np.ndarray, lungs: np.ndarray) -> np.ndarray | None:
    """Find a burnt-in letter: something small, bright and near white, away from the lungs and from the middle.

    Returns
    -------
    ndarray of bool, shape (H, W), or None
        The letter with its rim, or None where there is none.
    """
    width = image.shape[1]
    hat = cv2.morphologyEx(image, cv2.MORPH_TOPHAT, np.ones((9, 9), np.uint8))
    near = cv2.dilate(lungs.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    spots = (hat > 50) & (image > 160) & ~near
    spots[:, round(0.3 * width) : round(0.7 * width)] = False
    joined = cv2.morphologyEx(spots.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, regions, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    best, strength = 0, 0.0
    for i in range(1, count):
        tall, wide, area = (stats[i, k] for k in (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA))
        contrast = float(hat[(regions == i) & spots].mean())
        if 5 <= tall <= 30 and 4 <= wide <= 30 and area >= 20 and contrast > strength:
            best, strength = i, contrast
    return cv2.dilate((regions == best).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0 if best else None


def erase_marker(image: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Inpaint the letter that ``find_marker`` finds; an image without one is unchanged."""
    found = find_marker(image, lungs)
    return image if found is None else cv2.inpaint(image, found.astype(np.uint8), 3, cv2.INPAINT_TELEA)


def move_marker(image: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """Move the letter that ``find_marker`` finds to the other side, unmirrored; an image without one is unchanged."""
    found = find_marker(image, lungs)
    if found is None:
        return image
    result = cv2.inpaint(image, found.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    left, _, wide, _ = cv2.boundingRect(found.astype(np.uint8))
    step = image.shape[1] - wide - 2 * left
    letter = np.roll(np.where(found, image, 0), step, axis=1)
    return np.maximum(result, letter)


def perturbations(images: np.ndarray) -> dict[str, Change]:
    """List the perturbations that are measured, by name.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, 224, 224)
        Whose pooled histogram is the common reference.
    """
    reference = histogram(images)
    return {
        "histogram_matched": _alone(partial(match_histogram, reference=reference)),
        "clahe": _alone(clahe),
        "gamma_0_6": _alone(partial(gamma, exponent=0.6)),
        "gamma_1_6": _alone(partial(gamma, exponent=1.6)),
        "aspect_wider": _alone(partial(squeeze, rows=0.8, columns=1.0)),
        "aspect_narrower": _alone(partial(squeeze, rows=1.0, columns=0.8)),
        "rotated_left": _alone(partial(rotate, degrees=10)),
        "rotated_right": _alone(partial(rotate, degrees=-10)),
        "shifted_right": _alone(partial(shift, rows=0.0, columns=0.1)),
        "shifted_left": _alone(partial(shift, rows=0.0, columns=-0.1)),
        "shifted_down": _alone(partial(shift, rows=0.1, columns=0.0)),
        "shifted_up": _alone(partial(shift, rows=-0.1, columns=0.0)),
        "border_cropped": _alone(partial(crop_border, share=0.08)),
        "jpeg_30": _alone(partial(jpeg, quality=30)),
        "blurred": _alone(partial(blur, sigma=1.0)),
        "marker_added": _alone(add_marker),
        "resampled": _alone(resample),
        "noise": lambda image, lungs, rng: noise(image, 8, rng),
        "marker_erased": lambda image, lungs, rng: erase_marker(image, lungs),
        "marker_moved": lambda image, lungs, rng: move_marker(image, lungs),
    }


def _alone(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda image, lungs, rng: change(image)

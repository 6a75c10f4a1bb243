"""Interventions on the lungs: masked, alone, or exchanged between images.

Pure functions on canonical images. Pixels outside the changed region keep their exact grey level.

References
----------
Telea, An image inpainting technique based on the fast marching method, J. Graphics Tools 9, 2004.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from cxrmodel.imaging.lungs import LungFields, separate_lungs

GROWN = 2
"""Pixels by which lungs are dilated before they are masked, so that no border remains."""
FADE = 4
"""Pixels over which the image fades into the fill."""
RING = 12
"""Width in pixels of the ring around the lungs whose greys are matched."""


class Fill(NamedTuple):
    """A fill of a part of an image.

    Attributes
    ----------
    name : str
        Of its texts in ``audits.toml``.
    seen_in_training : bool
        Whether the augmentation of the training images (``cxrmodel.training.augment.replace_background``) fills so too.
    make : callable (image, region, rng) -> ndarray of float32, shape (H, W), 0..255
        Its values inside the region are used; they depend only on pixels outside.
    region : callable (mask) -> mask
        What is replaced, given the lungs.
    """

    name: str
    seen_in_training: bool
    make: Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
    region: Callable[[np.ndarray], np.ndarray] = np.asarray


def fade(mask: np.ndarray, grown: float = 0, width: float = FADE) -> np.ndarray:
    """Weights that are 1 within a mask and fall to 0 around it.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    grown : float
        Pixels around the mask that still weigh 1.
    width : float
        Pixels over which the weight falls; beyond, it is exactly 0.

    Returns
    -------
    ndarray of float32, shape (H, W), 0..1
    """
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.clip(1 - (away - grown) / width, 0, 1).astype(np.float32))


def blend(image: np.ndarray, other: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mix two images, ``weight`` being the share of ``other``; at 0 or 1 the pixel of one image is kept exactly.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    mixed = np.rint(image * (1 - weight) + np.asarray(other, np.float32) * weight)
    return np.asarray(np.clip(mixed, 0, 255).astype(np.uint8))


def hull(mask: np.ndarray) -> np.ndarray:
    """The smallest convex region that holds both lungs; it hides their outline."""
    if not mask.any():
        return mask.copy()
    points = cv2.findNonZero(mask.astype(np.uint8))
    return cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), cv2.convexHull(points), 1) > 0


def _mean_grey(image: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rest = image[~region]
    return np.full(image.shape, rest.mean() if len(rest) else 128.0, np.float32)


def _even(level: float) -> Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]:
    return lambda image, region, rng: np.full(image.shape, level, np.float32)


def _coarse_noise(image: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    coarse = rng.normal(128, 40, (16, 16)).astype(np.float32)
    return np.clip(cv2.resize(coarse, image.shape[::-1], interpolation=cv2.INTER_LINEAR), 0, 255)


def _inpainted(image: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return cv2.inpaint(image, region.astype(np.uint8), 3, cv2.INPAINT_TELEA).astype(np.float32)


def mirrored(image: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reflect each place of the region at the nearest place outside; where that falls short, repeat the latter."""
    if region.all() or not region.any():
        return image.astype(np.float32)
    nearest = distance_transform_edt(region, return_distances=False, return_indices=True)
    own = np.indices(image.shape)
    across = 2 * nearest - own
    sides = np.array(image.shape)[:, None, None]
    within = ((across >= 0) & (across < sides)).all(axis=0)
    across = np.where(within, across, nearest)
    across = np.where(region[tuple(across)], nearest, across)
    return np.asarray(image[tuple(across)].astype(np.float32))


FILLS_WITHIN = (
    Fill("removed_mean_grey", True, _mean_grey),
    Fill("removed_black", True, _even(0)),
    Fill("removed_noise", True, _coarse_noise),
    Fill("removed_hull", True, _mean_grey, hull),
    Fill("removed_inpainted", False, _inpainted),
    Fill("removed_mirrored", False, mirrored),
)
"""Fills of the lungs."""

FILLS_OUTSIDE = (
    Fill("only_on_grey", True, _even(128)),
    Fill("only_on_black", True, _even(0)),
    Fill("only_on_noise", True, _coarse_noise),
    Fill("only_mirrored", False, mirrored),
)
"""Fills of everything outside the lungs."""


def remove_lungs(image: np.ndarray, mask: np.ndarray, fill: Fill, rng: np.random.Generator) -> np.ndarray:
    """Fill the lungs, dilated by two pixels, fading over four more; pixels beyond are unchanged.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
    mask : ndarray of bool, shape (H, W)
        Lungs.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        Independent of the grey levels of the lungs: the fill is made from pixels beyond the fade.
    """
    weight = fade(fill.region(mask), GROWN)
    return blend(image, fill.make(image, weight > 0, rng), weight)


def only_lungs(image: np.ndarray, mask: np.ndarray, fill: Fill, rng: np.random.Generator) -> np.ndarray:
    """Fill everything outside the lungs, which are unchanged; the image fades out over four pixels around them.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    weight = fade(mask)
    return blend(fill.make(image, ~mask, rng), image, weight)


def exchange_lungs(
    image: np.ndarray, mask: np.ndarray, donor: np.ndarray, donor_mask: np.ndarray, match: bool = False
) -> np.ndarray:
    """Put the lungs of another image in place of an image's own.

    Each lung of the donor is stretched to the box of the image's lung on that side (both together where one of the
    masks does not have two), laid over what either covers, and faded into the image over four pixels.

    Parameters
    ----------
    image, donor : ndarray of uint8, shape (H, W)
        Surroundings, and lungs.
    mask, donor_mask : ndarray of bool, shape (H, W)
        Lungs of each; a pixel at least.
    match : bool
        Shift and stretch the donor's greys so that around the lungs they have the image's mean and deviation.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    own, others = separate_lungs(mask), separate_lungs(donor_mask)
    if len(own) != len(others):
        own, others = [mask], [donor_mask]
    result = image
    for side, other in zip(own, others, strict=True):
        matrix = _onto(LungFields(other).box, LungFields(side).box)
        size = image.shape[::-1]
        laid = cv2.warpAffine(donor, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.warpAffine(other.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
        region = side | cover
        greys = laid.astype(np.float32)
        if match:
            greys = _matched(greys, image, (fade(region, GROWN + FADE, RING) > 0) & ~mask & ~region)
        result = blend(result, greys, fade(region, GROWN))
    return result


def _onto(source: tuple[int, int, int, int], target: tuple[int, int, int, int]) -> np.ndarray:
    """Affine matrix that stretches one box to another, edges onto edges."""
    rows = (target[2] - target[0]) / (source[2] - source[0])
    columns = (target[3] - target[1]) / (source[3] - source[1])
    return np.array(
        [
            [columns, 0, target[1] - 0.5 - columns * (source[1] - 0.5)],
            [0, rows, target[0] - 0.5 - rows * (source[0] - 0.5)],
        ],
        np.float64,
    )


def _matched(greys: np.ndarray, image: np.ndarray, ring: np.ndarray) -> np.ndarray:
    if ring.sum() < 2:
        return greys
    given, wanted = greys[ring], image[ring].astype(np.float32)
    gain = np.clip((wanted.std() + 1) / (given.std() + 1), 0.5, 2.0)
    return np.asarray(np.clip((greys - given.mean()) * gain + wanted.mean(), 0, 255))

"""Fitting of the statistics that tell whether an image is like the training images.

The similarity to adults is learnt from images of both groups and from copies that are re-encoded alike: resampled,
sharpened, equalised, with other grey levels, noise and JPEG qualities. So it cannot rest on size, sharpness or file
format. Borders and text lie outside the crop to the lungs. Age and source stay mixed: each group is of one hospital.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from cxrmodel.checks.feature_distribution import FeatureDistribution
from cxrmodel.errors import DataError
from cxrmodel.training.augment import perturb_intensity, random_affine
from cxrmodel.training.references import ADULTS, adults

COMPONENTS = 64
"""Principal directions that are kept."""
_MIN_SCALE = 1e-3
"""Standard deviation, against the mean of all, below which a channel counts as constant on training images."""


def load_adults(root: Path) -> NDArray[np.uint8]:
    """Decode all unlabelled adults beside the archive; see ``cxrmodel.training.references.adults``.

    Raises
    ------
    DataError
        When a table or an image is damaged.
    """
    try:
        return adults(root)
    except DataError as error:
        raise DataError("training.adults", table=str(root / ADULTS), problem=str(error)) from error


def reencoded(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Re-encode a canonical image at random: as another scanner, program or file format would give it.

    Parameters
    ----------
    image : ndarray of uint8, shape (S, S)

    Returns
    -------
    ndarray of uint8, shape (S, S)
    """
    side = image.shape[0]
    pixels: NDArray[Any] = image.astype(np.float32)
    if rng.random() < 0.3:
        pixels = random_affine(pixels, rng, degrees=8.0, stretch=0.15, shift=0.05)
    if rng.random() < 0.4:
        other = int(rng.integers(side // 2, 2 * side + 64))
        there, back = (cv2.INTER_AREA, cv2.INTER_LINEAR) if other < side else (cv2.INTER_CUBIC, cv2.INTER_AREA)
        pixels = cv2.resize(cv2.resize(pixels, (other, other), interpolation=there), (side, side), interpolation=back)
    if rng.random() < 0.3:
        blurred = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.7, 2.0))
        pixels = pixels + rng.uniform(0.3, 1.5) * (pixels - blurred)
    if rng.random() < 0.15:
        pixels = cv2.equalizeHist(np.clip(pixels, 0, 255).astype(np.uint8)).astype(np.float32)
    return perturb_intensity(np.clip(pixels, 0, 255).astype(np.float32), rng).astype(np.uint8)


def fit_population(
    training: NDArray[np.float32], adults: NDArray[np.float32], components: int = COMPONENTS
) -> FeatureDistribution:
    """Fit the distribution of the training images and, where there are any, the similarity to adults.

    Parameters
    ----------
    training, adults : ndarray of float32, shape (N, F)
        Features of training images and of images of adults, re-encoded ones among both.
    components : int
        Principal directions kept; at most N - 2.
    """
    mean, scale = training.mean(0), training.std(0)
    # A channel that is constant on training images carries no information.
    scale = np.where(scale > _MIN_SCALE * scale.mean(), scale, np.inf)
    _, lengths, directions = np.linalg.svd(((training - mean) / scale).astype(np.float64), full_matrices=False)
    kept = min(components, len(training) - 2)
    draft = FeatureDistribution(
        mean.astype(np.float32),
        scale.astype(np.float32),
        directions[:kept].astype(np.float32),
        (lengths[:kept] ** 2 / (len(training) - 1)).astype(np.float32),
        1.0,
        1.0,
        np.zeros(training.shape[1], np.float32),
        0.0,
    )
    within, residual = draft.parts(training)
    fitted = replace(draft, mean_within=float(within.mean()), mean_residual=float(residual.mean()))
    return _with_adults(fitted, training, adults) if len(adults) else fitted


def _with_adults(
    fitted: FeatureDistribution, own: NDArray[np.float32], adults: NDArray[np.float32]
) -> FeatureDistribution:
    """Add the similarity to adults: a linear discriminant, whose shrinkage Ledoit and Wolf's formula chooses."""
    rows = fitted.scaled(np.concatenate([own, adults]))
    is_adult = np.arange(len(rows)) >= len(own)
    discriminant = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=(0.5, 0.5)).fit(rows, is_adult)
    along = rows @ discriminant.coef_[0]
    start, end = along[~is_adult].mean(), along[is_adult].mean()
    weights, offset = discriminant.coef_[0] / (end - start), -start / (end - start)
    return replace(fitted, adult_weights=weights.astype(np.float32), adult_offset=float(offset))

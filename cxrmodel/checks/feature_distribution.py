"""Distribution of the training images in a network's features, and the distance of an image from it.

Pooled activations of two depths, scaled by their standard deviation over training images, are split into the principal
directions of the training images and the rest. The score adds the squared Mahalanobis distance within those directions
to the squared length of the rest, each divided by its mean over training images (after Lee et al., A Simple Unified
Framework for Detecting Out-of-Distribution Samples, NeurIPS 2018, and Wang et al., ViM, CVPR 2022).
"""

from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np

from cxrmodel.errors import AlteredWeights
from cxrmodel.model.spec import ModelSpec, read_features
from cxrmodel.paths import MODEL_FOLDER

_COMPONENTS = 64
_MIN_SCALE = 1e-3
"""Standard deviation, against the mean of all, below which a channel counts as constant on training images."""


@dataclass(frozen=True, eq=False)
class FeatureDistribution:
    """The distribution of training images in a network's features.

    Attributes
    ----------
    mean, scale : ndarray of float32, shape (F,)
    components : ndarray of float32, shape (K, F)
        Orthonormal principal directions of the scaled features.
    variance : ndarray of float32, shape (K,)
        Variance of the training images along each.
    mean_within, mean_residual : float
        Means over the training images of the two parts of a score.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    mean_within: float
    mean_residual: float

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Distance of images from the training images.

        Parameters
        ----------
        features : ndarray of float32, shape (N, F)

        Returns
        -------
        ndarray of float64, shape (N,)
            The mean over training images is 1; larger is farther away.
        """
        within, residual = self.parts(features)
        score: np.ndarray = (within / self.mean_within + residual / self.mean_residual) / 2.0
        return score

    def parts(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both parts of the scores before they are divided by their means, each of shape (N,)."""
        scaled = ((features - self.mean) / self.scale).astype(np.float64)
        along = scaled @ self.components.T.astype(np.float64)
        residual = np.square(scaled).sum(1) - np.square(along).sum(1)
        return np.square(along / np.sqrt(self.variance)).sum(1), np.maximum(residual, 0.0)

    def to_bytes(self) -> bytes:
        """As an ``.npz`` file."""
        stream = BytesIO()
        arrays: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez(stream, **arrays)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """From an ``.npz`` file.

        Raises
        ------
        ValueError, KeyError
            When it is damaged.
        """
        with np.load(BytesIO(data)) as saved:
            arrays = {field.name: saved[field.name] for field in fields(cls)}
        return cls(**arrays | {name: float(arrays[name]) for name in ("mean_within", "mean_residual")})


def fit_feature_distribution(features: np.ndarray, components: int = _COMPONENTS) -> FeatureDistribution:
    """Fit the distribution of training images.

    Parameters
    ----------
    features : ndarray of float32, shape (N, F)
    components : int
        Principal directions kept; at most N - 2.
    """
    mean, scale = features.mean(0), features.std(0)
    # A channel that is constant on training images carries no information.
    scale = np.where(scale > _MIN_SCALE * scale.mean(), scale, np.inf)
    scaled = ((features - mean) / scale).astype(np.float64)
    _, lengths, directions = np.linalg.svd(scaled, full_matrices=False)
    kept = min(components, len(features) - 2)
    variance = (lengths[:kept] ** 2 / (len(features) - 1)).astype(np.float32)
    draft = FeatureDistribution(
        mean.astype(np.float32), scale.astype(np.float32), directions[:kept].astype(np.float32), variance, 1.0, 1.0
    )
    within, residual = draft.parts(features)
    return FeatureDistribution(
        draft.mean, draft.scale, draft.components, draft.variance, float(within.mean()), float(residual.mean())
    )


def load_feature_distribution(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> FeatureDistribution:
    """Load the distribution that belongs to a specification.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    data = read_features(spec, folder)
    try:
        return FeatureDistribution.from_bytes(data)
    except Exception as error:  # a damaged file makes the library raise anything
        raise AlteredWeights("checks.damaged_features", model=spec.model) from error

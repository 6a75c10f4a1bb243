"""Distribution of the training images in a network's features, and how an image compares with it.

Pooled activations of two depths, scaled by their standard deviation over training images, are split into the principal
directions of the training images and the rest. The distance adds the squared Mahalanobis distance within those
directions to the squared length of the rest, each divided by its mean over training images (after Lee et al., A Simple
Unified Framework for Detecting Out-of-Distribution Samples, NeurIPS 2018, and Wang et al., ViM, CVPR 2022).

Where images of adults were at hand, a linear discriminant of the same scaled features gives the similarity to them
(Fisher, The Use of Multiple Measurements in Taxonomic Problems, Annals of Eugenics 1936).
"""

from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np

from cxrmodel.errors import AlteredWeights
from cxrmodel.model.spec import ModelSpec, read_features
from cxrmodel.paths import MODEL_FOLDER

_NUMBERS = ("mean_within", "mean_residual", "adult_offset")


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
        Means over the training images of the two parts of a distance.
    adult_weights : ndarray of float32, shape (F,)
        Weights of the scaled features in the similarity to images of adults; all zero where none were learnt from.
    adult_offset : float
        Its constant.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    mean_within: float
    mean_residual: float
    adult_weights: np.ndarray
    adult_offset: float

    @property
    def knows_adults(self) -> bool:
        """Whether images of adults were learnt from."""
        return bool(self.adult_weights.any())

    def distances(self, features: np.ndarray) -> np.ndarray:
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
        distance: np.ndarray = (within / self.mean_within + residual / self.mean_residual) / 2.0
        return distance

    def similarities(self, features: np.ndarray) -> np.ndarray:
        """Similarity of images to images of adults.

        Parameters
        ----------
        features : ndarray of float32, shape (N, F)

        Returns
        -------
        ndarray of float64, shape (N,)
            The mean over training images is 0, that over images of adults 1.
        """
        similarity: np.ndarray = self.scaled(features) @ self.adult_weights + self.adult_offset
        return similarity

    def scaled(self, features: np.ndarray) -> np.ndarray:
        """Features of images in standard deviations of the training images: (N, F) -> float64, (N, F)."""
        scaled: np.ndarray = ((features - self.mean) / self.scale).astype(np.float64)
        return scaled

    def parts(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both parts of the distances before they are divided by their means, each of shape (N,)."""
        scaled = self.scaled(features)
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
        return cls(**arrays | {name: float(arrays[name]) for name in _NUMBERS})


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

"""How like the training images an image is to the network that reads it.

Pooled activations of two depths, scaled by their spread over training images, are split into the directions in which
training images vary and the rest. The score adds the squared Mahalanobis distance within those directions to the
squared length of the rest, each against its mean over training images (after Lee et al., A Simple Unified Framework
for Detecting Out-of-Distribution Samples, NeurIPS 2018, and Wang et al., ViM, CVPR 2022).
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from cxrmodel.checks.report import Finding, Rule, judge
from cxrmodel.errors import AlteredWeights
from cxrmodel.model.spec import MODEL_FOLDER, ModelSpec, OutOfDistribution, read_features

__all__ = ["Familiarity", "FamiliarityCheck", "familiarity_rule", "fit_familiarity", "load_familiarity"]

AXES = 64


@dataclass(frozen=True, eq=False)
class Familiarity:
    """The spread of training images in a network's features.

    Attributes
    ----------
    mean, scale : ndarray of float32, shape (F,)
    axes : ndarray of float32, shape (K, F)
        Orthonormal; scaled features vary most along them.
    spread : ndarray of float32, shape (K,)
        Variance of the training images along each.
    within, beyond : float
        Means over the training images of the two parts of a score.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    spread: np.ndarray
    within: float
    beyond: float

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Distance of images from the training images.

        Parameters
        ----------
        features : ndarray of float32, shape (N, F)

        Returns
        -------
        ndarray of float64, shape (N,)
            1 is the mean of the training images; larger is stranger.
        """
        within, beyond = self.parts(features)
        return (within / self.within + beyond / self.beyond) / 2.0

    def parts(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both parts of the scores before they are weighed, each of shape (N,)."""
        scaled = ((features - self.mean) / self.scale).astype(np.float64)
        along = scaled @ self.axes.T.astype(np.float64)
        length = np.square(scaled).sum(1) - np.square(along).sum(1)
        return np.square(along / np.sqrt(self.spread)).sum(1), np.maximum(length, 0.0)

    def to_bytes(self) -> bytes:
        """As an ``.npz`` file."""
        stream = BytesIO()
        np.savez(stream, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Familiarity":
        """From an ``.npz`` file.

        Raises
        ------
        ValueError, KeyError
            When it is damaged.
        """
        with np.load(BytesIO(data)) as saved:
            arrays = {name: saved[name] for name in cls.__dataclass_fields__}
        return cls(**arrays | {name: float(arrays[name]) for name in ("within", "beyond")})


def fit_familiarity(features: np.ndarray, axes: int = AXES) -> Familiarity:
    """Learn the spread of training images.

    Parameters
    ----------
    features : ndarray of float32, shape (N, F)
    axes : int
        Directions kept, at most; one less than there are images, if that is fewer.
    """
    mean, scale = features.mean(0), features.std(0)
    scale = np.where(
        scale > 1e-3 * scale.mean(), scale, np.inf
    )  # channels that are dead on training images say nothing
    scaled = ((features - mean) / scale).astype(np.float64)
    _, lengths, directions = np.linalg.svd(scaled, full_matrices=False)
    kept = min(axes, len(features) - 2)
    spread = (lengths[:kept] ** 2 / (len(features) - 1)).astype(np.float32)
    draft = Familiarity(
        mean.astype(np.float32), scale.astype(np.float32), directions[:kept].astype(np.float32), spread, 1.0, 1.0
    )
    within, beyond = draft.parts(features)
    return Familiarity(draft.mean, draft.scale, draft.axes, draft.spread, float(within.mean()), float(beyond.mean()))


class FamiliarityCheck:
    """The check on a network's features.

    Parameters
    ----------
    familiarity : Familiarity
    rule : Rule
        Whose thresholds are scores.
    """

    def __init__(self, familiarity: Familiarity, rule: Rule):
        self.familiarity, self.rule = familiarity, rule

    def examine(self, features: np.ndarray) -> list[Finding]:
        """Judge the images of a batch.

        Parameters
        ----------
        features : ndarray of float32, shape (N, F)

        Returns
        -------
        list of Finding
            N of them.
        """
        return [judge(self.rule, score) for score in self.familiarity.scores(features)]


def familiarity_rule(stored: OutOfDistribution) -> Rule:
    """The check's rule, from what a specification holds of it."""
    return Rule("familiarity", "above", stored.warn, stored.reject, stored.source)


def load_familiarity(spec: ModelSpec, folder: Path = MODEL_FOLDER) -> FamiliarityCheck:
    """Load the check that belongs to a specification.

    Raises
    ------
    MissingWeights, AlteredWeights
    """
    try:
        return FamiliarityCheck(
            Familiarity.from_bytes(read_features(spec, folder)), familiarity_rule(spec.out_of_distribution)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise AlteredWeights(
            f"What {spec.model} knows of its training images is missing or damaged. Export the model again."
        ) from error

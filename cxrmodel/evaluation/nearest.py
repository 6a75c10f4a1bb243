"""Most similar test images: those whose probability is nearest to that of a reading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.metrics.calibration import log_odds
from cxrmodel.metrics.validation import Values

NEAREST = 40
"""Number of images: enough for a share, few enough to be near."""
_LEAST = 1e-9


@dataclass(frozen=True)
class NearestImages:
    """The test images whose probability is nearest to a given one.

    Attributes
    ----------
    images, positives : int
        Their number, and the number of positive ones.
    low, high : float
        Least and greatest probability among them, 0..1.
    """

    images: int
    positives: int
    low: float
    high: float


def nearest_images(evaluation: Evaluation, probability: float) -> NearestImages:
    """Count the positive ones among the test images whose probability is nearest.

    Parameters
    ----------
    evaluation : Evaluation
        Of the network that gave the probability.
    probability : float
        0..1, calibrated; nearness is that of its log-odds.
    """
    scores = evaluation.splits["test"]
    distance = np.abs(_log_odds(scores.probabilities) - _log_odds(probability))
    nearest = np.argsort(distance, kind="stable")[:NEAREST]
    near = scores.probabilities[nearest]
    return NearestImages(len(nearest), int(scores.labels[nearest].sum()), float(near.min()), float(near.max()))


def _log_odds(probabilities: ArrayLike) -> Values:
    return log_odds(np.clip(probabilities, _LEAST, 1 - _LEAST))

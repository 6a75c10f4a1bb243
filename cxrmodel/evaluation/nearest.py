"""Most similar test images: those whose probability is nearest to that of a reading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxrmodel.evaluation.schema import Evaluation
from cxrmodel.metrics.calibration import log_odds
from cxrmodel.metrics.validation import Values

__all__ = ["NEAREST", "Alike", "alike"]

NEAREST = 40
"""Images that are counted: enough for a share, few enough to lie near."""
_LEAST = 1e-9


@dataclass(frozen=True)
class Alike:
    """The test images whose probability is nearest to a given one.

    Attributes
    ----------
    images, pneumonia : int
        How many there are, and how many of them show pneumonia.
    low, high : float
        Least and greatest probability among them, 0..1.
    """

    images: int
    pneumonia: int
    low: float
    high: float


def alike(evaluation: Evaluation, probability: float) -> Alike:
    """Count the test images that were scored like an image.

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
    return Alike(len(nearest), int(scores.labels[nearest].sum()), float(near.min()), float(near.max()))


def _log_odds(probabilities: ArrayLike) -> Values:
    return log_odds(np.clip(probabilities, _LEAST, 1 - _LEAST))

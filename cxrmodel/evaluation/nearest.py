"""Evidence for a probability: what the test images of the most similar scores had, weighted to its prevalence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxrmodel.errors import CxrError
from cxrmodel.evaluation.storage import load_evaluation

NEAREST = 40
"""Number of images: enough for a share, few enough to be near."""


@dataclass(frozen=True)
class Evidence:
    """The test images whose logits are nearest to a given one.

    Attributes
    ----------
    images, positives : int
        Their number, and the number of positive ones.
    share : float
        Share of positive ones, weighted to a prevalence, 0..1.
    test_share : float
        Share of positive ones among all test images, 0..1.
    """

    images: int
    positives: int
    share: float
    test_share: float


def shipped_evidence(version: str, logit: float, prevalence: float) -> Evidence | None:
    """Observe the test images of the shipped evaluation of a version; None where these weights were not evaluated."""
    try:
        evaluation = load_evaluation(version.split()[0])
    except CxrError:
        return None
    if evaluation.version != version:
        return None
    scores = evaluation.splits["test"]
    return evidence(scores.labels, scores.logits, logit, prevalence)


def evidence(
    labels: ArrayLike, logits: ArrayLike, logit: float, prevalence: float, without: int | None = None
) -> Evidence:
    """Observe how many of the test images with the nearest logits were positive.

    A positive image weighs prevalence / (positive share of all test images), a negative one the same of the
    complements: the share is that of a set of images of this prevalence. Which images are near does not depend on it.

    Parameters
    ----------
    labels, logits : array-like, shape (N,)
        Of all test images: 0 negative, 1 positive, both of which must occur; outputs of the network.
    logit : float
        Of the image in question, from the same network.
    prevalence : float
        Strictly between 0 and 1.
    without : int or None
        Place of a test image that is left out: the image itself, where it is one of them.
    """
    truths = np.asarray(labels)
    distance = np.abs(np.asarray(logits, np.float64) - logit)
    if without is not None:
        distance[without] = np.inf
    nearest = np.argsort(distance, kind="stable")[: min(NEAREST, len(truths) - (without is not None))]
    positives, test_share = int(truths[nearest].sum()), float(truths.mean())
    positive = positives * prevalence / test_share
    negative = (len(nearest) - positives) * (1 - prevalence) / (1 - test_share)
    return Evidence(len(nearest), positives, positive / (positive + negative), test_share)

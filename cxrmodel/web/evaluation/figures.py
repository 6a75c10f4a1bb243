"""Figures of merit as text and tables."""

from collections.abc import Mapping

from cxrmodel.evaluation.storage import Scores

__all__ = [
    "band_sentence",
]


def band_sentence(scores: Scores, operating_points: Mapping[str, float]) -> str:
    """Say how many images lie in the uncertain band, and how many of them have pneumonia.

    Parameters
    ----------
    scores : Scores
    operating_points : mapping of str to float
        Thresholds on the probability.
    """
    within = scores.labels[scores.findings(operating_points) == "uncertain"]
    if not within.size:
        return "No image lies in the uncertain band."
    return (
        f"Of the {within.size} images in the uncertain band, {int(within.sum())} had pneumonia "
        f"({100 * within.mean():.1f} %)."
    )

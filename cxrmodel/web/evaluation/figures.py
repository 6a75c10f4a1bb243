"""Figures of merit as text and tables."""

from collections.abc import Mapping

import numpy as np

from cxrmodel.evaluation.report.rows import finding_row
from cxrmodel.evaluation.storage import Scores
from cxrmodel.model.calibration import FINDINGS

__all__ = [
    "band_sentence",
    "finding_rows",
]


def finding_rows(scores: Scores, operating_points: Mapping[str, float]) -> list[dict[str, str]]:
    """Count what the program calls images, pneumonia, uncertain or normal, by what they are.

    Parameters
    ----------
    scores : Scores
    operating_points : mapping of str to float
        Thresholds on the probability.

    Returns
    -------
    list of dict
        One row a group that has images: ``Images``, and for each finding its count and its share of the group.
    """
    called, organisms = scores.findings(operating_points), np.array(scores.organisms)
    groups = {
        "Pneumonia": scores.labels == 1,
        "of these bacterial": organisms == "bacteria",
        "of these viral": organisms == "virus",
        "Normal": scores.labels == 0,
    }
    rows = []
    for said, members in groups.items():
        images = int(members.sum())
        if images:
            rows.append(finding_row(said, images, {name: int((called[members] == name).sum()) for name in FINDINGS}))
    return rows


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

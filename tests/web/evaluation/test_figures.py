"""Images in the uncertain band."""

import numpy as np

from cxrmodel.evaluation.storage import Scores
from cxrmodel.web.evaluation.figures import band_sentence
from tests.support.stand_ins import POINTS


def drawn_scores(probabilities, labels, organisms) -> Scores:
    """Scores of images of one patient."""
    names = tuple(map(str, range(len(labels))))
    return Scores(names, organisms, names, np.array(labels), np.zeros(len(labels)), np.array(probabilities))


def test_findings_are_counted_by_the_band():
    """On the lower edge an image is uncertain, on the upper one positive."""
    scores = drawn_scores(
        (0.8, 0.79, 0.2, 0.9, 0.19, 0.2), (1, 1, 1, 1, 0, 0), ("bacteria", "bacteria", "virus", "virus", "", "")
    )
    assert band_sentence(scores, POINTS) == "Of the 3 images in the uncertain band, 2 had pneumonia (66.7 %)."


def test_no_image_in_the_band():
    """Where no image is uncertain, that is said."""
    scores = drawn_scores((0.1, 0.9), (0, 1), ("", "virus"))
    assert band_sentence(scores, POINTS) == "No image lies in the uncertain band."

"""What the program calls films, as tables."""

import numpy as np
from stand_ins import POINTS

from cxrmodel.evaluation.results import Scores
from cxrmodel.web.figures import band_sentence, finding_rows


def drawn_scores(probabilities, labels, organisms) -> Scores:
    """Scores of films of one patient."""
    names = tuple(map(str, range(len(labels))))
    return Scores(names, organisms, names, np.array(labels), np.zeros(len(labels)), np.array(probabilities))


def test_findings_are_counted_by_the_band():
    """On the lower edge a film is uncertain, on the upper one pneumonia; rows say counts and shares."""
    scores = drawn_scores(
        (0.8, 0.79, 0.2, 0.9, 0.19, 0.2), (1, 1, 1, 1, 0, 0), ("bacteria", "bacteria", "virus", "virus", "", "")
    )
    assert [list(row.values()) for row in finding_rows(scores, POINTS)] == [
        ["Pneumonia (4)", "2 (50.0 %)", "2 (50.0 %)", "0 (0.0 %)"],
        ["of these bacterial (2)", "1 (50.0 %)", "1 (50.0 %)", "0 (0.0 %)"],
        ["of these viral (2)", "1 (50.0 %)", "1 (50.0 %)", "0 (0.0 %)"],
        ["Normal (2)", "0 (0.0 %)", "1 (50.0 %)", "1 (50.0 %)"],
    ]
    assert list(finding_rows(scores, POINTS)[0]) == [
        "Films",
        "Finding: pneumonia",
        "Finding: uncertain",
        "Finding: normal",
    ]
    assert band_sentence(scores, POINTS) == "Of the 3 films in the uncertain band, 2 had pneumonia (66.7 %)."


def test_no_film_in_the_band():
    """Where no film is uncertain, that is said."""
    scores = drawn_scores((0.1, 0.9), (0, 1), ("", "virus"))
    assert band_sentence(scores, POINTS) == "No film lies in the uncertain band."

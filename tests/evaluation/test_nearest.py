"""Images scored like one image, counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from cxrmodel.evaluation.nearest import NEAREST, nearest_images


def _evaluation(probabilities, labels):
    scores = SimpleNamespace(probabilities=np.array(probabilities, float), labels=np.array(labels))
    return SimpleNamespace(splits={"test": scores})


def _graded():
    """200 images from 0.5 % to 99.5 %; those from one half on show pneumonia."""
    probabilities = (np.arange(200) + 0.5) / 200
    return _evaluation(probabilities, (probabilities >= 0.5).astype(int))


@pytest.mark.parametrize(
    ("probability", "positives", "low", "high"),
    [
        (0.0, 0, 0.0025, 0.1975),
        (1.0, NEAREST, 0.8025, 0.9975),
        (0.5, NEAREST // 2, 0.4025, 0.5975),
    ],
)
def test_the_nearest_images_are_counted(probability, positives, low, high):
    """Forty of them, at both ends of the scale too, with the range that they span."""
    found = nearest_images(_graded(), probability)
    assert (found.images, found.positives) == (NEAREST, positives)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_nearness_is_that_of_the_log_odds():
    """99.9 % is farther from 99 % than 95 % is, although the difference is less."""
    images = [0.95] * NEAREST + [0.999] * NEAREST
    found = nearest_images(_evaluation(images, [0] * NEAREST + [1] * NEAREST), 0.99)
    assert found.positives == 0


def test_few_images_are_all_counted():
    """Fewer than forty."""
    assert nearest_images(_evaluation([0.2, 0.9], [0, 1]), 0.5).images == 2

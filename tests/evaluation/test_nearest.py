"""What the test images of the most similar scores had, weighted to a prevalence."""

import numpy as np
import pytest

from cxrmodel.evaluation.nearest import NEAREST, Evidence, evidence

LOGITS = np.linspace(-4, 4, 200)
"""Those at 0 and above are positive: half of them."""
LABELS = (LOGITS >= 0).astype(int)


@pytest.mark.parametrize(("logit", "positives"), [(-9.0, 0), (0.0, NEAREST // 2), (9.0, NEAREST), (4.0, NEAREST)])
def test_the_nearest_images_are_counted(logit, positives):
    """Forty of them, at both ends of the scale too."""
    found = evidence(LABELS, LOGITS, logit, 0.5)
    assert (found.images, found.positives) == (NEAREST, positives)
    assert found.share == positives / NEAREST


@pytest.mark.parametrize(
    ("positives", "of_all", "prevalence", "share"),
    [
        # Three quarters of the near images, and half of all: odds of 3, times the odds of the prevalence.
        (30, 100, 0.5, 3 / 4),
        (30, 100, 0.25, 1 / 2),
        (30, 100, 0.9, 27 / 28),
        # As many positives among the near ones as among all: the score says nothing, the share is the prevalence.
        (30, 150, 0.2, 0.2),
        (30, 150, 0.75, 0.75),
    ],
)
def test_the_share_is_weighted_to_the_prevalence(positives, of_all, prevalence, share):
    """By hand: the odds of the counts, over the odds of all test images, times the odds of the prevalence."""
    logits = np.r_[np.zeros(NEAREST), np.full(160, 5.0)]
    labels = np.zeros(200, int)
    labels[:positives] = labels[NEAREST : NEAREST + of_all - positives] = 1
    found = evidence(labels, logits, 0.1, prevalence)
    assert found == Evidence(NEAREST, positives, pytest.approx(share), of_all / 200)


def test_at_the_share_of_the_test_images_nothing_is_weighted():
    """The plain share of the forty."""
    rng = np.random.default_rng(0)
    labels, logits = (rng.random(300) < 0.6).astype(int), rng.normal(size=300)
    for logit in rng.normal(size=20):
        found = evidence(labels, logits, logit, float(labels.mean()))
        assert found.share == pytest.approx(found.positives / found.images)


def test_an_image_may_be_left_out():
    """A test image that is asked about itself is no evidence."""
    assert evidence([0, 1, 1], [0.0, 1.0, 2.0], 0.0, 0.5) == Evidence(3, 2, pytest.approx(0.5), 2 / 3)
    assert evidence([0, 1, 1], [0.0, 1.0, 2.0], 0.0, 0.5, without=0) == Evidence(2, 2, 1.0, 2 / 3)

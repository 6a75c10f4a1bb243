"""Resamples are drawn by patient, and samples are tallied one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrmodel.errors import DataError
from cxrmodel.metrics.bootstrap import patient_weights, ratio, resampled, weighted
from cxrmodel.metrics.discrimination import roc_auc


def test_samples_are_tallied_one_by_one():
    """Each row of weights is a sample of its own."""
    labels, scores = np.array([0, 1, 1]), np.array([0.2, 0.6, 0.1])
    weights = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    assert roc_auc(weighted(labels, scores, weights)).tolist() == [1.0, 0.0, 0.5]


def test_the_first_sample_is_the_data():
    """Each image once, whatever is drawn."""
    samples = resampled([0, 1, 1], [0.2, 0.6, 0.6], ["a", "b", "c"], resamples=5, image_weights=[1.0, 2.0, 3.0])
    assert samples.scores.tolist() == [0.2, 0.6]
    assert samples.negative[0].tolist() == [1, 0]
    assert samples.positive[0].tolist() == [0, 5]
    assert len(samples.positive) == 6


def test_a_patient_brings_all_images():
    """Images of a patient share a weight, and each resample draws as many patients as there are."""
    weights = patient_weights(["b", "a", "b", "c", "b", "a"], resamples=300, seed=1)[1:]
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, 1] == weights[:, 5]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) == 10  # ways to draw 3 from 3 with replacement, order aside


@settings(max_examples=40, deadline=None)
@given(st.permutations(["a", "a", "b", "c", "c", "d"]))
def test_resamples_do_not_depend_on_the_order_of_images(patients):
    """The same patient is drawn as often wherever the images stand in the list."""
    wanted = patient_weights(["a", "b", "c", "d"], 20, seed=7)
    column = {"a": 0, "b": 1, "c": 2, "d": 3}
    weights = patient_weights(patients, 20, seed=7)
    assert (weights == wanted[:, [column[name] for name in patients]]).all()


def test_every_image_has_a_patient():
    """Too few patients are refused, not recycled."""
    with pytest.raises(DataError):
        resampled([0, 1], [0.1, 0.2], ["a"])


def test_a_ratio_to_nothing_is_undefined():
    """Without a warning."""
    np.testing.assert_equal(ratio([1.0, 0.0, 3.0], [2.0, 0.0, 0.0]), [0.5, np.nan, np.nan])

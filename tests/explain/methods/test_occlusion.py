"""Occlusion sensitivity: exact on a linear network, can be stopped, takes the stated number of passes."""

import numpy as np
import pytest

from cxrmodel.explain.methods.occlusion import COVERS, occlusion


def linear(weights):
    """A network whose logit is the weighted sum of its pixels."""
    return lambda inputs: (inputs[..., 0] * weights).sum((1, 2)).astype(np.float64)


def test_linear_by_hand():
    """Covering a cell removes the sum of weight times value; zero where that is negative."""
    tensor = np.array([[1, 2, 0, 0], [3, 4, 0, 0], [5, 0, 1, 1], [0, 0, 1, 1]], np.float32)[..., None]
    weights = np.array([[1, 1, 9, 9], [1, 1, 9, 9], [2, 2, -1, -1], [2, 2, -1, -1]], np.float32)
    found = occlusion(linear(weights), tensor, np.zeros_like(tensor), cells=2, window=1)
    np.testing.assert_allclose(found, [[10, 0], [10, 0]])


def test_overlapping_covers_are_averaged():
    """Three cells in a row of weight 1, 2, 4 under covers of two: 3, (3 + 6) / 2 and 6, in both directions."""
    tensor = np.ones((3, 3, 1), np.float32)
    weights = np.array([[0, 0, 0], [1, 2, 4], [0, 0, 0]], np.float32)
    found = occlusion(linear(weights), tensor, np.zeros_like(tensor), cells=3, window=2)
    np.testing.assert_allclose(found, [[3, 4.5, 6]] * 3)


def test_a_filling_equal_to_the_image_changes_nothing():
    """Where the filling equals the image, the map is zero."""
    rng = np.random.default_rng(0)
    tensor, weights = rng.random((22, 22, 1), np.float32), rng.random((22, 22))
    assert not occlusion(linear(weights), tensor, tensor).any()


def test_passes_and_progress():
    """As many covers as stated, in batches, with the share done before each."""
    asked, shares = [], []

    def count(inputs):
        asked.append(len(inputs))
        return np.zeros(len(inputs))

    tensor = np.zeros((22, 22, 1), np.float32)
    occlusion(count, tensor, tensor, batch=16, progress=shares.append)
    assert sum(asked) == COVERS + 1
    assert max(asked) == 16
    assert shares == [start / COVERS for start in range(0, COVERS, 16)]


def test_what_progress_raises_stops_it():
    """The network does not run again."""
    asked = []

    def count(inputs):
        asked.append(len(inputs))
        return np.zeros(len(inputs))

    def stop(share):
        if share > 0.3:
            raise InterruptedError

    tensor = np.zeros((22, 22, 1), np.float32)
    with pytest.raises(InterruptedError):
        occlusion(count, tensor, tensor, batch=10, progress=stop)
    assert sum(asked) < COVERS / 2

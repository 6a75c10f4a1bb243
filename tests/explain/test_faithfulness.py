"""Deletion, insertion and similarity of maps: by hand, on known functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cxrmodel.explain import faithfulness
from cxrmodel.explain.faithfulness import CELLS, curves, heat_in_lungs, order_of, random_order, with_noise
from cxrmodel.explain.grid import cell_means, cell_numbers
from cxrmodel.explain.similarity import spearman, ssim


@pytest.fixture
def on_black(monkeypatch):
    """Deleted cells become 0, so that curves can be computed by hand."""
    monkeypatch.setattr(faithfulness, "blurred", np.zeros_like)


def mean(inputs):
    """A network that scores an image by its mean grey."""
    return inputs.mean((1, 2, 3))


def test_cells_of_an_uneven_square():
    """Five pixels in two cells: three and two, in reading order."""
    np.testing.assert_array_equal(cell_numbers(5, 2)[0], [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(cell_numbers(5, 2)[:, 0], [0, 0, 0, 2, 2])
    np.testing.assert_allclose(cell_means(np.array([[1, 3], [5, 7]], np.float32), 2, 2), [1, 3, 5, 7])


@pytest.mark.usefixtures("on_black")
def test_curves_by_hand():
    """Four cells of grey 8, 4, 2, 2 score 4; from the brightest: 4, 2, 1, 0.5, 0 and back 0, 2, 3, 3.5, 4."""
    tensor = np.array([[8, 4], [2, 2]], np.float32)[..., None]
    found = curves(mean, tensor, np.array([0, 1, 2, 3]), steps=4, batch=3)
    np.testing.assert_allclose(found.share, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found.deletion, [4, 2, 1, 0.5, 0])
    np.testing.assert_allclose(found.insertion, [0, 2, 3, 3.5, 4])
    assert found.deletion_auc == pytest.approx((4 / 2 + 2 + 1 + 0.5 + 0) / 4)
    assert found.insertion_auc == pytest.approx((0 + 2 + 3 + 3.5 + 4 / 2) / 4)


@pytest.mark.usefixtures("on_black")
def test_the_right_map_beats_chance_and_the_wrong_one_loses():
    """For a network that uses one region only."""
    weights = np.zeros((56, 56, 1), np.float32)
    weights[8:24, 30:50] = 1

    def scores(inputs):
        return (inputs * weights).sum((1, 2, 3)) / weights.sum()

    tensor = np.ones((56, 56, 1), np.float32)
    right = curves(scores, tensor, order_of(weights[..., 0], 0))
    wrong = curves(scores, tensor, order_of(1 - weights[..., 0], 0))
    chance = curves(scores, tensor, random_order(0))
    assert right.deletion_auc < chance.deletion_auc - 0.2
    assert right.insertion_auc > chance.insertion_auc + 0.2
    assert wrong.deletion_auc > chance.deletion_auc > 0.3
    assert wrong.insertion_auc < chance.insertion_auc < 0.7


def test_both_curves_share_their_ends():
    """They take 2 * steps inputs. The empty image is the blurred crop, not one grey."""
    asked = []

    def scores(inputs):
        asked.extend(inputs)
        return mean(inputs)

    tensor = np.random.default_rng(0).random((28, 28, 1), np.float32)
    found = curves(scores, tensor, random_order(0), steps=8)
    assert len(asked) == 16
    assert found.deletion[0] == found.insertion[-1] == pytest.approx(tensor.mean())
    assert found.deletion[-1] == found.insertion[0]
    assert 0 < np.ptp(asked[8]) < np.ptp(tensor) / 2


def test_what_progress_raises_stops_the_curves():
    """No batch runs after it."""
    asked = []

    def stop(share):
        if share > 0:
            raise InterruptedError

    def scores(inputs):
        asked.append(len(inputs))
        return mean(inputs)

    with pytest.raises(InterruptedError):
        curves(scores, np.zeros((28, 28, 1), np.float32), random_order(0), batch=4, progress=stop)
    assert asked == [4]


@given(arrays.arrays(np.float32, (7, 7), elements=st.floats(0, 100, width=32)), st.integers(0, 3))
def test_an_order_is_a_permutation_by_falling_value(heat, seed):
    """For every map, all-zero ones included."""
    order = order_of(heat, seed)
    assert sorted(order) == list(range(CELLS * CELLS))
    values = cell_means(heat, CELLS)[order]
    assert (np.diff(values) <= 0).all()


def test_equal_values_are_in_a_random_order():
    """Otherwise an all-zero map would be tested from the top left."""
    empty = np.zeros((7, 7), np.float32)
    assert (order_of(empty, 0) != order_of(empty, 1)).any()
    assert (order_of(empty, 0) != np.arange(CELLS * CELLS)).any()
    np.testing.assert_array_equal(order_of(empty, 2), order_of(empty, 2))


def test_noise_is_as_small_as_stated():
    """Two grey levels of 255, on a crop divided by the standard deviation."""
    tensor = np.zeros((200, 200, 1), np.float32)
    assert with_noise(tensor, 0.2, 0).std() * 0.2 * 255 == pytest.approx(faithfulness.NOISE, rel=0.05)


def test_heat_in_lungs_by_hand():
    """Three quarters; an all-zero map has no share."""
    heat, lungs = np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[True, True], [False, True]])
    assert heat_in_lungs(heat, lungs) == 0.75
    assert heat_in_lungs(0 * heat, lungs) is None


def test_similarity_by_hand():
    """Ranks 1 2 3 4 against 1 2 4 3: one minus 6 * 2 / (4 * 15)."""
    first = np.kron(np.array([[1, 2], [3, 4]]), np.ones((112, 112))).astype(np.float32)
    second = np.kron(np.array([[1, 2], [9, 8]]), np.ones((112, 112))).astype(np.float32)
    assert spearman(first, second) == pytest.approx(0.8)


@given(arrays.arrays(np.float32, (28, 28), elements=st.integers(0, 1000).map(float)))
def test_similarity_ignores_scale(heat):
    """A map equals itself at any scale; a constant map correlates with nothing."""
    wanted = 1.0 if np.ptp(heat) > 0 else 0.0
    assert spearman(heat, 8 * heat) == pytest.approx(wanted, abs=1e-6)
    assert ssim(heat, 8 * heat) == pytest.approx(1.0)
    assert spearman(heat, np.ones((3, 3), np.float32)) == 0.0


def test_unlike_maps():
    """A region elsewhere has another structure and another order."""
    rng = np.random.default_rng(0)
    one, other = rng.random((28, 28), np.float32), rng.random((28, 28), np.float32)
    assert abs(spearman(one, other)) < 0.15
    assert ssim(one, other) < 0.3
    assert spearman(one, one.max() - one) == pytest.approx(-1.0)

"""Batches depend on seed and epoch alone."""

import numpy as np
import pytest

from cxrmodel.training.feed import Feed


def _sample(index: int, size: int, rng: np.random.Generator):
    return np.full((size, size, 1), index, np.float32), np.array([rng.random()], np.float32), 1.0


def _epoch(feed: Feed, epoch: int):
    batches = list(feed.epoch(epoch, 4))
    return [np.concatenate(part) for part in zip(*batches, strict=True)]


def test_each_film_comes_at_most_once():
    """An epoch is a permutation, cut to whole batches."""
    x, y, weight = _epoch(Feed(_sample, 50, 8, 0), 0)
    assert x.shape == (48, 4, 4, 1)
    assert y.shape == (48, 1)
    assert weight.shape == (48,)
    assert len(set(x[:, 0, 0, 0])) == 48


def test_few_films_make_one_small_batch():
    """Fewer films than a batch are still trained on."""
    x, _, _ = _epoch(Feed(_sample, 5, 32, 0), 0)
    assert sorted(x[:, 0, 0, 0]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("workers", [1, 5])
def test_threads_change_nothing(workers):
    """The same batches in the same order, however many threads make them."""
    alone, many = Feed(_sample, 40, 8, 7), Feed(_sample, 40, 8, 7)
    alone.workers, many.workers = 1, workers
    for first, second in zip(_epoch(alone, 3), _epoch(many, 3), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("seed", "epoch"), [(8, 3), (7, 4)])
def test_seed_and_epoch_change_everything(seed, epoch):
    """Another seed or epoch gives another order and other draws."""
    first, second = _epoch(Feed(_sample, 40, 8, 7), 3), _epoch(Feed(_sample, 40, 8, seed), epoch)
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_a_failing_sample_is_not_swallowed():
    """An error on a thread reaches the training."""

    def broken(index, size, rng):
        raise RuntimeError("no such film")

    with pytest.raises(RuntimeError, match="no such film"):
        list(Feed(broken, 8, 4, 0).epoch(0, 4))

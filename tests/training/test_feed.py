"""The feed: batches depend on seed and epoch alone, and mixup preserves the loss."""

import numpy as np
import pytest

from cxrmodel.training.feed import Feed, mixup


def _sample(index: int, size: int, rng: np.random.Generator):
    return np.full((size, size, 1), index, np.float32), np.array([rng.random()], np.float32), 1.0


def _epoch(feed: Feed, epoch: int):
    batches = list(feed.epoch(epoch, 4))
    return [np.concatenate(part) for part in zip(*batches, strict=True)]


def test_each_image_comes_at_most_once():
    """An epoch is a permutation, cut to whole batches."""
    x, y, weight = _epoch(Feed(_sample, 50, 8, 0), 0)
    assert x.shape == (48, 4, 4, 1)
    assert y.shape == (48, 1)
    assert weight.shape == (48,)
    assert len(set(x[:, 0, 0, 0])) == 48


def test_few_images_make_one_small_batch():
    """Fewer images than a batch are still trained on."""
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
    """Another seed or epoch gives another order and other random numbers."""
    first, second = _epoch(Feed(_sample, 40, 8, 7), 3), _epoch(Feed(_sample, 40, 8, seed), epoch)
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_an_error_in_a_sample_reaches_the_training():
    """Also from another thread."""

    def broken(index, size, rng):
        raise LookupError

    with pytest.raises(LookupError):
        list(Feed(broken, 8, 4, 0).epoch(0, 4))


class _Shares:
    """A generator that returns given shares."""

    def __init__(self, *shares: float):
        self.shares = np.array(shares)

    def beta(self, first: float, second: float, count: int) -> np.ndarray:
        assert first == second == 0.2
        assert count == len(self.shares)
        return self.shares


def test_mixup_by_hand():
    """The second image takes a quarter of the first, whose weight is three times as high.

    Its target is (0.75 * 1 * 1 + 0.25 * 3 * 0) / (0.75 + 0.75); a share below one half is taken from one.
    """
    x = np.float32([[[[8.0]]], [[[4.0]]]])
    y, weight = np.float32([[0.0], [1.0]]), np.float32([3.0, 1.0])
    mixed, label, total = mixup(x, y, weight, _Shares(1.0, 0.25), 0.2)
    assert mixed.ravel().tolist() == [8.0, 5.0]
    assert label.ravel().tolist() == [0.0, 0.5]
    assert total.tolist() == [3.0, 1.5]
    assert (mixed.shape, label.shape, total.shape) == (x.shape, y.shape, weight.shape)


def test_the_loss_of_a_mixed_image_is_the_weighted_sum_of_both_losses():
    """Cross-entropy is linear in the target, so target and weight together represent both images."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 4, 4, 1)).astype(np.float32), rng.random((6, 1)).astype(np.float32)
    weight, shares = rng.uniform(0.5, 2, 6).astype(np.float32), rng.uniform(0.5, 1, 6)
    _, label, total = mixup(x, y, weight, _Shares(*shares), 0.2)
    logit = rng.normal(size=6)

    def losses(labels: np.ndarray) -> np.ndarray:
        return np.logaddexp(0, logit) - labels * logit

    wanted = shares * weight * losses(y[:, 0]) + (1 - shares) * np.roll(weight, 1) * losses(np.roll(y[:, 0], 1))
    np.testing.assert_allclose(total * losses(label[:, 0]), wanted, rtol=1e-5)


def test_mixed_batches_depend_on_seed_epoch_and_position_alone():
    """A resumed training sees the same mixed images, and no batch repeats the shares of another."""
    feed = Feed(_sample, 40, 8, 7, alpha=0.4)
    plain, first, again = _epoch(Feed(_sample, 40, 8, 7), 3), _epoch(feed, 3), _epoch(feed, 3)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first[0], plain[0])
    images = np.arange(40).reshape(5, 8)
    before = np.roll(images, 1, axis=1).ravel()
    moved = (first[0][:, 0, 0, 0] - plain[0][:, 0, 0, 0]) / (plain[0][before, 0, 0, 0] - plain[0][:, 0, 0, 0])
    assert ((moved >= 0) & (moved <= 0.5)).all()
    assert len(set(moved.round(6))) > 30

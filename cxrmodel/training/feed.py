"""Feed: augmented batches, prepared in advance on threads. They depend only on seed and epoch."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Sample = Callable[[int, int, np.random.Generator], tuple[NDArray[Any], NDArray[Any], float]]
"""Index of an image, side in pixels and random generator -> input, target and weight of one sample."""
Batch = tuple[Floats, Floats, Floats]
"""Inputs (B, side, side, 1), targets (B, ...) and weights (B,)."""


def mixup(x: Floats, y: Floats, weight: Floats, rng: np.random.Generator, alpha: float) -> Batch:
    """Mix each image of a batch with the one before it (Zhang et al., mixup, ICLR 2018).

    Parameters
    ----------
    x : ndarray of float32, shape (B, ...)
    y : ndarray of float32, shape (B, 1), 0..1
    weight : ndarray of float32, shape (B,), above 0
    alpha : float
        Parameter of the Beta distribution, above 0.

    Returns
    -------
    x, y, weight : ndarray of float32
        Same shapes. The loss of a mixed image is the weighted sum of the two images' weighted losses. The larger
        share is always that of the image itself.
    """
    share = rng.beta(alpha, alpha, len(x)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    first, second = share * weight, (1 - share) * np.roll(weight, 1)
    total = first + second
    flat = (-1,) + (1,) * (x.ndim - 1)
    mixed = share.reshape(flat) * x + (1 - share).reshape(flat) * np.roll(x, 1, axis=0)
    target = (first[:, None] * y + second[:, None] * np.roll(y, 1, axis=0)) / total[:, None]
    return mixed, np.asarray(target, np.float32), total


class Feed:
    """Augmented batches of any number of epochs.

    Parameters
    ----------
    sample : callable (index, size, rng) -> (x, y, weight)
        Makes one sample. Called from several threads.
    count : int
        Number of images.
    batch : int
        Images in a batch. The smaller last batch of an epoch is dropped unless it is the only one.
    seed : int
    alpha : float
        Of :func:`mixup`; 0 mixes nothing.
    """

    def __init__(self, sample: Sample, count: int, batch: int, seed: int, alpha: float = 0.0) -> None:
        self.sample, self.count, self.batch, self.seed, self.alpha = sample, count, batch, seed, alpha
        self.workers = max(1, min(8, (os.cpu_count() or 2) // 2))
        self.steps = max(1, count // batch)
        cv2.setNumThreads(1)

    def epoch(self, epoch: int, size: int) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Yields
        ------
        x, y, weight : ndarray of float32
            Shapes (B, size, size, 1), (B, ...) and (B,).
        """
        order = np.random.default_rng((self.seed, epoch)).permutation(self.count)
        with ThreadPoolExecutor(self.workers) as pool:
            pending: deque[Future[Batch]] = deque()
            for step in range(self.steps):
                pending.append(pool.submit(self._batch, epoch, size, order, step))
                if len(pending) > 2 * self.workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def _batch(self, epoch: int, size: int, order: NDArray[np.int64], step: int) -> Batch:
        samples = [
            self.sample(int(order[place]), size, np.random.default_rng((self.seed, epoch, place)))
            for place in range(step * self.batch, min((step + 1) * self.batch, self.count))
        ]
        x, y, weight = (np.asarray(part, np.float32) for part in zip(*samples, strict=True))
        if not self.alpha:
            return x, y, weight
        # Samples use the streams below the count.
        return mixup(x, y, weight, np.random.default_rng((self.seed, epoch, self.count + step)), self.alpha)

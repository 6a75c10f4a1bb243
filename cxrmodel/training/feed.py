"""Batches made ahead on threads, in an order that depends on the seed and epoch alone."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

__all__ = ["Feed", "blend"]

Sample = Callable[[int, int, np.random.Generator], tuple[np.ndarray, np.ndarray, float]]


def blend(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, rng: np.random.Generator, mixup: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blend each image of a batch with the one before it.

    Parameters
    ----------
    x : ndarray of float32, shape (B, ...)
    y : ndarray of float32, shape (B, 1), 0..1
    weight : ndarray of float32, shape (B,), above 0
    mixup : float
        Parameter of the Beta distribution, above 0.

    Returns
    -------
    x, y, weight : ndarray of float32
        Of the same shapes. Label and weight are such that the loss of a blend is the two images' weighted losses
        in the blend's shares. The larger share is always the image's own.
    """
    share = rng.beta(mixup, mixup, len(x)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    own, other = share * weight, (1 - share) * np.roll(weight, 1)
    total = own + other
    flat = (-1,) + (1,) * (x.ndim - 1)
    mixed = share.reshape(flat) * x + (1 - share).reshape(flat) * np.roll(x, 1, axis=0)
    label = (own[:, None] * y + other[:, None] * np.roll(y, 1, axis=0)) / total[:, None]
    return mixed, label, total


class Feed:
    """An endless supply of augmented batches.

    Parameters
    ----------
    sample : callable (index, size, rng) -> (x, y, weight)
        Makes one sample. Called from several threads.
    count : int
        Number of images.
    batch : int
        Images a batch; the last, smaller batch of an epoch is left out where there is a full one.
    seed : int
    mixup : float
        Parameter of the Beta distribution from which each image's share in a blend of two is drawn (Zhang et al.,
        mixup, ICLR 2018); 0 blends nothing.
    """

    def __init__(self, sample: Sample, count: int, batch: int, seed: int, mixup: float = 0.0):
        self.sample, self.count, self.batch, self.seed, self.mixup = sample, count, batch, seed, mixup
        self.workers = max(1, min(8, (os.cpu_count() or 2) // 2))
        self.steps = max(1, count // batch)
        cv2.setNumThreads(1)

    def epoch(self, epoch: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the batches of one epoch.

        Yields
        ------
        x, y, weight : ndarray of float32
            Shapes (B, size, size, 1), (B, ...) and (B,).
        """
        order = np.random.default_rng((self.seed, epoch)).permutation(self.count)

        def make(step: int):
            rows = []
            for place in range(step * self.batch, min((step + 1) * self.batch, self.count)):
                rng = np.random.default_rng((self.seed, epoch, place))
                rows.append(self.sample(int(order[place]), size, rng))
            x, y, weight = zip(*rows, strict=True)
            made = np.stack(x), np.asarray(np.stack(y), np.float32), np.asarray(weight, np.float32)
            if not self.mixup:
                return made
            # A stream of its own: no image has a place at or above the count.
            return blend(*made, np.random.default_rng((self.seed, epoch, self.count + step)), self.mixup)

        with ThreadPoolExecutor(self.workers) as pool:
            waiting: deque = deque()
            for step in range(self.steps):
                waiting.append(pool.submit(make, step))
                if len(waiting) > 2 * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

"""Batches made ahead on threads, in an order that depends on the seed and epoch alone."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

__all__ = ["Feed"]

Sample = Callable[[int, int, np.random.Generator], tuple[np.ndarray, np.ndarray, float]]


class Feed:
    """An endless supply of augmented batches.

    Parameters
    ----------
    sample : callable (index, size, rng) -> (x, y, weight)
        Makes one sample. Called from several threads.
    count : int
        Number of films.
    batch : int
        Films a batch; the last, smaller batch of an epoch is left out where there is a full one.
    seed : int
    """

    def __init__(self, sample: Sample, count: int, batch: int, seed: int):
        self.sample, self.count, self.batch, self.seed = sample, count, batch, seed
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
            return np.stack(x), np.asarray(np.stack(y), np.float32), np.asarray(weight, np.float32)

        with ThreadPoolExecutor(self.workers) as pool:
            waiting: deque = deque()
            for step in range(self.steps):
                waiting.append(pool.submit(make, step))
                if len(waiting) > 2 * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

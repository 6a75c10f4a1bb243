"""SmoothGrad: the mean saliency of noisy copies of the image."""

import numpy as np

from cxrmodel.explain.method import Floats, Method, Network, Progress
from cxrmodel.explain.methods.saliency import saliency
from cxrmodel.messages import Message

COPIES = 16
NOISE = 0.1
"""Standard deviation of the noise, as a share of the image's own range of grey."""
SEED = 0
BATCH = 4
"""Inputs whose gradients are computed together; more would take much memory."""


def smoothgrad(
    network: Network,
    inputs: Floats,
    copies: int = COPIES,
    noise: float = NOISE,
    progress: Progress | None = None,
    traced: bool = False,
) -> Floats:
    """SmoothGrad (Smilkov et al., 2017) with seeded noise.

    The copies are made here and not by the library, whose noise has no seed and whose work cannot be stopped.

    Parameters
    ----------
    network : keras.Model
    inputs : ndarray of float32, shape (N, size, size, 1)
    copies : int
        Noisy copies of each image.
    noise : float
        Standard deviation of the noise, as a share of each image's own range of grey.
    progress : callable, optional
    traced : bool
        As in ``saliency``.

    Returns
    -------
    ndarray of float32, shape (N, size, size)
        In units of the logit per standard deviation of grey.
    """
    rng = np.random.default_rng(SEED)
    spread = noise * np.ptp(inputs, axis=(1, 2, 3), keepdims=True)
    total = np.zeros(inputs.shape[:3], np.float32)
    together = max(1, BATCH // len(inputs))
    for start in range(0, copies, together):
        if progress:
            progress(start / copies)
        count = min(together, copies - start)
        noisy = [inputs + spread * rng.standard_normal(inputs.shape) for _ in range(count)]
        found = saliency(network, np.concatenate(noisy).astype(np.float32), traced)
        total += found.reshape(count, *total.shape).sum(0)
    return total / np.float32(copies)


METHOD = Method(
    name="smoothgrad",
    title="SmoothGrad",
    paper="Smilkov et al., SmoothGrad, 2017",
    link="https://arxiv.org/abs/1706.03825",
    shows=Message("explain.smoothgrad.shows"),
    cannot=Message("explain.smoothgrad.cannot"),
    unit=Message("explain.saliency.unit"),
    passes=COPIES,
    compute=lambda context, tensors, progress: smoothgrad(
        context.network, tensors, progress=progress, traced=context.many
    ),
)

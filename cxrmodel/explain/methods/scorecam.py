"""Score-CAM: features of an earlier layer, each channel weighted by the score of the image masked with it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.method import Floats, Method, Network, Progress
from cxrmodel.messages import Message

CHANNELS = 16
"""Channels that are tried of each view."""


def scorecam(
    network: Network,
    layer: str,
    inputs: Floats,
    channels: int,
    logits: Callable[[Floats], NDArray[np.float64]],
    progress: Progress | None = None,
) -> Floats:
    """Score-CAM of one image (Wang et al., CVPR workshops 2020), in the library's faster variant.

    The library applies a softmax to the network's outputs, which turns a single logit into 1 whatever its value.
    Therefore the network is given a second output of zero. A channel's weight is the amount by which its mask raises
    the logit above that of a uniform grey crop.

    Parameters
    ----------
    network : keras.Model
    layer : str
        Name of the layer whose output is weighted.
    inputs : ndarray of float32, shape (1, size, size, 1)
    channels : int
        Number of channels that are tried: those that vary most over the image.
    logits : callable
        Inputs (N, size, size, 1) -> logits (N,); may be a faster engine with the same weights.
    progress : callable, optional

    Returns
    -------
    ndarray of float32, shape (1, h, w)
        Zero or above.
    """
    import keras
    from tensorflow import math
    from tf_keras_vis.scorecam import Scorecam

    from cxrmodel.explain.methods.keras_vis import cam

    blank = float(logits(np.zeros_like(inputs))[0])

    class Batched(keras.Model):  # type: ignore[misc]  # Keras has no types
        """The network, run in small batches on ``logits``."""

        def predict(self, x: Any, batch_size: int = 8, **_: Any) -> Floats:
            masked, found = np.asarray(x[0] if isinstance(x, list) else x, np.float32), []
            for start in range(0, len(masked), batch_size):
                if progress:
                    progress(start / len(masked))
                found.append(logits(masked[start : start + batch_size]))
            values = np.concatenate(found)
            return np.stack([np.zeros_like(values), values], axis=1).astype(np.float32)

    return cam(
        Scorecam(Batched(network.inputs, network.outputs), clone=False),
        layer,
        inputs,
        lambda shares: math.log(shares[:, 1]) - math.log(shares[:, 0]) - blank,
        max_N=channels,
        batch_size=8,
    )


METHOD = Method(
    name="scorecam",
    title="Score-CAM (faster variant)",
    paper="Wang et al., Score-CAM, CVPR workshops 2020",
    link="https://arxiv.org/abs/1910.01279",
    shows=Message("explain.scorecam.shows"),
    cannot=Message("explain.scorecam.cannot"),
    unit=Message("explain.scorecam.unit"),
    passes=2 * (CHANNELS + 1) + 1,
    compute=lambda context, tensors, progress: np.concatenate(
        [
            scorecam(context.network, context.model.score_layer, tensor[None], CHANNELS, context.logits, progress)
            for tensor in tensors
        ]
    ),
    backwards=False,
)

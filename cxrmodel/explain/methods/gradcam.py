"""Grad-CAM in closed form: a weighted sum of the features that the forward pass has computed anyway.

Let A be the last features, of shape (H, W, C), and let the logit be global average pooling and one dense unit:
z = b + sum over k of w_k times the mean of A_k over its H·W positions. Grad-CAM (Selvaraju et al., ICCV 2017) weights
channel k with the mean over all positions of the derivative of z with respect to A_k. That derivative is w_k / (H·W) at
every position, so the mean is w_k / (H·W) too, and

    map = max(0, sum over k of w_k A_k / (H·W)).

Before negative values are set to zero, the positions sum to z - b: each value is a contribution to the logit. No
gradient is needed, and the exported graph computes the contributions together with the logit. Of both views of an image
the contributions are averaged first, so that they still sum to the logit less b, and then set to zero where negative.
"""

import numpy as np
from numpy.typing import NDArray

from cxrmodel.explain.method import Floats, Method
from cxrmodel.messages import Message


def contributions(features: NDArray[np.floating], weights: NDArray[np.floating]) -> Floats:
    """Contribution of each position to a logit over globally averaged features.

    Parameters
    ----------
    features : ndarray of float, shape (N, H, W, C)
        Input of the global average pooling.
    weights : ndarray of float, shape (C,)
        Of the dense unit that gives the logit.

    Returns
    -------
    ndarray of float32, shape (N, H, W)
        In units of the logit. They sum to the logit less its bias.
    """
    height, width = features.shape[1:3]
    found: Floats = (features @ (weights / (height * width))).astype(np.float32)
    return found


METHOD = Method(
    name="gradcam",
    title="Grad-CAM",
    paper="Selvaraju et al., Grad-CAM, ICCV 2017",
    link="https://arxiv.org/abs/1610.02391",
    shows=Message("explain.gradcam.shows"),
    cannot=Message("explain.gradcam.cannot"),
    unit=Message("explain.gradcam.unit"),
    passes=0,
    compute=lambda context, tensors, _: context.engine.run(tensors)[1],
    backwards=False,
    tensorflow=False,
    single_view=False,
)

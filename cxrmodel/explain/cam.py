"""Grad-CAM in closed form: a weighted sum of the features that the forward pass has computed anyway.

Let A be the last features, of shape (H, W, C), and let the logit be global average pooling and one dense unit:
z = b + sum over k of w_k times the mean of A_k over its H·W places. Grad-CAM (Selvaraju et al., ICCV 2017) weighs
channel k with the mean over all places of the derivative of z with respect to A_k. That derivative is
w_k / (H·W) at every place, so the mean is w_k / (H·W) too, and

    map = max(0, sum over k of w_k A_k / (H·W)).

Before the clipping the places sum to z - b: each value is what its place adds to the logit. No gradient is needed.
"""

import numpy as np

__all__ = ["closed_form"]


def closed_form(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Grad-CAM of a logit over globally averaged features.

    Parameters
    ----------
    features : ndarray of float32, shape (N, H, W, C)
        What enters the global average pooling.
    weights : ndarray of float32, shape (C,)
        Of the dense unit that gives the logit.

    Returns
    -------
    ndarray of float32, shape (N, H, W)
        Zero or above, in units of the logit.
    """
    height, width = features.shape[1:3]
    return np.maximum(features @ (weights / (height * width)), 0.0).astype(np.float32)

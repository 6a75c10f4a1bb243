"""What the methods through tf-keras-vis share. It imports TensorFlow, so methods import it when they run."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.saliency import Saliency

from cxrmodel.explain.method import Floats

_RAW = {"seek_penultimate_conv_layer": False, "expand_cam": False, "normalize_cam": False}
"""The library's own search would pick a narrow convolution inside a dense block."""


def logit(output: tf.Tensor) -> tf.Tensor:
    """Score to explain: the network's output (N, 1) as (N,)."""
    return tf.reshape(output, (-1,))


def cam(
    method: Any, layer: str, inputs: Floats, score: Callable[[tf.Tensor], tf.Tensor] = logit, **options: Any
) -> Floats:
    """Raw class activation maps of a library object.

    Parameters
    ----------
    method : tf_keras_vis.ModelVisualization
        Made with ``clone=False``, as a clone would change the network.
    layer : str
        Name of the layer whose output is weighted.
    inputs : ndarray of float32, shape (N, size, size, 1)
    score : callable
        Output of the network -> scores (N,).
    **options
        Of the library's call.

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Zero or above.
    """
    return np.asarray(method(score, tf.constant(inputs), penultimate_layer=layer, **_RAW, **options), np.float32)


def gradcam(network: keras.Model, layer: str, inputs: Floats) -> Floats:
    """Grad-CAM of the logit by the library, to test ``cxrmodel.explain.methods.gradcam``; arguments as of ``cam``."""
    return cam(Gradcam(network, clone=False), layer, inputs)


def pixel_gradients(network: keras.Model, inputs: Floats, traced: bool) -> Floats:
    """Absolute gradient of the logit by each pixel.

    Parameters
    ----------
    network : keras.Model
    inputs : ndarray of float32, shape (N, size, size, 1)
    traced : bool
        Whether to compile the gradients into a graph: the first call for a network then takes seconds longer, and every
        later one a third of the time.

    Returns
    -------
    ndarray of float32, shape (N, size, size)
    """
    gradients = _traced(network) if traced else _eager(network)
    return np.asarray(gradients(tf.constant(inputs)), np.float32)


def _eager(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    # The library calls the network with a list.
    method = Saliency(keras.Model(network.inputs, network.outputs), clone=False)
    return lambda inputs: method(logit, inputs, keepdims=True, normalize_map=False)[..., 0]


@lru_cache(maxsize=2)
def _traced(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Kept for the network in use and for one that it is compared with. Their weights may change."""
    shape = tf.TensorSpec(network.inputs[0].shape, tf.float32)
    traced: Callable[[tf.Tensor], tf.Tensor] = tf.function(_eager(network), input_signature=[shape])
    return traced

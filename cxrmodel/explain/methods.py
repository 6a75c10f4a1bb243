"""Explanations through tf-keras-vis, on the Keras network.

They load TensorFlow; nothing on the way to a reading imports this module.
"""

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam

__all__ = ["gradcam"]


def gradcam(network: keras.Model, layer: str, inputs: np.ndarray) -> np.ndarray:
    """Grad-CAM of the logit (Selvaraju et al., ICCV 2017), as raw values.

    Parameters
    ----------
    network : keras.Model
        Input (N, size, size, 1), output (N, 1), the logit.
    layer : str
        The last layer before pooling, by name: the library's own search would pick a narrow convolution inside
        a dense block.
    inputs : ndarray of float32, shape (N, size, size, 1)

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Zero or above; all zero where nothing speaks for pneumonia.
    """
    found = Gradcam(network, clone=False)(
        lambda output: tf.reshape(output, (-1,)),
        tf.constant(inputs),
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    return np.asarray(found, np.float32)

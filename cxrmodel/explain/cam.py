"""Grad-CAM of the logit, as raw values.

Selvaraju et al., Grad-CAM, ICCV 2017, through tf-keras-vis. The map is neither stretched nor normalised: under
global average pooling its cells are the positive contributions of their places to the logit.
"""

import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam

from cxrmodel.model.engine import KerasEngine

__all__ = ["GradCam"]


class GradCam:
    """Grad-CAM at one layer of an engine's network.

    Parameters
    ----------
    engine : KerasEngine
    layer : str
        Name of the last layer before pooling; it is named because the library's own search would pick a
        narrow convolution inside a dense block.
    """

    def __init__(self, engine: KerasEngine, layer: str):
        self._engine, self._layer = engine, layer
        self._gradcam = Gradcam(engine.network, clone=False)

    def maps(self, inputs: np.ndarray) -> np.ndarray:
        """Maps of a batch.

        Parameters
        ----------
        inputs : ndarray of float32, shape (N, size, size, 1)

        Returns
        -------
        ndarray of float32, shape (N, h, w)
            Zero or above; all zero where nothing speaks for pneumonia.
        """
        with self._engine.lock:
            found = self._gradcam(
                lambda output: tf.reshape(output, (-1,)),
                tf.constant(inputs),
                penultimate_layer=self._layer,
                seek_penultimate_conv_layer=False,
                expand_cam=False,
                normalize_cam=False,
            )
        return np.asarray(found, np.float32)

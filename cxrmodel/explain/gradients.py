"""Explanations through tf-keras-vis, on the Keras network.

They load TensorFlow; nothing on the way to a reading imports this module. Every function explains the logit, takes
one image at a time or several, and gives raw maps over the crop: zero or above, not stretched to an image's own peak.
"""

from collections.abc import Callable
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.layercam import Layercam
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.scorecam import Scorecam

__all__ = ["gradcam", "gradcam_plus_plus", "layercam", "saliency", "scorecam", "smoothgrad"]

Progress = Callable[[float], None]
Logits = Callable[[np.ndarray], np.ndarray]
TOGETHER = 4
"""Inputs whose gradients are computed at one time: more would take much memory."""
_RAW = {"seek_penultimate_conv_layer": False, "expand_cam": False, "normalize_cam": False}
"""The library's own search would pick a narrow convolution inside a dense block."""


def gradcam(network: keras.Model, layer: str, inputs: np.ndarray) -> np.ndarray:
    """Grad-CAM of the logit (Selvaraju et al., ICCV 2017), as raw values.

    Parameters
    ----------
    network : keras.Model
        Input (N, size, size, 1), output (N, 1), the logit.
    layer : str
        Whose output is weighed, by name.
    inputs : ndarray of float32, shape (N, size, size, 1)

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Zero or above; all zero where nothing speaks for pneumonia.
    """
    return _cam(Gradcam(network, clone=False), _logit, layer, inputs)


def gradcam_plus_plus(network: keras.Model, layer: str, inputs: np.ndarray) -> np.ndarray:
    """Grad-CAM++ of the logit (Chattopadhay et al., WACV 2018), as raw values.

    The published weights carry the factor exp(logit), the same at every place of an image, which would set images
    apart by powers of ten. It is left out: the map is that of the logit less its own value.

    Parameters
    ----------
    network, layer, inputs
        As of ``gradcam``. At the last layer before pooling the map would be LayerCAM's up to scale.

    Returns
    -------
    ndarray of float32, shape (N, h, w)
    """
    return _cam(GradcamPlusPlus(network, clone=False), lambda z: _logit(z) - tf.stop_gradient(_logit(z)), layer, inputs)


def layercam(network: keras.Model, layer: str, inputs: np.ndarray) -> np.ndarray:
    """LayerCAM of the logit (Jiang et al., IEEE TIP 2021), as raw values.

    Parameters
    ----------
    network, layer, inputs
        As of ``gradcam``.

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Each place adds its own activations, weighed by their own rising effect on the logit.
    """
    return _cam(Layercam(network, clone=False), _logit, layer, inputs)


def saliency(network: keras.Model, inputs: np.ndarray, traced: bool = False) -> np.ndarray:
    """Absolute gradient of the logit by each pixel (Simonyan et al., ICLR workshop 2014).

    Parameters
    ----------
    network, inputs
        As of ``gradcam``.
    traced : bool
        Whether to run the gradients as one graph: the first call for a network then takes seconds longer, and every
        later one a third of the time. For many images.

    Returns
    -------
    ndarray of float32, shape (N, size, size)
        In units of the logit by standard deviation of grey.
    """
    gradients = _traced(network) if traced else _gradients(network)
    return np.asarray(gradients(tf.constant(inputs)), np.float32)


def smoothgrad(
    network: keras.Model,
    inputs: np.ndarray,
    samples: int,
    noise: float,
    seed: int,
    progress: Progress | None = None,
    traced: bool = False,
) -> np.ndarray:
    """SmoothGrad (Smilkov et al., 2017): the mean saliency of noisy copies.

    The copies are made here and not by the library, whose noise follows no seed and which cannot be stopped.

    Parameters
    ----------
    network, inputs
        As of ``gradcam``.
    samples : int
        Copies of each image.
    noise : float
        Standard deviation of the noise, as a share of the image's own range of grey.
    seed : int
    progress : callable, optional
        Told the share done, 0..1; what it raises stops the work.
    traced : bool
        As of ``saliency``.

    Returns
    -------
    ndarray of float32, shape (N, size, size)
    """
    rng = np.random.default_rng(seed)
    spread = noise * np.ptp(inputs, axis=(1, 2, 3), keepdims=True)
    total = np.zeros(inputs.shape[:3], np.float32)
    together = max(1, TOGETHER // len(inputs))
    for start in range(0, samples, together):
        if progress:
            progress(start / samples)
        copies = [
            inputs + spread * rng.standard_normal(inputs.shape) for _ in range(start, min(start + together, samples))
        ]
        found = saliency(network, np.concatenate(copies).astype(np.float32), traced)
        total += found.reshape(len(copies), *total.shape).sum(0)
    return total / samples


def scorecam(
    network: keras.Model,
    layer: str,
    inputs: np.ndarray,
    channels: int,
    logits: Logits,
    progress: Progress | None = None,
) -> np.ndarray:
    """Score-CAM of one image (Wang et al., CVPR workshops 2020), in the library's faster variant.

    The library puts a softmax over the network's outputs, which makes 1 of a single logit whatever it is, so the
    network is shown to it with a second output of zero. A channel weighs as much as its mask raises the logit above
    that of a crop of even grey.

    Parameters
    ----------
    network, layer
        As of ``gradcam``.
    inputs : ndarray of float32, shape (1, size, size, 1)
    channels : int
        How many are tried: those that vary most over the image.
    logits : callable
        Inputs (N, size, size, 1) -> logits (N,); may be a faster engine with the same weights.
    progress : callable, optional
        As of ``smoothgrad``.

    Returns
    -------
    ndarray of float32, shape (1, h, w)
    """
    blank = float(logits(np.zeros_like(inputs))[0])

    class Watched(keras.Model):
        """The network, asked in small batches."""

        def predict(self, x, batch_size: int = 8, **_) -> np.ndarray:
            masked, found = np.asarray(x[0] if isinstance(x, list) else x, np.float32), []
            for start in range(0, len(masked), batch_size):
                if progress:
                    progress(start / len(masked))
                found.append(logits(masked[start : start + batch_size]))
            values = np.concatenate(found)
            return np.stack([np.zeros_like(values), values], axis=1).astype(np.float32)

    def raised(chances):
        return tf.math.log(chances[:, 1]) - tf.math.log(chances[:, 0]) - blank

    network = Watched(network.inputs, network.outputs)
    return _cam(Scorecam(network, clone=False), raised, layer, inputs, max_N=channels, batch_size=8)


def _gradients(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    # The library calls the network with a list.
    method = Saliency(keras.Model(network.inputs, network.outputs), clone=False)
    return lambda inputs: method(_logit, inputs, keepdims=True, normalize_map=False)[..., 0]


@lru_cache(maxsize=2)
def _traced(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Kept of the network in use, and of one that it is compared with. Weights may change."""
    shape = tf.TensorSpec(network.inputs[0].shape, tf.float32)
    return tf.function(_gradients(network), input_signature=[shape])


def _logit(output: tf.Tensor) -> tf.Tensor:
    return tf.reshape(output, (-1,))


def _cam(method, score, layer: str, inputs: np.ndarray, **options) -> np.ndarray:
    return np.asarray(method(score, tf.constant(inputs), penultimate_layer=layer, **_RAW, **options), np.float32)

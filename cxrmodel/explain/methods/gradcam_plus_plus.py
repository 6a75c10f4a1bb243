"""Grad-CAM++: features of an earlier layer, weighted by gradients of first to third order."""

from typing import TYPE_CHECKING

from cxrmodel.explain.method import Context, Floats, Method, Progress
from cxrmodel.messages import Message

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

__all__ = ["METHOD", "gradcam_plus_plus"]


def gradcam_plus_plus(network: "keras.Model", layer: str, inputs: Floats) -> Floats:
    """Grad-CAM++ of the logit (Chattopadhay et al., WACV 2018), as raw values.

    The published weights carry the factor exp(logit), the same at every position of an image, which would set images
    apart by powers of ten. It is left out: the score is the logit minus its own value.

    Parameters
    ----------
    network : keras.Model
        Input (N, size, size, 1), output (N, 1), the logit.
    layer : str
        Name of the layer whose output is weighted. At the last layer before pooling the map equals LayerCAM's up to
        scale.
    inputs : ndarray of float32, shape (N, size, size, 1)

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Zero or above.
    """
    import tensorflow as tf
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

    from cxrmodel.explain.methods import keras_vis

    def score(output: "tf.Tensor") -> "tf.Tensor":
        return keras_vis.logit(output) - tf.stop_gradient(keras_vis.logit(output))

    return keras_vis.cam(GradcamPlusPlus(network, clone=False), layer, inputs, score)


def _compute(context: Context, tensors: Floats, progress: Progress) -> Floats:
    return gradcam_plus_plus(context.network, context.model.fine_layer, tensors)


METHOD = Method(
    name="gradcam++",
    title="Grad-CAM++",
    paper="Chattopadhay et al., Grad-CAM++, WACV 2018",
    link="https://arxiv.org/abs/1710.11063",
    shows=Message("explain.gradcam_plus_plus.shows"),
    cannot=Message("explain.gradcam_plus_plus.cannot"),
    unit=Message("explain.gradcam_plus_plus.unit"),
    passes=1,
    compute=_compute,
)

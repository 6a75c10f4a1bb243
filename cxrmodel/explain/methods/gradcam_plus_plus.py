"""Grad-CAM++: features of an earlier layer, weighted by gradients of first to third order."""

from cxrmodel.explain.method import Floats, Method, Network
from cxrmodel.messages import Message


def gradcam_plus_plus(network: Network, layer: str, inputs: Floats) -> Floats:
    """Grad-CAM++ of the logit (Chattopadhay et al., WACV 2018), as raw values.

    The published weights carry the factor exp(logit), the same at every position of an image, which would set images
    apart by powers of ten. It is left out: the score is the logit minus its own value.

    Parameters
    ----------
    network : keras.Model
    layer : str
        Name of the layer whose output is weighted. At the last layer before pooling the map equals LayerCAM's up to
        scale.
    inputs : ndarray of float32, shape (N, size, size, 1)

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        Zero or above.
    """
    from tensorflow import stop_gradient
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

    from cxrmodel.explain.methods.keras_vis import cam, logit

    method = GradcamPlusPlus(network, clone=False)
    return cam(method, layer, inputs, lambda output: logit(output) - stop_gradient(logit(output)))


METHOD = Method(
    name="gradcam++",
    title="Grad-CAM++",
    paper="Chattopadhay et al., Grad-CAM++, WACV 2018",
    link="https://arxiv.org/abs/1710.11063",
    shows=Message("explain.gradcam_plus_plus.shows"),
    cannot=Message("explain.gradcam_plus_plus.cannot"),
    unit=Message("explain.gradcam_plus_plus.unit"),
    passes=1,
    compute=lambda context, tensors, _: gradcam_plus_plus(context.network, context.model.fine_layer, tensors),
)
